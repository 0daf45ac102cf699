package render

import (
	"maps"

	"mizzen.dev/api/v1alpha1"
)

// Labels that Mizzen sets.
const (
	// ModelLabel names the Model. It alone selects the pods: a version or a revision in a
	// selector would make the Deployment immutable where it must change.
	ModelLabel = v1alpha1.ModelLabel
	// versionLabel is the version of the model.
	versionLabel = "app.kubernetes.io/version"
	// RevisionLabel is the hash of what a pod runs.
	RevisionLabel = "mizzen.dev/revision"
	// ManagedBy is the value of app.kubernetes.io/managed-by.
	ManagedBy = "mizzen"
)

// Names of containers and volumes.
const (
	serverContainer = "server"
	// FetchContainer is that of mizzen fetch.
	FetchContainer = "fetch"
	modelVolume    = "model"
)

// name of the Model, which is that of most objects: at most 40 characters, so that
// name("x") fits the 63 of a label.
func (r *renderer) name(suffix string) string {
	if suffix == "" {
		return r.Model.Name
	}
	return r.Model.Name + "-" + suffix
}

// selector of the Model's own pods.
func (r *renderer) selector() map[string]string {
	return map[string]string{ModelLabel: r.Model.Name}
}

// labels of every object of the Model.
func (r *renderer) labels() map[string]string {
	return map[string]string{
		ModelLabel:                     r.Model.Name,
		"app.kubernetes.io/name":       r.Model.Name,
		"app.kubernetes.io/component":  "model-server",
		"app.kubernetes.io/managed-by": ManagedBy,
	}
}

// podLabels are those of every object, and what tells one pod from another.
func (r *renderer) podLabels() map[string]string {
	l := map[string]string{}
	if m := r.spec.PodMetadata; m != nil {
		for k, v := range m.Labels {
			l[k] = string(v)
		}
	}
	maps.Copy(l, r.labels())
	l[versionLabel] = r.spec.Version
	l[RevisionLabel] = r.result.Revision
	return l
}

// condition names that problems are reported under.
const (
	conditionSource   = v1alpha1.ConditionSourceReady
	conditionWorkload = v1alpha1.ConditionWorkloadReady
	conditionScaled   = v1alpha1.ConditionScaledBy
	conditionExposed  = v1alpha1.ConditionExposed
	conditionIsolated = v1alpha1.ConditionIsolated
	conditionObserved = v1alpha1.ConditionObserved
)
