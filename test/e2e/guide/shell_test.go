//go:build e2e

package guide

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"mizzen.dev/test/docs"
)

// commandTimeout is for one command: the longest wait for pods for minutes.
const commandTimeout = 6 * time.Minute

// substitution is a list of what the guide says and what it is here.
type substitution [][2]string

// here puts what is here in place of what the guide says.
func (s substitution) here(text string) string {
	for _, pair := range s {
		text = strings.ReplaceAll(text, pair[0], pair[1])
	}
	return text
}

// there puts what the guide says in place of what is here.
func (s substitution) there(text string) string {
	for _, pair := range s {
		text = strings.ReplaceAll(text, pair[1], pair[0])
	}
	return text
}

// shell is one bash in which all commands of the guide are run, so that variables and
// what runs in the background live from one to the next.
type shell struct {
	dir      string
	commands io.Writer
	done     *bufio.Scanner // has the exit status of each command
	count    int
}

func newShell(t *testing.T, dir string, environment []string) *shell {
	t.Helper()
	done, status, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(context.WithoutCancel(t.Context()), "bash", "--noprofile", "--norc")
	cmd.Dir, cmd.Env, cmd.ExtraFiles = dir, environment, []*os.File{status}
	// What runs in the background ends with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	commands, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // killed, it has no good word
		_ = cmd.Wait()
		_, _ = done.Close(), status.Close()
	})
	return &shell{dir: dir, commands: commands, done: bufio.NewScanner(done)}
}

// run runs a command and compares what it prints with the guide: what it writes to
// standard output, or that and the standard error. Where the guide shows nothing, or no more
// than …, it is to succeed.
func (s *shell) run(t *testing.T, e docs.Example, names substitution) {
	t.Helper()
	s.count++
	stdout, stderr := s.path("out"), s.path("err")
	start := time.Now()
	// Its output is in files: what it leaves in the background keeps none waiting. It must
	// not read the commands behind it.
	script := fmt.Sprintf("exec >%s 2>%s\n{ %s\n} </dev/null\necho $? >&3\n", stdout, stderr, names.here(e.Command))
	if _, err := io.WriteString(s.commands, script); err != nil {
		t.Fatal(err)
	}
	ended := make(chan bool, 1)
	go func() { ended <- s.done.Scan() }()
	timer := time.NewTimer(commandTimeout)
	defer timer.Stop()
	status := ""
	select {
	case ok := <-ended:
		if !ok {
			t.Fatalf("line %d: %s: the shell has ended", e.Line, e.Command)
		}
		status = s.done.Text()
	case <-timer.C:
		t.Fatalf("line %d: %s: no end after %s\n%s%s", e.Line, e.Command, commandTimeout, read(t, stdout), read(t, stderr))
	}
	t.Logf("%5.1fs  %s", time.Since(start).Seconds(), e.Command)
	out, all := names.there(read(t, stdout)), names.there(read(t, stdout)+read(t, stderr))
	switch {
	case !e.Shown() && status != "0":
		t.Fatalf("line %d: %s: exit status %s\n%s", e.Line, e.Command, status, all)
	case len(e.Output) > 0 && !e.Matches(out) && !e.Matches(all):
		t.Fatalf("line %d: %s\nprints (exit status %s)\n%s\nthe guide says\n%s", e.Line, e.Command, status, all, strings.Join(e.Output, "\n"))
	}
}

func (s *shell) path(kind string) string {
	return filepath.Join(s.dir, fmt.Sprintf(".%d.%s", s.count, kind))
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
