package wire

import (
	"math"
	"strconv"

	"mizzen.dev/model/frame"
)

// maxRank bounds the dimensions of a tensor.
const maxRank = 8

// tensorHead is what is known of an input before its elements are.
type tensorHead struct {
	shape  bool
	data   int // where in the body the data starts, if it came before the rest; -1 if not
	filled bool
	size   int // binary_data_size; -1 if it is not there
}

// input reads input i of the request.
func (in *v2Request) input(i int) error {
	if err := in.open(); err != nil {
		return err
	}
	in.req.tensors = append(in.req.tensors, Tensor{})
	t := &in.req.tensors[i]
	head := tensorHead{data: -1, size: -1}
	var keys keySet
	for n := 0; ; n++ {
		key, more, err := in.sc.newMember(&keys, n)
		if err != nil {
			return err
		}
		if !more {
			return in.fill(t, head)
		}
		switch key {
		case "name":
			t.Name, err = in.str()
		case "shape":
			t.Shape, err = in.shape()
			head.shape = true
		case "datatype":
			var name string
			if name, err = in.str(); err == nil {
				t.Datatype, err = parseDatatype("", name)
			}
		case "parameters":
			var p parameters
			p, err = in.parameters()
			head.size = p.size
		case "data":
			if head.shape && t.Datatype != Unknown {
				head.filled = true
				if err := in.data(t); err != nil {
					return err
				}
				continue
			}
			head.data = in.sc.i
			err = in.sc.skip()
		default:
			err = in.sc.skipKey(key, &keys, tensorKeys)
		}
		if err != nil {
			return under(err, keyPath(key))
		}
	}
}

// fill gives a tensor the elements that it did not yet get.
func (in *v2Request) fill(t *Tensor, head tensorHead) error {
	switch {
	case !head.shape:
		return invalid("", "no shape: the shape of rows is [rows, columns], that of a column [rows]")
	case t.Datatype == Unknown:
		return invalid("", "no datatype: one of %s", joinNames(datatypeNames[1:]))
	case head.size >= 0 && (head.filled || head.data >= 0):
		return invalid("", "both data and parameters.binary_data_size: send one of them")
	case head.size >= 0 && !in.binary:
		return invalid("parameters.binary_data_size", "the header Inference-Header-Content-Length must say how long the JSON is")
	case head.size > len(in.blob):
		return invalid("parameters.binary_data_size", "%s, but the body has %d left", counted(head.size, "byte"), len(in.blob))
	case head.size >= 0:
		t.Raw, in.blob = in.blob[:head.size:head.size], in.blob[head.size:]
	case head.data >= 0:
		end := in.sc.i
		in.sc.i = head.data
		err := in.data(t)
		in.sc.i = end
		return err
	case !head.filled:
		return invalid("", "no data")
	}
	return nil
}

// shape reads a list of dimensions.
func (in *v2Request) shape() ([]int64, error) {
	sc, start := in.sc, len(in.req.shapes)
	if sc.peek() != '[' {
		return nil, sc.expected("a list of dimensions")
	}
	sc.i++
	for n := 0; ; n++ {
		more, err := sc.element(n)
		if err != nil {
			return nil, err
		}
		if !more {
			end := len(in.req.shapes)
			return in.req.shapes[start:end:end], nil
		}
		if n == maxRank {
			return nil, invalid("", "more than %d dimensions; rows have two: [rows, columns]", maxRank)
		}
		d, err := in.integer(math.MaxInt32)
		if err != nil {
			return nil, under(err, element(n))
		}
		in.req.shapes = append(in.req.shapes, d)
	}
}

// data reads the elements of a tensor, flat or nested as its shape is.
func (in *v2Request) data(t *Tensor) error {
	r := in.req
	want, err := r.product(t)
	if err != nil {
		return under(err, "shape")
	}
	if err := r.room(want); err != nil {
		return under(err, "data")
	}
	if in.sc.peek() != '[' {
		return under(in.sc.expected("a list of elements"), "data")
	}
	e := elements{sc: in.sc, req: r, t: t, dense: r.Schema.dense && t.Datatype != BYTES,
		floats: len(r.floats), cells: len(r.cells), want: want}
	in.sc.i++
	if in.sc.peek() == '[' {
		t.Nested = true
		err = e.nested(0)
	} else {
		err = e.flat()
	}
	if err != nil {
		return under(err, "data")
	}
	if e.dense {
		t.Float64s = r.floats[e.floats:len(r.floats):len(r.floats)]
	} else {
		t.Cells = r.cells[e.cells:len(r.cells):len(r.cells)]
	}
	return under(e.convert(), "data")
}

// elements reads the elements of one tensor.
type elements struct {
	sc    *scanner
	req   *Request
	t     *Tensor
	dense bool // numbers go into a matrix, without their type
	// where the elements start
	floats, cells int
	want          int
}

// flat reads a list of all elements behind its bracket.
func (e *elements) flat() error {
	n, at, err := e.list(e.want)
	if err != nil {
		return under(err, element(at))
	}
	if n != e.want {
		return invalid("", "%s, but the shape %s has %d", counted(n, "element"), shapeText(e.t.Shape), e.want)
	}
	return nil
}

