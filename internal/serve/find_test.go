package serve

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/config"
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
		if got := ModelName(filepath.FromSlash(path)); got != want {
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
	if places, err = configured(places, config.Default()); err != nil {
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

// A name and a warm-up file are for one model, in a directory as well.
func TestConfigured(t *testing.T) {
	one := []place{{name: "a b", version: "1", path: "a b/1/model.pkl"}, {name: "a b", version: "2", path: "a b/2/model.pkl", warmup: "a b/2/warmup.jsonl"}}
	several := append(slices.Clone(one), place{name: "c", version: "1", path: "c/model.pkl"})
	tests := map[string]struct {
		places       []place
		name, warmup string
		want         []place // without their paths
		fails        string
	}{
		"name":                  {places: one, name: "iris", want: []place{{name: "iris", version: "1"}, {name: "iris", version: "2", warmup: "a b/2/warmup.jsonl"}}},
		"warm-up":               {places: one, name: "iris", warmup: "w", want: []place{{name: "iris", version: "1", warmup: "w"}, {name: "iris", version: "2", warmup: "w"}}},
		"name for several":      {places: several, name: "iris", fails: "--name is for one model, but models holds several: a b and c"},
		"warm-up for several":   {places: several, warmup: "w", fails: "--warmup is for one model, but models holds several: a b and c"},
		"neither":               {places: one[1:], want: []place{{name: "a b", version: "2", warmup: "a b/2/warmup.jsonl"}}},
		"nothing in it, a name": {name: "iris"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			places, err := configured(slices.Clone(test.places), &config.Config{Path: "models", Name: test.name, Warmup: test.warmup})
			if err != nil || test.fails != "" {
				if err == nil || err.Error() != test.fails {
					t.Errorf("got %v, want %q", err, test.fails)
				}
				return
			}
			var got []place
			for _, p := range places {
				if p.name == "iris" && p.err != nil {
					t.Errorf("%s: %v", p.path, p.err)
				}
				got = append(got, place{name: p.name, version: p.version, warmup: p.warmup})
			}
			if diff := cmp.Diff(test.want, got, cmp.AllowUnexported(place{})); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}
