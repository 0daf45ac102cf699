package example_test

import (
	"fmt"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/api/v1alpha1/example"
	"mizzen.dev/internal/golden"
)

const referenceHead = `# The fields of a Model

What a ` + "`Model`" + ` may say, field by field. Required are ` + "`version` and `source`" + ` alone; what
is left out is chosen as a careful team would, so that a short Model is a good one:

` + "```yaml" + `
apiVersion: mizzen.dev/v1alpha1
kind: Model
metadata: {name: iris, namespace: ml-prod}
spec:
  version: "0.1.0"
  source:
    uri: s3://models/iris/0.1.0/model.pkl
    digest: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  scale: {minReplicas: 2, maxReplicas: 20, target: {requestsPerSecond: 50}}
  expose:
    host: ml.example.com
    ingress: {className: nginx}
    tls: {issuerRef: {name: letsencrypt-http01}}
` + "```" + `

A field that does not exist, a value out of bounds, or two fields that exclude each other are
refused: by ` + "`mizzenctl`" + ` with the line of the file, and by the API server in the same words
(*slanted* below). ` + "`kubectl explain model.spec`" + ` tells the same on a terminal.

An example is the value of its field alone; the tests set each of them, with what else it
needs, and look for the difference that it makes. A name with ` + "`[]`" + ` is a list of objects, and
what follows it a field of each. Durations are such as ` + "`90s`, `1h30m`" + `, quantities such as
` + "`500m`, `2Gi`" + `; lengths are in characters.

This page is made from the definition of the resource and the examples that the tests use:
` + "`go test ./api/v1alpha1/example -update`" + `.
`

// TestReference keeps docs/model.md equal to the definition and the examples.
func TestReference(t *testing.T) {
	got := newReference(t).page()
	golden.Compare(t, filepath.Join("..", "..", "..", "docs", "model.md"), got)
}

// reference writes the page.
type reference struct {
	t        *testing.T
	examples map[string]any // by path
	schema   apiextensionsv1.JSONSchemaProps
	// uses counts the fields that have a type of Kubernetes. What several have is
	// described once, in a section of its own.
	uses map[reflect.Type]int
	// shared are these types in the order of their first use, with that.
	shared []field
	b      strings.Builder
}

// field of the Model, or the item of a list that it is.
type field struct {
	// path in the examples' notation: spec.secrets[].name. name is the part of it that
	// stands in the table.
	path, name string
	typ        reflect.Type
	schema     apiextensionsv1.JSONSchemaProps
	required   bool
}

func newReference(t *testing.T) *reference {
	t.Helper()
	r := &reference{t: t, examples: map[string]any{}, uses: map[reflect.Type]int{}}
	examples, err := example.All()
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range examples {
		r.examples[e.Path] = e.Value
	}
	var crd apiextensionsv1.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(v1alpha1.CRD, &crd); err != nil {
		t.Fatal(err)
	}
	r.schema = *crd.Spec.Versions[0].Schema.OpenAPIV3Schema
	return r
}

func (r *reference) page() string {
	r.b.WriteString(referenceHead)
	spec := field{path: "spec", name: "spec", typ: reflect.TypeFor[v1alpha1.ModelSpec](), schema: r.schema.Properties["spec"]}
	r.count(spec)
	r.b.WriteString("\n## metadata\n")
	r.rules([]field{{schema: r.schema}})
	r.section(spec, 2)
	if len(r.shared) > 0 {
		r.b.WriteString("\n## Types that several fields share\n\nThey are Kubernetes' own, in the same places as in a Pod, a NetworkPolicy or a\nHorizontalPodAutoscaler.\n")
	}
	for described := 0; described < len(r.shared); { // a section may find further ones
		r.section(r.shared[described], 3)
		described++
	}
	r.b.WriteString("\n## status\n\nWritten by the operator; nobody else needs to.\n")
	r.table([]field{{path: "status", name: "", typ: reflect.TypeFor[v1alpha1.ModelStatus](), schema: r.schema.Properties["status"]}}, false)
	return r.b.String()
}

// fields of an object, in the order of its Go type.
func (r *reference) fields(of field) []field {
	var all []field
	for i := range of.typ.NumField() {
		f := of.typ.Field(i)
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		schema, ok := of.schema.Properties[name]
		if !ok {
			continue
		}
		sub := field{path: of.path + "." + name, name: name, typ: f.Type, schema: schema}
		for _, required := range of.schema.Required {
			sub.required = sub.required || required == name
		}
		all = append(all, sub)
	}
	if len(all) != len(of.schema.Properties) {
		r.t.Errorf("%s: %d of %d fields found in %v", of.path, len(all), len(of.schema.Properties), of.typ)
	}
	return all
}

