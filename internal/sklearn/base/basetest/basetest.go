// Package basetest makes pickled estimators by hand, builds and asks them: for
// the tests of the packages that build estimators.
package basetest

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// Attrs are the attributes of a fitted estimator, as package pickle reads them.
type Attrs map[string]any

// With returns the attributes with some more or others; a value that is [Gone]
// takes one away.
func (a Attrs) With(more Attrs) Attrs {
	out := Attrs{}
	for _, m := range []Attrs{a, more} {
		for k, v := range m {
			if v == Gone {
				delete(out, k)
				continue
			}
			out[k] = v
		}
	}
	return out
}

type gone struct{}

// Gone is an attribute that is not there.
var Gone any = gone{}

// Object returns an instance of a class, written as module and name.
func Object(class string, attrs Attrs) *pickle.Object {
	state := &pickle.Dict{}
	for k, v := range attrs {
		state.Set(k, v)
	}
	i := strings.LastIndexByte(class, '.')
	return &pickle.Object{Class: pickle.Global{Module: class[:i], Name: class[i+1:]}, State: state}
}

// Build builds one estimator of a class, written as module and name.
func Build(build base.Build, class string, attrs Attrs) (base.Estimator, error) {
	b := base.Builder{Lookup: func(pickle.Global) (base.Build, bool) { return build, true }}
	est, _, err := b.Build(Object(class, attrs))
	return est, err
}

// MustBuild is Build for attributes that are right.
func MustBuild(t testing.TB, build base.Build, class string, attrs Attrs) base.Estimator {
	t.Helper()
	est, err := Build(build, class, attrs)
	if err != nil {
		t.Fatalf("building %s: %v", class, err)
	}
	return est
}

// Ask asks an estimator for one method.
func Ask(est base.Estimator, x frame.Frame, m frame.Method) (frame.Array, error) {
	out := make([]frame.Array, 1)
	err := est.Evaluate(&frame.Arena{}, &x, []frame.Method{m}, out)
	return out[0], err
}

// Floats returns an array of float64 with one dimension.
func Floats(values ...float64) *npy.Array {
	a := &npy.Array{Dtype: npy.Dtype{Kind: 'f', Size: 8}, Shape: []int{len(values)}}
	for _, v := range values {
		a.Data = binary.LittleEndian.AppendUint64(a.Data, math.Float64bits(v))
	}
	return a
}

// Matrix returns a two-dimensional array of float64.
func Matrix(rows ...[]float64) *npy.Array {
	var flat []float64
	for _, row := range rows {
		flat = append(flat, row...)
	}
	a := Floats(flat...)
	a.Shape = []int{len(rows), len(flat) / max(1, len(rows))}
	return a
}

// Ints returns an array of int64.
func Ints(values ...int64) *npy.Array {
	a := &npy.Array{Dtype: npy.Dtype{Kind: 'i', Size: 8}, Shape: []int{len(values)}}
	for _, v := range values {
		a.Data = binary.LittleEndian.AppendUint64(a.Data, uint64(v))
	}
	return a
}

// Objects returns an array of objects.
func Objects(values ...any) *npy.Array {
	return &npy.Array{Dtype: npy.Dtype{Kind: 'O', Size: 8}, Shape: []int{len(values)}, Objects: values}
}

// List returns a list.
func List(items ...any) *pickle.List { return &pickle.List{Items: items} }

// Tuple returns a tuple.
func Tuple(items ...any) *pickle.Tuple { return &pickle.Tuple{Items: items} }

// Cells returns a frame of columns of objects, given row by row.
func Cells(rows ...[]frame.Value) frame.Frame {
	x := frame.Frame{Rows: len(rows), Cols: len(rows[0]), Columns: make([]frame.Column, len(rows[0]))}
	for j := range x.Columns {
		for _, row := range rows {
			x.Columns[j].Objects = append(x.Columns[j].Objects, row[j])
		}
	}
	return x
}

// Numbers returns a dense frame, given row by row.
func Numbers(rows ...[]float64) frame.Frame {
	var flat []float64
	for _, row := range rows {
		flat = append(flat, row...)
	}
	return frame.Matrix(flat, len(rows), len(rows[0]))
}