// nested reads a list behind its bracket that is a dimension of the shape.
func (e *elements) nested(level int) error {
	want := int(e.t.Shape[level])
	if level == len(e.t.Shape)-1 {
		n, at, err := e.list(want)
		if err != nil {
			return under(err, element(at))
		}
		return e.checkLength(n, want, level)
	}
	for n := 0; ; n++ {
		more, err := e.sc.element(n)
		if err != nil {
			return err
		}
		if !more {
			return e.checkLength(n, want, level)
		}
		if n == want {
			return e.checkLength(n+1, want, level)
		}
		if e.sc.peek() != '[' {
			return under(e.sc.expected("a list"), element(n))
		}
		e.sc.i++
		if err := e.nested(level + 1); err != nil {
			return under(err, element(n))
		}
	}
}

func (e *elements) checkLength(n, want, level int) error {
	if n == want {
		return nil
	}
	return invalid("", "the shape %s has %d here (dimension %d); got %s", shapeText(e.t.Shape), want, level, moreThan(n, want))
}

// moreThan says how many there were, as far as they were counted.
func moreThan(n, want int) string {
	if n > want {
		return "more"
	}
	return strconv.Itoa(n)
}

// list reads elements behind a bracket, and returns their number; what is more
// than limit is read but not kept. bad is the element of an error.
func (e *elements) list(limit int) (n, bad int, err error) {
	r := e.req
	if e.dense {
		n = r.plainNumbers(e.sc, limit)
	}
	for ; ; n++ {
		more, err := e.sc.element(n)
		if err != nil {
			return n, n, err
		}
		if !more {
			return n, 0, nil
		}
		if e.dense {
			f, err := e.sc.number()
			if err != nil {
				return n, n, err
			}
			if n < limit {
				r.floats = append(r.floats, f)
			}
			continue
		}
		if c := e.sc.peek(); c == '[' || c == '{' || c == '"' && e.t.Datatype != BYTES {
			return n, n, e.sc.expected("an element of " + e.t.Datatype.String())
		}
		v, err := e.sc.cell()
		if err != nil {
			return n, n, err
		}
		if n < limit {
			r.cells = append(r.cells, v)
		}
	}
}

// convert makes the elements what their datatype holds: FP32 is rounded, a whole
// number must be one that fits.
func (e *elements) convert() error {
	d := e.t.Datatype
	if d == BYTES || d == FP64 && e.dense {
		return nil
	}
	for k, f := range e.t.Float64s {
		if f != f { // missing
			continue
		}
		g, ok := d.hold(f)
		if !ok {
			return invalid(e.path(k), "%s is no %s", strconv.FormatFloat(f, 'g', -1, 64), d)
		}
		e.t.Float64s[k] = g
	}
	for k, v := range e.t.Cells {
		w, ok := d.holdCell(v)
		if !ok {
			return invalid(e.path(k), "%s is no %s", quoteCell(v), d)
		}
		e.t.Cells[k] = w
	}
	return nil
}

// path is the place of element k within the data.
func (e *elements) path(k int) string {
	if !e.t.Nested {
		return element(k)
	}
	path := ""
	for level := len(e.t.Shape) - 1; level >= 0; level-- {
		d := int(e.t.Shape[level])
		path = element(k%d) + path
		k /= d
	}
	return path
}

// ranges are the smallest and the largest number of the integer datatypes. The
// upper ends of 64 bits are exclusive: no float64 is the largest of them.
var ranges = [numDatatypes][2]float64{
	BOOL: {0, 1}, UINT8: {0, math.MaxUint8}, UINT16: {0, math.MaxUint16}, UINT32: {0, math.MaxUint32},
	UINT64: {0, 1 << 64}, INT8: {math.MinInt8, math.MaxInt8}, INT16: {math.MinInt16, math.MaxInt16},
	INT32: {math.MinInt32, math.MaxInt32}, INT64: {math.MinInt64, 1 << 63},
}

// hold returns f as the datatype holds it; ok is false if it does not.
func (d Datatype) hold(f float64) (g float64, ok bool) {
	switch d {
	case FP64:
		return f, true
	case FP32:
		return float64(float32(f)), true
	case FP16:
		return roundFloat16(f), true
	case BF16:
		return roundBfloat16(f), true
	}
	return f, f == math.Trunc(f) && f >= ranges[d][0] && f <= ranges[d][1]
}

// holdCell is hold for a cell: the type of the cell becomes that of the datatype.
func (d Datatype) holdCell(v frame.Value) (frame.Value, bool) {
	f, isNumber := v.Float64()
	if !isNumber || v.IsNaN() {
		return v, v.IsNone() || isNumber
	}
	g, ok := d.hold(f)
	i, isInt := v.Int64()
	switch {
	case !ok:
		return v, false
	case d == BOOL:
		return frame.Bool(g == 1), true
	case !d.integer():
		return frame.Float(g), true
	case isInt:
		return frame.Int(i), true
	case g >= 1<<63:
		return frame.Float(g), true
	}
	return frame.Int(int64(g)), true
}