// object is what a field holds, or each item of its list, and whether that has fields.
func object(f field) (field, bool) {
	for f.typ.Kind() == reflect.Pointer || f.typ.Kind() == reflect.Slice {
		f.typ = f.typ.Elem()
	}
	if f.schema.Items != nil && f.schema.Items.Schema != nil {
		f.schema, f.path, f.name = *f.schema.Items.Schema, f.path+"[]", f.name+"[]"
	}
	return f, len(f.schema.Properties) > 0
}

func (r *reference) count(of field) {
	for _, f := range r.fields(of) {
		o, ok := object(f)
		if !ok {
			continue
		}
		if r.uses[o.typ]++; r.uses[o.typ] == 1 || own(o.typ) {
			r.count(o)
		}
	}
}

// own says whether a type is Mizzen's.
func own(t reflect.Type) bool { return strings.HasPrefix(t.PkgPath(), "mizzen.dev/") }

// isShared says whether a type has a section of its own, and sees to it.
func (r *reference) isShared(o field) bool {
	if own(o.typ) || r.uses[o.typ] < 2 {
		return false
	}
	for _, s := range r.shared {
		if s.typ != o.typ {
			continue
		}
		a, b := s.schema, o.schema
		a.Description, b.Description = "", ""
		if diff := cmp.Diff(a, b); diff != "" {
			r.t.Errorf("%s and %s have one type and two schemas:\n%s", s.path, o.path, diff)
		}
		return true
	}
	o.name = o.typ.Name()
	words, ok := sharedTypes[o.name]
	if !ok {
		r.t.Errorf("%s: put into words what a %s is", o.path, o.name)
	}
	o.schema.Description = words
	r.shared = append(r.shared, o)
	return true
}

// rows counts the lines of the table that an object would add.
func (r *reference) rows(of field) int {
	n := 0
	for _, f := range r.fields(of) {
		n++
		if o, ok := object(f); ok && (own(o.typ) || r.uses[o.typ] < 2) {
			n += r.rows(o)
		}
	}
	return n
}

// A part of a section with so many rows has one of its own.
const rowsOfSection = 4

// section writes an object: what it is, its fields, and those of the larger ones of
// these below it.
func (r *reference) section(of field, depth int) {
	title := strings.TrimPrefix(of.name, "spec.")
	fmt.Fprintf(&r.b, "\n%s %s\n", strings.Repeat("#", depth), title)
	if of.path != "spec" {
		fmt.Fprintf(&r.b, "\n%s\n", sentence(of))
	}
	below := r.table([]field{of}, true)
	for _, f := range below {
		next := depth + 1
		if of.path == "spec" {
			next = depth
		}
		r.section(f, min(next, 4))
	}
}

// table writes the fields of objects, and returns those that want a section.
func (r *reference) table(of []field, examples bool) (below []field) {
	head := "\n| field | value | meaning | example |\n|---|---|---|---|\n"
	if !examples {
		head = "\n| field | value | meaning |\n|---|---|---|\n"
	}
	r.b.WriteString(head)
	var ruled []field
	var write func(of field, prefix, title string)
	write = func(of field, prefix, title string) {
		ruled = append(ruled, field{name: strings.TrimSuffix(prefix, "."), schema: of.schema})
		for _, f := range r.fields(of) {
			o, nested := object(f)
			row := r.row(f, nested)
			row.name = prefix + o.name
			switch {
			case !nested:
				row.name = prefix + f.name
				if examples {
					row.example = r.example(f)
				}
			case r.isShared(o):
				row.link(o.typ.Name())
			case examples && (of.path == "spec" || r.rows(o) >= rowsOfSection):
				o.name = strings.TrimPrefix(title+"."+o.name, ".")
				o.schema.Description = f.schema.Description
				row.link(o.name)
				below = append(below, o)
			}
			row.write(&r.b, examples)
			if nested && row.linked == "" {
				write(o, prefix+o.name+".", title+"."+o.name)
			}
		}
	}
	for _, o := range of {
		title := o.name
		if o.path == "spec" {
			title = ""
		}
		write(o, "", title)
	}
	r.rules(ruled)
	return below
}

// rules writes what the rules of objects say when they are broken.
func (r *reference) rules(of []field) {
	first := true
	for _, o := range of {
		for _, rule := range o.schema.XValidations {
			if first {
				r.b.WriteString("\n")
				first = false
			}
			prefix := ""
			if o.name != "" {
				prefix = "`" + o.name + "`: "
			}
			fmt.Fprintf(&r.b, "- %s*%s*\n", prefix, rule.Message)
		}
	}
}
