package serve

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestModelName(t *testing.T) {
	for path, want := range map[string]string{
		"iris.pkl":                    "iris",
		"/models/iris.pkl":            "iris",
		"iris.joblib.gz":              "iris",
		"iris.v2.pickle":              "iris.v2",
		"iris.PKL":                    "iris",
		"examples/iris/model.pkl":     "iris",
		"/models/iris/model.joblib":   "iris",
		"/models/iris/Model.pkl.xz":   "iris",
		"/model.pkl":                  "model",
		"/models/my model (1).pkl":    "my-model--1",
		"/models/größe.pkl":           "gr--e",
		"/models/iris.bin":            "iris",
		"/models/iris":                "iris",
		"/models/.pkl":                "model",
		"/models/日本/model.pkl":        "model",
		"/models/a:predict/model.pkl": "a-predict",
	} {
		if got := modelName(filepath.FromSlash(path)); got != want {
			t.Errorf("%s: got %q, want %q", path, got, want)
		}
	}
	for url, want := range map[string]string{
		"https://h/models/iris/model.pkl?sig=1": "iris",
		"https://h/iris.pkl":                    "iris",
		"https://h/models/iris/":                "iris",
		"https://h":                             "model",
	} {
		if got := urlName(url); got != want {
			t.Errorf("%s: got %q, want %q", url, got, want)
		}
	}
}

func TestCompareVersions(t *testing.T) {
	ascending := []string{"0", "1", "1.0.0-alpha", "1.0.0-rc1", "1.0.0-rc2", "1.0.0", "1.0.1", "1.2", "1.10", "2", "v3", "10", "20240131", "20240201", "99999999999999999999999", "stable"}
	shuffled := slices.Clone(ascending)
	slices.Sort(shuffled)
	slices.SortFunc(shuffled, CompareVersions)
	if diff := cmp.Diff(ascending, shuffled); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	for _, a := range ascending {
		for _, b := range ascending {
			if CompareVersions(a, b) != -CompareVersions(b, a) || (CompareVersions(a, b) == 0) != (a == b) {
				t.Errorf("%s and %s are in no order", a, b)
			}
		}
	}
}

func TestFind(t *testing.T) {
	dir := t.TempDir()
	for _, file := range []string{
		"one/model.pkl", "one/README.md", "one/warmup.jsonl",
		"many/1/model.pkl", "many/2/whatever.joblib", "many/empty/notes.txt", "many/3/a.pkl", "many/3/b.pkl",
		"flat.pkl.gz",
		"several/a.pkl", "several/b.pkl",
		"chosen/model.pkl", "chosen/scaler.pkl",
		"nothing/README.md",
		"bad name/model.pkl",
		"twice/model.pkl", "twice/7/model.pkl",
		".hidden/model.pkl", "..data/model.pkl", "__pycache__/model.pkl", "README.md",
	} {
		writeFile(t, filepath.Join(dir, file), "x")
	}
	places, err := find(dir, "7")
	if err != nil {
		t.Fatal(err)
	}
	type found struct {
		Name, Version, Path, Warmup string
		Bad                         bool
	}
	var got []found
	for _, p := range places {
		path, _ := filepath.Rel(dir, p.path)
		warmup := ""
		if p.warmup != "" {
			warmup, _ = filepath.Rel(dir, p.warmup)
		}
		got = append(got, found{p.name, p.version, filepath.ToSlash(path), filepath.ToSlash(warmup), p.err != nil})
	}
	want := []found{
		{"bad name", "7", "bad name/model.pkl", "", true},
		{"chosen", "7", "chosen/model.pkl", "", false},
		{"flat", "7", "flat.pkl.gz", "", false},
		{"many", "1", "many/1/model.pkl", "", false},
		{"many", "2", "many/2/whatever.joblib", "", false},
		{"many", "3", "many/3", "", true},
		{"one", "7", "one/model.pkl", "one/warmup.jsonl", false},
		{"several", "7", "several", "", true},
		{"twice", "7", "twice/model.pkl", "", true},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
