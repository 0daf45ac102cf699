// Package actionlint checks the workflows that mizzenctl writes, and those of this
// repository. It is a module of its own: its parser of YAML is of another version
// than Mizzen's.
package actionlint

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/rhysd/actionlint"
)

func TestWorkflows(t *testing.T) {
	for _, dir := range []string{"../../internal/gitops/testdata", "../../internal/scaffold/testdata/*/.github/workflows", "../../.github/workflows"} {
		files, err := filepath.Glob(filepath.Join(dir, "*.yml"))
		if err != nil || len(files) < 2 {
			t.Fatalf("found %v in %s: %v", files, dir, err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
			if err != nil {
				t.Fatal(err)
			}
			found, err := linter.Lint(file, text, nil)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range found {
				t.Errorf("%s: %v", file, e)
			}
		}
	}
}
