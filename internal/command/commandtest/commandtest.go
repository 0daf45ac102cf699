// Package commandtest has what the tests of both command lines share: the page that is
// made from the help, and scripts that look at exit codes.
package commandtest

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

// Reference describes commands, and those below them, as a page: what their help says.
// The flags of a command that flags names stand on the page that it gives.
func Reference(commands []*cobra.Command, flags map[string]string) string {
	var b strings.Builder
	for _, cmd := range commands {
		if cmd.Name() == "help" || cmd.Hidden {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n%s\n", cmd.CommandPath(), strings.TrimSpace(cmd.Long))
		fmt.Fprintf(&b, "\n    %s\n", cmd.UseLine())
		if cmd.Example != "" {
			fmt.Fprintf(&b, "\nExamples:\n\n%s\n", indent(cmd.Example))
		}
		if page, ok := flags[cmd.Name()]; ok {
			fmt.Fprintf(&b, "\nFlags: see %s.\n", page)
		} else if flags := cmd.LocalFlags(); flags.HasFlags() {
			fmt.Fprintf(&b, "\nFlags:\n\n%s\n", indent(flags.FlagUsages()))
		}
		b.WriteString(Reference(cmd.Commands(), flags))
	}
	return b.String()
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

// Exits is a command of scripts: it runs one that must end with an exit code, as in
// exits 2 mizzen predict.
func Exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command [argument...]")
	}
	err := ts.Exec(args[1], args[2:]...)
	code := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%s: %v", args[1], err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("%s ended with exit code %d, want %s", strings.Join(args[1:], " "), code, args[0])
	}
}
