package render

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestReasons holds for every reason under which a problem is reported: docs/conditions.md
// says what it means. Reasons are read from the calls of refuse and warn.
func TestReasons(t *testing.T) {
	docs, err := os.ReadFile("../../docs/conditions.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	constants, used := map[string]string{}, map[string]bool{}
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\b(reason\w+)\s*=\s*"(\w+)"`).FindAllStringSubmatch(string(text), -1) {
			constants[m[1]] = m[2]
		}
		for _, m := range regexp.MustCompile(`\bcondition(\w+), (?:"(\w+)"|(reason\w+))`).FindAllStringSubmatch(string(text), -1) {
			used[m[1]+" "+m[2]+m[3]] = true
		}
	}
	if len(used) < 20 {
		t.Fatalf("only %d reasons were found", len(used))
	}
	conditions := map[string]string{"Source": conditionSource, "Workload": conditionWorkload, "Scaled": conditionScaled,
		"Exposed": conditionExposed, "Isolated": conditionIsolated, "Observed": conditionObserved}
	for use := range used {
		condition, reason, _ := strings.Cut(use, " ")
		if value, ok := constants[reason]; ok {
			reason = value
		}
		row := "| " + conditions[condition] + " | `" + reason + "` |"
		_, section, _ := strings.Cut(string(docs), "\n## "+conditions[condition]+"\n")
		section, _, _ = strings.Cut(section, "\n## ")
		if !strings.Contains(string(docs), row) && !strings.Contains(section, "`"+reason+"`") {
			t.Errorf("docs/conditions.md does not say what %s/%s means", conditions[condition], reason)
		}
	}
}
