package binary

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// overlayExt is of files that replace others: not .go, so that they are no package of
// the module that they are in.
const overlayExt = ".overlay"

// keepFile in an overlay keeps what a pattern would leave out.
const keepFile = "keep"

// writeOverlay copies the modules that the overlay changes into a directory, changes
// them there, and returns the go.mod to build with. (Go's own -overlay does not
// touch the module cache.)
func (p Program) writeOverlay(ctx context.Context, source, dir string) (string, error) {
	// A file's own name has the last word, after patterns.
	patterns := slices.SortedFunc(maps.Keys(p.Overlay), func(a, b string) int {
		return cmp.Or(cmp.Compare(strings.Count(b, "*"), strings.Count(a, "*")), cmp.Compare(a, b))
	})
	changes := map[string]map[string]string{} // of a module: files, by what
	for _, pattern := range patterns {
		module, file, ok := strings.Cut(pattern, "//")
		if !ok {
			return "", fmt.Errorf("the overlay %q names no file of a module", pattern)
		}
		root, err := p.ModuleDir(ctx, module)
		if err != nil {
			return "", err
		}
		files, err := filepath.Glob(filepath.Join(root, filepath.FromSlash(file)))
		if err != nil {
			return "", err
		}
		if len(files) == 0 {
			return "", fmt.Errorf("the overlay %q fits no file in %s", pattern, root)
		}
		if changes[module] == nil {
			changes[module] = map[string]string{}
		}
		for _, f := range files {
			rel, err := filepath.Rel(root, f)
			if err != nil {
				return "", err
			}
			changes[module][rel] = p.Overlay[pattern]
		}
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		if err := copyFile(filepath.Join(source, file), filepath.Join(dir, file)); err != nil {
			return "", err
		}
	}
	for i, module := range slices.Sorted(maps.Keys(changes)) {
		if err := p.changeModule(ctx, source, dir, filepath.Join(dir, fmt.Sprint(i)), module, changes[module]); err != nil {
			return "", fmt.Errorf("changing %s: %w", module, err)
		}
	}
	return filepath.Join(dir, "go.mod"), nil
}

// changeModule makes a changed copy of a module, and has dir's go.mod use it.
func (p Program) changeModule(ctx context.Context, source, dir, to, module string, changes map[string]string) error {
	root, err := p.ModuleDir(ctx, module)
	if err != nil {
		return err
	}
	if err := os.CopyFS(to, os.DirFS(root)); err != nil {
		return err
	}
	for file, by := range changes {
		if by == keepFile {
			continue
		}
		path := filepath.Join(to, file)
		if err := os.Remove(path); err != nil {
			return err
		}
		if by != "" {
			if err := copyFile(filepath.Join(source, by), path); err != nil {
				return err
			}
		}
	}
	edit := exec.CommandContext(ctx, "go", "mod", "edit", "-replace="+module+"="+to, filepath.Join(dir, "go.mod"))
	if out, err := edit.CombinedOutput(); err != nil {
		return fmt.Errorf("go mod edit: %w: %s", err, out)
	}
	return nil
}

func copyFile(from, to string) error {
	content, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
		return err
	}
	return os.WriteFile(to, content, 0o644)
}
