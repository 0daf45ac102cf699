package wire

import (
	"encoding/binary"
	"math"
	"slices"
	"strconv"

	"mizzen.dev/model/frame"
)

// The names that clients give to inputs and outputs when they do not know the
// model's own.
const (
	inputPrefix   = "input-"
	defaultOutput = "output-0" // the default method
)

// wantDefault asks for what is answered to those who ask for nothing.
func (r *Request) wantDefault(binary bool) {
	m := r.Schema.Signature.Default()
	r.want(m.String(), m, -1, binary)
}

// selectOutput adds one output that a client of the Open Inference Protocol
// names.
func (r *Request) selectOutput(name string, binary bool, path string) error {
	for _, w := range r.wanted {
		if w.name == name {
			return invalid(path, "%q is asked for twice", clip(name))
		}
	}
	m, part, ok := r.Schema.output(name)
	if !ok {
		return r.Schema.noOutput(path, name, r.Schema.outputs)
	}
	r.want(name, m, part, binary)
	return nil
}

// output finds the method and the part of it that an output's name means.
func (s *Schema) output(name string) (m frame.Method, part int, ok bool) {
	if name == defaultOutput {
		return s.Signature.Default(), -1, true
	}
	for _, o := range s.Signature.Outputs {
		if o.Method.String() == name {
			return o.Method, -1, true
		}
		if part := slices.Index(s.parts[o.Method], name); part >= 0 {
			return o.Method, part, true
		}
	}
	return 0, 0, false
}

// OutputTensor is one output of the Open Inference Protocol. It lives as long
// as the request.
type OutputTensor struct {
	Name     string
	Datatype Datatype // BOOL, INT64, FP64 or BYTES
	Shape    []int64

	binary bool
	array  *frame.Array
	labels *labels // of the only target
	schema *Schema
}

// Tensors returns the outputs of a request in the order in which it asked for
// them, over the arrays that the model answered: a multi-output predict_proba
// is one tensor a target. An answer over the limit is an *Error.
func (r *Request) Tensors(out []frame.Array) ([]OutputTensor, error) {
	if err := r.checkAnswer(out); err != nil {
		return nil, err
	}
	r.outputs = r.outputs[:0]
	for _, w := range r.wanted {
		a := &out[w.method]
		if a.Kind != frame.List {
			r.addOutput(w.name, a, w.binary)
			continue
		}
		method := r.Methods[w.method]
		for i := range a.Parts {
			switch {
			case w.part == i:
				r.addOutput(w.name, &a.Parts[i], w.binary)
			case w.part < 0 && i < len(r.Schema.parts[method]):
				r.addOutput(r.Schema.parts[method][i], &a.Parts[i], w.binary)
			case w.part < 0:
				r.addOutput(method.String()+"_"+strconv.Itoa(i), &a.Parts[i], w.binary)
			}
		}
	}
	return r.outputs, nil
}

func (r *Request) addOutput(name string, a *frame.Array, binary bool) {
	o := OutputTensor{Name: name, array: a, binary: binary, schema: r.Schema, Datatype: datatypeOf(a.Kind)}
	if a.Kind == frame.Label {
		o.Datatype = datatypeOfClasses(a.Classes)
		if len(a.Classes) == 1 {
			o.labels = r.Schema.labelsOf(a.Classes[0])
		}
	}
	o.Shape = r.Arena.Ints(2)
	o.Shape[0], o.Shape[1] = int64(a.Rows), int64(a.Cols)
	if a.Vector() {
		o.Shape = o.Shape[:1]
	}
	r.outputs = append(r.outputs, o)
}

// checkAnswer bounds what an answer holds.
func (r *Request) checkAnswer(out []frame.Array) error {
	total := 0
	for i := range out {
		total += size(&out[i])
	}
	if total > r.Schema.Limits.Elements {
		return tooLarge("", "the answer would hold %d values, more than %d (--max-values): send fewer rows at a time", total, r.Schema.Limits.Elements)
	}
	return nil
}

// size returns the number of values of an array.
func size(a *frame.Array) int {
	if a.Kind != frame.List {
		return a.Rows * a.Width()
	}
	n := 0
	for i := range a.Parts {
		n += size(&a.Parts[i])
	}
	return n
}

// Len returns the number of elements.
func (t *OutputTensor) Len() int { return size(t.array) }

// label returns the classes of element i, and which of them it is.
func (t *OutputTensor) label(i int) (*labels, int32) {
	if t.labels != nil {
		return t.labels, t.array.Codes[i]
	}
	return t.schema.labelsOf(t.array.Classes[i%len(t.array.Classes)]), t.array.Codes[i]
}

// RawSize returns the number of bytes that AppendRaw appends.
func (t *OutputTensor) RawSize() int {
	n := t.Len()
	if size := t.Datatype.Size(); size > 0 {
		return n * size
	}
	total := 4 * n
	for i := range n {
		if t.array.Kind == frame.Label {
			l, code := t.label(i)
			total += len(l.text[code])
		} else {
			total += textSize(t.array.At(i))
		}
	}
	return total
}

// AppendRaw appends the elements in binary form: little-endian, BOOL a byte an
// element, BYTES with four bytes of length before each.
func (t *OutputTensor) AppendRaw(dst []byte) []byte {
	dst = slices.Grow(dst, t.RawSize())
	le := binary.LittleEndian
	switch t.Datatype {
	case FP64:
		if t.array.Kind == frame.Float64 {
			for _, f := range t.array.Floats[:t.Len()] {
				dst = le.AppendUint64(dst, math.Float64bits(f))
			}
			return dst
		}
		for i := range t.Len() {
			f, _ := t.array.At(i).Float64()
			dst = le.AppendUint64(dst, math.Float64bits(f))
		}
	case INT64:
		for i := range t.Len() {
			v, _ := t.array.At(i).Int64()
			dst = le.AppendUint64(dst, uint64(v))
		}
	case BOOL:
		for i := range t.Len() {
			v, _ := t.array.At(i).Truth()
			dst = append(dst, byte(number(v)))
		}
	default:
		for i := range t.Len() {
			dst = le.AppendUint32(dst, 0)
			start := len(dst)
			dst = t.AppendElement(dst, i)
			le.PutUint32(dst[start-4:], uint32(len(dst)-start))
		}
	}
	return dst
}

// AppendElement appends element i of a BYTES tensor, without its length.
func (t *OutputTensor) AppendElement(dst []byte, i int) []byte {
	if t.array.Kind == frame.Label {
		l, code := t.label(i)
		return append(dst, l.text[code]...)
	}
	return appendText(dst, t.array.At(i))
}

// Int64 returns element i of an INT64 tensor.
func (t *OutputTensor) Int64(i int) int64 {
	v, _ := t.array.At(i).Int64()
	return v
}

// appendJSON appends the elements, flat.
func (t *OutputTensor) appendJSON(dst []byte) []byte {
	if t.Datatype != BYTES {
		return t.schema.appendValues(dst, t.array, 0, t.Len())
	}
	for i := range t.Len() {
		if i > 0 {
			dst = append(dst, ',')
		}
		if t.array.Kind == frame.Label {
			l, code := t.label(i)
			dst = append(dst, l.quoted[code]...)
		} else {
			dst = appendQuoted(dst, t.array.At(i))
		}
	}
	return dst
}
