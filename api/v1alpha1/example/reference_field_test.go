package example_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	yamlnode "go.yaml.in/yaml/v3"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

// row of a table.
type row struct{ name, value, meaning, example, linked string }

// link sends the reader to the section with a title.
func (r *row) link(title string) {
	r.linked = title
	r.example = "[" + title + "](#" + anchor(title) + ")"
}

// anchor is how GitHub names a heading.
func anchor(title string) string {
	return strings.NewReplacer(".", "", "[", "", "]", "", " ", "-").Replace(strings.ToLower(title))
}

func (r *row) write(b *strings.Builder, examples bool) {
	cells := []string{"`" + r.name + "`", r.value, r.meaning}
	if examples {
		cells = append(cells, r.example)
	} else if r.linked != "" {
		cells[2] += " " + r.example
	}
	for i, c := range cells {
		cells[i] = strings.ReplaceAll(c, "|", `\|`)
	}
	fmt.Fprintf(b, "| %s |\n", strings.Join(cells, " | "))
}

func (r *reference) row(f field, nested bool) row {
	value := "object"
	switch {
	case nested && f.schema.Items != nil:
		value = fmt.Sprintf("list of up to %d", *f.schema.MaxItems)
	case !nested:
		value = r.kind(f.path, f.schema)
	}
	if f.required {
		value += "; required"
	}
	if f.schema.Default != nil {
		value += "; default `" + flow(r, f.schema.Default.Raw) + "`"
	}
	meaning := sentence(f)
	if !nested {
		for _, rule := range f.schema.XValidations {
			meaning += " *" + rule.Message + ".*"
		}
	}
	return row{value: value, meaning: meaning}
}

// page of the documentation, as comments name it.
var page = regexp.MustCompile(`docs/(\w+\.md)`)

// sentence is what a field means. Of Kubernetes' own fields, which explain themselves at
// length, it is the first sentence.
func sentence(f field) string {
	text := strings.Join(strings.Fields(f.schema.Description), " ")
	text = strings.ReplaceAll(text, "<", `\<`)
	text = page.ReplaceAllString(text, "[docs/$1]($1)")
	typ := f.typ
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if !strings.HasPrefix(f.path, "spec.") || own(typ) || !foreign(f.path) {
		return text
	}
	text = strings.TrimPrefix(text, "Required. ")
	for i := range text {
		rest := text[i:]
		if strings.HasPrefix(rest, ". ") && !strings.HasSuffix(text[:i], "e.g") && !strings.HasSuffix(text[:i], "i.e") {
			text = text[:i+1]
			break
		}
	}
	return text
}

// sharedTypes are the types of Kubernetes that several fields have, in words.
var sharedTypes = map[string]string{
	"Toleration":              "A taint of nodes that pods put up with.",
	"HPAScalingRules":         "How fast pods are added, or removed.",
	"NetworkPolicyPeer":       "Pods, or addresses, at the other end of a connection.",
	"LabelSelector":           "Objects that have certain labels. All that is said must be true of them.",
	"PodAffinityTerm":         "Pods in whose neighbourhood, or away from which, the pods of the Model run.",
	"WeightedPodAffinityTerm": "Such pods as a wish, of more or less weight.",
	"NodeSelectorTerm":        "Nodes for which all that is said is true.",
	"NodeSelectorRequirement": "What must be true of one label, or one field, of a node.",
}

// foreign says whether a field is below one whose type is Kubernetes'.
func foreign(path string) bool {
	return slices.ContainsFunc([]string{"spec.scale.behavior.", "spec.isolation.from[]", "spec.isolation.egress[]",
		"spec.placement.affinity.", "spec.placement.tolerations[]", "spec.gpu.tolerations[]"},
		func(p string) bool { return strings.HasPrefix(path, p) })
}

// example of a field that has no fields itself.
func (r *reference) example(f field) string {
	value, ok := r.examples[f.path]
	if !ok {
		r.t.Errorf("%s has no example in examples.yaml", f.path)
		return ""
	}
	text, err := json.Marshal(value)
	if err != nil {
		r.t.Fatal(err)
	}
	return "`" + flow(r, text) + "`"
}

// flow is JSON as YAML in one line.
func flow(r *reference, text []byte) string {
	var n yamlnode.Node
	if err := yamlnode.Unmarshal(text, &n); err != nil {
		r.t.Fatal(err)
	}
	plain(n.Content[0])
	out, err := yamlnode.Marshal(n.Content[0])
	if err != nil {
		r.t.Fatal(err)
	}
	return strings.TrimSpace(string(out))
}

