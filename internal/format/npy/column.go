package npy

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Column is one field of every element of a structured array, or the elements
// of a plain one, in row-major order. It reads in place.
type Column struct {
	Dtype  Dtype
	data   []byte // starts at the first element's field
	stride int    // bytes from one element to the next
	n      int
}

// Column returns a field of a structured array.
func (a *Array) Column(name string) (Column, error) {
	f, ok := a.Dtype.Field(name)
	if !ok {
		return Column{}, fmt.Errorf("the structure %s has no field %q", a.Dtype.names(), name)
	}
	a = a.RowMajor()
	c := Column{Dtype: f.Dtype, stride: a.Dtype.Size, n: a.Len()}
	if c.n > 0 {
		c.data = a.Data[f.Offset:]
	}
	return c, nil
}

// Elements returns all elements as a column. Not for objects.
func (a *Array) Elements() Column {
	a = a.RowMajor()
	return Column{Dtype: a.Dtype, data: a.Data, stride: a.Dtype.Size, n: len(a.Data) / max(1, a.Dtype.Size)}
}

func (d *Dtype) names() string {
	names := make([]string, len(d.Fields))
	for i, f := range d.Fields {
		names[i] = f.Name
	}
	return fmt.Sprint(names)
}

// Len returns the number of elements.
func (c Column) Len() int { return c.n }

// Bytes returns the bytes of element i; they alias the array.
func (c Column) Bytes(i int) []byte { return c.data[i*c.stride:][:c.Dtype.Size] }

// Float64s appends the elements to dst as float64. Kinds f, i, u and b.
func (c Column) Float64s(dst []float64) ([]float64, error) {
	if c.Dtype.Kind != 'f' || c.Dtype.Size > 8 {
		return c.integersAsFloats(dst)
	}
	order := c.order()
	dst = grow(dst, c.n)
	at := 0
	switch c.Dtype.Size {
	case 8:
		if !c.Dtype.BigEndian {
			for range c.n { // the common case, without a call an element
				dst = append(dst, math.Float64frombits(binary.LittleEndian.Uint64(c.data[at:])))
				at += c.stride
			}
			return dst, nil
		}
		for range c.n {
			dst = append(dst, math.Float64frombits(order.Uint64(c.data[at:])))
			at += c.stride
		}
	case 4:
		for range c.n {
			dst = append(dst, float64(math.Float32frombits(order.Uint32(c.data[at:]))))
			at += c.stride
		}
	default:
		for range c.n {
			dst = append(dst, half(order.Uint16(c.data[at:])))
			at += c.stride
		}
	}
	return dst, nil
}

// Int64s appends the elements to dst as int64. Kinds i, u and b; an unsigned
// element beyond int64 is an error.
func (c Column) Int64s(dst []int64) ([]int64, error) {
	signed := c.Dtype.Kind == 'i'
	if !signed && c.Dtype.Kind != 'u' && c.Dtype.Kind != 'b' {
		return dst, fmt.Errorf("elements of type %s are not integers", c.Dtype)
	}
	order := c.order()
	dst = grow(dst, c.n)
	at := 0
	if signed && c.Dtype.Size == 8 && !c.Dtype.BigEndian {
		for range c.n { // the common case, without a call an element
			dst = append(dst, int64(binary.LittleEndian.Uint64(c.data[at:])))
			at += c.stride
		}
		return dst, nil
	}
	for range c.n {
		field := c.data[at:]
		var v int64
		switch c.Dtype.Size {
		case 8:
			v = int64(order.Uint64(field))
			if v < 0 && !signed {
				return dst, fmt.Errorf("the unsigned integer %d is beyond 63 bits", uint64(v))
			}
		case 4:
			if v = int64(order.Uint32(field)); signed {
				v = int64(int32(v))
			}
		case 2:
			if v = int64(order.Uint16(field)); signed {
				v = int64(int16(v))
			}
		default:
			if v = int64(field[0]); signed {
				v = int64(int8(v))
			}
		}
		dst = append(dst, v)
		at += c.stride
	}
	return dst, nil
}

func (c Column) integersAsFloats(dst []float64) ([]float64, error) {
	if c.Dtype.Kind == 'u' && c.Dtype.Size == 8 {
		order := c.order()
		for i := range c.n {
			dst = append(dst, float64(order.Uint64(c.data[i*c.stride:])))
		}
		return dst, nil
	}
	if c.Dtype.Kind != 'i' && c.Dtype.Kind != 'u' && c.Dtype.Kind != 'b' {
		return dst, fmt.Errorf("elements of type %s are not numbers of at most 64 bits", c.Dtype)
	}
	ints, err := c.Int64s(nil)
	if err != nil {
		return dst, err
	}
	dst = grow(dst, c.n)
	for _, v := range ints {
		dst = append(dst, float64(v))
	}
	return dst, nil
}

func (c Column) order() binary.ByteOrder {
	if c.Dtype.BigEndian {
		return binary.BigEndian
	}
	return binary.LittleEndian
}

func grow[T any](dst []T, n int) []T {
	if cap(dst)-len(dst) >= n {
		return dst
	}
	return append(make([]T, 0, len(dst)+n), dst...)
}

// half converts an IEEE half-precision number.
func half(h uint16) float64 {
	sign := 1.0
	if h&0x8000 != 0 {
		sign = -1
	}
	exp, frac := int(h>>10&0x1f), float64(h&0x3ff)
	switch exp {
	case 0:
		return sign * math.Ldexp(frac, -24)
	case 0x1f:
		if frac != 0 {
			return math.NaN()
		}
		return math.Inf(int(sign))
	}
	return sign * math.Ldexp(1024+frac, exp-25)
}
