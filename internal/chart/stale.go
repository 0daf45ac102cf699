package chart

import (
	"errors"
	"io/fs"
	"path"
	"regexp"
	"strings"

	"sigs.k8s.io/yaml"
)

var kindOf = regexp.MustCompile(`(?m)^kind: "?([A-Za-z]+)"?$`)

// Stale returns the templates in a directory that an earlier chart had and the files of
// the new one are not: Helm would go on installing them. What somebody else has put
// there is none: a chart that was not made here, or a template that is not named after
// its kind.
func Stale(dir fs.FS, files map[string][]byte) ([]string, error) {
	var metadata struct {
		Description string `json:"description"`
	}
	written, err := fs.ReadFile(dir, "Chart.yaml")
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := yaml.Unmarshal(written, &metadata); err != nil || !strings.HasSuffix(metadata.Description, madeHere) {
		return nil, nil //nolint:nilerr // it was not made here
	}
	entries, err := fs.ReadDir(dir, "templates")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var stale []string
	for _, entry := range entries {
		name := path.Join("templates", entry.Name())
		if _, current := files[name]; current || !entry.Type().IsRegular() || path.Ext(name) != ".yaml" {
			continue
		}
		content, err := fs.ReadFile(dir, name)
		if err != nil {
			return nil, err
		}
		kind := kindOf.FindSubmatch(content)
		if kind == nil {
			continue
		}
		if of, _, _ := strings.Cut(strings.TrimSuffix(entry.Name(), ".yaml"), "-"); of == strings.ToLower(string(kind[1])) {
			stale = append(stale, name)
		}
	}
	return stale, nil
}
