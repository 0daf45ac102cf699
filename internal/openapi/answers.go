package openapi

import (
	"fmt"

	"mizzen.dev/model/frame"
)

// answers defines one schema an output of the model, for all rows of a request:
// output_predict, output_predict_proba and so on.
func (b *builder) answers(e *entry) {
	for _, o := range e.sig.Outputs {
		if o.Cols == 0 && o.Method == frame.Transform && !e.sig.Values {
			o.Cols = -1 // a transformer answers rows, also if they are empty
		}
		b.define(e.component("output_"+o.Method.String()), answer(o))
	}
}

// answer is what a method answers for all rows.
func answer(o frame.Output) schema {
	if o.Kind == frame.List {
		s := schema{Type: "array", Description: "One matrix a target.", MinItems: number(len(o.Classes)), MaxItems: number(len(o.Classes))}
		for _, c := range o.Classes {
			s.PrefixItems = append(s.PrefixItems, matrix(len(c.Values), scalar(frame.Float64), "Columns: "+mention(c.Values)+"."))
		}
		return s
	}
	if o.Kind == frame.Label {
		return labelled(o)
	}
	note := ""
	if len(o.Classes) == 1 && o.Cols == len(o.Classes[0].Values) {
		note = "Columns: " + mention(o.Classes[0].Values) + "."
	}
	return matrix(o.Cols, scalar(o.Kind), note)
}

// labelled is predict of a classifier: one label a row, or one a target.
func labelled(o frame.Output) schema {
	if o.Cols == 0 {
		label := schema{}
		if len(o.Classes) > 0 {
			label = labels(o.Classes[0])
		}
		return schema{Type: "array", Description: "One label a row.", Items: &label}
	}
	row := schema{Type: "array", MinItems: number(o.Cols), MaxItems: number(o.Cols)}
	for _, c := range o.Classes {
		row.PrefixItems = append(row.PrefixItems, labels(c))
	}
	return schema{Type: "array", Description: "One label a target for each row.", Items: &row}
}

// matrix is one item a row: a value if cols is 0, else a list of that many, or of
// any number if cols is negative.
func matrix(cols int, item schema, note string) schema {
	if cols == 0 {
		return schema{Type: "array", Description: "One value a row.", Items: &item}
	}
	row := schema{Type: "array", Description: note, Items: &item}
	if cols > 0 {
		row.MinItems, row.MaxItems = number(cols), number(cols)
	}
	return schema{Type: "array", Description: "One list a row.", Items: &row}
}

func labels(c *frame.Classes) schema {
	known := plain(c.Values)
	if len(known) <= maxEnum && len(known) == len(c.Values) {
		return schema{Title: "label", Enum: known}
	}
	s := scalar(c.Kind)
	s.Description = fmt.Sprintf("One of %d labels.", len(c.Values))
	return s
}

// scalar is the schema of values of a kind.
func scalar(k frame.Kind) schema {
	switch k {
	case frame.Float64:
		return ref("Number")
	case frame.Int64:
		return schema{Type: "integer"}
	case frame.Boolean:
		return schema{Type: "boolean"}
	}
	return schema{Type: []string{"string", "number", "boolean", "null"}}
}

// outputs lists the names of the methods.
func (e *entry) outputs() []any {
	var names []any
	for _, o := range e.sig.Outputs {
		names = append(names, o.Method.String())
	}
	return names
}
