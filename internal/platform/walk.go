package platform

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"

	"mizzen.dev/internal/nearest"
)

// walker finds fields of a document that a type does not have, and remembers on what
// line each field stands.
type walker struct {
	file   string
	lines  map[string]int
	errors FieldErrors
}

func (w *walker) fail(n *yaml.Node, path, format string, args ...any) {
	w.errors = append(w.errors, &FieldError{File: w.file, Line: n.Line, Path: path, Message: fmt.Sprintf(format, args...)})
}

// line of the field, or of the nearest one around it.
func (w *walker) line(path string) int {
	for path != "" {
		if line, ok := w.lines[path]; ok {
			return line
		}
		path = path[:max(strings.LastIndexByte(path, '.'), strings.LastIndexByte(path, '['), 0)]
	}
	return 0
}

// walk compares a node with the type that it is to be read into. Whether its kind
// fits is the decoder's business.
func (w *walker) walk(n *yaml.Node, t reflect.Type, path string, depth int) {
	if _, known := w.lines[path]; !known && path != "" {
		w.lines[path] = n.Line
	}
	switch {
	case depth > maxDepth:
		w.fail(n, path, "nested too deeply")
		return
	case n.Kind == yaml.AliasNode:
		w.fail(n, path, "write it out: a platform file has no aliases")
		return
	case n.Kind == yaml.ScalarNode && len(n.Value) > maxString:
		w.fail(n, path, "longer than %d bytes", maxString)
		return
	case n.Kind == yaml.SequenceNode && len(n.Content) > maxItems:
		w.fail(n, path, "more than %d entries", maxItems)
		return
	}
	for t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	if reflect.PointerTo(t).Implements(reflect.TypeFor[json.Unmarshaler]()) {
		return // durations, quantities: one scalar each
	}
	switch {
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Struct:
		w.walkFields(n, fieldsOf(t), path, depth)
	case n.Kind == yaml.MappingNode && t.Kind() == reflect.Map:
		if len(n.Content) > 2*maxItems {
			w.fail(n, path, "more than %d entries", maxItems)
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			w.walk(n.Content[i+1], t.Elem(), join(path, n.Content[i].Value), depth+1)
		}
	case n.Kind == yaml.SequenceNode && t.Kind() == reflect.Slice:
		for i, item := range n.Content {
			w.walk(item, t.Elem(), fmt.Sprintf("%s[%d]", path, i), depth+1)
		}
	}
}

func (w *walker) walkFields(n *yaml.Node, fields []field, path string, depth int) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		known := make([]string, len(fields))
		found := false
		for j, f := range fields {
			known[j] = f.name
			if f.name == key.Value {
				w.lines[join(path, key.Value)] = key.Line
				w.walk(value, f.typ, join(path, key.Value), depth+1)
				found = true
			}
		}
		if !found {
			w.fail(key, path, "unknown field %q%s", key.Value, nearest.DidYouMean(key.Value, known))
		}
	}
}

// field is a field of a struct as JSON names it.
type field struct {
	name string
	typ  reflect.Type
}

func fieldsOf(t reflect.Type) []field {
	var fields []field
	for i := range t.NumField() {
		f := t.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		switch {
		case f.Anonymous && name == "":
			fields = append(fields, fieldsOf(f.Type)...)
		case name != "" && name != "-":
			fields = append(fields, field{name, f.Type})
		}
	}
	return fields
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}
