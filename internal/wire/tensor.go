package wire

import (
	"encoding/binary"
	"math"

	"mizzen.dev/model/frame"
)

// Tensor is one input of the Open Inference Protocol, in whichever form it came.
// One of the slices holds the elements, row-major: Raw the binary form of any
// datatype, Float64s the numbers of a JSON body, Cells what keeps its own type.
type Tensor struct {
	Name     string
	Datatype Datatype
	Shape    []int64

	// Raw holds little-endian numbers; BOOL is one byte an element, BYTES four
	// bytes of length before each element. It must live as long as the request.
	Raw []byte
	// Float64s are the numbers of a JSON body, of any numeric datatype.
	Float64s []float64
	// Cells are the other elements of a JSON body, and strings of a gRPC message.
	Cells []frame.Value
	// Nested says that the JSON data was nested as the shape is: it is how
	// errors name an element.
	Nested bool
}

// count returns the number of elements that the tensor holds; for Raw BYTES
// call expand first.
func (t *Tensor) count() int {
	switch {
	case t.Cells != nil:
		return len(t.Cells)
	case t.Float64s != nil:
		return len(t.Float64s)
	case t.Raw != nil:
		return len(t.Raw) / max(t.Datatype.Size(), 1)
	}
	return 0
}

// expand splits Raw BYTES into cells, and checks that raw numbers are whole.
// want is the number of elements by the shape. Errors have no path.
func (t *Tensor) expand(a *frame.Arena, want int) error {
	if t.Raw == nil {
		return nil
	}
	if size := t.Datatype.Size(); size > 0 {
		if len(t.Raw) != want*size {
			return invalid("", "%s of data, but %d %s by the shape are %d", counted(len(t.Raw), "byte"), want, t.Datatype, want*size)
		}
		return nil
	}
	if len(t.Raw) < 4*want {
		return invalid("", "%s of data, too few for %d BYTES by the shape", counted(len(t.Raw), "byte"), want)
	}
	cells, rest := a.Values(want), t.Raw
	for i := range cells {
		if len(rest) < 4 {
			return invalid("", "the data ends before element %d of %d", i, want)
		}
		n := binary.LittleEndian.Uint32(rest)
		rest = rest[4:]
		if uint64(n) > uint64(len(rest)) {
			return invalid("", "element %d says that it has %s, but %d are left", i, counted(int(n), "byte"), len(rest))
		}
		cells[i] = frame.String(text(rest[:n]))
		rest = rest[n:]
	}
	if len(rest) > 0 {
		return invalid("", "%s of data left over after %s", counted(len(rest), "byte"), counted(want, "element"))
	}
	t.Cells, t.Raw = cells, nil
	return nil
}

// span says which elements of a tensor go where: element from + i*step to place
// to + i*stride, for i < n.
type span struct{ n, from, step, to, stride int }

// floats writes elements of the tensor into dst as numbers. Strings are an
// error; bad is then the element at fault, else -1.
func (t *Tensor) floats(dst []float64, s span) (bad int) {
	switch {
	case t.Cells != nil:
		for i := range s.n {
			f, ok := cellNumber(t.Cells[s.from+i*s.step])
			if !ok {
				return s.from + i*s.step
			}
			dst[s.to+i*s.stride] = f
		}
	case t.Float64s != nil:
		for i := range s.n {
			dst[s.to+i*s.stride] = t.Float64s[s.from+i*s.step]
		}
	default:
		t.rawFloats(dst, s)
	}
	return -1
}

// rawFloats is floats for the binary form.
func (t *Tensor) rawFloats(dst []float64, s span) {
	raw, le := t.Raw, binary.LittleEndian
	if t.Datatype == FP64 && s.step == 1 && s.stride == 1 { // what clients send most
		dst, raw = dst[s.to:s.to+s.n], raw[8*s.from:]
		for i := range dst {
			dst[i] = math.Float64frombits(le.Uint64(raw[8*i:]))
		}
		return
	}
	if t.Datatype == FP32 && s.step == 1 && s.stride == 1 {
		dst, raw = dst[s.to:s.to+s.n], raw[4*s.from:]
		for i := range dst {
			dst[i] = float64(math.Float32frombits(le.Uint32(raw[4*i:])))
		}
		return
	}
	for i := range s.n {
		dst[s.to+i*s.stride] = t.rawFloat(s.from + i*s.step)
	}
}

