package render

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/manifest"
	"mizzen.dev/internal/platform"
)

// loaded is a Model from the text of a file.
func loaded(t testing.TB, name string, text string) *v1alpha1.Model {
	t.Helper()
	models, err := loadModels(name, text)
	if err != nil {
		t.Fatal(err)
	}
	return models[0]
}

// loader compiles the schema once for all tests.
var loader = sync.OnceValues(func() (*manifest.Loader, error) { return manifest.NewLoader("ml-prod") })

func loadModels(name, text string) ([]*v1alpha1.Model, error) {
	l, err := loader()
	if err != nil {
		return nil, err
	}
	return l.Load(context.Background(), name, strings.NewReader(text))
}

// base is the least that a Model can be, without what only a digest would quieten.
const base = `
apiVersion: mizzen.dev/v1alpha1
kind: Model
metadata: {name: iris, namespace: ml-prod}
spec:
  version: "0.1.0"
  source:
    uri: s3://models/iris/0.1.0/model.pkl
    digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
`

// modelOf is base with more of a spec, indented by two blanks.
func modelOf(t testing.TB, spec string) *v1alpha1.Model {
	t.Helper()
	return loaded(t, "model.yaml", base+spec)
}

// renderSpec renders base with more of a spec on a platform that has everything.
func renderSpec(t testing.TB, spec string) *Result {
	t.Helper()
	return rendered(t, Input{Model: modelOf(t, spec), Platform: fullPlatform(t)})
}

func rendered(t testing.TB, in Input) *Result {
	t.Helper()
	result, err := Render(in)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// fullPlatform is testdata/platform.yaml: a cluster that has everything.
func fullPlatform(t testing.TB) *platform.Platform {
	t.Helper()
	return loadPlatform(t, filepath.Join("testdata", "platform.yaml"))
}

func loadPlatform(t testing.TB, path string) *platform.Platform {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	p := &platform.Platform{}
	if err := yaml.UnmarshalStrict(data, p); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return p
}

// loadCase reads testdata/NAME: model.yaml, and platform.yaml if it is there (else that
// of all cases).
func loadCase(t testing.TB, name string) Input {
	t.Helper()
	dir := filepath.Join("testdata", name)
	text, err := os.ReadFile(filepath.Join(dir, "model.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	in := Input{Model: loaded(t, filepath.Join(dir, "model.yaml"), string(text)), Platform: fullPlatform(t)}
	if own := filepath.Join(dir, "platform.yaml"); exists(own) {
		in.Platform = loadPlatform(t, own)
	}
	return in
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// caseNames are the directories of testdata.
func caseNames(t testing.TB) []string {
	t.Helper()
	entries, err := os.ReadDir("testdata")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		if e.IsDir() && exists(filepath.Join("testdata", e.Name(), "model.yaml")) {
			names = append(names, e.Name())
		}
	}
	if len(names) == 0 {
		t.Fatal("testdata has no cases")
	}
	return names
}
