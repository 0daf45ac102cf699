package manifest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
)

const head = "apiVersion: mizzen.dev/v1alpha1\nkind: Model\nmetadata: {name: iris, namespace: ml-prod}\n"

const spec = head + `spec:
  version: "0.1.0"
  source:
    uri: s3://models/iris/0.1.0/model.pkl
`

func loader(t testing.TB) *Loader {
	t.Helper()
	l, err := NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestLoad(t *testing.T) {
	models, err := loader(t).Load(t.Context(), "model.yaml", strings.NewReader("# two\n---\n"+spec+"---\n"+strings.Replace(spec, "iris,", "wine,", 1)+"  scale: {minReplicas: 2, maxReplicas: 4}\n"))
	if err != nil {
		t.Fatal(err)
	}
	if len(models) != 2 || models[0].Name != "iris" || models[1].Name != "wine" {
		t.Fatalf("got %v", models)
	}
	if via := models[1].Spec.Scale.Via; via != v1alpha1.ScaleViaAuto {
		t.Errorf("via is %q, want the default", via)
	}
}

func TestNamespace(t *testing.T) {
	without := strings.Replace(spec, ", namespace: ml-prod", "", 1)
	l := loader(t)
	if _, err := l.Load(t.Context(), "m", strings.NewReader(without)); err == nil || !strings.Contains(err.Error(), "--namespace") {
		t.Errorf("got %v, want advice about the namespace", err)
	}
	l.Namespace = "other"
	for text, want := range map[string]string{without: "other", spec: "ml-prod"} {
		models, err := l.Load(t.Context(), "m", strings.NewReader(text))
		if err != nil {
			t.Fatal(err)
		}
		if got := models[0].Namespace; got != want {
			t.Errorf("namespace is %s, want %s", got, want)
		}
	}
}

func TestFaults(t *testing.T) {
	tests := map[string]struct {
		text string
		want []Fault
	}{
		"empty":          {text: "# nothing\n---\n", want: []Fault{{Line: 1, Message: "there is no Model in it: write apiVersion: mizzen.dev/v1alpha1, kind: Model, metadata and spec"}}},
		"another kind":   {text: "apiVersion: apps/v1\nkind: Deployment\n", want: []Fault{{Line: 1, Path: "apiVersion", Message: `found "apps/v1", expected mizzen.dev/v1alpha1: only Models are read here`}}},
		"a list":         {text: "- 1\n", want: []Fault{{Line: 1, Message: "expected fields of a Model, such as apiVersion and kind"}}},
		"misspelt field": {text: spec + "  repicas: 3\n", want: []Fault{{Line: 8, Path: "spec.repicas", Message: "there is no such field; did you mean replicas?"}}},
		"misspelt field in the second document": {text: spec + "---\n" + spec + "  secrets:\n  - name: A\n    secretref: {name: a, key: b}\n",
			want: []Fault{{Line: 18, Path: "spec.secrets[0].secretref", Message: "there is no such field; did you mean secretRef?"}, {Line: 17, Path: "spec.secrets[0].secretRef", Message: "Required value"}}},
		"unknown metadata": {text: strings.Replace(spec, "{name: iris,", "{name: iris, lables: {a: b},", 1),
			want: []Fault{{Line: 3, Path: "metadata.lables", Message: "there is no such field"}}},
		"twice":         {text: spec + "  replicas: 1\n  replicas: 2\n", want: []Fault{{Line: 9, Message: `key "replicas" already set in map`}}},
		"bad syntax":    {text: spec + "  replicas: [\n", want: []Fault{{Line: 8, Message: "did not find expected node content"}}},
		"wrong type":    {text: spec + "  replicas: two\n", want: []Fault{{Line: 8, Path: "spec.replicas", Message: `Invalid value: "string": spec.replicas in body must be of type integer: "string"`}}},
		"rule":          {text: spec + "  replicas: 1\n  scale: {minReplicas: 1, maxReplicas: 2}\n", want: []Fault{{Line: 4, Path: "spec", Message: "Invalid value: set replicas for a fixed number of pods or scale for an autoscaler, not both"}}},
		"name too long": {text: strings.Replace(spec, "iris,", strings.Repeat("a", 41)+",", 1), want: []Fault{{Line: 1, Message: "Invalid value: metadata.name becomes the name of a Service and the start of other names: use at most 40 lower-case letters, digits and hyphens, with a letter first and no hyphen last"}}},
	}
	l := loader(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			for i := range test.want {
				test.want[i].File = "model.yaml"
			}
			_, err := l.Load(t.Context(), "model.yaml", strings.NewReader(test.text))
			e, ok := err.(*Error)
			if !ok {
				t.Fatalf("got %v, want an *Error", err)
			}
			if diff := cmp.Diff(test.want, e.Faults); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestBounds(t *testing.T) {
	tests := map[string]string{
		"file":      strings.Repeat("#\n", maxFile/2+1),
		"document":  "a: " + strings.Repeat("x", maxDocument),
		"documents": strings.Repeat("a: b\n---\n", maxDocuments+1),
	}
	l := loader(t)
	for name, text := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := l.Load(t.Context(), "big.yaml", strings.NewReader(text)); err == nil || IsInvalid(err) {
				t.Errorf("got %v, want a refusal", err)
			}
		})
	}
}

// TestManyFaults holds for a file in which nearly everything is wrong: it does not take
// long to say so.
func TestManyFaults(t *testing.T) {
	var b strings.Builder
	b.WriteString(spec)
	for b.Len() < maxDocument-100 {
		fmt.Fprintf(&b, "  unknown%d: 1\n", b.Len())
	}
	_, err := loader(t).Load(t.Context(), "many.yaml", strings.NewReader(b.String()))
	var e *Error
	if !errors.As(err, &e) || len(e.Faults) != maxFaults {
		t.Errorf("got %.200v, want %d faults", err, maxFaults)
	}
}

func TestSameNameTwice(t *testing.T) {
	if _, err := loader(t).LoadFiles(t.Context(), []string{"testdata/iris.yaml", "testdata/iris.yaml"}, nil); err == nil || !strings.Contains(err.Error(), "already") {
		t.Errorf("got %v, want a refusal", err)
	}
}

// FuzzLoad holds for all that is accepted: written and read again it is the same, for
// defaults and pruning leave nothing to do.
func FuzzLoad(f *testing.F) {
	l := loader(f)
	for _, text := range []string{spec, spec + "---\n" + spec, spec + "  scale: {minReplicas: 1, maxReplicas: 2}\n", "{}", "- a", "a: &a [*a]", "---\n--- # x\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		models, err := l.Load(context.Background(), "fuzz", bytes.NewReader(data))
		if err != nil {
			return
		}
		for _, m := range models {
			text, err := yaml.Marshal(m)
			if err != nil {
				t.Fatal(err)
			}
			again, err := l.Load(context.Background(), "fuzz", bytes.NewReader(text))
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if diff := cmp.Diff(m, again[0]); diff != "" {
				t.Fatalf("-once +twice:\n%s", diff)
			}
		}
	})
}
