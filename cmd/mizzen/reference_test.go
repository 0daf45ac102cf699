package main

import (
	"path/filepath"
	"testing"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/command/commandtest"
	"mizzen.dev/internal/golden"
)

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
	golden.Compare(t, filepath.Join("..", "..", "docs", "cli.md"), got)
}
