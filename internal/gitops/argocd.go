// Package gitops writes what delivers Models from a Git repository: Argo CD's
// Application or ApplicationSet, and a workflow of GitHub.
package gitops

import (
	"path"
	"slices"

	"sigs.k8s.io/yaml"
)

// Application is what Argo CD should keep in a cluster.
type Application struct {
	// Name of the Application; with environments it is followed by theirs.
	Name string
	// RepoURL, Path and Revision are where the objects are.
	RepoURL, Path, Revision string
	// Environments that have an overlay each; with one or none it is an Application,
	// else an ApplicationSet.
	Environments []Environment
	// Namespace of the Application itself, Project and Server of the destination.
	Namespace, Project, Server string
	// Autoscaled names the Deployments whose number of pods an autoscaler changes.
	Autoscaled []string
}

// Environment is where an overlay goes.
type Environment struct {
	Name, Namespace string
	// Overlay says that there are overlays, and Path is above them.
	Overlay bool
}

// historyLimit is how many synchronisations can be gone back to.
const historyLimit = 10

// YAML returns the Application, or the ApplicationSet.
func (a Application) YAML() ([]byte, error) {
	if len(a.Environments) == 1 {
		e := a.Environments[0]
		return yaml.Marshal(map[string]any{
			"apiVersion": "argoproj.io/v1alpha1",
			"kind":       "Application",
			"metadata": map[string]any{"name": a.Name, "namespace": a.Namespace,
				// what is deleted here is deleted in the cluster
				"finalizers": []string{"resources-finalizer.argocd.argoproj.io"}},
			"spec": a.spec(a.pathOf(e), e.Namespace),
		})
	}
	var elements []any
	for _, e := range a.Environments {
		elements = append(elements, map[string]any{"environment": e.Name, "namespace": e.Namespace, "path": a.pathOf(e)})
	}
	return yaml.Marshal(map[string]any{
		"apiVersion": "argoproj.io/v1alpha1",
		"kind":       "ApplicationSet",
		"metadata":   map[string]any{"name": a.Name, "namespace": a.Namespace},
		"spec": map[string]any{
			"goTemplate":        true,
			"goTemplateOptions": []string{"missingkey=error"},
			"generators":        []any{map[string]any{"list": map[string]any{"elements": elements}}},
			"template": map[string]any{
				"metadata": map[string]any{"name": a.Name + "-{{.environment}}",
					"finalizers": []string{"resources-finalizer.argocd.argoproj.io"}},
				"spec": a.spec("{{.path}}", "{{.namespace}}"),
			},
		},
	})
}

func (a Application) pathOf(e Environment) string {
	if e.Overlay {
		return path.Join(a.Path, "overlays", e.Name)
	}
	return a.Path
}

// spec of an Application: Git is what counts, also against changes by hand, but for
// the number of pods where an autoscaler has the say.
func (a Application) spec(at, namespace string) map[string]any {
	spec := map[string]any{
		"project":     a.Project,
		"source":      map[string]any{"repoURL": a.RepoURL, "path": at, "targetRevision": a.Revision},
		"destination": map[string]any{"server": a.Server, "namespace": namespace},
		"syncPolicy": map[string]any{
			"automated":   map[string]any{"prune": true, "selfHeal": true},
			"syncOptions": []string{"ServerSideApply=true", "RespectIgnoreDifferences=true", "PruneLast=true"},
			"retry": map[string]any{"limit": 5,
				"backoff": map[string]any{"duration": "5s", "factor": 2, "maxDuration": "3m"}},
		},
		"revisionHistoryLimit": historyLimit,
	}
	var ignored []any
	for _, name := range slices.Sorted(slices.Values(a.Autoscaled)) {
		ignored = append(ignored, map[string]any{"group": "apps", "kind": "Deployment", "name": name, "jsonPointers": []string{"/spec/replicas"}})
	}
	if len(ignored) > 0 {
		spec["ignoreDifferences"] = ignored
	}
	return spec
}
