package npy

import (
	"fmt"
	"math/bits"
)

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

// Masked is an array of numpy.ma: Mask is true where Data has no valid element.
type Masked struct {
	Data *Array
	Mask *Array // of kind b and of the shape of Data
	Fill any    // the value that stands for masked elements; nil for the default
}

// MaxDims is numpy's bound on the dimensions of an array.
const MaxDims = 64

// Len returns the number of elements.
func (a *Array) Len() int {
	n := 1
	for _, d := range a.Shape {
		n *= d
	}
	return n
}

// Count returns the number of elements of an array of that shape and element
// size. It is an error if a dimension is negative, if there are more than
// [MaxDims], or if elements or bytes overflow an int; zeros among the
// dimensions do not hide an overflow of the others.
func Count(shape []int, size int) (int, error) {
	if len(shape) > MaxDims {
		return 0, fmt.Errorf("an array of %d dimensions; numpy has at most %d", len(shape), MaxDims)
	}
	n, zero := uint64(1), false
	for _, d := range shape {
		if d < 0 {
			return 0, fmt.Errorf("an array with a negative dimension, %d", d)
		}
		if d == 0 {
			zero = true
			continue
		}
		hi, lo := bits.Mul64(n, uint64(d))
		if hi != 0 || lo >= 1<<62 {
			return 0, fmt.Errorf("an array whose shape %v overflows", shape)
		}
		n = lo
	}
	if hi, lo := bits.Mul64(n, uint64(max(size, 1))); hi != 0 || lo >= 1<<62 {
		return 0, fmt.Errorf("an array whose shape %v overflows", shape)
	}
	if zero {
		return 0, nil
	}
	if size == 0 {
		return 0, fmt.Errorf("%d elements of no bytes", n)
	}
	return int(n), nil
}

// New returns an array of that type and shape whose elements are the first
// bytes of data, which must hold them all. Not for objects.
func New(dtype Dtype, shape []int, fortran bool, data []byte) (*Array, error) {
	n, err := Count(shape, dtype.Size)
	if err != nil {
		return nil, err
	}
	if dtype.Kind == 'O' {
		return nil, fmt.Errorf("objects have no bytes of their own")
	}
	need := n * dtype.Size
	if need > len(data) {
		return nil, fmt.Errorf("an array of shape %v and type %s needs %d bytes, %d are there", shape, dtype, need, len(data))
	}
	return &Array{Dtype: dtype, Shape: shape, Fortran: fortran && len(shape) > 1, Data: data[:need:need]}, nil
}
