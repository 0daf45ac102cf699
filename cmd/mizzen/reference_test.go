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
	var b strings.Builder
	b.WriteString(referenceHead)
	root := newRoot(streams{})
	for _, cmd := range root.Commands() {
		if cmd.Name() != "help" && !cmd.Hidden {
			describe(&b, cmd)
		}
	}
	got := b.String()
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

func describe(b *strings.Builder, cmd *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n%s\n", cmd.CommandPath(), strings.TrimSpace(cmd.Long))
	fmt.Fprintf(b, "\n    %s\n", cmd.UseLine())
	if cmd.Example != "" {
		fmt.Fprintf(b, "\nExamples:\n\n%s\n", indent(cmd.Example))
	}
	if cmd.Name() == "serve" { // too many to list twice, and defaults that depend on the machine
		b.WriteString("\nFlags: see [configuration](configuration.md).\n")
		return
	}
	if flags := cmd.LocalFlags(); flags.HasFlags() {
		fmt.Fprintf(b, "\nFlags:\n\n%s\n", indent(flags.FlagUsages()))
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
