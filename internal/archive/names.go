package archive

import (
	"path"
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind of what has a name.
type kind byte

const (
	aDir kind = iota + 1
	aFile
	aLink
)

// clean returns the path of an entry below the directory; "." is the directory.
func clean(raw string) (string, error) {
	switch {
	case raw == "":
		return "", &MalformedError{What: "a file has no name"}
	case len(raw) > maxPath:
		return "", &LimitError{Entry: raw, What: "has too long a path, in bytes", Limit: maxPath}
	case !utf8.ValidString(raw) || strings.ContainsFunc(raw, unicode.IsControl):
		return "", &RefusedError{Entry: raw, What: "has a name with control characters, or in another encoding than UTF-8"}
	case strings.Contains(raw, `\`):
		return "", &RefusedError{Entry: raw, What: "has a backslash in its name"}
	case strings.HasPrefix(raw, "/"):
		return "", &RefusedError{Entry: raw, What: "has an absolute path"}
	}
	depth := 0
	for element := range strings.SplitSeq(raw, "/") {
		switch {
		case element == "..":
			return "", &RefusedError{Entry: raw, What: "leads out of the archive"}
		case element == "" || element == ".":
			continue
		case len(element) > maxName:
			return "", &LimitError{Entry: raw, What: "has too long a name, in bytes", Limit: maxName}
		}
		depth++
	}
	if depth > maxDepth {
		return "", &LimitError{Entry: raw, What: "lies too deep, in directories", Limit: maxDepth}
	}
	return path.Clean(raw), nil
}

// names are the paths that there are, so that none is written twice, not even on a
// file system that does not tell capitals from small letters.
type names struct {
	kinds  map[string]kind
	folded map[string]string
	bytes  int
	count  int
}

func newNames() *names { return &names{kinds: map[string]kind{}, folded: map[string]string{}} }

// entry counts one, which may have no path of its own.
func (n *names) entry() error {
	if n.count++; n.count > maxEntries {
		return &LimitError{What: "it has too many files", Limit: maxEntries}
	}
	return nil
}

// add takes a path and the directories above it. It returns the directories that are
// new, topmost first; the path itself is among them if it is one.
func (n *names) add(name string, k kind) (dirs []string, err error) {
	if parent := path.Dir(name); parent != "." {
		if dirs, err = n.add(parent, aDir); err != nil {
			return nil, err
		}
	}
	switch was := n.kinds[name]; {
	case was == aDir && k == aDir:
		return dirs, nil
	case was != 0:
		return nil, &RefusedError{Entry: name, What: "is there twice"}
	}
	folded := strings.ToLower(strings.ToUpper(name)) // some letters have several small ones
	if other, ok := n.folded[folded]; ok {
		return nil, &RefusedError{Entry: name, What: "differs from another file's name in capitals alone: " + at(other)}
	}
	if n.bytes += len(name); n.bytes > maxPaths {
		return nil, &LimitError{What: "its paths are too long together, in bytes", Limit: maxPaths}
	}
	if len(n.kinds) >= maxEntries {
		return nil, &LimitError{What: "it has too many files and directories", Limit: maxEntries}
	}
	n.kinds[name], n.folded[folded] = k, name
	if k == aDir {
		dirs = append(dirs, name)
	}
	return dirs, nil
}
