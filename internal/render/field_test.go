package render

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/api/v1alpha1/example"
	"mizzen.dev/internal/manifest"
)

// TestEveryFieldCounts holds for every leaf of the schema of a Model's spec: it has an
// example, and setting it alone makes a difference to what is rendered or said.
func TestEveryFieldCounts(t *testing.T) {
	examples, err := example.All()
	if err != nil {
		t.Fatal(err)
	}
	schema, err := manifest.NewSchema()
	if err != nil {
		t.Fatal(err)
	}
	left := leaves(t)
	in := Input{Platform: fullPlatform(t)}
	for _, e := range examples {
		t.Run(e.Path, func(t *testing.T) {
			if !left[e.Path] {
				t.Fatal("the schema has no such leaf, or it has two examples")
			}
			delete(left, e.Path)
			with, without := e.On(parsed(t, base))
			a, b := renderedObject(t, schema, in, with), renderedObject(t, schema, in, without)
			if cmp.Equal(a, b) {
				t.Errorf("%v makes no difference to %v", e.Value, e.Instead)
			}
		})
	}
	if missing := slices.Sorted(maps.Keys(left)); len(missing) > 0 {
		t.Errorf("fields without an example in examples.yaml: %q", missing)
	}
}

// renderedObject is all that there is to see of a Model, which must be valid.
func renderedObject(t *testing.T, schema *manifest.Schema, in Input, model map[string]any) string {
	t.Helper()
	if unknown := schema.Unknown(model); len(unknown) > 0 {
		t.Fatalf("there are no such fields: %q", unknown)
	}
	schema.Default(model)
	if errs := schema.Validate(t.Context(), model); len(errs) > 0 {
		t.Fatalf("%v\n%v", errs.ToAggregate(), model)
	}
	in.Model = &v1alpha1.Model{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(model, in.Model); err != nil {
		t.Fatal(err)
	}
	r := rendered(t, in)
	// The revision alone must not be the difference: it is in the text of everything.
	r.Revision = ""
	for _, o := range r.Objects {
		if o.GetKind() == "Deployment" {
			labels, _, err := nestedMap(o.Object, "spec", "template", "metadata", "labels")
			if err != nil {
				t.Fatal(err)
			}
			delete(labels, RevisionLabel)
		}
	}
	return text(t, r)
}

func nestedMap(o map[string]any, path ...string) (map[string]any, bool, error) {
	for _, name := range path {
		next, ok := o[name].(map[string]any)
		if !ok {
			return nil, false, fmt.Errorf("there is no %s", name)
		}
		o = next
	}
	return o, true, nil
}

func parsed(t *testing.T, text string) map[string]any {
	t.Helper()
	var o map[string]any
	if err := yaml.Unmarshal([]byte(text), &o); err != nil {
		t.Fatal(err)
	}
	return o
}

// leaves are the paths of the fields of the spec that have no fields themselves.
func leaves(t *testing.T) map[string]bool {
	t.Helper()
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(v1alpha1.CRD, &crd); err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	collectLeaves(crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"], "spec", all)
	return all
}

func collectLeaves(s apiextensionsv1.JSONSchemaProps, path string, all map[string]bool) {
	switch {
	case len(s.Properties) > 0:
		for name, p := range s.Properties {
			collectLeaves(p, path+"."+name, all)
		}
	case s.Items != nil && s.Items.Schema != nil && len(s.Items.Schema.Properties) > 0:
		collectLeaves(*s.Items.Schema, path+"[]", all)
	default:
		all[path] = true
	}
}
