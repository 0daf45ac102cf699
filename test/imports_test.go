// Package test holds checks of the repository as a whole.
package test

import (
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "mizzen.dev/"

// imports says which packages of this module each part may import: the way from
// a file's bytes to an answer's bytes runs in one direction. A part is a package
// and all below it, unless those have an entry of their own. What has no entry
// may not exist: add it, and say in docs/decisions why if the direction changes.
var imports = map[string][]string{
	// What a cell, a row and an answer are: below everything.
	"model/frame": {},
	// Small things that know nothing of models.
	"internal/nearest": {},
	"internal/version": {},
	"internal/store":   {},
	// Bytes to inert values; no prediction.
	"internal/format": {"internal/format"},
	// Flat arrays to numbers; no files.
	"internal/engine": {"internal/engine", "model/frame"},
	// Fitted attributes to evaluators.
	"internal/sklearn": {"internal/sklearn", "internal/engine", "internal/format", "model/frame"},
	// The public API.
	"model": {"internal/sklearn", "internal/format", "internal/nearest", "model/frame"},
	// Bodies to frames and back; no listeners.
	"internal/wire":    {"internal/wire", "internal/nearest", "model", "model/frame"},
	"internal/openapi": {"internal/wire", "model", "model/frame"},
	// Files of rows to files of answers.
	"internal/batch":  {"internal/wire", "model", "model/frame"},
	"internal/config": {"internal/nearest", "model"},
	// Listeners, admission, reload, drain.
	"internal/serve": {"internal/serve", "internal/config", "internal/format", "internal/nearest", "internal/openapi",
		"internal/store", "internal/version", "internal/wire", "model", "model/frame"},
	"cmd/mizzen": {"internal/batch", "internal/config", "internal/format", "internal/nearest", "internal/openapi", "internal/serve",
		"internal/store", "internal/version", "internal/wire", "model", "model/frame"},
	// Programs and helpers for whoever works on the repository.
	"build":            {},
	"internal/fixture": {"internal/fixture", "internal/format", "internal/sklearn", "model", "model/frame"},
	"internal/hostile": {"internal/fixture", "model", "model/frame"},
	"test":             {"internal/fixture", "model", "model/frame"},
}

func TestImports(t *testing.T) {
	packages := list(t, "-f", `{{.ImportPath}} {{join .Imports " "}}`, "../...")
	used := map[string]bool{}
	for _, line := range packages {
		path, imported, _ := strings.Cut(line, " ")
		part := partOf(strings.TrimPrefix(path, module))
		if part == "" {
			t.Errorf("%s has no entry in the table of imports", path)
			continue
		}
		used[part] = true
		for _, i := range strings.Fields(imported) {
			i, ours := strings.CutPrefix(i, module)
			if ours && !slices.Contains(imports[part], partOf(i)) {
				t.Errorf("%s imports %s%s; it may import %s", path, module, i, strings.Join(imports[part], ", "))
			}
		}
	}
	for _, part := range slices.Sorted(maps.Keys(imports)) {
		if !used[part] {
			t.Errorf("the table of imports has %s, which does not exist", part)
		}
	}
}

// partOf returns the entry of the table that a package belongs to, or "".
func partOf(path string) string {
	for {
		if _, ok := imports[path]; ok {
			return path
		}
		i := strings.LastIndexByte(path, '/')
		if i < 0 {
			return ""
		}
		path = path[:i]
	}
}

// TestServingHalfWithoutKubernetes holds for all that is linked into mizzen, however
// far down.
func TestServingHalfWithoutKubernetes(t *testing.T) {
	unwanted := []string{
		"k8s.io/", "sigs.k8s.io/", // the cluster half
		"github.com/google/go-containerregistry/", // building images
		"github.com/spf13/cobra/doc",              // writing the reference
		"testing",
	}
	deps := list(t, "-deps", "../cmd/mizzen")
	if len(deps) < 100 {
		t.Fatalf("go list found only %d packages in mizzen", len(deps))
	}
	for _, dep := range deps {
		for _, u := range unwanted {
			if dep == u || strings.HasSuffix(u, "/") && strings.HasPrefix(dep, u) {
				t.Errorf("mizzen has %s in it", dep)
			}
		}
	}
}

func list(t *testing.T, args ...string) []string {
	t.Helper()
	out, err := exec.Command("go", append([]string{"list"}, args...)...).Output()
	if err != nil {
		t.Fatalf("go list %s: %v", strings.Join(args, " "), err)
	}
	return strings.Split(strings.TrimSpace(string(out)), "\n")
}