// plain takes away the quotes that JSON wants and YAML does not.
func plain(n *yamlnode.Node) {
	if n.Kind == yamlnode.ScalarNode {
		n.Style = 0
	}
	for _, c := range n.Content {
		plain(c)
	}
}

// patterns are what values must look like, in words.
var patterns = map[string]string{
	`^[-._a-zA-Z0-9]+$`:                "letters, digits, `-`, `_`, `.`",
	`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`: "name of an object",
	`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`: "host name",
	`^/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?$`:                        "path that begins with `/` and does not end with it",
	`^[A-Za-z0-9_-]+$`: "letters, digits, `-`, `_`",
	`^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$`:                                     "value of a label",
	`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`:                                        "value of a label",
	`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`:         "such as `vendor.com/name`",
	`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`:                                                   "name of a namespace",
	`^[A-Z][A-Za-z0-9]*$`:                                                               "name of a kind",
	`^[A-Za-z0-9_+/-]+$`:                                                                "name in the database of time zones",
	`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`: "name of a label",
	`^/`:                                       "begins with `/`",
	`^[a-zA-Z_:][a-zA-Z0-9_:]*$`:               "name of a metric",
	`^[A-Za-z_][A-Za-z0-9_]*$`:                 "name of a variable",
	`^[^\s]+$`:                                 "no blanks",
	`^\S+( \S+){4}$`:                           "cron expression of five parts",
	`^sha256:[a-f0-9]{64}$`:                    "`sha256:` and 64 hexadecimal digits",
	`^https?://\S+$`:                           "begins with `http://` or `https://`",
	`^https?://[^/\s]+(/\S*)?$`:                "`http://` or `https://` and a host",
	`^[1-9][0-9](\.[0-9]{1,4})?$`:              "percentage from 10 to 99.9999",
	`^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$`:        "number from 0 to 1",
	`^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$`: "a word",
	`^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$`: "a word",
}

// kind says which values a schema allows.
func (r *reference) kind(path string, s apiextensionsv1.JSONSchemaProps) string {
	switch {
	case len(s.Enum) > 0:
		var all []string
		for _, e := range s.Enum {
			all = append(all, "`"+strings.Trim(string(e.Raw), `"`)+"`")
		}
		last := len(all) - 1
		if last == 0 {
			return all[0]
		}
		return strings.Join(all[:last], ", ") + " or " + all[last]
	case s.XIntOrString && s.Pattern != "":
		return "quantity"
	case s.XIntOrString:
		return "number or string"
	case s.Format == "duration":
		return "duration"
	case s.Format == "date-time":
		return "time"
	}
	switch s.Type {
	case "integer":
		return "number" + span(s)
	case "array":
		return fmt.Sprintf("list of %s%s", count(s.MinItems, s.MaxItems), r.items(path+"[]", *s.Items.Schema))
	case "object":
		return fmt.Sprintf("map of %s%s", count(s.MinProperties, s.MaxProperties), r.items(path+"{}", *s.AdditionalProperties.Schema))
	case "string":
		return "string" + r.text(path, s)
	}
	r.t.Errorf("%s: what is a %q?", path, s.Type)
	return s.Type
}

// text says how long a string may be, and what it looks like.
func (r *reference) text(path string, s apiextensionsv1.JSONSchemaProps) string {
	out := ""
	if s.MaxLength != nil {
		out = fmt.Sprintf(" of up to %d", *s.MaxLength)
	}
	if s.Pattern == "" {
		return out
	}
	words, ok := patterns[s.Pattern]
	if !ok {
		r.t.Errorf("%s: put %s into words", path, s.Pattern)
	}
	return out + ": " + words
}

func span(s apiextensionsv1.JSONSchemaProps) string {
	number := func(n float64) string { return strconv.FormatFloat(n, 'f', -1, 64) }
	switch {
	case s.Minimum != nil && s.Maximum != nil:
		return " from " + number(*s.Minimum) + " to " + number(*s.Maximum)
	case s.Minimum != nil:
		return ", at least " + number(*s.Minimum)
	case s.Maximum != nil:
		return ", at most " + number(*s.Maximum)
	}
	return ""
}

func count(least, most *int64) string {
	if least != nil && *least > 0 {
		return fmt.Sprintf("%d to %d", *least, *most)
	}
	return fmt.Sprintf("up to %d", *most)
}

// items says which items a list or map may have, behind their number.
func (r *reference) items(path string, s apiextensionsv1.JSONSchemaProps) string {
	kind := r.kind(path, s)
	for _, one := range []string{"string", "number"} {
		if rest, ok := strings.CutPrefix(kind, one); ok {
			return " " + one + "s" + rest
		}
	}
	if kind == "quantity" {
		return " quantities"
	}
	return ": " + kind
}
