package docs

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mizzen.dev/internal/manifest"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// TestManifestsOfThePages reads each Model and each platform file of the pages as
// mizzenctl does, and renders the Models: on the platform that the page shows above them,
// else on examples/platform.yaml. What is then said must be what the page says.
func TestManifestsOfThePages(t *testing.T) {
	t.Parallel()
	loader, err := manifest.NewLoader("default")
	if err != nil {
		t.Fatal(err)
	}
	usual, err := platform.Load(filepath.Join(root, "examples", "platform.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	models := 0
	for _, page := range pages(t) {
		if needsCluster(page) {
			continue
		}
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		on := usual
		for _, b := range Blocks(string(text)) {
			if b.Language != "yaml" {
				continue
			}
			where := pageName(page)
			for _, doc := range b.Documents() {
				switch kindOf(doc) {
				case "Platform":
					if on, err = platform.Read(strings.NewReader(doc), where); err != nil {
						t.Errorf("%s, block of line %d: %v", where, b.Line, err)
						on = usual
					}
				case "Model":
					models++
					checkModel(t, loader, on, where, b, doc)
				}
			}
		}
	}
	if models < 12 {
		t.Errorf("only %d Models found", models)
	}
}

// checkModel renders a Model, and compares the reasons of what is wrong with it with
// those behind the word that opens the block.
func checkModel(t *testing.T, loader *manifest.Loader, on *platform.Platform, where string, b Block, doc string) {
	t.Helper()
	loaded, err := loader.Load(t.Context(), where, strings.NewReader(doc))
	if err != nil {
		t.Errorf("%s, block of line %d: %v", where, b.Line, err)
		return
	}
	result, err := render.Render(render.Input{Model: loaded[0], Platform: on})
	if err != nil {
		t.Errorf("%s, block of line %d: %v", where, b.Line, err)
		return
	}
	var reasons []string
	for _, p := range result.Problems {
		reasons = append(reasons, p.Reason)
	}
	slices.Sort(reasons)
	if diff := cmp.Diff(b.Reasons, slices.Compact(reasons), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s, block of line %d: reasons that the block names (-), and that rendering does (+):\n%s%v", where, b.Line, diff, result.Problems)
	}
}

func kindOf(doc string) string {
	for line := range strings.Lines(doc) {
		if kind, ok := strings.CutPrefix(line, "kind: "); ok {
			return strings.TrimSpace(kind)
		}
	}
	return ""
}

func pageName(page string) string {
	return filepath.ToSlash(strings.TrimPrefix(page, root+string(filepath.Separator)))
}

// TestLinks holds for the links from page to page and to files of the repository, and to
// the headings in them.
func TestLinks(t *testing.T) {
	t.Parallel()
	links := 0
	for _, page := range append(pages(t), filepath.Join(root, "CONTRIBUTING.md"), filepath.Join(root, "SECURITY.md")) {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		for _, link := range Links(string(text)) {
			links++
			file, heading, _ := strings.Cut(link, "#")
			to := page
			if file != "" {
				to = filepath.Join(filepath.Dir(page), filepath.FromSlash(file))
			}
			content, err := os.ReadFile(to)
			if err != nil {
				if info, statErr := os.Stat(to); statErr != nil || !info.IsDir() {
					t.Errorf("%s: there is no %s", pageName(page), link)
				}
				continue
			}
			if heading != "" && !slices.Contains(Headings(string(content)), heading) {
				t.Errorf("%s: %s has no heading %s", pageName(page), pageName(to), heading)
			}
		}
	}
	if links < 50 {
		t.Errorf("only %d links found", links)
	}
}

// TestIndex holds for docs/README.md: every page is on it, but for the decisions, which
// their directory lists.
func TestIndex(t *testing.T) {
	t.Parallel()
	index := filepath.Join(root, "docs", "README.md")
	text, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	listed := map[string]bool{index: true}
	for _, link := range Links(string(text)) {
		listed[filepath.Join(filepath.Dir(index), filepath.FromSlash(link))] = true
	}
	for _, page := range pages(t) {
		below := strings.HasPrefix(pageName(page), "docs/") && !strings.HasPrefix(pageName(page), "docs/decisions/")
		if below && !listed[page] {
			t.Errorf("%s is not on the list of pages, docs/README.md", pageName(page))
		}
	}
}

// TestDecisions holds for the names of the records: four digits, without a gap or a
// second one, in the order in which they were made.
func TestDecisions(t *testing.T) {
	t.Parallel()
	entries, err := os.ReadDir(filepath.Join(root, "docs", "decisions"))
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range entries {
		if prefix := fmt.Sprintf("%04d-", i+1); !strings.HasPrefix(e.Name(), prefix) {
			t.Fatalf("%s should begin with %s: give a new record the next number", e.Name(), prefix)
		}
	}
}
