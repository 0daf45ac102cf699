package serve

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"mizzen.dev/internal/config"
)

// place is where the file of a model version is.
type place struct {
	name, version string
	path          string
	warmup        string // file of requests; "" for none
	err           error  // why no file can be told
}

// suffixes are those that model files have, but for compression.
var suffixes = []string{".pkl", ".pickle", ".joblib", ".sav"}

var compressions = []string{".gz", ".bz2", ".xz", ".lzma", ".lz4", ".z", ".zlib"}

// stem returns a file's name without the suffixes of model files; ok is false
// if it has none.
func stem(file string) (name string, ok bool) {
	for _, c := range compressions {
		if cut, found := cutSuffixFold(file, c); found {
			file = cut
			break
		}
	}
	for _, s := range suffixes {
		if cut, found := cutSuffixFold(file, s); found && cut != "" {
			return cut, true
		}
	}
	return file, false
}

// Extension returns what the name of a model file ends in: .pkl, or .joblib.gz.
func Extension(path string) string {
	base := filepath.Base(path)
	if name, ok := stem(base); ok {
		return base[len(name):]
	}
	return filepath.Ext(base)
}

func cutSuffixFold(s, suffix string) (string, bool) {
	if n := len(s) - len(suffix); n >= 0 && strings.EqualFold(s[n:], suffix) {
		return s[:n], true
	}
	return s, false
}

// ModelName returns the name of the model in a file: the file's without its
// suffix, or its directory's if the file is called model.*.
func ModelName(path string) string {
	name, ok := stem(filepath.Base(path))
	if !ok {
		name = strings.TrimSuffix(name, filepath.Ext(name))
	}
	if strings.EqualFold(name, "model") {
		if abs, err := filepath.Abs(path); err == nil {
			if dir := cleanName(filepath.Base(filepath.Dir(abs))); dir != "" {
				return dir
			}
		}
	}
	if name = cleanName(name); name != "" {
		return name
	}
	return "model"
}

// cleanName replaces what cannot stand in a path of the protocols.
func cleanName(name string) string {
	name = strings.Map(func(r rune) rune {
		if r > 127 || !config.ValidName("x"+string(r)) {
			return '-'
		}
		return r
	}, name)
	name = strings.Trim(name, "-")
	if !config.ValidName(name) {
		return ""
	}
	return name
}

// find returns the places of a directory of models:
//
//	NAME/model.pkl           one version
//	NAME/VERSION/model.pkl   several
//	NAME.pkl                 one version
//	model.pkl                one version, named as the directory
//
// What is hidden, or holds no model file, does not count.
func find(dir, version string) ([]place, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var places []place
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		if hidden(e.Name()) {
			continue
		}
		info, err := os.Stat(path) // follows symlinks, as volumes have them
		if err != nil {
			continue // it went away, or points nowhere
		}
		if !info.IsDir() {
			if _, ok := stem(e.Name()); ok {
				places = append(places, place{name: ModelName(path), version: version, path: path})
			}
			continue
		}
		found, err := findModel(path, version)
		if err != nil {
			return nil, err
		}
		places = append(places, found...)
	}
	return places, nil
}

// findModel returns the places of one model's directory.
func findModel(dir, version string) ([]place, error) {
	name := filepath.Base(dir)
	file, err := modelFile(dir)
	if err != nil {
		return []place{{name: name, version: version, path: dir, err: err}}, nil
	}
	var places []place
	if file != "" {
		places = append(places, place{name: name, version: version, path: file, warmup: warmupFile(dir)})
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		sub := filepath.Join(dir, e.Name())
		if info, err := os.Stat(sub); err != nil || !info.IsDir() || hidden(e.Name()) {
			continue
		}
		file, err := modelFile(sub)
		if err == nil && file == "" {
			continue
		}
		if err != nil {
			file = sub
		}
		places = append(places, place{name: name, version: e.Name(), path: file, warmup: warmupFile(sub), err: err})
	}
	return places, nil
}

// distinct turns two places of one name and version into an error of that model.
func distinct(places []place) []place {
	type id struct{ name, version string }
	at := map[id]int{}
	var out []place
	for _, p := range places {
		if !config.ValidName(p.name) || !config.ValidName(p.version) {
			p.err = fmt.Errorf("%s cannot be served under its name: use letters, digits, '.', '_' and '-'", p.path)
		}
		if i, twice := at[id{p.name, p.version}]; twice {
			out[i].err = fmt.Errorf("there are two of this name and version: %s and %s", out[i].path, p.path)
			continue
		}
		at[id{p.name, p.version}] = len(out)
		out = append(out, p)
	}
	return out
}

// hidden reports whether a name is not for models: Kubernetes keeps the former
// and the next content of a volume under such names.
func hidden(name string) bool { return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "__") }

var errSeveralFiles = errors.New("there are several model files; keep one, or call it model.pkl")

// modelFile returns the one model file of a directory, or model.* among several;
// "" if there is none.
func modelFile(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	var all, named []string
	for _, e := range entries {
		name, ok := stem(e.Name())
		if !ok || hidden(e.Name()) {
			continue
		}
		path := filepath.Join(dir, e.Name())
		if info, err := os.Stat(path); err != nil || info.IsDir() {
			continue
		}
		all = append(all, path)
		if strings.EqualFold(name, "model") {
			named = append(named, path)
		}
	}
	switch {
	case len(all) == 0:
		return "", nil
	case len(all) == 1:
		return all[0], nil
	case len(named) == 1:
		return named[0], nil
	}
	return "", errSeveralFiles
}

// warmupName is the file of requests beside a model in a directory of models.
const warmupName = "warmup.jsonl"

func warmupFile(dir string) string {
	path := filepath.Join(dir, warmupName)
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return ""
	}
	return path
}
