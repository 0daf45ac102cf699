package v1alpha1_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
)

// maxDefinition is well below what etcd and annotations of kubectl apply take.
const maxDefinition = 200_000

func definition(t *testing.T) *apiextensionsv1.CustomResourceDefinition {
	t.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.UnmarshalStrict(v1alpha1.CRD, crd); err != nil {
		t.Fatal(err)
	}
	return crd
}

// TestSchema holds for the whole schema: people can read it, and nothing in it is
// without bounds.
func TestSchema(t *testing.T) {
	text, err := json.Marshal(definition(t))
	if err != nil {
		t.Fatal(err)
	}
	if len(text) > maxDefinition || len(v1alpha1.CRD) > maxDefinition {
		t.Errorf("the definition has %d bytes in JSON and %d in YAML, at most %d are good", len(text), len(v1alpha1.CRD), maxDefinition)
	}
	walk(schema(t), "", func(path string, s *apiextensionsv1.JSONSchemaProps) {
		top := path == "apiVersion" || path == "kind" || path == "metadata"
		item := strings.HasSuffix(path, "[]") || strings.HasSuffix(path, "{}")
		if s.Description == "" && !item && path != "metadata" {
			t.Errorf("%s has no description", path)
		}
		if !top && path != "" && strings.Contains(s.Description, "TODO") {
			t.Errorf("%s: %s", path, s.Description)
		}
		switch s.Type {
		case "array":
			if s.XListType == nil || s.MaxItems == nil {
				t.Errorf("%s: a list needs listType and maxItems", path)
			}
		case "string":
			if !top && s.MaxLength == nil && len(s.Enum) == 0 && s.Format != "date-time" {
				t.Errorf("%s: a string needs maxLength or an enum", path)
			}
		case "object":
			if s.AdditionalProperties != nil && s.MaxProperties == nil {
				t.Errorf("%s: a map needs maxProperties", path)
			}
		case "boolean":
			t.Errorf("%s: a third state may come: use an enum", path)
		case "number":
			t.Errorf("%s: use a quantity", path)
		}
		for _, r := range s.XValidations {
			if r.Message == "" && r.MessageExpression == "" {
				t.Errorf("%s: the rule %s has no message", path, r.Rule)
			}
		}
		for _, e := range s.Enum {
			if v := strings.Trim(string(e.Raw), `"`); v != "" && v[0] >= 'a' && v[0] <= 'z' && path != "spec.runtime.name" {
				t.Errorf("%s: %s is not CamelCase", path, v)
			}
		}
		if path == "spec" && s.Properties["replicas"].Default != nil || path == "spec.replicas" && s.Default != nil || path == "spec.scale" && s.Default != nil {
			t.Errorf("%s must have no default: either may be set", path)
		}
	})
}

func TestDefinition(t *testing.T) {
	crd := definition(t)
	names := apiextensionsv1.CustomResourceDefinitionNames{Plural: "models", Singular: "model", Kind: "Model", ListKind: "ModelList", ShortNames: []string{"mz"}, Categories: []string{"all", "mizzen"}}
	if diff := cmp.Diff(names, crd.Spec.Names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if crd.Spec.Versions[0].Subresources.Status == nil || crd.Spec.Versions[0].Subresources.Scale == nil {
		t.Error("the subresources status and scale are missing")
	}
}

// TestColumns holds for what kubectl get prints.
func TestColumns(t *testing.T) {
	s := server.Get(t)
	ns := s.Namespace(t)
	c, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	models := c.Resource(v1alpha1.GroupVersion().WithResource("models")).Namespace(ns)
	created, err := models.Create(t.Context(), &unstructured.Unstructured{Object: over(t, nil)}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	created.Object["status"] = map[string]any{
		"traffic": "0.1.0", "url": "https://ml.example.com",
		"conditions": []any{map[string]any{"type": "Ready", "status": "True", "reason": "Ready", "message": "", "lastTransitionTime": "2026-01-01T00:00:00Z"}},
	}
	if _, err := models.UpdateStatus(t.Context(), created, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
	rest, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := rest.RESTClient().Get().AbsPath("/apis/mizzen.dev/v1alpha1/namespaces/"+ns+"/models").
		SetHeader("Accept", "application/json;as=Table;v=v1;g=meta.k8s.io").DoRaw(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var table metav1.Table
	if err := json.Unmarshal(raw, &table); err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for i, column := range table.ColumnDefinitions {
		got[column.Name] = table.Rows[0].Cells[i]
	}
	delete(got, "Age")
	want := map[string]any{"Name": "iris", "Version": "0.1.0", "Ready": "True", "Reason": "Ready", "Traffic": "0.1.0", "URL": "https://ml.example.com"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestScale holds for kubectl scale.
func TestScale(t *testing.T) {
	s := server.Get(t)
	ns := s.Namespace(t)
	c, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	models := c.Resource(v1alpha1.GroupVersion().WithResource("models")).Namespace(ns)
	if _, err := models.Create(t.Context(), &unstructured.Unstructured{Object: over(t, map[string]any{"spec": map[string]any{"replicas": 1}})}, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := models.Patch(t.Context(), "iris", "application/merge-patch+json", []byte(`{"spec":{"replicas":3}}`), metav1.PatchOptions{}, "scale"); err != nil {
		t.Fatal(err)
	}
	got, err := models.Get(t.Context(), "iris", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if n, _, err := unstructured.NestedInt64(got.Object, "spec", "replicas"); n != 3 || err != nil {
		t.Errorf("got %d replicas, %v", n, err)
	}
}