func (t *Tensor) rawFloat(i int) float64 {
	b, le := t.Raw[i*t.Datatype.Size():], binary.LittleEndian
	switch t.Datatype {
	case FP64:
		return math.Float64frombits(le.Uint64(b))
	case FP32:
		return float64(math.Float32frombits(le.Uint32(b)))
	case FP16:
		return float64(float16(le.Uint16(b)))
	case BF16:
		return float64(math.Float32frombits(uint32(le.Uint16(b)) << 16))
	case UINT64:
		return float64(le.Uint64(b))
	case BOOL:
		return number(b[0] != 0)
	}
	return float64(t.rawInt(i))
}

// rawInt returns a whole number of the binary form that fits an int64.
func (t *Tensor) rawInt(i int) int64 {
	b, le := t.Raw[i*t.Datatype.Size():], binary.LittleEndian
	switch t.Datatype {
	case INT64:
		return int64(le.Uint64(b))
	case INT32:
		return int64(int32(le.Uint32(b)))
	case INT16:
		return int64(int16(le.Uint16(b)))
	case INT8:
		return int64(int8(b[0]))
	case UINT32:
		return int64(le.Uint32(b))
	case UINT16:
		return int64(le.Uint16(b))
	}
	return int64(b[0])
}

// cell returns an element with the type that it has: whole numbers stay whole.
func (t *Tensor) cell(i int) frame.Value {
	switch {
	case t.Cells != nil:
		return t.Cells[i]
	case t.Float64s != nil:
		return frame.Float(t.Float64s[i])
	}
	return t.rawCell(i)
}

func (t *Tensor) rawCell(i int) frame.Value {
	switch {
	case t.Datatype == BOOL:
		return frame.Bool(t.Raw[i] != 0)
	case t.Datatype == UINT64:
		return unsigned(binary.LittleEndian.Uint64(t.Raw[8*i:]))
	case t.Datatype.integer():
		return frame.Int(t.rawInt(i))
	}
	return frame.Float(t.rawFloat(i))
}

// unsigned returns the cell of a whole number; one that no int64 holds becomes
// the nearest float.
func unsigned(u uint64) frame.Value {
	if u > math.MaxInt64 {
		return frame.Float(float64(u))
	}
	return frame.Int(int64(u))
}

// cellNumber is the number that a cell is in a column of numbers: None is a
// missing one.
func cellNumber(v frame.Value) (float64, bool) {
	if v.IsNone() {
		return math.NaN(), true
	}
	return v.Float64()
}

func number(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// float16 converts an IEEE half.
func float16(h uint16) float32 {
	sign, exp, frac := uint32(h>>15)<<31, uint32(h>>10)&0x1f, uint32(h)&0x3ff
	switch exp {
	case 0: // zero and subnormals: frac × 2⁻²⁴
		f := float32(frac) * (1.0 / (1 << 24))
		return math.Float32frombits(math.Float32bits(f) | sign)
	case 0x1f:
		return math.Float32frombits(sign | 0x7f800000 | frac<<13)
	}
	return math.Float32frombits(sign | (exp+127-15)<<23 | frac<<13)
}

// roundBfloat16 rounds to the nearest bfloat16, ties to even: the upper half of a
// float32.
func roundBfloat16(f float64) float64 {
	b := math.Float32bits(float32(f))
	if f == f && b&0x7f800000 != 0x7f800000 {
		b += 0x7fff + b>>16&1
	}
	return float64(math.Float32frombits(b &^ 0xffff))
}

// roundFloat16 rounds to the nearest half, ties to even: what a client's FP16
// tensor would have held.
func roundFloat16(f float64) float64 {
	const limit, smallest = 65520, 1.0 / (1 << 24)
	a := math.Abs(f)
	switch {
	case math.IsNaN(f) || f == 0:
		return f
	case a >= limit:
		return math.Inf(int(math.Copysign(1, f)))
	}
	_, exp := math.Frexp(a) // a = m × 2^exp, m in [½, 1)
	step := math.Max(math.Ldexp(1, exp-11), smallest)
	return math.Copysign(math.RoundToEven(a/step)*step, f)
}
