package wire

import (
	"encoding/binary"
	"fmt"
	"math"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"

	"mizzen.dev/model/frame"
)

// inferMessage is a ModelInferRequest that was found to be well-formed. Its
// inputs and outputs are parts of the body.
type inferMessage struct {
	inputs, outputs, raw int // how many there are
	params               inferParams
}

// inferParams are the parameters, of the request or of a tensor, that mean
// something here; others are ignored, as the protocol asks for.
type inferParams struct {
	binary, binaryOutput bool   // binary_data, binary_data_output
	contentType          string // content_type of MLServer
}

// read adds one entry of a map of parameters.
func (p *inferParams) read(entry []byte) bool {
	var (
		key   string
		value []byte
		f     = fields{rest: entry}
	)
	for f.next() {
		switch {
		case f.is(1):
			key = f.text()
		case f.is(2):
			value = f.data
		}
	}
	if f.bad {
		return false
	}
	// Of a oneof the last field counts.
	var (
		flag bool
		str  string
	)
	f = fields{rest: value}
	for f.next() {
		switch {
		case f.num == 1 && !f.packed && f.data == nil:
			flag, str = f.varint != 0, ""
		case f.is(3):
			flag, str = false, f.text()
		case (f.num == 2 || f.num == 5) && !f.packed && f.data == nil, f.num == 4 && !f.packed && len(f.data) == 8:
			flag, str = false, ""
		}
	}
	switch key {
	case "binary_data":
		p.binary = flag
	case "binary_data_output":
		p.binaryOutput = flag
	case "content_type":
		p.contentType = str
	}
	return !f.bad
}

// tensorMessage is an InferInputTensor: what it says of the tensor, but for the
// contents, which are read once the datatype is known.
type tensorMessage struct {
	body     []byte
	typed    bool // it has contents
	datatype string
	params   inferParams
}

// readTensor reads all but the contents of an InferInputTensor into t. The shape
// is added to shapes.
func (m *tensorMessage) readTensor(t *Tensor, shapes []int64) (_ []int64, ok bool) {
	first := len(shapes)
	f := fields{rest: m.body}
	for f.next() {
		switch {
		case f.is(1):
			t.Name = f.text()
		case f.is(2):
			m.datatype = f.text()
		case f.num == 3:
			if shapes, ok = appendVarints(shapes, &f); !ok {
				return shapes, false
			}
		case f.is(4):
			if !m.params.read(f.data) {
				return shapes, false
			}
		case f.is(5):
			m.typed = true
		}
	}
	t.Shape = shapes[first:]
	return shapes, !f.bad
}

func appendVarints(dst []int64, f *fields) ([]int64, bool) {
	if !f.packed {
		if f.data == nil {
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

// readContents reads the contents of an InferInputTensor into the tensor, whose
// datatype is known. Numbers become the binary form, and are not even copied if
// they are floats and came in one piece, as they do.
func (r *Request) readContents(t *Tensor, body []byte, path string) error {
	want := contentField(t.Datatype)
	count, pieces, piece := 0, 0, []byte(nil)
	for c := (contentsReader{outer: fields{rest: body}}); ; {
		if !c.next() {
			if c.inner.bad {
				return malformedInfer(path + ".contents")
			}
			break
		}
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
		if f.bad {
			return malformedInfer(path + ".contents")
		}
		if n == 0 {
			continue
		}
		if f.num != want {
			return wrongContents(path, t.Datatype, f.num, want)
		}
		count, pieces, piece = count+n, pieces+1, f.data
	}
	if limit := r.Schema.Limits.Elements; count > limit {
		return tooLarge(path+".contents", "%d values, at most %d are allowed: send fewer rows at a time", count, limit)
	}
	if (want == 6 || want == 7) && pieces == 1 {
		t.Raw = piece
		return nil
	}
	if want == 8 {
		r.readBytes(t, body, count)
		return nil
	}
	return r.readNumbers(t, body, path, count)
}

func wrongContents(path string, d Datatype, got, want protowire.Number) error {
	if want == 0 {
		return invalid(path+".contents", "%s has no typed contents: send it in raw_input_contents", d)
	}
	return invalid(path+".contents", "the values of datatype %s belong in %s, found %s", d, contentFields[want].name, contentFields[got].name)
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
func (r *Request) readNumbers(t *Tensor, body []byte, path string, count int) error {
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
		case !f.packed && f.data == nil:
			if !putInteger(t.Raw[at*size:], t.Datatype, f.varint) {
				return outOfRange(path, at, t.Datatype, f.varint)
			}
			at++
		case f.packed:
			for b := f.data; len(b) > 0; at++ {
				v, n := protowire.ConsumeVarint(b)
				if n < 0 {
					return malformedInfer(path + ".contents")
				}
				if !putInteger(t.Raw[at*size:], t.Datatype, v) {
					return outOfRange(path, at, t.Datatype, v)
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

func outOfRange(path string, at int, d Datatype, v uint64) error {
	value := strconv.Itoa(int(int32(v)))
	if d == UINT8 || d == UINT16 {
		value = strconv.FormatUint(uint64(uint32(v)), 10)
	}
	return invalid(fmt.Sprintf("%s.contents.%s[%d]", path, contentFields[contentField(d)].name, at), "%s does not fit datatype %s", value, d)
}

func malformedInfer(path string) error {
	return invalid(path, "the message is not a ModelInferRequest of the Open Inference Protocol: its protobuf is malformed")
}
