// Package test holds checks of the repository as a whole.
package test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "mizzen.dev/"

// imports says which packages of this module each part may import: the way from
// a file's bytes to an answer's bytes runs in one direction. A part is a package
// and all below it, unless those have an entry of their own. What has no entry
// may not exist: add it, and say in docs/decisions why if the direction changes. What
// nobody uses any more may not stay.
var imports = map[string][]string{
	// What a cell, a row and an answer are: below everything.
	"model/frame": {},
	// Small things that know nothing of models.
	"internal/nearest": {},
	"internal/version": {},
	// What tests compare with.
	"internal/golden": {},
	// What tests read while it is written.
	"internal/buffer": {},
	// How command lines behave.
	"internal/command": {"internal/nearest", "internal/version"},
	// Addresses of model files, without asking any store.
	"internal/store/uri": {},
	"internal/registry":  {"internal/version"},
	"internal/image":     {"internal/registry"},
	"internal/store":     {"internal/archive", "internal/registry", "internal/store/uri"},
	// Files of many files, of anybody's making, to directories.
	"internal/archive": {},
	// How a container says why it ended; both halves know it.
	"internal/termination": {},
	// Bytes to inert values; no prediction.
	"internal/format": {"internal/format"},
	// Flat arrays to numbers; no files.
	"internal/engine": {"model/frame"},
	// Fitted attributes to evaluators.
	"internal/sklearn": {"internal/sklearn", "internal/engine", "internal/format", "model/frame"},
	// The public API.
	"model": {"internal/sklearn", "internal/format", "internal/nearest", "model/frame"},
	// Bodies to frames and back; no listeners.
	"internal/wire":    {"internal/nearest", "model", "model/frame"},
	"internal/openapi": {"internal/wire", "model", "model/frame"},
	// Files of rows to files of answers.
	"internal/batch":  {"internal/wire", "model", "model/frame"},
	"internal/config": {"internal/nearest", "internal/store/uri", "internal/termination", "model"},
	// Listeners, admission, reload, drain.
	"internal/serve": {"internal/serve", "internal/config", "internal/nearest", "internal/openapi",
		"internal/store", "internal/version", "internal/wire", "model", "model/frame"},
	"cmd/mizzen": {"internal/archive", "internal/batch", "internal/command", "internal/config", "internal/image", "internal/nearest", "internal/registry", "internal/serve",
		"internal/store", "internal/store/uri", "internal/termination", "internal/version", "model", "model/frame"},
	// The cluster half: what a Model is, what a platform is, and what comes of both.
	"api":               {},
	"internal/platform": {"api", "internal/nearest"},
	"internal/manifest": {"api", "internal/nearest"},
	"internal/render":   {"api", "internal/nearest", "internal/platform", "internal/store/uri"},
	// What runs in a cluster and keeps it so.
	"internal/operator":           {"api", "internal/operator/health", "internal/operator/ownership", "internal/platform", "internal/render"},
	"internal/operator/health":    {"api", "internal/platform", "internal/render", "internal/termination"},
	"internal/operator/ownership": {},
	// What runs in a cluster: seen, changed, deleted.
	"internal/status":  {"api", "internal/render", "internal/termination"},
	"internal/cluster": {"api", "internal/render", "internal/status", "internal/version"},
	"internal/logs":    {},
	// Rendered objects as files for other tools.
	"internal/chart":         {"api", "internal/platform", "internal/render"},
	"internal/kustomization": {"api", "internal/platform", "internal/render"},
	"internal/scaffold":      {"internal/gitops", "internal/kustomization", "internal/manifest", "internal/platform", "internal/render"},
	"internal/gitops":        {},
	"cmd/mizzenctl":          {"api", "internal/chart", "internal/cluster", "internal/command", "internal/gitops", "internal/kustomization", "internal/logs", "internal/manifest", "internal/operator", "internal/platform", "internal/render", "internal/scaffold", "internal/status", "internal/version"},
	// Programs and helpers for whoever works on the repository.
	"build":            {},
	"internal/fixture": {"internal/format", "internal/sklearn", "model", "model/frame"},
	"internal/hostile": {},
	"test":             {"internal/fixture", "model"},
	// A real Kubernetes for the tests of the cluster half; knows nothing of Mizzen.
	"test/cluster": {"test/cluster"},
	// Mizzen on it.
	"test/e2e": {"test/cluster", "api", "internal/buffer", "internal/store"},
}

