// Package manifest reads Models from files: strictly, with the defaults and the
// verdict of the API server, so that what a cluster would refuse is refused before
// there is a cluster.
package manifest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"k8s.io/apiextensions-apiserver/pkg/apiserver/schema/objectmeta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/validation/field"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/nearest"
)

// Fault is something wrong in a file.
type Fault struct {
	// File is its name, Line is where in it, from 1.
	File string
	Line int
	// Path of the field: spec.source.uri; "" for the whole document.
	Path string
	// Message says what is wrong and what to do, in the API server's own words where it
	// has some.
	Message string
}

func (f Fault) String() string {
	if f.Path == "" {
		return fmt.Sprintf("%s:%d: %s", f.File, f.Line, f.Message)
	}
	return fmt.Sprintf("%s:%d: %s: %s", f.File, f.Line, f.Path, f.Message)
}

// Error is all that is wrong in a file.
type Error struct{ Faults []Fault }

func (e *Error) Error() string {
	lines := make([]string, len(e.Faults))
	for i, f := range e.Faults {
		lines[i] = f.String()
	}
	return strings.Join(lines, "\n")
}

// Loader loads Models. One of them compiles the schema once.
type Loader struct {
	// Namespace of Models that name none; "" makes that a fault.
	Namespace string

	schema *Schema
}

// NewLoader returns a loader for Models of a namespace, if they name no other.
func NewLoader(namespace string) (*Loader, error) {
	s, err := NewSchema()
	if err != nil {
		return nil, err
	}
	return &Loader{Namespace: namespace, schema: s}, nil
}

// LoadFiles loads the Models of several files, in their order; - is stdin. Two of one
// name in one namespace are a fault. Errors about what is in a file are an *Error.
func (l *Loader) LoadFiles(ctx context.Context, paths []string, stdin io.Reader) ([]*v1alpha1.Model, error) {
	var all []*v1alpha1.Model
	seen := map[string]string{}
	for _, path := range paths {
		models, err := l.loadFile(ctx, path, stdin)
		if err != nil {
			return nil, err
		}
		for _, m := range models {
			key := m.Namespace + "/" + m.Name
			if first, twice := seen[key]; twice {
				return nil, fmt.Errorf("%s: the Model %s is in %s already: give it another name", path, key, first)
			}
			seen[key] = path
		}
		all = append(all, models...)
	}
	return all, nil
}

func (l *Loader) loadFile(ctx context.Context, path string, stdin io.Reader) ([]*v1alpha1.Model, error) {
	if path == "-" {
		return l.Load(ctx, "standard input", stdin)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return l.Load(ctx, path, f)
}

// Load loads the Models of one file, defaulted and valid. There is at least one.
// Errors about what is in the file are an *Error.
func (l *Loader) Load(ctx context.Context, name string, r io.Reader) ([]*v1alpha1.Model, error) {
	data, err := readAll(r)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	docs, err := split(data)
	if err != nil {
		return nil, fmt.Errorf("reading %s: %w", name, err)
	}
	if len(docs) == 0 {
		return nil, &Error{[]Fault{{File: name, Line: 1, Message: "there is no Model in it: write apiVersion: mizzen.dev/v1alpha1, kind: Model, metadata and spec"}}}
	}
	var models []*v1alpha1.Model
	var faults []Fault
	for _, doc := range docs {
		model, found := l.load(ctx, &doc)
		for _, f := range found {
			f.File = name
			faults = append(faults, f)
		}
		if len(faults) >= maxFaults {
			return nil, &Error{faults}
		}
		models = append(models, model)
	}
	if len(faults) > 0 {
		return nil, &Error{faults}
	}
	return models, nil
}

// load loads one document.
func (l *Loader) load(ctx context.Context, doc *document) (*v1alpha1.Model, []Fault) {
	object, err := doc.parse()
	if err != nil {
		return nil, doc.syntax(err)
	}
	if f := doc.checkKind(object); f != nil {
		return nil, f
	}
	delete(object, "status") // the cluster's, also where somebody saved it
	faults := l.unknown(doc, object)
	l.setNamespace(object)
	l.schema.Default(object)
	for _, e := range l.schema.Validate(ctx, object) {
		if len(faults) >= maxFaults {
			break
		}
		faults = append(faults, doc.invalid(e))
	}
	if len(faults) > 0 {
		return nil, faults
	}
	model := &v1alpha1.Model{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, model); err != nil {
		return nil, []Fault{{Line: doc.line, Message: err.Error()}}
	}
	return model, nil
}

// syntax is what the parser says, which may be several things, each in a line of its
// own; it counts lines from the start of the document.
func (d *document) syntax(err error) []Fault {
	text := strings.TrimPrefix(err.Error(), "error converting YAML to JSON: ")
	text = strings.TrimPrefix(text, "yaml: ")
	text = strings.TrimPrefix(text, "unmarshal errors:\n")
	var faults []Fault
	for part := range strings.Lines(text) {
		part, line := strings.TrimSpace(part), 1
		if n, scanErr := fmt.Sscanf(part, "line %d:", &line); n == 1 && scanErr == nil {
			_, part, _ = strings.Cut(part, ": ")
		}
		faults = append(faults, Fault{Line: d.line + line - 1, Message: part})
	}
	return faults
}

// checkKind tells Models from everything else.
func (d *document) checkKind(object map[string]any) []Fault {
	const version = v1alpha1.Group + "/" + v1alpha1.Version
	for _, want := range []struct{ name, value string }{{"apiVersion", version}, {"kind", v1alpha1.Kind}} {
		got, _ := object[want.name].(string)
		if got != want.value {
			return []Fault{{Line: d.lineOf([]segment{{name: want.name, index: -1}}), Path: want.name,
				Message: fmt.Sprintf("found %q, expected %s: only Models are read here", got, want.value)}}
		}
	}
	return nil
}

// maxFaults bounds what is said about one document, and ends the reading of a file:
// who has so many wrong begins with the first.
const maxFaults = 50

// unknown are the fields that there are not.
func (l *Loader) unknown(doc *document, object map[string]any) []Fault {
	var faults []Fault
	_, _, paths, err := objectmeta.GetObjectMetaWithOptions(object, objectmeta.ObjectMetaOptions{ReturnUnknownFieldPaths: true})
	if err != nil {
		return nil // validation says the same
	}
	for _, path := range append(paths, l.schema.Unknown(object)...) {
		segs := segments(path)
		if len(segs) == 0 {
			continue
		}
		if len(faults) == maxFaults {
			break
		}
		message := "there is no such field" + nearest.DidYouMean(segs[len(segs)-1].name, l.schema.siblings(segs))
		faults = append(faults, Fault{Line: doc.lineOf(segs), Path: path, Message: message})
	}
	return faults
}

func (l *Loader) setNamespace(object map[string]any) {
	meta, ok := object["metadata"].(map[string]any)
	if !ok || l.Namespace == "" {
		return
	}
	if ns, set := meta["namespace"]; !set || ns == "" {
		meta["namespace"] = l.Namespace
	}
}

// invalid says where the schema found what.
func (d *document) invalid(e *field.Error) Fault {
	path := e.Field
	if path == "<nil>" {
		path = ""
	}
	message := e.ErrorBody()
	if path == "metadata.namespace" && e.Type == field.ErrorTypeRequired {
		message = "a Model needs a namespace: set it here, or with --namespace"
	}
	return Fault{Line: d.lineOf(segments(path)), Path: path, Message: message}
}

// IsInvalid says whether err is about what is in a file, not about reading it.
func IsInvalid(err error) bool {
	var e *Error
	return errors.As(err, &e)
}
