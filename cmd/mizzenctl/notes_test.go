package main

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"mizzen.dev/internal/chart/charttest"
	"mizzen.dev/internal/command"
)

// TestNotes holds for what helm install prints of the operator's chart: init does what
// it says, mizzenctl has the other commands and their flags, the files that are applied
// are there, and the definition is upgraded as docs/install.md says.
func TestNotes(t *testing.T) {
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile(filepath.Join(root, "docs", "install.md"))
	if err != nil {
		t.Fatal(err)
	}
	model, err := os.ReadFile(filepath.Join(root, "examples", "iris", "model.pkl"))
	if err != nil {
		t.Fatal(err)
	}
	notes := charttest.Render(t, filepath.Join(root, "charts", "mizzen"), "mizzen-system", "namespaces: [ml-prod]")["mizzen/templates/NOTES.txt"]
	t.Chdir(t.TempDir())
	if err := os.WriteFile("model.pkl", model, 0o600); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for line := range strings.Lines(notes) {
		if !strings.HasPrefix(line, "  ") {
			continue
		}
		checked++
		checkNote(t, root, string(page), strings.Fields(line))
	}
	if checked < 5 {
		t.Errorf("only %d commands found in\n%s", checked, notes)
	}
}

func checkNote(t *testing.T, root, page string, words []string) {
	t.Helper()
	line, file := strings.Join(words, " "), words[len(words)-1]
	switch {
	case strings.HasPrefix(line, "mizzenctl init "):
		var out bytes.Buffer
		if code := run(t.Context(), ownName, words[1:], command.Streams{Out: &out, Err: &out}); code != command.ExitOK {
			t.Fatalf("%s:\n%s", line, out.String())
		}
	case strings.HasPrefix(line, "mizzenctl "):
		cmd, rest, err := newRoot(command.Streams{}, ownName).Find(words[1:])
		if err != nil {
			t.Fatal(err)
		}
		if err := errors.Join(cmd.ParseFlags(rest), cmd.ValidateArgs(cmd.Flags().Args())); err != nil || !cmd.Runnable() {
			t.Errorf("%s: %v", line, err)
		}
	case strings.Contains(line, "--server-side"):
		if !strings.Contains(page, "\n$ "+line+"\n") {
			t.Errorf("docs/install.md does not say %s", line)
		}
		file = filepath.Join(root, file)
	}
	if slices.Contains(words, "-f") {
		if _, err := os.Stat(file); err != nil {
			t.Errorf("%s: %v", line, err)
		}
	}
}
