package scaffold_test

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/golden"
	"mizzen.dev/internal/scaffold"
)

func inputs() map[string]scaffold.Input {
	in := scaffold.Input{Name: "iris", Namespace: "ml-prod", Version: "0.1.0", ModelFile: "model.pkl",
		Digest: "sha256:" + strings.Repeat("1", 64), Image: "ghcr.io/acme/iris", Mizzen: "v1.2.3"}
	stored := in
	stored.Store, stored.Host = "s3://models/", "iris.example.com"
	stored.Rows, stored.Answers = []byte("1,1,1,1\n"), []byte("0\n")
	return map[string]scaffold.Input{"image": in, "store": stored}
}

// TestFiles holds the written repositories to those in testdata, but for the objects.
func TestFiles(t *testing.T) {
	for name, in := range inputs() {
		t.Run(name, func(t *testing.T) {
			files, err := scaffold.Files(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"base/iris.yaml", "overlays/dev/kustomization.yaml", "overlays/prod/iris-revision.yaml"} {
				if len(files["deploy/"+file]) == 0 {
					t.Errorf("deploy/%s is missing", file)
				}
			}
			maps.DeleteFunc(files, func(file string, _ []byte) bool { return strings.HasPrefix(file, "deploy/") }) // as rendering has it
			root := filepath.Join("testdata", name)
			if golden.Update() {
				write(t, root, files)
			}
			want := read(t, root)
			if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(files))); diff != "" {
				t.Fatalf("-testdata +now (go test ./internal/scaffold -update writes it)\n%s", diff)
			}
			for file, content := range files {
				if diff := cmp.Diff(string(want[file]), string(content)); diff != "" {
					t.Errorf("-%s/%s +now (go test ./internal/scaffold -update writes it)\n%s", root, file, diff)
				}
			}
		})
	}
}

func write(t *testing.T, root string, files map[string][]byte) {
	t.Helper()
	if err := os.RemoveAll(root); err != nil {
		t.Fatal(err)
	}
	for name, content := range files {
		path := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func read(t *testing.T, root string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	err := filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		name, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		files[filepath.ToSlash(name)], err = os.ReadFile(path)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestNameOf(t *testing.T) {
	for file, want := range map[string]string{
		"iris.pkl": "iris", "Iris_Model v2.joblib": "iris-model-v2", "model.pkl": "directory", "2024-houses.pkl": "houses",
	} {
		if got := scaffold.NameOf("Directory", file); got != want {
			t.Errorf("a Model of %s is called %q, want %q", file, got, want)
		}
	}
}
