// Package example has an example of every field of a Model: for the reference, and for
// the tests that each of them makes a difference.
package example

import (
	_ "embed" // the examples
	"fmt"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"
)

//go:embed examples.yaml
var examples []byte

// Example is a value of one field.
type Example struct {
	// Path of the field, with [] for each list on the way: spec.secrets[].name.
	Path string
	// Value of the field, as JSON has it.
	Value any
	// Instead is another value that it is compared with; nil if the field is left out.
	Instead any

	with, beside any
	under        string
}

// entry is how examples are written down: the fields under the same names, in several
// places, share one.
type entry struct {
	Under   []string `json:"under,omitempty"`
	Path    string   `json:"path"`
	Value   any      `json:"value"`
	Instead any      `json:"instead,omitempty"`
	// With is what else the spec needs, Beside what the place under which the field is.
	With   any `json:"with,omitempty"`
	Beside any `json:"beside,omitempty"`
}

const root = "spec"

// All returns the examples.
func All() ([]Example, error) {
	text, err := yaml.YAMLToJSONStrict(examples)
	if err != nil {
		return nil, fmt.Errorf("reading the examples: %w", err)
	}
	var entries []entry
	if err := utiljson.Unmarshal(text, &entries); err != nil {
		return nil, fmt.Errorf("reading the examples: %w", err)
	}
	var all []Example
	for _, e := range entries {
		places := []string{root}
		if len(e.Under) > 0 {
			places = nil
			for _, u := range e.Under {
				places = append(places, root+"."+u)
			}
		}
		for _, under := range places {
			all = append(all, Example{Path: under + "." + e.Path, Value: whole(e.Value), Instead: whole(e.Instead),
				with: whole(e.With), beside: whole(e.Beside), under: under})
		}
	}
	return all, nil
}

// whole makes whole numbers of what JSON has as floats: the values of a field of the
// type any are read so.
func whole(v any) any {
	switch v := v.(type) {
	case float64:
		if n := int64(v); float64(n) == v {
			return n
		}
	case map[string]any:
		for name, item := range v {
			v[name] = whole(item)
		}
	case []any:
		for i, item := range v {
			v[i] = whole(item)
		}
	}
	return v
}

// On returns a Model with the example set, and the same Model without it, or with the
// other value. The given Model is not changed.
func (e Example) On(model map[string]any) (with, without map[string]any) {
	return e.set(model, e.Value), e.set(model, e.Instead)
}

func (e Example) set(model map[string]any, value any) map[string]any {
	m, _ := clone(model).(map[string]any)
	m[root] = merge(m[root], e.with)
	if e.beside != nil {
		m, _ = put(m, steps(e.under), func(old any) any { return merge(old, e.beside) }).(map[string]any)
	}
	if value != nil {
		m, _ = put(m, steps(e.Path), func(any) any { return clone(value) }).(map[string]any)
	}
	return m
}

// Set returns the Model with another value at the example's path.
func (e Example) Set(model map[string]any, value any) map[string]any { return e.set(model, value) }

// steps of a path; [] is the first item of a list.
func steps(path string) []string {
	return strings.Split(strings.ReplaceAll(path, "[]", ".[]"), ".")
}

// put changes what is at the path, and makes what is not there on the way.
func put(at any, path []string, change func(any) any) any {
	if len(path) == 0 {
		return change(at)
	}
	if path[0] == "[]" {
		list, _ := at.([]any)
		if len(list) == 0 {
			list = []any{nil}
		}
		list[0] = put(list[0], path[1:], change)
		return list
	}
	fields, _ := at.(map[string]any)
	if fields == nil {
		fields = map[string]any{}
	}
	fields[path[0]] = put(fields[path[0]], path[1:], change)
	return fields
}

// merge lays one value over another; null takes away.
func merge(under, over any) any {
	switch over := over.(type) {
	case nil:
		return under
	case map[string]any:
		fields, ok := under.(map[string]any)
		if !ok {
			fields = map[string]any{}
		}
		for name, value := range over {
			if value == nil {
				delete(fields, name)
				continue
			}
			fields[name] = merge(fields[name], value)
		}
		return fields
	case []any:
		list, _ := under.([]any)
		out := make([]any, len(over))
		for i, item := range over {
			if i < len(list) {
				out[i] = merge(list[i], item)
			} else {
				out[i] = clone(item)
			}
		}
		return out
	}
	return clone(over)
}

func clone(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for name, item := range v {
			out[name] = clone(item)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i, item := range v {
			out[i] = clone(item)
		}
		return out
	}
	return v
}
