package example_test

import (
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
)

// TestReferenceHasEveryField reads docs/model.md as people do, from the table of the spec
// on and along its links: each field of the schema that has no fields itself is met, with
// an example and a meaning, and none that the schema does not have.
func TestReferenceHasEveryField(t *testing.T) {
	text, err := os.ReadFile("../../../docs/model.md")
	if err != nil {
		t.Fatal(err)
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(v1alpha1.CRD, &crd); err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{}
	leaves(crd.Spec.Versions[0].Schema.OpenAPIV3Schema.Properties["spec"], "spec", want)
	got := map[string]bool{}
	read(t, sections(string(text)), "spec", "spec", got)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(want)), slices.Sorted(maps.Keys(got))); diff != "" {
		t.Errorf("fields of the schema (-) and of docs/model.md (+):\n%s", diff)
	}
}

func leaves(s apiextensionsv1.JSONSchemaProps, path string, all map[string]bool) {
	if s.Items != nil && len(s.Items.Schema.Properties) > 0 {
		s, path = *s.Items.Schema, path+"[]"
	}
	if len(s.Properties) == 0 {
		all[path] = true
	}
	for name, p := range s.Properties {
		leaves(p, path+"."+name, all)
	}
}

// sections are the rows of the tables of a page, in cells, by the headings above them.
func sections(page string) map[string][][]string {
	found := map[string][][]string{}
	title := ""
	for line := range strings.Lines(strings.ReplaceAll(page, `\|`, "\x00")) {
		line = strings.TrimSpace(line)
		if strings.HasPrefix(line, "#") {
			title = strings.TrimSpace(strings.TrimLeft(line, "#"))
		}
		if strings.HasPrefix(line, "| `") {
			cells := strings.Split(strings.Trim(line, "| "), " | ")
			found[title] = append(found[title], cells)
		}
	}
	return found
}

var toSection = regexp.MustCompile(`^\[([^\]]+(?:\[\])?)\]\(#`)

// read collects the paths of the fields of a section that have an example, and follows
// the links of the others.
func read(t *testing.T, page map[string][][]string, title, path string, all map[string]bool) {
	t.Helper()
	if len(page[title]) == 0 {
		t.Errorf("docs/model.md has no table %q", title)
	}
	for _, cells := range page[title] {
		if len(cells) < 4 || cells[2] == "" {
			continue // an object, whose fields follow
		}
		at := path + "." + strings.Trim(cells[0], "`")
		if link := toSection.FindStringSubmatch(cells[3]); link != nil {
			read(t, page, link[1], at, all)
		} else if strings.HasPrefix(cells[3], "`") {
			all[at] = true
		}
	}
}
