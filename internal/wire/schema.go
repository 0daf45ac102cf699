package wire

import (
	"strconv"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// Schema is what the codecs know of one served model. It is immutable and safe
// for concurrent use.
type Schema struct {
	// Name and Version are those under which the model is served; Version may
	// be empty.
	Name, Version string
	Signature     *model.Signature
	Limits        Limits

	width int // values a row; -1: any number
	// dense says that every column holds numbers, so that rows become a matrix.
	dense bool
	// index has the position of each named column.
	index    map[string]int
	features []string // the names of the columns that the model looks at
	labels   map[*frame.Classes]*labels
	// parts are the names of the parts of a multi-output answer.
	parts [frame.NumMethods][]string
	// outputs are the names of all outputs, as V2 has them.
	outputs []string

	metadataV2 []byte
	headV2     []byte // how each V2 answer starts
}

// NewSchema prepares a model for the codecs. The signature must not change.
func NewSchema(name, version string, sig *model.Signature, lim Limits) *Schema {
	s := &Schema{Name: name, Version: version, Signature: sig, Limits: lim.withDefaults(),
		width: sig.Width, dense: sig.Numeric, labels: map[*frame.Classes]*labels{}}
	if sig.Values {
		s.width = 1
	}
	if sig.Named {
		s.index = make(map[string]int, len(sig.Features))
		for j, f := range sig.Features {
			s.index[f.Name] = j
			if !f.Unused {
				s.features = append(s.features, f.Name)
			}
		}
	}
	for _, o := range sig.Outputs {
		for _, c := range o.Classes {
			s.labels[c] = newLabels(c)
		}
		if o.Kind != frame.List {
			s.outputs = append(s.outputs, o.Method.String())
			continue
		}
		for i := range o.Classes {
			part := o.Method.String() + "_" + strconv.Itoa(i)
			s.parts[o.Method] = append(s.parts[o.Method], part)
			s.outputs = append(s.outputs, part)
		}
	}
	s.metadataV2 = appendValue(nil, s.Metadata())
	s.headV2 = appendString([]byte(`{"model_name":`), name)
	if version != "" {
		s.headV2 = appendString(append(s.headV2, `,"model_version":`...), version)
	}
	return s
}

// column returns the type of a column. All columns of a model that takes any
// number of them have the same one.
func (s *Schema) column(j int) frame.Type {
	switch {
	case s.dense:
		return frame.Number
	case j < len(s.Signature.Features):
		return s.Signature.Features[j].Type
	}
	return frame.Any
}

// unused reports whether a column may be left out.
func (s *Schema) unused(j int) bool {
	return j < len(s.Signature.Features) && s.Signature.Features[j].Unused
}

// wrongWidth explains a row of another width than the model's.
func (s *Schema) wrongWidth(path string, got int, hint string) error {
	reason := "got " + counted(got, "value") + ", expected " + strconv.Itoa(s.width)
	if s.Signature.Named {
		names := make([]string, len(s.Signature.Features))
		for j, f := range s.Signature.Features {
			names[j] = f.Name
		}
		reason += " (" + joinNames(names) + ")"
	}
	return invalid(path, "%s", reason+hint)
}

// methodNames lists what the model answers.
func (s *Schema) methodNames() []string {
	var names []string
	for _, o := range s.Signature.Outputs {
		names = append(names, o.Method.String())
	}
	return names
}
