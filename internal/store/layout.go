package store

import (
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"mizzen.dev/internal/archive"
)

// Layout is where in its directory an archive's files go.
type Layout string

// The layouts.
const (
	// AsIs has everything where the archive has it.
	AsIs Layout = "as-is"
	// TFServing is a base path of TensorFlow Serving: VERSION/saved_model.pb. The
	// SavedModel may lie anywhere in the archive; its version is the number of its
	// directory, or 1.
	TFServing Layout = "tfserving"
	// TorchServe is an unpacked model archive: MAR-INF/MANIFEST.json, which may lie in
	// a directory of the archive.
	TorchServe Layout = "torchserve"
	// Triton is a model repository: MODEL/config.pbtxt, MODEL/VERSION/…, which may lie
	// in a directory of the archive. Of an archive that is one model's directory, the
	// model is called as the repository is.
	Triton Layout = "triton"
)

// Layouts returns all of them.
func Layouts() []Layout { return []Layout{AsIs, TFServing, TorchServe, Triton} }

// LayoutError says that an archive does not hold what the layout is of.
type LayoutError struct{ What string }

func (e *LayoutError) Error() string { return "the archive " + e.What }

// arrange moves what was unpacked at one place to another, laid out, and returns what
// is there. What the layout has no place for stays behind. name is that of the
// directory that it will be.
func (l Layout) arrange(from, to, name string, entries []archive.Entry) ([]archive.Entry, error) {
	part, at, err := l.plan(name, entries)
	if err != nil {
		return nil, err
	}
	target := filepath.Join(to, filepath.FromSlash(at))
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil { //nolint:gosec // models are no secret on the volume
		return nil, err
	}
	if err := os.Rename(filepath.Join(from, filepath.FromSlash(part)), target); err != nil {
		return nil, err
	}
	var there []archive.Entry
	if at != "." {
		there = append(there, archive.Entry{Path: at, Dir: true})
	}
	for _, e := range entries {
		below, ok := e.Path, true
		if part != "." {
			below, ok = strings.CutPrefix(e.Path, part+"/")
		}
		if ok {
			e.Path = path.Join(at, below)
			there = append(there, e)
		}
	}
	if part == "." && at == "." {
		return there, nil
	}
	slices.SortFunc(there, func(a, b archive.Entry) int { return strings.Compare(a.Path, b.Path) })
	root, err := os.OpenRoot(to)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return there, archive.CheckLinks(root, there) // seen from here they may lead elsewhere
}

// plan says which directory of the archive is the one to move, and where to.
func (l Layout) plan(name string, entries []archive.Entry) (part, at string, err error) {
	switch l {
	case TFServing:
		return planTFServing(entries)
	case TorchServe:
		part, err := only(dirsWith(entries, "MAR-INF/MANIFEST.json"), "model of TorchServe", "MAR-INF/MANIFEST.json")
		return part, ".", err
	case Triton:
		return planTriton(name, entries)
	}
	return ".", ".", nil
}

var version = regexp.MustCompile(`^[0-9]{1,18}$`)

func planTFServing(entries []archive.Entry) (part, at string, err error) {
	models := append(dirsWith(entries, "saved_model.pb"), dirsWith(entries, "saved_model.pbtxt")...)
	if part, err = only(models, "SavedModel", "saved_model.pb"); err != nil {
		return "", "", err
	}
	if number := path.Base(part); version.MatchString(number) {
		return part, number, nil
	}
	return part, "1", nil
}

// dirsWith are the directories that have a file of the name.
func dirsWith(entries []archive.Entry, file string) []string {
	var dirs []string
	for _, e := range entries {
		if dir, ok := strings.CutSuffix("/"+e.Path, "/"+file); ok && !e.Dir {
			dirs = append(dirs, path.Join(".", strings.TrimPrefix(dir, "/")))
		}
	}
	return dirs
}

// only returns the one directory that there is.
func only(dirs []string, what, file string) (string, error) {
	switch len(dirs) {
	case 0:
		return "", &LayoutError{What: "holds no " + what + ": there is no " + file + " in it"}
	case 1:
		return dirs[0], nil
	}
	return "", &LayoutError{What: "holds more than one " + what + ", in " + dirs[0] + " and " + dirs[1] + ": pack one"}
}

// planTriton finds the directories of models: with a configuration or with versions.
func planTriton(name string, entries []archive.Entry) (part, at string, err error) {
	const config = "config.pbtxt"
	dirs := dirsWith(entries, config)
	for _, e := range entries {
		if e.Dir && version.MatchString(path.Base(e.Path)) {
			dirs = append(dirs, path.Dir(e.Path))
		}
	}
	slices.Sort(dirs)
	dirs = slices.Compact(dirs)
	models := slices.DeleteFunc(slices.Clone(dirs), func(dir string) bool { // what a version of a model has in it
		return slices.ContainsFunc(dirs, func(other string) bool { return other != dir && (other == "." || strings.HasPrefix(dir, other+"/")) })
	})
	if len(models) == 0 {
		return "", "", &LayoutError{What: "holds no model of Triton: there is neither MODEL/" + config + " nor MODEL/1 in it"}
	}
	if models[0] == "." {
		return ".", name, nil
	}
	for _, m := range models {
		if path.Dir(m) != path.Dir(models[0]) {
			return "", "", &LayoutError{What: "holds models of Triton in different directories, " + models[0] + " and " + m + ": pack one repository"}
		}
	}
	return path.Dir(models[0]), ".", nil
}
