package render

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/golden"
)

// TestGolden compares what is rendered with golden.yaml, which go test -update writes.
// Problems stand in front of the objects, in comments.
func TestGolden(t *testing.T) {
	for _, name := range caseNames(t) {
		t.Run(name, func(t *testing.T) {
			in := loadCase(t, name)
			before, platform := in.Model.DeepCopy(), fmt.Sprintf("%#v", *in.Platform)
			result := rendered(t, in)
			full := text(t, result)
			if diff := cmp.Diff(before, in.Model); diff != "" {
				t.Errorf("the Model was changed: %s", diff)
			}
			if after := fmt.Sprintf("%#v", *in.Platform); after != platform {
				t.Errorf("the platform was changed: %s", cmp.Diff(platform, after))
			}
			if again := text(t, rendered(t, in)); again != full {
				t.Errorf("rendering again gives something else: %s", cmp.Diff(full, again))
			}
			got := full
			if name != "everything" { // one golden file with a dashboard is enough
				withoutDashboards(result)
				got = text(t, result)
			}
			golden.Compare(t, filepath.Join("testdata", name, "golden.yaml"), got)
		})
	}
}

// withoutDashboards leaves of a dashboard that there is one.
func withoutDashboards(r *Result) {
	for _, o := range r.Objects {
		data, _, _ := unstructured.NestedStringMap(o.Object, "data")
		for name := range data {
			if o.GetKind() == "ConfigMap" && strings.HasSuffix(name, ".json") && o.GetLabels()["grafana_dashboard"] != "" {
				_ = unstructured.SetNestedField(o.Object, "a dashboard", "data", name)
			}
		}
	}
}

// text is a result as people read it.
func text(t testing.TB, r *Result) string {
	t.Helper()
	var b strings.Builder
	for _, p := range r.Problems {
		severity := "warning"
		if p.Severity == Refused {
			severity = "refused"
		}
		fmt.Fprintf(&b, "# %s %s/%s %s\n", severity, p.Condition, p.Reason, p.Error())
	}
	fmt.Fprintf(&b, "# revision %s, image %s, url %s", r.Revision, r.Image, r.URL)
	if r.ScaledBy != "" {
		fmt.Fprintf(&b, ", scaled by %s", r.ScaledBy)
	}
	b.WriteByte('\n')
	for _, o := range r.Objects {
		out, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("---\n")
		b.Write(out)
	}
	return b.String()
}

// TestClean holds for every object of every case: nothing that the API server would
// say itself, and nothing that says nothing.
func TestClean(t *testing.T) {
	for _, name := range caseNames(t) {
		t.Run(name, func(t *testing.T) {
			in := loadCase(t, name)
			names := map[string]bool{}
			for _, o := range rendered(t, in).Objects {
				id := o.GetKind() + "/" + o.GetName()
				if names[id] {
					t.Errorf("%s is there twice", id)
				}
				names[id] = true
				if o.GetNamespace() != in.Model.Namespace {
					t.Errorf("%s is in namespace %q", id, o.GetNamespace())
				}
				if o.GetLabels()[ModelLabel] != in.Model.Name && o.GetKind() != "Secret" {
					t.Errorf("%s has the labels %v", id, o.GetLabels())
				}
				if _, has := o.Object["status"]; has {
					t.Errorf("%s has a status", id)
				}
				noise(t, id, o.Object)
			}
		})
	}
}

// meaningful are empty things that say something: a peer that is everybody, a policy
// that lets nothing in, a route of everything.
var meaningful = map[string]bool{"podSelector": true, "namespaceSelector": true, "ingress": true, "egress": true, "emptyDir": true, "from": true, "to": true, "selfSigned": true}

func noise(t *testing.T, path string, value any) {
	t.Helper()
	switch v := value.(type) {
	case nil:
		t.Errorf("%s is null", path)
	case map[string]any:
		for name, item := range v {
			at := path + "." + name
			if name == "creationTimestamp" || name == "managedFields" {
				t.Errorf("%s is the API server's to set", at)
			}
			switch i := item.(type) {
			case map[string]any:
				if len(i) == 0 && !meaningful[name] {
					t.Errorf("%s is empty", at)
				}
			case []any:
				if len(i) == 0 && !meaningful[name] {
					t.Errorf("%s is empty", at)
				}
			}
			noise(t, at, item)
		}
	case []any:
		for i, item := range v {
			noise(t, fmt.Sprintf("%s[%d]", path, i), item)
		}
	}
}

// TestLongestName holds for a name of 40 characters: what is derived from it fits.
func TestLongestName(t *testing.T) {
	const longest = "a123456789b123456789c123456789d123456789"
	for _, name := range caseNames(t) {
		t.Run(name, func(t *testing.T) {
			in := loadCase(t, name)
			in.Model.Name = longest
			for _, o := range rendered(t, in).Objects {
				if errs := validation.IsDNS1123Label(o.GetName()); len(errs) > 0 {
					t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), errs)
				}
				for key, value := range o.GetLabels() {
					if errs := validation.IsValidLabelValue(value); len(errs) > 0 {
						t.Errorf("%s: label %s: %v", o.GetKind(), key, errs)
					}
				}
			}
		})
	}
}

// find returns an object of a result.
func find(t testing.TB, r *Result, kind, name string) *unstructured.Unstructured {
	t.Helper()
	for _, o := range r.Objects {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
	}
	t.Fatalf("there is no %s %s", kind, name)
	return nil
}
