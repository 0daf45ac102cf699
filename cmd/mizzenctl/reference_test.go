package main

import (
	"path/filepath"
	"testing"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/command/commandtest"
	"mizzen.dev/internal/golden"
)

const referenceHead = `# The command line of mizzenctl

Results go to standard output, warnings and errors to standard error. Exit codes: 0,
or 1 for a failure, or 2 if the command line is wrong. Installed (or linked) as
` + "`kubectl-mizzen`" + `, it is also ` + "`kubectl mizzen`" + `.

This page is made from the commands' own help: ` + "`go test ./cmd/mizzenctl -update`" + `.
`

// TestReference keeps docs/mizzenctl.md equal to the commands' help.
func TestReference(t *testing.T) {
	got := referenceHead + commandtest.Reference(newRoot(command.Streams{}, ownName).Commands(), nil)
	golden.Compare(t, filepath.Join("..", "..", "docs", "mizzenctl.md"), got)
}

// TestHelpIsComplete wants of every command what people need of it: a short and a
// long text, and an example.
func TestHelpIsComplete(t *testing.T) {
	var check func(*cobra.Command)
	check = func(cmd *cobra.Command) {
		if cmd.Hidden || cmd.Name() == "help" {
			return
		}
		if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
			t.Errorf("%s needs Short, Long and Example", cmd.CommandPath())
		}
		for _, c := range cmd.Commands() {
			check(c)
		}
	}
	check(newRoot(command.Streams{}, ownName))
}
