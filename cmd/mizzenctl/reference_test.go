package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
)

var update = flag.Bool("update", false, "write docs/mizzenctl.md")

const referenceHead = `# The command line of mizzenctl

Results go to standard output, warnings and errors to standard error. Exit codes: 0,
or 1 for a failure, or 2 if the command line is wrong. Installed (or linked) as
` + "`kubectl-mizzen`" + `, it is also ` + "`kubectl mizzen`" + `.

This page is made from the commands' own help: ` + "`go test ./cmd/mizzenctl -update`" + `.
`

// TestReference keeps docs/mizzenctl.md equal to the commands' help.
func TestReference(t *testing.T) {
	var b strings.Builder
	b.WriteString(referenceHead)
	describe(&b, newRoot(command.Streams{}, ownName).Commands())
	got := b.String()
	path := filepath.Join("..", "..", "docs", "mizzenctl.md")
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
		t.Errorf("docs/mizzenctl.md is not what the commands say; go test ./cmd/mizzenctl -update writes it (-file +commands):\n%s", diff)
	}
}

// describe writes the help of commands, and of those below them.
func describe(b *strings.Builder, commands []*cobra.Command) {
	for _, cmd := range commands {
		if cmd.Name() == "help" || cmd.Hidden {
			continue
		}
		fmt.Fprintf(b, "\n## %s\n\n%s\n", cmd.CommandPath(), strings.TrimSpace(cmd.Long))
		fmt.Fprintf(b, "\n    %s\n", cmd.UseLine())
		if cmd.Example != "" {
			fmt.Fprintf(b, "\nExamples:\n\n%s\n", indent(cmd.Example))
		}
		if flags := cmd.LocalFlags(); flags.HasFlags() {
			fmt.Fprintf(b, "\nFlags:\n\n%s\n", indent(flags.FlagUsages()))
		}
		describe(b, cmd.Commands())
	}
}

// indent makes text a block of code, which has four spaces in front of each line.
func indent(text string) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimRight(text, "\n") + "\n") {
		if line != "\n" {
			b.WriteString("    " + strings.TrimPrefix(line, "  "))
		} else {
			b.WriteString(line)
		}
	}
	return strings.TrimSuffix(b.String(), "\n")
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
