package openapi

import (
	"fmt"
	"strconv"
	"strings"

	"mizzen.dev/model/frame"
)

// What a schema spells out: more would make the page unusable and the document
// large, and is left to a description.
const (
	maxProperties = 500  // features by name
	maxEnum       = 1000 // categories or classes
	maxMentioned  = 10   // values in a description
)

// inputs defines Row, and Record if the model was trained on named columns.
func (b *builder) inputs(e *entry) {
	b.define(e.component("Row"), e.row())
	if e.sig.Named {
		b.define(e.component("Record"), e.record())
	}
}

// row is one sample: its values in training order.
func (e *entry) row() schema {
	sig := e.sig
	if sig.Values {
		var f frame.Feature
		f.Type = frame.Any
		if len(sig.Features) > 0 {
			f = sig.Features[0]
		}
		s := cell(f)
		s.Description = "One sample: a single value. " + s.Description
		return s
	}
	s := schema{Type: "array", Description: "One row: its values in training order."}
	if sig.Width < 0 {
		s.Items = &schema{Type: []string{"number", "string", "boolean", "null"}}
		return s
	}
	s.MinItems, s.MaxItems = number(sig.Width), number(sig.Width)
	if alike(sig.Features) || e.wide() {
		item := schema{}
		if len(sig.Features) > 0 && alike(sig.Features) {
			item = cell(sig.Features[0])
		}
		s.Items = &item
	} else {
		for _, f := range sig.Features {
			s.PrefixItems = append(s.PrefixItems, cell(f))
		}
	}
	if !e.wide() {
		s.Examples = []any{exampleRow(sig.Features)}
	}
	return s
}

// alike reports whether all features have the same schema: numbers without names.
func alike(features []frame.Feature) bool {
	for _, f := range features {
		if f.Name != "" || f.Type != frame.Number || f.Missing != features[0].Missing {
			return false
		}
	}
	return true
}

// record is one sample: its values by feature name.
func (e *entry) record() schema {
	s := schema{Type: "object", Description: "One row: its values by feature name, in any order.", Additional: e.sig.ExtraIgnored}
	if e.wide() {
		s.Description += fmt.Sprintf(" There are %d features; GET /v2/models/%s names them.", len(e.sig.Features), e.path)
		s.Additional = true
		return s
	}
	for _, f := range e.sig.Features {
		s.Properties.add(f.Name, cell(f))
		if !f.Unused {
			s.Required = append(s.Required, f.Name)
		}
	}
	s.Examples = []any{exampleRecord(e.sig.Features)}
	return s
}

// cell is the schema of one feature's values.
func cell(f frame.Feature) schema {
	s := schema{Title: f.Name}
	var types []string
	switch f.Type {
	case frame.Number:
		types = []string{"number"}
	case frame.Text:
		types = []string{"string"}
	default:
		types = []string{"string", "number", "boolean"}
	}
	if f.Missing {
		types = append(types, "null")
		s.Description = "May be missing (null). "
	}
	if s.Type = types; len(types) == 1 {
		s.Type = types[0]
	}
	if f.Unused {
		s.Description += "The model does not look at it. "
	}
	known := plain(f.Categories)
	switch {
	case len(known) == 0:
	case f.Closed && len(known) <= maxEnum:
		s.Type, s.Enum = nil, known
		if f.Missing && !contains(f.Categories, frame.None()) {
			s.Enum = append(s.Enum, nil)
		}
	case f.Closed:
		s.Description += fmt.Sprintf("One of the %d values seen in training, such as %s. ", len(known), mention(f.Categories))
	default:
		s.Description += fmt.Sprintf("Seen in training: %s. Others are accepted too. ", mention(f.Categories))
	}
	s.Description = strings.TrimSpace(s.Description)
	s.Examples = []any{exampleValue(f)}
	return s
}

// plain returns the categories that JSON can write: NaN is not among them.
func plain(categories []frame.Value) []any {
	var out []any
	for _, v := range categories {
		if !v.IsNaN() {
			out = append(out, v)
		}
	}
	return out
}

func contains(categories []frame.Value, want frame.Value) bool {
	for _, v := range categories {
		if v.Key() == want.Key() {
			return true
		}
	}
	return false
}

// mention lists the first few values for a description.
func mention(values []frame.Value) string {
	var names []string
	for i, v := range values {
		if i == maxMentioned {
			names = append(names, fmt.Sprintf("… (%d in all)", len(values)))
			break
		}
		names = append(names, markdown(v.String()))
	}
	return strings.Join(names, ", ")
}

// exampleValue returns a value that the model takes.
func exampleValue(f frame.Feature) any {
	switch x, isNumber := f.Example.Float64(); {
	case f.Example.IsNone() || f.Example.IsNaN():
	case isNumber && f.Type == frame.Number && f.Categories == nil && f.Example.Kind() == frame.KindFloat:
		return readable(x)
	default:
		return f.Example
	}
	switch {
	case len(plain(f.Categories)) > 0:
		return plain(f.Categories)[0]
	case f.Type == frame.Text:
		return "text"
	}
	return 0
}

// readable rounds a mean or a median for people to look at.
func readable(x float64) float64 {
	if r, err := strconv.ParseFloat(strconv.FormatFloat(x, 'g', 4, 64), 64); err == nil {
		return r
	}
	return x
}

func exampleRow(features []frame.Feature) []any {
	row := make([]any, len(features))
	for i, f := range features {
		row[i] = exampleValue(f)
	}
	return row
}

func exampleRecord(features []frame.Feature) ordered[any] {
	var record ordered[any]
	for _, f := range features {
		record.add(f.Name, exampleValue(f))
	}
	return record
}