func TestImports(t *testing.T) {
	used, taken := map[string]bool{}, map[[2]string]bool{}
	for path, imported := range packages(t) {
		part := partOf(path)
		if part == "" {
			t.Errorf("%s has no entry in the table of imports", path)
			continue
		}
		used[part] = true
		for _, i := range imported {
			i, ours := strings.CutPrefix(i, module)
			taken[[2]string{part, partOf(i)}] = true
			if ours && !slices.Contains(imports[part], partOf(i)) {
				t.Errorf("%s imports %s; it may import %s", path, i, strings.Join(imports[part], ", "))
			}
		}
	}
	for _, part := range slices.Sorted(maps.Keys(imports)) {
		if !used[part] {
			t.Errorf("the table of imports has %s, which does not exist", part)
		}
		for _, i := range imports[part] {
			if !taken[[2]string{part, i}] {
				t.Errorf("the table of imports lets %s import %s, which it does not do", part, i)
			}
		}
	}
}

// packages returns what each package of the module imports, on any platform, but
// not what its tests do. It reads the files itself, and not with go list, so that
// go test knows when its result is out of date.
func packages(t *testing.T) map[string][]string {
	t.Helper()
	const root = ".."
	found := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			_, nested := os.Stat(filepath.Join(path, "go.mod"))
			if path != root && (nested == nil || d.Name() == "testdata" || strings.HasPrefix(d.Name(), ".")) {
				return filepath.SkipDir
			}
			return nil
		}
		if filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		dir, err := filepath.Rel(root, filepath.Dir(path))
		if err != nil {
			return err
		}
		pkg := filepath.ToSlash(dir)
		if found[pkg] == nil {
			found[pkg] = []string{} // it is there, also if it imports nothing
		}
		for _, i := range file.Imports {
			name, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			found[pkg] = append(found[pkg], name)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
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
	forbid(t, "mizzen",
		"k8s.io/", "sigs.k8s.io/", // the cluster half
		// Models come from registries, and image makes images (docs/decisions/
		// 0007-small-stores.md); Docker's own client and the clouds' are too large.
		"github.com/docker/docker/", "github.com/aws/", "cloud.google.com/go/storage", "github.com/Azure/",
		"github.com/spf13/cobra/doc", // writing the reference
		"testing",
	)
}

// TestClusterHalfWithoutEngine is its counterpart for mizzenctl.
func TestClusterHalfWithoutEngine(t *testing.T) {
	forbid(t, "mizzenctl",
		// the serving half
		module+"internal/engine/", module+"internal/sklearn/", module+"internal/format/",
		module+"internal/serve", module+"internal/serve/", module+"internal/wire", module+"internal/wire/",
		module+"internal/config", module+"internal/batch", module+"model", module+"model/",
		"helm.sh/", "github.com/yannh/", // what tests check its charts and objects with
		"github.com/spf13/cobra/doc", // writing the reference
		"testing",
	)
}

// forbid fails if a program of cmd has an unwanted package in it, or one below an
// unwanted path that ends in a slash.
func forbid(t *testing.T, program string, unwanted ...string) {
	t.Helper()
	for _, name := range []string{"../go.mod", "../go.sum"} { // go test runs this again when they change
		if _, err := os.ReadFile(name); err != nil {
			t.Fatal(err)
		}
	}
	out, err := exec.Command("go", "list", "-deps", "../cmd/"+program).Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	deps := strings.Fields(string(out))
	if len(deps) < 50 {
		t.Fatalf("go list found only %d packages in %s", len(deps), program)
	}
	for _, dep := range deps {
		for _, u := range unwanted {
			if dep == u || strings.HasSuffix(u, "/") && strings.HasPrefix(dep, u) {
				t.Errorf("%s has %s in it", program, dep)
			}
		}
	}
}
