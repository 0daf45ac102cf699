package docs

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"
)

const root = "../.."

// TestMain is also the curl that the examples call.
func TestMain(m *testing.M) {
	if filepath.Base(os.Args[0]) == "curl" {
		if err := curl(os.Args[1:]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func TestExamplesOfThePages(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("the examples are written for a POSIX shell")
	}
	bin := binaries(t)
	for _, page := range pages(t) {
		if needsCluster(page) {
			continue
		}
		t.Run(pageName(page), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			s := newShell(t, bin)
			files := Blocks(string(text))
			for _, b := range files {
				if b.Language == "go" {
					s.runGo(t, b)
				}
			}
			for _, e := range Examples(string(text)) {
				for len(files) > 0 && files[0].Line < e.Line {
					s.write(t, files[0])
					files = files[1:]
				}
				s.run(t, e)
			}
		})
	}
}

// pages returns the README and what lies under docs/ and examples/.
func pages(t *testing.T) []string {
	out := []string{filepath.Join(root, "README.md")}
	for _, dir := range []string{"docs", "examples"} {
		err := filepath.WalkDir(filepath.Join(root, dir), func(path string, d os.DirEntry, err error) error {
			if err == nil && filepath.Ext(path) == ".md" {
				out = append(out, path)
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// needsCluster says of pages that all they show is done on a Kubernetes, in their order,
// by test/e2e/guide and test/e2e/install.
func needsCluster(page string) bool {
	name := filepath.Base(page)
	return strings.HasPrefix(name, "guide.") || name == "install.md"
}

// binaries returns a directory with mizzen, mizzenctl and curl in it.
func binaries(t *testing.T) string {
	// Looked at, the sources are part of what a cached result depends on.
	for _, source := range []string{"api", "cmd", "internal", "model"} {
		err := filepath.WalkDir(filepath.Join(root, source), func(_ string, _ os.DirEntry, err error) error { return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", dir, "mizzen.dev/cmd/...")
	build.Env = append(os.Environ(), "CGO_ENABLED=0") // as those that are installed
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the programs: %v\n%s", err, out)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, filepath.Join(dir, "curl")); err != nil {
		t.Fatal(err)
	}
	return dir
}

// shell runs the examples of one page: in a directory of its own that holds the
// examples of the repository, the files of examples/iris and a bundle of models, with a
// server in the background where the page starts one.
type shell struct {
	dir, bin string
	port     string // of the server
	server   *exec.Cmd
}

func newShell(t *testing.T, bin string) *shell {
	dir := t.TempDir()
	for _, into := range []string{"examples", "."} {
		from := filepath.Join(root, "examples")
		if into == "." {
			from = filepath.Join(from, "iris")
		}
		if err := os.CopyFS(filepath.Join(dir, into), os.DirFS(from)); err != nil {
			t.Fatal(err)
		}
	}
	bundle, err := os.ReadFile(filepath.Join(root, "model", "testdata", "bundle.joblib"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bundle.joblib"), bundle, 0o600); err != nil {
		t.Fatal(err)
	}
	s := &shell{dir: dir, bin: bin}
	t.Cleanup(s.stop)
	return s
}

// write writes a block that is a file.
func (s *shell) write(t *testing.T, b Block) {
	if b.File == "" {
		return
	}
	name := filepath.Join(s.dir, filepath.FromSlash(b.File))
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(b.Text), 0o600); err != nil {
		t.Fatal(err)
	}
}

const commandTimeout = 30 * time.Second

func (s *shell) run(t *testing.T, e Example) {
	command := strings.ReplaceAll(e.Command, "go run ./cmd/mizzen", "mizzen")
	command = strings.ReplaceAll(command, "localhost:5000", "localhost:"+s.port)
	if strings.HasPrefix(command, "mizzen serve") || strings.Contains(command, "=") && strings.Contains(command, " mizzen serve ") {
		s.serve(t, e, command)
		return
	}
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	var printed bytes.Buffer
	cmd := s.command(ctx, command)
	cmd.Stdout, cmd.Stderr = &printed, &printed
	err := cmd.Run()
	if len(e.Output) == 0 || strings.Trim(strings.Join(e.Output, ""), "… ") == "" {
		if err != nil {
			t.Errorf("line %d: %s: %v\n%s", e.Line, e.Command, err, printed.String())
		}
		return
	}
	if !e.Matches(printed.String()) {
		t.Errorf("line %d: %s\nprints\n%s\nthe page says\n%s", e.Line, e.Command, printed.String(), strings.Join(e.Output, "\n"))
	}
}

func (s *shell) command(ctx context.Context, line string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "PATH="+s.bin+string(os.PathListSeparator)+os.Getenv("PATH"),
		"PORT=0", "GRPC_PORT=0")
	return cmd
}

// goProgram is what a block of Go is part of.
const goProgram = `package main

import (
	"context"
	"fmt"
	"log"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

func main() {
	if err := run(context.Background()); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context) error {
%s
	return nil
}
`

var printed = regexp.MustCompile(`(?m)^fmt\.Println\(.*\) // (.*)$`)

// runGo runs a block of Go, and wants it to print what stands behind its Printlns.
func (s *shell) runGo(t *testing.T, b Block) {
	main := filepath.Join(t.TempDir(), "main.go")
	if err := os.WriteFile(main, fmt.Appendf(nil, goProgram, b.Text), 0o600); err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(filepath.Dir(main), "main")
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, main)
	build.Dir, build.Env = root, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Errorf("block of line %d: %v\n%s", b.Line, err, out)
		return
	}
	want := ""
	for _, m := range printed.FindAllStringSubmatch(b.Text, -1) {
		want += m[1] + "\n"
	}
	out, err := s.command(t.Context(), program).CombinedOutput()
	if err != nil || string(out) != want {
		t.Errorf("block of line %d: %v; prints\n%s\nthe page says\n%s", b.Line, err, out, want)
	}
}

// serve starts a server in the background, on a port that is free, and waits
// until it is ready.
func (s *shell) serve(t *testing.T, e Example, line string) {
	s.stop()
	var log bytes.Buffer
	s.server = s.command(context.WithoutCancel(t.Context()), "exec env "+line)
	stderr, err := s.server.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.server.Start(); err != nil {
		t.Fatal(err)
	}
	timer := time.AfterFunc(commandTimeout, func() { _ = s.server.Process.Kill() })
	defer timer.Stop()
	lines := bufio.NewScanner(stderr)
	for lines.Scan() {
		log.Write(append(lines.Bytes(), '\n'))
		var event struct{ Msg, HTTP string }
		if json.Unmarshal(lines.Bytes(), &event) == nil && event.Msg == "ready" {
			_, s.port, _ = net.SplitHostPort(event.HTTP)
			go func() { _, _ = io.Copy(io.Discard, stderr) }() // what it logs must not make it wait
			return
		}
	}
	t.Fatalf("line %d: %s: not ready\n%s", e.Line, e.Command, log.String())
}

// stop ends the server, if there is one.
func (s *shell) stop() {
	if s.server == nil {
		return
	}
	_ = s.server.Process.Kill() // it may be gone already
	_ = s.server.Wait()         // killed, it has no good word
	s.server = nil
}

func TestMatches(t *testing.T) {
	cases := map[string]struct {
		page, printed string
		want          bool
	}{
		"the same":            {"a\nb", "a\nb\n", true},
		"another line":        {"a\nb", "a\nc\n", false},
		"more lines":          {"a", "a\nb\n", false},
		"in a line":           {"took … ms", "took 12 ms", true},
		"not over lines":      {"took … ms", "took 1\n2 ms", false},
		"any number of lines": {"a\n…\nd", "a\nb\nc\nd", true},
		"none of them":        {"…\na\n…\nd\n…", "a\nd\n", true},
		"nothing":             {"…", "", true},
		"a line of its own":   {"…\nd", "ad\n", false},
		"letters are letters": {"a.b", "axb", false},
	}
	for name, c := range cases {
		if got := (Example{Output: strings.Split(c.page, "\n")}).Matches(c.printed); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
