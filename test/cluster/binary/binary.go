// Package binary builds the programs of the tests' Kubernetes from published Go
// modules, once, and keeps them outside the tree.
//
// Each program has a module of its own below test/cluster, so that what it needs
// stays out of Mizzen's go.mod. It is built when it is first asked for, and again
// when its go.mod, go.sum or own code changes; what else changes in the repository
// does not matter to it. What nobody has asked for in a month goes when the next is
// built. A program that is missing is built, never skipped: the
// first time that takes minutes, and says so.
package binary

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
)

// Program is a module below test/cluster and what is built from it.
type Program struct {
	// Name is the start of the name of the program's place in the cache.
	Name string
	// Module is the module's folder, if that is not Name.
	Module string
	// Commands are the main packages to build, each into a file of its base name;
	// the module's own is ".", and makes a file of the module's name.
	Commands []string
	// Links are further names for the first command.
	Links []string
	// Tags and LDFlags are given to go build, beside those that all share.
	Tags    string
	LDFlags string
	// Cost says to who waits what to expect.
	Cost string
	// Overlay replaces files of other modules with files of the program's folder, and
	// leaves out those whose replacement is "": what a program links for the sake of
	// dozens of clouds takes more time to compile than all that tests use of it. The
	// keys are a module's path, "//" and the file's path in it, which may be a pattern.
	Overlay map[string]string
	// Own says that the folder is a package of Mizzen's own module, and uses no
	// other package of it.
	Own bool
}

// Dir returns where the program's files are. It builds them if they are not there,
// and says so on progress; of several processes that ask at once, one builds.
func (p Program) Dir(ctx context.Context, progress io.Writer) (string, error) {
	source, err := p.source()
	if err != nil {
		return "", err
	}
	key, err := p.key(source)
	if err != nil {
		return "", err
	}
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, p.Name+"-"+key)
	if built(dir) {
		used(dir)
		return dir, nil
	}
	if err := os.MkdirAll(cache, 0o755); err != nil {
		return "", fmt.Errorf("making the cache of programs: %w", err)
	}
	lock := flock.New(dir + ".lock")
	if err := p.wait(ctx, lock, progress); err != nil {
		return "", err
	}
	defer func() {
		_ = lock.Unlock() // the file stays: removing it would let two in
	}()
	if built(dir) {
		return dir, nil // by who had the lock before
	}
	if err := p.build(ctx, source, dir, progress); err != nil {
		return "", fmt.Errorf("building %s from %s: %w", p.Name, source, err)
	}
	return dir, prune(cache, time.Now().Add(-keptUnused))
}

// source is the folder of the program's module.
func (p Program) source() (string, error) {
	if p.Module != "" {
		return Source(p.Module)
	}
	return Source(p.Name)
}

// Present says whether the program is there, so that asking for it costs nothing.
func (p Program) Present() (bool, error) {
	source, err := p.source()
	if err != nil {
		return false, err
	}
	key, err := p.key(source)
	if err != nil {
		return false, err
	}
	cache, err := CacheDir()
	if err != nil {
		return false, err
	}
	return built(filepath.Join(cache, p.Name+"-"+key)), nil
}

// built holds because a directory gets its name when it is complete.
func built(dir string) bool {
	_, err := os.Stat(dir)
	return err == nil
}

// keyLength is of hexadecimal digits: enough to tell apart what one machine builds.
const keyLength = 16

// key is a hash over all that decides what the program is: the module's files, how
// it is built, and by which Go for which machine.
func (p Program) key(source string) (string, error) {
	h := sha256.New()
	fmt.Fprintln(h, runtime.Version(), runtime.GOOS, runtime.GOARCH, p.Commands, p.Links, p.Tags, p.LDFlags)
	for _, file := range slices.Sorted(maps.Keys(p.Overlay)) {
		fmt.Fprintln(h, file, p.Overlay[file])
	}
	files, err := p.files(source)
	if err != nil {
		return "", err
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return "", fmt.Errorf("reading what %s is built from: %w", p.Name, err)
		}
		name, err := filepath.Rel(source, file)
		if err != nil {
			return "", err
		}
		fmt.Fprintln(h, name, len(content))
		h.Write(content)
	}
	return hex.EncodeToString(h.Sum(nil))[:keyLength], nil
}

// files returns the paths of what the program is built from: the Go files, overlays and
// module files of its folder and of those below it, which may be modules that take the
// place of others.
func (p Program) files(source string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(source, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		switch name := entry.Name(); {
		case strings.HasSuffix(name, "_test.go"):
		case strings.HasSuffix(name, ".go"), strings.HasSuffix(name, overlayExt), name == "go.mod", name == "go.sum":
			files = append(files, path)
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("finding what %s is built from: %w", p.Name, err)
	}
	if p.Own {
		module := filepath.Join(source, "..", "..", "..")
		files = append(files, filepath.Join(module, "go.mod"), filepath.Join(module, "go.sum"))
	}
	slices.Sort(files)
	return files, nil
}

// CacheDir returns the directory that holds the programs: mizzen/cluster in
// $XDG_CACHE_HOME, or in ~/.cache.
func CacheDir() (string, error) {
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			return "", fmt.Errorf("finding the cache of programs: %w; set XDG_CACHE_HOME", err)
		}
		cache = filepath.Join(home, ".cache")
	}
	return filepath.Join(cache, "mizzen", "cluster"), nil
}

// Source returns the folder of a module or package below test/cluster, found from
// the working directory, which go test makes the package's own.
func Source(name string) (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		mod, err := os.ReadFile(filepath.Join(dir, "go.mod"))
		if err == nil && strings.HasPrefix(string(mod), "module mizzen.dev\n") {
			return filepath.Join(dir, "test", "cluster", name), nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("finding test/cluster: run inside Mizzen's repository, whose go.mod is not above the working directory")
		}
		dir = parent
	}
}
