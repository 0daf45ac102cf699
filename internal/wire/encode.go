package wire

import (
	"strconv"

	"mizzen.dev/model/frame"
)

// appendArray appends an array as JSON: a vector as a list, a matrix as a list
// of rows, a multi-output answer as a list of matrices.
func (s *Schema) appendArray(dst []byte, a *frame.Array) []byte {
	dst = append(dst, '[')
	switch {
	case a.Kind == frame.List:
		for i := range a.Parts {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = s.appendArray(dst, &a.Parts[i])
		}
	case a.Vector():
		dst = s.appendValues(dst, a, 0, a.Rows)
	default:
		for i := range a.Rows {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = append(dst, '[')
			dst = s.appendValues(dst, a, i*a.Cols, (i+1)*a.Cols)
			dst = append(dst, ']')
		}
	}
	return append(dst, ']')
}

// appendValues appends the values lo to hi of an array, row-major, with commas.
func (s *Schema) appendValues(dst []byte, a *frame.Array, lo, hi int) []byte {
	var known *labels
	if a.Kind == frame.Label && len(a.Classes) == 1 {
		known = s.labelsOf(a.Classes[0])
	}
	for i := lo; i < hi; i++ {
		if i > lo {
			dst = append(dst, ',')
		}
		switch a.Kind {
		case frame.Float64:
			dst = appendFloat(dst, a.Floats[i])
		case frame.Int64:
			dst = strconv.AppendInt(dst, a.Ints[i], 10)
		case frame.Boolean:
			dst = appendBool(dst, a.Bools[i])
		case frame.Label:
			l := known
			if l == nil {
				l = s.labelsOf(a.Classes[i%len(a.Classes)])
			}
			dst = append(dst, l.json[a.Codes[i]]...)
		default:
			dst = appendCell(dst, a.Values[i])
		}
	}
	return dst
}
