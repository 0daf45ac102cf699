package npy

import (
	"bytes"
	"fmt"
	"unicode/utf8"
)

// Float64s returns the elements row-major as float64. Kinds f, i, u and b.
func (a *Array) Float64s() ([]float64, error) { return a.Elements().Float64s(nil) }

// Int64s returns the elements row-major as int64. Kinds i, u and b; an unsigned
// element beyond int64 is an error.
func (a *Array) Int64s() ([]int64, error) { return a.Elements().Int64s(nil) }

// Bools returns the elements row-major. Kind b.
func (a *Array) Bools() ([]bool, error) {
	if a.Dtype.Kind != 'b' {
		return nil, fmt.Errorf("elements of type %s are not booleans", a.Dtype)
	}
	data := a.RowMajor().Data
	out := make([]bool, len(data))
	for i, b := range data {
		out[i] = b != 0
	}
	return out, nil
}

// Strings returns the elements row-major. Kinds U and S; as in numpy, zeros at
// the end of an element do not belong to it.
func (a *Array) Strings() ([]string, error) { return a.Elements().Strings(nil) }

// FieldFloat64s returns a field of every element of a structured array.
func (a *Array) FieldFloat64s(name string) ([]float64, error) {
	c, err := a.Column(name)
	if err != nil {
		return nil, err
	}
	return c.Float64s(nil)
}

// FieldInt64s returns a field of every element of a structured array.
func (a *Array) FieldInt64s(name string) ([]int64, error) {
	c, err := a.Column(name)
	if err != nil {
		return nil, err
	}
	return c.Int64s(nil)
}

// FieldBytes returns a one-byte field (kinds u, i and b) of every element of a
// structured array.
func (a *Array) FieldBytes(name string) ([]byte, error) {
	c, err := a.Column(name)
	if err != nil {
		return nil, err
	}
	if c.Dtype.Size != 1 {
		return nil, fmt.Errorf("field %q is of type %s, not of one byte", name, c.Dtype)
	}
	out := make([]byte, c.n)
	for i := range out {
		out[i] = c.data[i*c.stride]
	}
	return out, nil
}

// Strings appends the elements to dst. Kinds U and S.
func (c Column) Strings(dst []string) ([]string, error) {
	if c.Dtype.Kind != 'U' && c.Dtype.Kind != 'S' {
		return dst, fmt.Errorf("elements of type %s are not strings", c.Dtype)
	}
	dst = grow(dst, c.n)
	order := c.order()
	var buf []byte
	for i := range c.n {
		element := c.Bytes(i)
		if c.Dtype.Kind == 'S' {
			dst = append(dst, string(bytes.TrimRight(element, "\x00")))
			continue
		}
		for len(element) >= 4 && order.Uint32(element[len(element)-4:]) == 0 {
			element = element[:len(element)-4]
		}
		buf = buf[:0]
		for ; len(element) >= 4; element = element[4:] {
			code := order.Uint32(element)
			if code > utf8.MaxRune || !utf8.ValidRune(rune(code)) {
				return dst, fmt.Errorf("element %d has the invalid code point %#x", i, code)
			}
			buf = utf8.AppendRune(buf, rune(code))
		}
		dst = append(dst, string(buf))
	}
	return dst, nil
}
