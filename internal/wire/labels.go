package wire

import "mizzen.dev/model/frame"

// labels are the classes of a classifier, written once.
type labels struct {
	datatype Datatype
	json     [][]byte // as JSON with their own type: 1, "a", true, 1.0
	text     [][]byte // as an element of a BYTES tensor
	quoted   [][]byte // as an element of a BYTES tensor in JSON
}

func newLabels(c *frame.Classes) *labels {
	l := &labels{datatype: datatypeOf(c.Kind)}
	for _, v := range c.Values {
		l.json = append(l.json, appendCell(nil, v))
		l.text = append(l.text, appendText(nil, v))
		l.quoted = append(l.quoted, appendQuoted(nil, v))
	}
	return l
}

// labelsOf returns the written classes; those that the signature does not have
// are written anew.
func (s *Schema) labelsOf(c *frame.Classes) *labels {
	if l := s.labels[c]; l != nil {
		return l
	}
	return newLabels(c)
}

// datatypeOf returns the datatype of a kind of values.
func datatypeOf(k frame.Kind) Datatype {
	switch k {
	case frame.Float64:
		return FP64
	case frame.Int64:
		return INT64
	case frame.Boolean:
		return BOOL
	}
	return BYTES
}

// datatypeOfClasses returns the one datatype that holds the labels of all
// targets.
func datatypeOfClasses(classes []*frame.Classes) Datatype {
	if len(classes) == 0 {
		return BYTES
	}
	d := datatypeOf(classes[0].Kind)
	for _, c := range classes[1:] {
		if datatypeOf(c.Kind) != d {
			return BYTES
		}
	}
	return d
}
