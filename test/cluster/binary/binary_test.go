package binary_test

import (
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"mizzen.dev/test/cluster/binary"
)

// repository makes a repository with one small program in it, and goes there.
func repository(t *testing.T, main string) (source string) {
	t.Helper()
	root := t.TempDir()
	source = filepath.Join(root, "test", "cluster", "hello")
	write(t, filepath.Join(root, "go.mod"), "module mizzen.dev\n")
	write(t, filepath.Join(source, "go.mod"), "module mizzen.dev/test/cluster/hello\n\ngo 1.26.0\n")
	write(t, filepath.Join(source, "go.sum"), "")
	write(t, filepath.Join(source, "main.go"), main)
	t.Chdir(source)
	t.Setenv("XDG_CACHE_HOME", filepath.Join(root, "cache"))
	return source
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

const hello = `package main

var who = "nobody"

func main() { println("hello", who) }
`

func program() binary.Program {
	return binary.Program{Name: "hello", Commands: []string{"."}, Links: []string{"hi"}, LDFlags: "-X main.who=you", Cost: "a moment"}
}

func TestBuiltOnceByAnyNumberOfCallers(t *testing.T) {
	repository(t, hello)
	const callers = 4
	var progress [callers]bytes.Buffer
	var dirs [callers]string
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			dir, err := program().Dir(context.Background(), &progress[i])
			if err != nil {
				t.Error(err)
			}
			dirs[i] = dir
		})
	}
	wg.Wait()
	builds := 0
	for i := range callers {
		if dirs[i] != dirs[0] {
			t.Errorf("caller %d was given %s, the first %s", i, dirs[i], dirs[0])
		}
		builds += strings.Count(progress[i].String(), "building it")
	}
	if builds != 1 {
		t.Errorf("built %d times", builds)
	}
	out, err := exec.Command(filepath.Join(dirs[0], "hi")).CombinedOutput()
	if err != nil || string(out) != "hello you\n" {
		t.Errorf("the link says %q, %v", out, err)
	}
	present, err := program().Present()
	if err != nil || !present {
		t.Errorf("present is %v, %v", present, err)
	}
}

func TestBuiltAgainWhenItsFilesChange(t *testing.T) {
	source := repository(t, hello)
	before, err := program().Dir(context.Background(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(source, "..", "other.go"), "package cluster\n") // not this module's
	same, err := program().Dir(context.Background(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(source, "main.go"), strings.ReplaceAll(hello, "hello", "bye"))
	after, err := program().Dir(context.Background(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	// A module that takes the place of another.
	write(t, filepath.Join(source, "ext", "ext.go"), "package ext\n")
	again, err := program().Dir(context.Background(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if same != before || after == before || again == after {
		t.Errorf("built in %s, then %s, after a change in %s, and after one below in %s", before, same, after, again)
	}
}

// TestOldOnesGo holds for programs that nobody has asked for in a long time.
func TestOldOnesGo(t *testing.T) {
	source := repository(t, hello)
	build := func(main string) string {
		t.Helper()
		write(t, filepath.Join(source, "main.go"), main)
		dir, err := program().Dir(context.Background(), t.Output())
		if err != nil {
			t.Fatal(err)
		}
		return dir
	}
	age := func(dir string) {
		t.Helper()
		long := time.Now().AddDate(0, -2, 0)
		if err := os.Chtimes(dir, long, long); err != nil {
			t.Fatal(err)
		}
	}
	old, inUse := build(hello), build(strings.ReplaceAll(hello, "hello", "good day"))
	cache := filepath.Dir(old)
	logs := filepath.Join(cache, "logs") // which are not a program
	if err := os.Mkdir(logs, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{old, inUse, logs} {
		age(dir)
	}
	build(strings.ReplaceAll(hello, "hello", "good day"))
	latest := build(strings.ReplaceAll(hello, "hello", "good night"))
	for dir, want := range map[string]bool{old: false, inUse: true, logs: true, latest: true} {
		if _, err := os.Stat(dir); (err == nil) != want {
			t.Errorf("%s: there %v, expected %v", dir, err == nil, want)
		}
	}
}

func TestFailedBuild(t *testing.T) {
	repository(t, "package main\n\nfunc main() { oops }\n")
	_, err := program().Dir(context.Background(), t.Output())
	if err == nil || !strings.Contains(err.Error(), "undefined: oops") {
		t.Errorf("the error is %v, without the compiler's own words", err)
	}
	if present, err := program().Present(); err != nil || present {
		t.Errorf("present is %v, %v after a build that failed", present, err)
	}
}

func TestOutsideTheRepository(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := program().Dir(context.Background(), t.Output()); err == nil {
		t.Error("found a source where there is none")
	}
}

// TestOverlay has a file of another module replaced, and one left out.
func TestOverlay(t *testing.T) {
	sums := sumsOf(t, "github.com/inconshreveable/mousetrap")
	source := repository(t, `package main

import "github.com/inconshreveable/mousetrap"

func main() { println(mousetrap.StartedByExplorer()) }
`)
	write(t, filepath.Join(source, "go.mod"), "module mizzen.dev/test/cluster/hello\n\ngo 1.26.0\n\nrequire github.com/inconshreveable/mousetrap v1.1.0\n")
	write(t, filepath.Join(source, "go.sum"), sums)
	write(t, filepath.Join(source, "trap.overlay"), "package mousetrap\n\nfunc StartedByExplorer() bool { return true }\n")
	const module = "github.com/inconshreveable/mousetrap//"
	for name, test := range map[string]struct {
		overlay map[string]string
		want    string
	}{
		"as it is": {want: "false\n"},
		"changed":  {overlay: map[string]string{module + "trap_*.go": "", module + "trap_others.go": "trap.overlay"}, want: "true\n"},
		"kept":     {overlay: map[string]string{module + "trap_*.go": "", module + "trap_others.go": "keep"}, want: "false\n"},
	} {
		t.Run(name, func(t *testing.T) {
			p := program()
			p.Overlay = test.overlay
			dir, err := p.Dir(context.Background(), t.Output())
			if err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(filepath.Join(dir, "hello")).CombinedOutput()
			if err != nil || string(out) != test.want {
				t.Errorf("it says %q, %v; expected %q", out, err, test.want)
			}
			if entries, err := os.ReadDir(dir); err != nil || len(entries) != 2 { // the program and its link
				t.Errorf("the directory has %v, %v", entries, err)
			}
		})
	}
	p := program()
	p.Overlay = map[string]string{module + "none.go": ""}
	if _, err := p.Dir(context.Background(), t.Output()); err == nil {
		t.Error("a file that is not there can be left out")
	}
}

// sumsOf returns the lines of Mizzen's own go.sum about a module.
func sumsOf(t *testing.T, module string) string {
	t.Helper()
	source, err := binary.Source("..")
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(filepath.Join(source, "..", "go.sum"))
	if err != nil {
		t.Fatal(err)
	}
	sums := ""
	for line := range strings.Lines(string(content)) {
		if strings.HasPrefix(line, module+" ") {
			sums += line
		}
	}
	return sums
}
