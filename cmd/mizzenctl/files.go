package main

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// writeFiles writes files, by their paths below dir, and returns which it wrote: not
// those that are there already as they should be. Nothing is written if one is there
// that is different, unless force says to overwrite it. Nor is it if there are stale
// files, which force says to remove.
func writeFiles(dir string, files map[string][]byte, stale []string, force bool) ([]string, error) {
	var missing, different []string
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		there, err := os.ReadFile(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			missing = append(missing, name)
		case err != nil:
			return nil, err
		case !bytes.Equal(there, files[name]):
			different = append(different, name)
		}
	}
	if len(different)+len(stale) > 0 && !force {
		return nil, &existError{dir, different, stale}
	}
	var written []string
	for _, name := range append(missing, different...) {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // what is written is for others to read
			return written, err
		}
		if err := os.WriteFile(path, files[name], 0o644); err != nil { //nolint:gosec // what is written is for others to read
			return written, err
		}
		written = append(written, path)
	}
	for _, name := range stale {
		if err := os.Remove(filepath.Join(dir, filepath.FromSlash(name))); err != nil {
			return written, err
		}
	}
	return written, nil
}

// existError says that other files are in the way.
type existError struct {
	dir string
	// names of files that are different, and of stale ones.
	names, stale []string
}

func (e *existError) Error() string {
	var has []string
	if len(e.names) > 0 {
		has = append(has, "other files of these names: "+strings.Join(e.names, ", "))
	}
	if len(e.stale) > 0 {
		has = append(has, "files that no longer belong there: "+strings.Join(e.stale, ", "))
	}
	return e.dir + " has " + strings.Join(has, ", and ")
}
