package wire

import (
	"encoding/binary"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"mizzen.dev/model/frame"
)

// inferParams are the parameters, of the request or of a tensor, that mean
// something here; others are ignored, as the protocol asks for.
type inferParams struct {
	binary, binaryOutput bool // binary_data, binary_data_output
}

// read adds one entry of a map of parameters; false if it is malformed.
func (p *inferParams) read(entry []byte) bool {
	var (
		key  string
		flag bool // of a oneof the last field counts
		f    = fields{rest: entry}
	)
	for f.next() {
		switch {
		case f.is(1):
			key = f.text()
		case f.is(2):
			v := fields{rest: f.data}
			for v.next() {
				switch {
				case v.num == 1 && v.isVarint():
					flag = v.varint != 0
				case v.is(3):
					v.text()
					flag = false
				case (v.num == 2 || v.num == 5) && v.isVarint(), v.num == 4 && len(v.data) == 8 && !v.packed:
					flag = false
				}
			}
			if v.bad {
				return false
			}
		}
	}
	switch key {
	case "binary_data":
		p.binary = flag
	case "binary_data_output":
		p.binaryOutput = flag
	}
	return !f.bad
}

// inputMessage is what the contents of an InferInputTensor hold.
type inputMessage struct {
	values int              // how many
	field  protowire.Number // the field in which they are
	pieces int              // how many times that field is there
	piece  []byte           // the last of them
}

// readTensor reads all but the contents of an InferInputTensor into t, input i of
// the request.
func readTensor(req *Request, t *Tensor, body []byte, i int) (in inputMessage, err error) {
	var datatype string
	first := len(req.shapes)
	f := fields{rest: body}
	for f.next() {
		switch {
		case f.is(1):
			t.Name = f.text()
		case f.is(2):
			datatype = f.text()
		case f.num == 3:
			if len(req.shapes)-first+f.elements(0) > maxDims {
				return in, invalid(inputPath(i, "shape"), "more than %d dimensions", maxDims)
			}
			var ok bool
			if req.shapes, ok = appendVarints(req.shapes, &f); !ok {
				return in, malformedInfer(inputPath(i, "shape"))
			}
		case f.is(4):
			if !new(inferParams).read(f.data) { // none means anything for an input
				return in, malformedInfer(inputPath(i, "parameters"))
			}
		}
	}
	if f.bad {
		return in, malformedInfer("inputs" + element(i))
	}
	t.Shape = req.shapes[first:]
	var ok bool
	if t.Datatype, ok = ParseDatatype(datatype); !ok {
		_, err := parseDatatype(inputPath(i, "datatype"), datatype)
		return in, err
	}
	return in, in.count(t, body, i)
}

// appendVarints appends the values of a repeated int64.
func appendVarints(dst []int64, f *fields) ([]int64, bool) {
	if !f.packed {
		if f.isVarint() {
			dst = append(dst, int64(f.varint))
		}
		return dst, true
	}
	for b := f.data; len(b) > 0; {
		v, n := protowire.ConsumeVarint(b)
		if n < 0 {
			return dst, false
		}
		dst, b = append(dst, int64(v)), b[n:]
	}
	return dst, true
}

// contentFields are the fields of InferTensorContents, by number.
var contentFields = [...]struct {
	name string
	size int // bytes of a fixed-size number; 0 for varints
}{
	1: {"bool_contents", 0}, 2: {"int_contents", 0}, 3: {"int64_contents", 0}, 4: {"uint_contents", 0},
	5: {"uint64_contents", 0}, 6: {"fp32_contents", 4}, 7: {"fp64_contents", 8}, 8: {"bytes_contents", 0},
}

// contentField returns the number of the field in which the values of a datatype
// are; 0 if there is none.
func contentField(d Datatype) protowire.Number {
	switch d {
	case BOOL:
		return 1
	case INT8, INT16, INT32:
		return 2
	case INT64:
		return 3
	case UINT8, UINT16, UINT32:
		return 4
	case UINT64:
		return 5
	case FP32:
		return 6
	case FP64:
		return 7
	case BYTES:
		return 8
	}
	return 0
}

// contentsReader walks over the fields of all contents of an InferInputTensor:
// protobuf merges a message that comes in several parts.
type contentsReader struct{ outer, inner fields }

func (c *contentsReader) next() bool {
	for !c.inner.next() {
		if c.inner.bad {
			return false
		}
		for {
			if !c.outer.next() {
				return false
			}
			if c.outer.is(5) {
				break
			}
		}
		c.inner = fields{rest: c.outer.data}
	}
	return true
}

