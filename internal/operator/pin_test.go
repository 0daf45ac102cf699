package operator_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/api/v1alpha1/example"
	"mizzen.dev/internal/manifest"
	"mizzen.dev/internal/operator"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// TestPodsHash holds for every field of the schema: one that the hash of what pods are
// made from leaves out does not reach pods. A field that did would never reach those
// that run.
func TestPodsHash(t *testing.T) {
	examples, err := example.All()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := manifest.NewSchema()
	if err != nil {
		t.Fatal(err)
	}
	base := map[string]any{"apiVersion": "mizzen.dev/v1alpha1", "kind": "Model", "metadata": map[string]any{"name": "iris", "namespace": "ml"},
		"spec": map[string]any{"version": "0.1.0", "source": map[string]any{"uri": "https://models.example.com/iris.pkl"}}}
	leftOut := 0
	for _, e := range examples {
		t.Run(e.Path, func(t *testing.T) {
			with, without := e.On(base)
			a, b := model(t, schema, with), model(t, schema, without)
			if operator.PodsHash(&a.Spec) != operator.PodsHash(&b.Spec) {
				return
			}
			leftOut++
			if diff := cmp.Diff(pods(t, a), pods(t, b)); diff != "" {
				t.Errorf("the hash leaves out what reaches pods:\n%s", diff)
			}
		})
	}
	if leftOut < 40 {
		t.Errorf("the hash leaves out %d fields only", leftOut)
	}
}

func model(t *testing.T, schema *manifest.Schema, fields map[string]any) *v1alpha1.Model {
	t.Helper()
	schema.Default(fields)
	m := &v1alpha1.Model{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(fields, m); err != nil {
		t.Fatal(err)
	}
	return m
}

// pods are the templates of what a Model's pods are made from.
func pods(t *testing.T, m *v1alpha1.Model) []any {
	t.Helper()
	p := platform.Bare()
	p.Image, p.Offers = "registry.example.com/mizzen:1.0.0", platform.AllOffers()
	result, err := render.Render(render.Input{Model: m, Platform: p})
	if err != nil {
		t.Fatal(err)
	}
	var templates []any
	for _, o := range result.Objects {
		if template, ok, _ := unstructured.NestedMap(o.Object, "spec", "template"); ok && o.GetKind() == "Deployment" {
			templates = append(templates, template)
		}
	}
	return templates
}

// TestKindsAreKnown holds for all that rendering makes in its own examples: the
// operator may write it, and nothing else.
func TestKindsAreKnown(t *testing.T) {
	dirs, err := os.ReadDir("../render/testdata")
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{}
	for _, dir := range dirs {
		raw, err := os.ReadFile("../render/testdata/" + dir.Name() + "/golden.yaml")
		if err != nil {
			continue // testdata of another test
		}
		for _, text := range strings.Split(string(raw), "\n---\n") {
			var o struct{ APIVersion, Kind string }
			if err := yaml.Unmarshal([]byte(text), &o); err != nil {
				t.Fatalf("%s: %v", dir.Name(), err)
			}
			if o.Kind != "" && o.APIVersion != "" {
				made[o.APIVersion+" "+o.Kind] = true
			}
		}
	}
	for kind := range made {
		if kind == "v1 Secret" { // asked for by people at a desk alone
			continue
		}
		if !slices.ContainsFunc(operator.Kinds(), func(k operator.Kind) bool { return k.GroupVersion().String()+" "+k.Kind == kind }) {
			t.Errorf("the operator does not know %s", kind)
		}
	}
	if len(made) < 10 {
		t.Errorf("the examples have %d kinds only", len(made))
	}
}
