package main

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/command/commandtest"
)

var update = flag.Bool("update", false, "write docs/cli.md")

const referenceHead = `# The command line

Results go to standard output, logs and errors to standard error. Exit codes: 0, or
1 for a failure, or 2 if the command line is wrong; of serve and fetch those of
[operations](operations.md#how-it-ended). Colour and progress are for terminals only
(and not where NO_COLOR is set).

This page is made from the commands' own help: ` + "`go test ./cmd/mizzen -update`" + `.
`

// TestReference keeps docs/cli.md equal to the commands' help.
func TestReference(t *testing.T) {
	got := referenceHead + commandtest.Reference(newRoot(command.Streams{}).Commands(), map[string]string{
		// Too many to list twice, and defaults that depend on the machine.
		"serve": "[configuration](configuration.md)",
	})
	path := filepath.Join("..", "..", "docs", "cli.md")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.ReplaceAll(string(want), "\r\n", "\n"), got); diff != "" {
		t.Errorf("docs/cli.md is not what the commands say; go test ./cmd/mizzen -update writes it (-file +commands):\n%s", diff)
	}
}