// count counts the contents of an InferInputTensor.
func (in *inputMessage) count(t *Tensor, body []byte, i int) error {
	c := contentsReader{outer: fields{rest: body}}
	for c.next() {
		f := &c.inner
		if f.num < 1 || int(f.num) >= len(contentFields) {
			continue
		}
		n := 1
		if f.num != 8 {
			n = f.elements(contentFields[f.num].size)
		} else if !f.packed {
			continue
		}
		if n == 0 || f.bad {
			continue // a malformed field is found by c.next
		}
		if in.field = contentField(t.Datatype); f.num != in.field {
			return wrongContents(i, t.Datatype, f.num, in.field)
		}
		in.values, in.pieces, in.piece = in.values+n, in.pieces+1, f.data
	}
	if c.inner.bad {
		return malformedInfer(inputPath(i, "contents"))
	}
	return nil
}

// readContents reads the contents of an InferInputTensor into the tensor.
// Numbers become the binary form, and are not even copied if they are floats and
// came in one piece, as they do.
func (r *Request) readContents(t *Tensor, in *inputMessage, body []byte, i int) error {
	shaped, err := r.elements(t, i) // within the limits
	if err != nil {
		return err
	}
	if in.values != shaped {
		return invalid(inputPath(i, "contents"), "%d elements, but the shape %s has %d", in.values, shapeText(t.Shape), shaped)
	}
	switch {
	case in.field == 8:
		r.readBytes(t, body, in.values)
		return nil
	case contentFields[in.field].size > 0 && in.pieces == 1:
		t.Raw = in.piece
		return nil
	}
	return r.readNumbers(t, body, i, in.values)
}

func wrongContents(i int, d Datatype, got, want protowire.Number) error {
	if want == 0 {
		return invalid(inputPath(i, "contents"), "%s has no typed contents: send it in raw_input_contents", d)
	}
	return invalid(inputPath(i, "contents"), "the values of datatype %s belong in %s, found %s", d, contentFields[want].name, contentFields[got].name)
}

// readBytes reads bytes_contents.
func (r *Request) readBytes(t *Tensor, body []byte, count int) {
	t.Cells = r.Arena.Values(count)[:0]
	for c := (contentsReader{outer: fields{rest: body}}); c.next(); {
		if c.inner.is(8) {
			t.Cells = append(t.Cells, frame.String(text(c.inner.data)))
		}
	}
}

// readNumbers writes contents in their binary form.
func (r *Request) readNumbers(t *Tensor, body []byte, i, count int) error {
	want, size := contentField(t.Datatype), t.Datatype.Size()
	fixed := contentFields[want].size > 0
	t.Raw = r.Arena.Bytes(count * size)
	at := 0
	for c := (contentsReader{outer: fields{rest: body}}); c.next(); {
		f := &c.inner
		switch {
		case f.num != want:
		case fixed && (f.packed || len(f.data) == size):
			at += copy(t.Raw[at*size:], f.data) / size
		case fixed:
		case f.isVarint():
			if !putInteger(t.Raw[at*size:], t.Datatype, f.varint) {
				return outOfRange(i, at, t.Datatype, f.varint)
			}
			at++
		case f.packed:
			for b := f.data; len(b) > 0; at++ {
				v, n := protowire.ConsumeVarint(b)
				if n < 0 {
					return malformedInfer(inputPath(i, "contents"))
				}
				if !putInteger(t.Raw[at*size:], t.Datatype, v) {
					return outOfRange(i, at, t.Datatype, v)
				}
				b = b[n:]
			}
		}
	}
	return nil
}

// putInteger writes a varint in the binary form of the datatype; false if it
// does not fit.
func putInteger(dst []byte, d Datatype, v uint64) bool {
	switch d {
	case BOOL:
		dst[0] = byte(btoi(v != 0))
	case INT8:
		dst[0] = byte(v)
		return int32(v) == int32(int8(v))
	case INT16:
		binary.LittleEndian.PutUint16(dst, uint16(v))
		return int32(v) == int32(int16(v))
	case UINT8:
		dst[0] = byte(v)
		return uint32(v) <= math.MaxUint8
	case UINT16:
		binary.LittleEndian.PutUint16(dst, uint16(v))
		return uint32(v) <= math.MaxUint16
	case INT32, UINT32: // protobuf drops the upper half
		binary.LittleEndian.PutUint32(dst, uint32(v))
	default:
		binary.LittleEndian.PutUint64(dst, v)
	}
	return true
}

func outOfRange(i, at int, d Datatype, v uint64) error {
	value := strconv.Itoa(int(int32(v)))
	if d == UINT8 || d == UINT16 {
		value = strconv.FormatUint(uint64(uint32(v)), 10)
	}
	return invalid(inputPath(i, "contents")+"."+contentFields[contentField(d)].name+element(at), "%s does not fit datatype %s", value, d)
}

func malformedInfer(path string) error {
	return invalid(path, "the message is not a ModelInferRequest of the Open Inference Protocol: its protobuf is malformed")
}
