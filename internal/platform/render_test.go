package platform_test

import (
	"bytes"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/golden"
	"mizzen.dev/internal/platform"
)

const example = "../../examples/platform.yaml"

// files are platform files, by the name of what they render to.
func files(t *testing.T) map[string]string {
	t.Helper()
	found, err := filepath.Glob("testdata/render/*.yaml")
	if err != nil || len(found) < 3 {
		t.Fatalf("found %v, error %v", found, err)
	}
	byName := map[string]string{"example": example}
	for _, file := range found {
		byName[strings.TrimSuffix(filepath.Base(file), ".yaml")] = file
	}
	return byName
}

func render(t *testing.T, file string) []*unstructured.Unstructured {
	t.Helper()
	p, err := platform.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := p.Render()
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// TestRender compares with testdata/render/NAME.golden; -update writes them.
func TestRender(t *testing.T) {
	for name, file := range files(t) {
		t.Run(name, func(t *testing.T) {
			var got bytes.Buffer
			for _, o := range render(t, file) {
				text, err := yaml.Marshal(o.Object)
				if err != nil {
					t.Fatal(err)
				}
				got.WriteString("---\n")
				got.Write(text)
			}
			golden.Compare(t, filepath.Join("testdata", "render", name+".golden"), got.String())
		})
	}
}

// TestKinds holds so that pruning finds all that was ever made.
func TestKinds(t *testing.T) {
	kinds := map[string]bool{}
	for _, k := range platform.Kinds() {
		kinds[k.String()] = true
	}
	seen := map[string]bool{}
	for _, file := range files(t) {
		for _, o := range render(t, file) {
			kind := o.GroupVersionKind().String()
			seen[kind] = true
			if !kinds[kind] {
				t.Errorf("%s %s is made, and not among the kinds that are pruned", kind, o.GetName())
			}
			if o.GetLabels()[platform.Label] != platform.LabelValue {
				t.Errorf("%s %s has no label %s=platform: it would never be pruned", kind, o.GetName(), platform.Label)
			}
		}
	}
	if diff := cmp.Diff(kinds, seen); diff != "" {
		t.Errorf("kinds that are pruned and that the test's files make differ, -pruned +made:\n%s", diff)
	}
}
