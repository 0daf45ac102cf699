package docs

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
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
		t.Run(filepath.ToSlash(strings.TrimPrefix(page, root+string(filepath.Separator))), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			s := newShell(t, bin)
			for _, e := range Examples(string(text)) {
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

// binaries returns a directory with mizzen and curl in it.
func binaries(t *testing.T) string {
	// Looked at, the sources are part of what a cached result depends on.
	for _, source := range []string{"cmd", "internal", "model"} {
		err := filepath.WalkDir(filepath.Join(root, source), func(_ string, _ os.DirEntry, err error) error { return err })
		if err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-o", dir, "mizzen.dev/cmd/mizzen")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building mizzen: %v\n%s", err, out)
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
// examples of the repository and the files of examples/iris, with a server in
// the background where the page starts one.
type shell struct {
	dir, bin string
	port     int
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
	s := &shell{dir: dir, bin: bin, port: freePort(t)}
	t.Cleanup(func() { s.stop(t) })
	return s
}

const commandTimeout = 30 * time.Second

func (s *shell) run(t *testing.T, e Example) {
	command := strings.ReplaceAll(e.Command, "go run ./cmd/mizzen", "mizzen")
	command = strings.ReplaceAll(command, "localhost:5000", fmt.Sprintf("localhost:%d", s.port))
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
	if len(e.Output) == 0 {
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
		fmt.Sprintf("PORT=%d", s.port), "GRPC_PORT=0")
	return cmd
}

// serve starts a server in the background and waits until it is ready.
func (s *shell) serve(t *testing.T, e Example, line string) {
	s.stop(t)
	var log bytes.Buffer
	s.server = s.command(context.WithoutCancel(t.Context()), "exec env "+line)
	s.server.Stdout, s.server.Stderr = &log, &log
	if err := s.server.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- s.server.Wait() }()
	for deadline := time.Now().Add(commandTimeout); time.Now().Before(deadline); {
		resp, err := http.Get(fmt.Sprintf("http://localhost:%d/readyz", s.port))
		if err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case err := <-exited:
			s.server = nil
			t.Fatalf("line %d: %s: %v\n%s", e.Line, e.Command, err, log.String())
		case <-time.After(10 * time.Millisecond):
		}
	}
	t.Fatalf("line %d: %s: not ready in %s", e.Line, e.Command, commandTimeout)
}

func (s *shell) stop(t *testing.T) {
	if s.server == nil {
		return
	}
	if err := s.server.Process.Kill(); err != nil {
		t.Log(err)
	}
	s.server = nil
}

func freePort(t *testing.T) int {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
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
		"letters are letters": {"a.b", "axb", false},
	}
	for name, c := range cases {
		if got := (Example{Output: strings.Split(c.page, "\n")}).Matches(c.printed); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}
