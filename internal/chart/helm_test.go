package chart_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	helmcommon "helm.sh/helm/v4/pkg/chart/common"
	"helm.sh/helm/v4/pkg/chart/common/util"
	"helm.sh/helm/v4/pkg/chart/loader/archive"
	helmchart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"helm.sh/helm/v4/pkg/chart/v2/loader"
	"helm.sh/helm/v4/pkg/engine"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func load(t *testing.T, files map[string][]byte) *helmchart.Chart {
	t.Helper()
	var buffered []*archive.BufferedFile
	for _, name := range slices.Sorted(maps.Keys(files)) {
		buffered = append(buffered, &archive.BufferedFile{Name: name, Data: files[name]})
	}
	c, err := loader.LoadFiles(buffered)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// template does what helm template does, and returns the objects by kind and name.
func template(c *helmchart.Chart, namespace string, values map[string]any) (map[string]map[string]any, error) {
	rendered, err := renderedFiles(c, namespace, values)
	if err != nil {
		return nil, err
	}
	objects := map[string]map[string]any{}
	for name, text := range rendered {
		if filepath.Ext(name) != ".yaml" || strings.TrimSpace(text) == "" {
			continue
		}
		var object map[string]any
		if err := yaml.UnmarshalStrict([]byte(text), &object); err != nil {
			return nil, err
		}
		objects[key(object)] = canonical(object).(map[string]any)
	}
	return objects, nil
}

// notes are what helm install prints.
func notes(c *helmchart.Chart, namespace string, values map[string]any) (string, error) {
	rendered, err := renderedFiles(c, namespace, values)
	return rendered[c.Name()+"/templates/NOTES.txt"], err
}

func renderedFiles(c *helmchart.Chart, namespace string, values map[string]any) (map[string]string, error) {
	with, err := util.ToRenderValues(c, values, helmcommon.ReleaseOptions{Name: "release", Namespace: namespace}, nil)
	if err != nil {
		return nil, err
	}
	return engine.Render(c, with)
}

func key(object map[string]any) string {
	u := unstructured.Unstructured{Object: object}
	return u.GetKind() + "/" + u.GetNamespace() + "/" + u.GetName()
}

// byKey returns objects in the form in which they are compared.
func byKey(t *testing.T, objects []*unstructured.Unstructured) map[string]map[string]any {
	t.Helper()
	found := map[string]map[string]any{}
	for _, o := range objects {
		written, err := json.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := json.Unmarshal(written, &object); err != nil {
			t.Fatal(err)
		}
		found[key(object)] = canonical(object).(map[string]any)
	}
	return found
}

// canonical writes the quantities of resources as the API server does: 1024Mi is 1Gi.
func canonical(value any) any {
	switch v := value.(type) {
	case map[string]any:
		for name, entry := range v {
			v[name] = canonical(entry)
			if list, ok := entry.(map[string]any); ok && (name == "requests" || name == "limits") {
				for unit, amount := range list {
					if text, ok := amount.(string); ok {
						quantity := resource.MustParse(text)
						list[unit] = quantity.String()
					}
				}
			}
		}
	case []any:
		for i := range v {
			v[i] = canonical(v[i])
		}
	}
	return value
}

func lintChart(t *testing.T, name string, files map[string][]byte) []support.Message {
	t.Helper()
	dir := filepath.Join(t.TempDir(), name)
	for file, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(file))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return lint.RunAll(dir, nil, "ml-prod").Messages
}
