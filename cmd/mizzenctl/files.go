package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// writeFiles writes files, by their paths below dir, and returns which it wrote: not
// those that are there already as they should be. Nothing is written if one is there
// that is different, unless force says to overwrite it.
func writeFiles(dir string, files map[string][]byte, force bool) ([]string, error) {
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
	if len(different) > 0 && !force {
		return nil, &existError{dir, different}
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
	return written, nil
}

// existError says that other files are in the way.
type existError struct {
	dir   string
	names []string
}

func (e *existError) Error() string {
	return fmt.Sprintf("%s has other files of these names: %s", e.dir, strings.Join(e.names, ", "))
}
