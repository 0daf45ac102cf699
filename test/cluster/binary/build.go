package binary

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gofrs/flock"
)

const (
	// lockRetry is how often who waits for another's build looks again.
	lockRetry = 500 * time.Millisecond
	// reportEvery is how often a build under way says how far it is.
	reportEvery = 15 * time.Second
	// maxOutputLine bounds a line of go build's; the rest of a longer one is lost.
	maxOutputLine = 1 << 20
	// keptLines is how much of go build's output an error shows.
	keptLines = 20
)

// wait takes the lock, and says so if that takes time.
func (p Program) wait(ctx context.Context, lock *flock.Flock, progress io.Writer) error {
	got, err := lock.TryLock()
	if err == nil && !got {
		fmt.Fprintf(progress, "%s: another process builds it, waiting\n", p.Name)
		_, err = lock.TryLockContext(ctx, lockRetry)
	}
	if err != nil {
		return fmt.Errorf("locking %s: %w", lock.Path(), err)
	}
	return nil
}

// build compiles into a directory beside dir and gives it dir's name when all is
// there. What of it is left by a build that died is taken away by the next.
func (p Program) build(ctx context.Context, source, dir string, progress io.Writer) error {
	partial := dir + ".partial"
	if err := os.RemoveAll(partial); err != nil {
		return err
	}
	defer os.RemoveAll(partial)
	if err := os.MkdirAll(partial, 0o755); err != nil {
		return err
	}
	start := time.Now()
	fmt.Fprintf(progress, "%s: building it, once (%s); it is kept in %s\n", p.Name, p.Cost, dir)
	for _, command := range p.Commands {
		if err := p.compile(ctx, source, command, filepath.Join(partial, p.file(command)), progress); err != nil {
			return err
		}
	}
	for _, link := range p.Links {
		if err := os.Symlink(p.file(p.Commands[0]), filepath.Join(partial, link)); err != nil {
			return err
		}
	}
	if err := os.Rename(partial, dir); err != nil {
		return err
	}
	fmt.Fprintf(progress, "%s: built in %s\n", p.Name, time.Since(start).Round(time.Second))
	return nil
}

// file is the name of what a command is built into.
func (p Program) file(command string) string {
	if command == "." {
		return p.Name
	}
	return filepath.Base(command)
}

// compile runs go build. -trimpath and CGO_ENABLED=0 make what is compiled the same
// wherever it is, so that the build cache serves all programs and Mizzen's own tests.
func (p Program) compile(ctx context.Context, source, command, out string, progress io.Writer) error {
	args := []string{"build", "-v", "-mod=readonly", "-trimpath", "-tags", p.Tags, "-ldflags", "-s -w " + p.LDFlags, "-o", out}
	if len(p.Overlay) > 0 {
		changed := out + overlayExt
		defer os.RemoveAll(changed)
		mod, err := p.writeOverlay(ctx, source, changed)
		if err != nil {
			return err
		}
		args = append(args, "-modfile", mod)
	}
	args = append(args, command)
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=-buildvcs=false", "GOWORK=off")
	output, err := cmd.StderrPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting go build: %w", err)
	}
	var packages atomic.Int64
	done := make(chan struct{})
	go p.report(filepath.Base(out), &packages, done, progress)
	last := follow(output, &packages)
	err = cmd.Wait()
	close(done)
	if err != nil {
		return errors.Join(context.Cause(ctx), fmt.Errorf("go build %s: %w\n%s", command, err, strings.Join(last, "\n")))
	}
	return nil
}

// follow counts the packages that go build -v names, and returns the last of what
// else it said.
func follow(output io.Reader, packages *atomic.Int64) []string {
	var last []string
	lines := bufio.NewScanner(output)
	lines.Buffer(nil, maxOutputLine)
	for lines.Scan() {
		line := lines.Text()
		switch {
		case strings.HasPrefix(line, "go: downloading "):
		case !strings.ContainsAny(line, " :"): // a package's path
			packages.Add(1)
		default:
			last = append(last, line)
			last = last[max(0, len(last)-keptLines):]
		}
	}
	_, _ = io.Copy(io.Discard, output) // after too long a line: go build must not block
	return last
}

// report says now and then how far a build is, until it is done.
func (p Program) report(file string, packages *atomic.Int64, done <-chan struct{}, progress io.Writer) {
	start := time.Now()
	tick := time.NewTicker(reportEvery)
	defer tick.Stop()
	for {
		select {
		case <-done:
			return
		case <-tick.C:
			fmt.Fprintf(progress, "%s: %s, %d packages compiled in %s\n", p.Name, file, packages.Load(), time.Since(start).Round(time.Second))
		}
	}
}

// ModuleDir returns the directory of a module that the program's go.mod has, for the
// files in it that are no code.
func (p Program) ModuleDir(ctx context.Context, module string) (string, error) {
	source, err := p.source()
	if err != nil {
		return "", err
	}
	cmd := exec.CommandContext(ctx, "go", "mod", "download", "-json", module)
	cmd.Dir = source
	cmd.Env = append(os.Environ(), "GOFLAGS=", "GOWORK=off")
	out, runErr := cmd.Output()
	var got struct{ Dir, Error string }
	if err := json.Unmarshal(out, &got); err != nil {
		return "", fmt.Errorf("downloading %s: %w", module, errors.Join(runErr, err))
	}
	if got.Error != "" {
		return "", fmt.Errorf("downloading %s: %s", module, got.Error)
	}
	return got.Dir, nil
}
