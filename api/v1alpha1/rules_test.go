package v1alpha1_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	utiljson "k8s.io/apimachinery/pkg/util/json"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/manifest"
	"mizzen.dev/test/cluster/apiserver"
)

var server = apiserver.NewShared(apiserver.Options{CRDPaths: []string{"crd.yaml"}})

func TestMain(m *testing.M) { os.Exit(server.Run(m)) }

const smallest = `
apiVersion: mizzen.dev/v1alpha1
kind: Model
metadata: {name: iris}
spec:
  version: "0.1.0"
  source: {uri: s3://models/iris/0.1.0/model.pkl}
`

// judges are who says whether a Model is valid: an API server, and package manifest,
// which must say the same.
type judges struct {
	schema *manifest.Schema
	server dynamic.ResourceInterface
	ns     string
}

func newJudges(t *testing.T) judges {
	t.Helper()
	schema, err := manifest.NewSchema()
	if err != nil {
		t.Fatal(err)
	}
	s := server.Get(t)
	c, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	ns := s.Namespace(t)
	return judges{schema, c.Resource(v1alpha1.GroupVersion().WithResource("models")).Namespace(ns), ns}
}

// create returns what both say of a new Model, after it has been shown that they say
// the same; "" if they accept it.
func (j judges) create(t *testing.T, model map[string]any) string {
	t.Helper()
	set(model, j.ns, "metadata", "namespace")
	own := runtime.DeepCopyJSON(model)
	unknown := j.schema.Unknown(own)
	j.schema.Default(own)
	var offline []string
	for _, e := range j.schema.Validate(t.Context(), own) {
		offline = append(offline, strings.TrimPrefix(e.Error(), "<nil>: "))
	}
	_, err := j.server.Create(t.Context(), &unstructured.Unstructured{Object: model},
		metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
	if (err != nil) != (len(offline)+len(unknown) > 0) {
		t.Errorf("the API server says %v, manifest says %q, unknown %q", err, offline, unknown)
	}
	if err == nil {
		decodable(t, own)
		return ""
	}
	for _, said := range offline {
		if !strings.Contains(err.Error(), said) {
			t.Errorf("manifest says %q, and the API server says %v", said, err)
		}
	}
	return err.Error()
}

// decodable holds for all that an API server accepts: a Model that Go's types could
// not take would stop an operator that reads all of them.
func decodable(t *testing.T, model map[string]any) {
	t.Helper()
	text, err := utiljson.Marshal(model)
	if err != nil {
		t.Fatal(err)
	}
	if err := utiljson.Unmarshal(text, &v1alpha1.Model{}); err != nil {
		t.Errorf("accepted, and not decodable: %v", err)
	}
}

type ruleCase struct {
	Path, Message          string
	Old, Refused, Accepted map[string]any
}

func TestRules(t *testing.T) {
	data, err := os.ReadFile("testdata/rules.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var cases []ruleCase
	if err := yaml.UnmarshalStrict(data, &cases); err != nil {
		t.Fatal(err)
	}
	left := rules(t)
	j := newJudges(t)
	for _, c := range cases {
		t.Run(c.Path+" "+c.Message, func(t *testing.T) {
			found := false
			for r := range left {
				if r.path == c.Path && strings.HasPrefix(r.message, c.Message) {
					found, left[r] = true, true
				}
			}
			if !found {
				t.Fatal("the schema has no such rule")
			}
			refused, accepted := j.create, j.create
			if c.Old != nil {
				refused, accepted = j.updating(t, c.Old), j.updating(t, c.Old)
			}
			if said := refused(t, over(t, c.Refused)); !strings.Contains(said, c.Message) {
				t.Errorf("said %q", said)
			}
			if said := accepted(t, over(t, c.Accepted)); said != "" {
				t.Errorf("refused the good one: %s", said)
			}
		})
	}
	for r, tested := range left {
		if !tested {
			t.Errorf("a rule without an example in rules.yaml: %s: %s", r.path, r.message)
		}
	}
}

// updating returns a judge of changes of the Model old.
func (j judges) updating(t *testing.T, old map[string]any) func(*testing.T, map[string]any) string {
	t.Helper()
	before := over(t, old)
	delete(before["metadata"].(map[string]any), "name") //nolint:forcetypeassert // the smallest Model has it
	set(before, "rule-", "metadata", "generateName")
	created, err := j.server.Create(t.Context(), &unstructured.Unstructured{Object: before}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return func(t *testing.T, model map[string]any) string {
		t.Helper()
		set(model, j.ns, "metadata", "namespace")
		set(model, created.GetName(), "metadata", "name")
		own := runtime.DeepCopyJSON(model)
		j.schema.Default(own)
		offline := j.schema.ValidateUpdate(context.Background(), own, created.Object)
		set(model, created.GetResourceVersion(), "metadata", "resourceVersion")
		_, err := j.server.Update(t.Context(), &unstructured.Unstructured{Object: model},
			metav1.UpdateOptions{DryRun: []string{metav1.DryRunAll}})
		if (err != nil) != (len(offline) > 0) {
			t.Errorf("the API server says %v, manifest says %v", err, offline.ToAggregate())
		}
		if err == nil {
			return ""
		}
		for _, e := range offline {
			if !strings.Contains(err.Error(), e.Error()) {
				t.Errorf("manifest says %v, and the API server says %v", e, err)
			}
		}
		var status apierrors.APIStatus
		if !errors.As(err, &status) || status.Status().Reason != metav1.StatusReasonInvalid {
			t.Errorf("got %v", err)
		}
		return err.Error()
	}
}

type rule struct{ path, message string }

// rules of the schema, each not tested yet.
func rules(t *testing.T) map[rule]bool {
	t.Helper()
	all := map[rule]bool{}
	walk(schema(t), "", func(path string, s *apiextensionsv1.JSONSchemaProps) {
		for _, r := range s.XValidations {
			all[rule{path, r.Message}] = false
		}
	})
	if len(all) < 10 {
		t.Fatalf("found only %d rules", len(all))
	}
	return all
}

func schema(t *testing.T) *apiextensionsv1.JSONSchemaProps {
	t.Helper()
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(v1alpha1.CRD, &crd); err != nil {
		t.Fatal(err)
	}
	return crd.Spec.Versions[0].Schema.OpenAPIV3Schema
}

// walk visits a schema and all below it; [] stands for the items of a list, and {} for
// the values of a map.
func walk(s *apiextensionsv1.JSONSchemaProps, path string, visit func(string, *apiextensionsv1.JSONSchemaProps)) {
	visit(path, s)
	for name := range s.Properties {
		p := s.Properties[name]
		walk(&p, strings.TrimPrefix(path+"."+name, "."), visit)
	}
	if s.Items != nil && s.Items.Schema != nil {
		walk(s.Items.Schema, path+"[]", visit)
	}
	if s.AdditionalProperties != nil && s.AdditionalProperties.Schema != nil {
		walk(s.AdditionalProperties.Schema, path+"{}", visit)
	}
}

// over lays a patch over the smallest Model.
func over(t *testing.T, patch map[string]any) map[string]any {
	t.Helper()
	var model map[string]any
	text, err := yaml.YAMLToJSON([]byte(smallest))
	if err != nil {
		t.Fatal(err)
	}
	if err := utiljson.Unmarshal(text, &model); err != nil {
		t.Fatal(err)
	}
	text, err = utiljson.Marshal(patch)
	if err != nil {
		t.Fatal(err)
	}
	var p map[string]any
	if err := utiljson.Unmarshal(text, &p); err != nil { // whole numbers as int64
		t.Fatal(err)
	}
	lay(model, p)
	return model
}

func lay(model, patch map[string]any) {
	for name, value := range patch {
		fields, isMap := value.(map[string]any)
		below, has := model[name].(map[string]any)
		switch {
		case value == nil:
			delete(model, name)
		case isMap && has:
			lay(below, fields)
		default:
			model[name] = value
		}
	}
}

func set(model map[string]any, value any, path ...string) {
	for _, name := range path[:len(path)-1] {
		next, ok := model[name].(map[string]any)
		if !ok {
			next = map[string]any{}
			model[name] = next
		}
		model = next
	}
	model[path[len(path)-1]] = value
}
