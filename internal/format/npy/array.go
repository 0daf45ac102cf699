// Package npy reads numpy's arrays: dtypes, the .npy header, and elements of
// every type that estimators hold. Data stays where it is until it is asked for.
package npy

import "fmt"

// Dtype is the type of an array's elements.
type Dtype struct {
	// Kind is numpy's letter: b bool, i and u integers, f float, c complex,
	// S bytes, U string, V void or structured, O object, M and m times.
	Kind byte
	// Size is the number of bytes of an element (U: four a character).
	Size      int
	BigEndian bool
	// Fields are those of a structured dtype, in order.
	Fields []Field
	// Unit is that of M and m: ns, us, D ...
	Unit string
}

// Field is one field of a structured [Dtype].
type Field struct {
	Name   string
	Dtype  Dtype
	Offset int // of the field's first byte in an element
}

// Field returns the field of that name.
func (d *Dtype) Field(name string) (Field, bool) {
	for _, f := range d.Fields {
		if f.Name == name {
			return f, true
		}
	}
	return Field{}, false
}

// String returns numpy's short name of the type, such as <f8 or |V64.
func (d Dtype) String() string {
	order := "<"
	if d.BigEndian {
		order = ">"
	}
	size := d.Size
	switch d.Kind {
	case 'U':
		size /= 4
	case 'O':
		return "object"
	case 'b', 'S', 'V':
		order = "|"
	}
	return fmt.Sprintf("%s%c%d", order, d.Kind, size)
}

// Array is an n-dimensional array.
type Array struct {
	Dtype Dtype
	Shape []int // all non-negative; the product fits in an int
	// Fortran is true if the first index varies fastest in Data and Objects.
	Fortran bool
	// Data holds the elements; it may alias the file's memory and may be
	// unaligned. len(Data) == Len()*Dtype.Size unless Kind is O.
	Data []byte
	// Objects are the elements of Kind O: values of package pickle.
	Objects []any
}

// Len returns the number of elements.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Float64s returns the elements row-major as float64. Kinds f, i, u and b.
func (a *Array) Float64s() ([]float64, error) { return nil, fmt.Errorf("TODO") }

// Int64s returns the elements row-major as int64. Kinds i, u and b; an unsigned
// element beyond int64 is an error.
func (a *Array) Int64s() ([]int64, error) { return nil, fmt.Errorf("TODO") }

// Strings returns the elements row-major. Kinds U and S.
func (a *Array) Strings() ([]string, error) { return nil, fmt.Errorf("TODO") }
