package gitops_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	structuralschema "k8s.io/apiextensions-apiserver/pkg/apiserver/schema"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/pruning"
	"k8s.io/apiextensions-apiserver/pkg/apiserver/validation"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/gitops"
	"mizzen.dev/internal/golden"
	"mizzen.dev/test/cluster/crds"
)

func applications() map[string]gitops.Application {
	app := gitops.Application{Name: "iris", RepoURL: "https://github.com/acme/iris", Path: "deploy", Revision: "main",
		Namespace: "argocd", Project: "default", Server: "https://kubernetes.default.svc"}
	fixed, scaled, set := app, app, app
	fixed.Environments = []gitops.Environment{{Namespace: "ml-prod"}}
	scaled.Environments = []gitops.Environment{{Name: "prod", Namespace: "ml-prod", Overlay: true}}
	scaled.Autoscaled = []string{"wine", "iris"}
	set.Environments = []gitops.Environment{{Name: "dev", Namespace: "ml-dev", Overlay: true}, {Name: "prod", Namespace: "ml-prod", Overlay: true}}
	set.Autoscaled = []string{"iris"}
	return map[string]gitops.Application{"application": fixed, "application-overlay": scaled, "applicationset": set}
}

func workflows() map[string]gitops.Workflow {
	w := gitops.Workflow{Name: "iris", Manifest: "model.yaml", Platform: "platform.yaml", ModelFile: "model.pkl",
		Rows: "smoke/rows.csv", Expected: "smoke/answers.jsonl", Image: "ghcr.io/acme/iris", WithModel: true,
		Overlay: "deploy/overlays/dev", BaseImage: "ghcr.io/acme/iris", Mizzen: "v1.2.3"}
	plain := w
	plain.Rows, plain.Expected, plain.Platform, plain.WithModel = "", "", "", false
	return map[string]gitops.Workflow{"workflow": w, "workflow-plain": plain}
}

// TestApplications: what is written stands in the golden files, and Argo CD's own
// definitions know every field of it and find nothing wrong.
func TestApplications(t *testing.T) {
	schemas := argoSchemas(t)
	for name, app := range applications() {
		t.Run(name, func(t *testing.T) {
			text, err := app.YAML()
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, filepath.Join("testdata", name+".yaml"), string(text))
			var object map[string]any
			if err := yaml.Unmarshal(text, &object); err != nil {
				t.Fatal(err)
			}
			kind := object["kind"].(string)
			internal := schemas[kind]
			if internal == nil {
				t.Fatalf("Argo CD has no definition of %s", kind)
			}
			structural, err := structuralschema.NewStructural(internal)
			if err != nil {
				t.Fatal(err)
			}
			unknown := pruning.PruneWithOptions((&unstructured.Unstructured{Object: object}).DeepCopy().Object, structural, true,
				structuralschema.UnknownFieldPathOptions{TrackUnknownFieldPaths: true})
			if len(unknown) > 0 {
				t.Errorf("Argo CD does not know %v", unknown)
			}
			validator, _, err := validation.NewSchemaValidator(internal)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range validation.ValidateCustomResource(nil, object, validator) {
				t.Error(e)
			}
		})
	}
}

// argoSchemas are the schemas of Argo CD's definitions by kind.
func argoSchemas(t *testing.T) map[string]*apiextensions.JSONSchemaProps {
	t.Helper()
	files, err := crds.Written(context.Background(), crds.ArgoCD())
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]*apiextensions.JSONSchemaProps{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var crd apiextensionsv1.CustomResourceDefinition
		if err := yaml.Unmarshal(text, &crd); err != nil {
			t.Fatal(err)
		}
		var internal apiextensions.JSONSchemaProps
		if err := apiextensionsv1.Convert_v1_JSONSchemaProps_To_apiextensions_JSONSchemaProps(
			crd.Spec.Versions[0].Schema.OpenAPIV3Schema, &internal, nil); err != nil {
			t.Fatal(err)
		}
		found[crd.Spec.Names.Kind] = &internal
	}
	return found
}

var uses = regexp.MustCompile(`uses: (\S+)`)

// TestWorkflows: every action is pinned by its commit, to the commits that the
// workflows of this repository have. test/actionlint checks the golden files.
func TestWorkflows(t *testing.T) {
	ours, err := os.ReadFile("../../.github/workflows/ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	for name, w := range workflows() {
		t.Run(name, func(t *testing.T) {
			text, err := w.YAML()
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, filepath.Join("testdata", name+".yml"), string(text))
			actions := uses.FindAllSubmatch(text, -1)
			if len(actions) < 4 {
				t.Fatalf("found only %d actions", len(actions))
			}
			for _, action := range actions {
				if !bytes.Contains(ours, action[0]) || !strings.Contains(string(action[1]), "@") {
					t.Errorf("%s is not as in the workflows of this repository", action[1])
				}
			}
		})
	}
}
