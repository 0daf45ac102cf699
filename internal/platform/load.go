package platform

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
)

// Bounds of a platform file. They are well above what anybody writes.
const (
	maxFile   = 1 << 20
	maxDepth  = 24
	maxItems  = 256
	maxString = 64 << 10
)

// APIVersion of the platform file.
const APIVersion = v1alpha1.Group + "/" + v1alpha1.Version

// FieldError says what is wrong with a field of the file, and what to do.
type FieldError struct {
	// File and Line where it stands; Line is 0 if the field is missing altogether.
	File string
	Line int
	// Path of the field: issuers[0].acme.
	Path    string
	Message string
}

func (e *FieldError) Error() string {
	where := e.File
	if e.Line > 0 {
		where += fmt.Sprintf(":%d", e.Line)
	}
	if e.Path != "" {
		where += ": " + e.Path
	}
	return where + ": " + e.Message
}

// FieldErrors are all that is wrong with a file.
type FieldErrors []*FieldError

func (e FieldErrors) Error() string {
	lines := make([]string, len(e))
	for i, one := range e {
		lines[i] = one.Error()
	}
	return strings.Join(lines, "\n")
}

// Load reads a platform file strictly: every field is known, and what is written is
// valid. What is left out has its default. What is wrong is FieldErrors.
func Load(name string) (*Platform, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading the platform file: %w", err)
	}
	defer f.Close()
	return Read(f, name)
}

// Read is Load from anything; name is how errors call it.
func Read(r io.Reader, name string) (*Platform, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(text) > maxFile {
		return nil, FieldErrors{{File: name, Message: fmt.Sprintf("the file is larger than %d bytes", maxFile)}}
	}
	root, err := document(text, name)
	if err != nil {
		return nil, err
	}
	w := walker{file: name, lines: map[string]int{}}
	w.walk(root, reflect.TypeFor[Platform](), "", 0)
	if len(w.errors) > 0 {
		return nil, w.errors
	}
	p, err := decode(text, &w)
	if err != nil {
		return nil, err
	}
	p.Default()
	var errs FieldErrors
	for _, e := range p.Validate() {
		e.File, e.Line = name, w.line(e.Path)
		errs = append(errs, e)
	}
	if len(errs) > 0 {
		return nil, errs
	}
	return p, nil
}

// document returns the mapping of the one document of the file.
func document(text []byte, name string) (*yaml.Node, error) {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return nil, FieldErrors{{File: name, Message: "the file is empty; it starts with apiVersion: " + APIVersion + " and kind: " + Kind}}
	case err != nil:
		return nil, FieldErrors{{File: name, Message: strings.TrimPrefix(err.Error(), "yaml: ")}}
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, FieldErrors{{File: name, Line: more.Line, Message: "a platform file has one document; remove what comes after ---"}}
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		return nil, FieldErrors{{File: name, Line: root.Line, Message: "expected fields such as apiVersion and kind"}}
	}
	return root, nil
}

// decode reads what the walk has found to be fields that exist.
func decode(text []byte, w *walker) (*Platform, error) {
	fail := func(path, message string) error {
		return FieldErrors{{File: w.file, Line: w.line(path), Path: path, Message: message}}
	}
	asJSON, err := sigsyaml.YAMLToJSONStrict(text)
	if err != nil {
		_, message, _ := strings.Cut(err.Error(), "unmarshal errors:")
		return nil, fail("", strings.Join(strings.Fields(cmp.Or(message, err.Error())), " "))
	}
	p := &Platform{}
	var mistyped *json.UnmarshalTypeError
	switch err := json.Unmarshal(asJSON, p); {
	case errors.As(err, &mistyped):
		return nil, fail(mistyped.Field, fmt.Sprintf("expected %s, found a %s", kindName(mistyped.Type), mistyped.Value))
	case err != nil:
		return nil, fail("", err.Error())
	}
	return p, nil
}

func kindName(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Slice:
		return "a list"
	case reflect.Struct, reflect.Map:
		return "a mapping"
	case reflect.String:
		return "a string"
	}
	return "a " + t.Kind().String()
}
