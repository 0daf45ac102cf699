package docs

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestGuideInKorean holds the two guides to the same commands, files, headings and links.
func TestGuideInKorean(t *testing.T) {
	t.Parallel()
	english, korean := guide(t, "guide.md"), guide(t, "guide.ko.md")
	if diff := cmp.Diff(shown(english), shown(korean)); diff != "" {
		t.Errorf("the blocks differ (-guide.md +guide.ko.md):\n%s", diff)
	}
	heading := regexp.MustCompile(`(?m)^#+ \d*`)
	if diff := cmp.Diff(heading.FindAllString(english, -1), heading.FindAllString(korean, -1)); diff != "" {
		t.Errorf("the headings differ (-guide.md +guide.ko.md):\n%s", diff)
	}
	if diff := cmp.Diff(linked(english), linked(korean)); diff != "" {
		t.Errorf("the links differ (-guide.md +guide.ko.md):\n%s", diff)
	}
}

func guide(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// shown are the blocks of a page, wherever they stand: a translation may be longer.
func shown(page string) []Block {
	all := Blocks(page)
	for i := range all {
		all[i].Line = 0
	}
	return all
}

// linked are the links of a guide, but for the one to the other.
func linked(page string) []string {
	all := slices.DeleteFunc(Links(page), func(link string) bool { return strings.HasPrefix(link, "guide.") })
	slices.Sort(all) // words are in another order in each language
	return all
}
