package pickle

import (
	"fmt"
	"sort"

	"mizzen.dev/internal/format/npy"
)

// How numpy pickles dtypes, arrays and scalars: numpy/core/src/multiarray,
// arraydescr_reduce, array_reduce and gentype_reduce; numpy/ma/core.py.

// newDtype is numpy.dtype(name, align, copy); its state follows.
func newDtype(m *machine, args []any) (any, error) {
	if len(args) == 0 {
		return nil, m.malformed("a dtype of nothing")
	}
	name, ok := args[0].(string)
	if !ok {
		return nil, m.malformed("a dtype of %s", TypeName(args[0]))
	}
	d, err := npy.ParseDtype(name)
	if err != nil {
		return nil, m.malformed("%v", err)
	}
	return &d, nil
}

// newArray is numpy's _reconstruct(class, (0,), b"b"): an empty array whose
// state follows. Subclasses stay objects.
func newArray(m *machine, args []any) (any, error) {
	if len(args) != 3 {
		return nil, m.malformed("an array made of %d arguments", len(args))
	}
	class, ok := args[0].(Global)
	if !ok {
		return nil, m.malformed("an array of class %s", TypeName(args[0]))
	}
	if shape, err := m.shape(args[1]); err != nil {
		return nil, err
	} else if len(shape) != 1 || shape[0] != 0 {
		return nil, m.malformed("a new array of shape %v, expected [0]", shape)
	}
	if !isPlain(class) {
		return &Object{Class: class}, nil
	}
	return &npy.Array{Dtype: npy.Dtype{Kind: 'i', Size: 1}, Shape: []int{0}}, nil
}

// newMasked is numpy.ma's _mareconstruct(class, base class, (0,), b"b").
func newMasked(m *machine, args []any) (any, error) {
	if len(args) != 4 {
		return nil, m.malformed("a masked array made of %d arguments", len(args))
	}
	if class, ok := args[0].(Global); !ok || class != maskedArray && class != maskedAlias {
		return nil, m.malformed("a masked array of class %s", TypeName(args[0]))
	}
	empty := func(kind byte) *npy.Array {
		return &npy.Array{Dtype: npy.Dtype{Kind: kind, Size: 1}, Shape: []int{0}}
	}
	return &npy.Masked{Data: empty('i'), Mask: empty('b')}, nil
}

// fromBuffer is numpy's _frombuffer(buffer, dtype, shape, order[, axes]) of
// protocol 5.
func fromBuffer(m *machine, args []any) (any, error) {
	if len(args) < 4 {
		return nil, m.malformed("an array made of %d arguments", len(args))
	}
	data, ok1 := args[0].(Bytes)
	dtype, ok2 := args[1].(*npy.Dtype)
	if !ok1 || !ok2 {
		return nil, m.malformed("an array of %s and %s", TypeName(args[0]), TypeName(args[1]))
	}
	shape, err := m.shape(args[2])
	if err != nil {
		return nil, err
	}
	a, err := m.array(*dtype, shape, args[3] == "F", data)
	if err != nil || args[3] != "K" || len(args) < 5 || args[4] == nil {
		return a, err
	}
	axes, err := m.shape(args[4])
	if err != nil {
		return nil, err
	}
	if !isPermutation(axes, len(shape)) {
		return nil, m.malformed("axes %v of an array of %d dimensions", axes, len(shape))
	}
	if err := m.use(len(data)); err != nil {
		return nil, err
	}
	return a.Transpose(axes), nil
}

func isPermutation(axes []int, n int) bool {
	seen := make([]bool, n)
	for _, a := range axes {
		if a < 0 || a >= n || seen[a] {
			return false
		}
		seen[a] = true
	}
	return len(axes) == n
}

// scalar is numpy's scalar(dtype, bytes). Numbers, booleans and strings become
// values of Go; other kinds an array without dimensions.
func scalar(m *machine, args []any) (any, error) {
	if len(args) != 2 {
		return nil, m.malformed("a scalar made of %d arguments", len(args))
	}
	dtype, ok := args[0].(*npy.Dtype)
	if !ok {
		return nil, m.malformed("a scalar of type %s", TypeName(args[0]))
	}
	if dtype.Kind == 'O' {
		return args[1], nil
	}
	data, ok := args[1].(Bytes)
	if !ok {
		return nil, m.malformed("a scalar whose bytes are %s", TypeName(args[1]))
	}
	if dtype.Size == 0 && len(data) == 0 && (dtype.Kind == 'U' || dtype.Kind == 'S') {
		return "", nil
	}
	a, err := m.array(*dtype, nil, false, data)
	if err != nil {
		return nil, err
	}
	v, err := m.plainValue(a)
	if err != nil {
		return nil, m.malformed("a scalar: %v", err)
	}
	return v, nil
}

// plainValue returns the only element of an array as a value of Go, if it is
// of a kind that has one, or the array itself.
func (m *machine) plainValue(a *npy.Array) (any, error) {
	switch kind, size := a.Dtype.Kind, a.Dtype.Size; {
	case kind == 'f' && size <= 8:
		f, err := a.Float64s()
		return first(f), err
	case kind == 'b':
		b, err := a.Bools()
		return first(b), err
	case kind == 'i', kind == 'u' && size < 8:
		n, err := a.Int64s()
		return first(n), err
	case kind == 'u':
		return twosComplement(append(littleEndian(a), 0)), nil
	case kind == 'S':
		return Bytes(a.Data), nil
	case kind == 'U':
		if err := m.use(len(a.Data)); err != nil {
			return nil, err
		}
		s, err := a.Strings()
		return first(s), err
	}
	return a, nil
}

func first[T any](elements []T) any {
	if len(elements) == 0 {
		return nil
	}
	return elements[0]
}

func littleEndian(a *npy.Array) []byte {
	out := make([]byte, len(a.Data), len(a.Data)+1)
	for i, b := range a.Data {
		if a.Dtype.BigEndian {
			i = len(out) - 1 - i
		}
		out[i] = b
	}
	return out
}

// array makes an array of exactly these bytes.
func (m *machine) array(dtype npy.Dtype, shape []int, fortran bool, data []byte) (*npy.Array, error) {
	a, err := npy.New(dtype, shape, fortran, data)
	if err == nil && len(a.Data) != len(data) {
		err = fmt.Errorf("%d bytes for an array of %d", len(data), len(a.Data))
	}
	if err != nil {
		return nil, m.malformed("%v", err)
	}
	return a, m.use(len(data))
}

// shape reads a tuple of non-negative integers.
func (m *machine) shape(v any) ([]int, error) {
	t, ok := v.(*Tuple)
	if !ok {
		return nil, m.malformed("a shape that is %s", TypeName(v))
	}
	if len(t.Items) > npy.MaxDims {
		return nil, m.malformed("a shape of %d dimensions; numpy has at most %d", len(t.Items), npy.MaxDims)
	}
	shape := make([]int, len(t.Items))
	for i, item := range t.Items {
		n, ok := item.(int64)
		if !ok || n < 0 || int64(int(n)) != n {
			return nil, m.malformed("a shape with %v in it", brief(item))
		}
		shape[i] = int(n)
	}
	return shape, nil
}

// brief shows a number, and names the type of anything else.
func brief(v any) any {
	switch v.(type) {
	case int64, float64:
		return v
	}
	return TypeName(v)
}

// buildNumpy gives a dtype or an array its state.
func (m *machine) buildNumpy(v, state any) error {
	t, ok := state.(*Tuple)
	switch v := v.(type) {
	case *npy.Dtype:
		if ok {
			return m.setDtype(v, t.Items)
		}
	case *npy.Array:
		if ok && len(t.Items) == 5 {
			return m.setArray(v, t.Items)
		}
	case *npy.Masked:
		if ok && len(t.Items) == 7 {
			return m.setMasked(v, t.Items)
		}
	default:
		return m.malformed("giving a state to %s", TypeName(v))
	}
	return m.malformed("a state of %s that is %s", TypeName(v), TypeName(state))
}

// setArray reads (version, shape, dtype, is Fortran order, data); the data of
// objects are a list, in row-major order in any case.
func (m *machine) setArray(a *npy.Array, state []any) error {
	shape, err := m.shape(state[1])
	if err != nil {
		return err
	}
	dtype, ok := state[2].(*npy.Dtype)
	if !ok {
		return m.malformed("an array whose dtype is %s", TypeName(state[2]))
	}
	fortran := state[3] == true || state[3] == int64(1)
	if dtype.Kind == 'O' {
		list, ok := state[4].(*List)
		if !ok {
			return m.malformed("an array of objects whose data are %s", TypeName(state[4]))
		}
		n, err := npy.Count(shape, dtype.Size)
		if err == nil && n != len(list.Items) {
			err = fmt.Errorf("%d objects for an array of shape %v", len(list.Items), shape)
		}
		if err != nil {
			return m.malformed("%v", err)
		}
		*a = npy.Array{Dtype: *dtype, Shape: shape, Objects: list.Items}
		return nil
	}
	data, ok := state[4].(Bytes)
	if !ok {
		return m.malformed("an array whose data are %s", TypeName(state[4]))
	}
	made, err := m.array(*dtype, shape, fortran, data)
	if err != nil {
		return err
	}
	*a = *made
	return nil
}

// setMasked reads the state of an array, its mask and its fill value.
func (m *machine) setMasked(a *npy.Masked, state []any) error {
	if err := m.setArray(a.Data, state[:5]); err != nil {
		return err
	}
	mask, ok := state[5].(Bytes)
	if !ok {
		return m.malformed("a mask that is %s", TypeName(state[5]))
	}
	fortran := state[3] == true || state[3] == int64(1)
	made, err := m.array(npy.Dtype{Kind: 'b', Size: 1}, a.Data.Shape, fortran, mask)
	if err != nil {
		return err
	}
	a.Mask, a.Fill = made, state[6]
	return nil
}

// setDtype reads (version, byte order, subarray, names, fields, item size,
// alignment, flags[, metadata]), versions 3 and 4.
func (m *machine) setDtype(d *npy.Dtype, state []any) error {
	if len(state) < 8 || state[0] != int64(3) && state[0] != int64(4) {
		return m.malformed("a dtype's state of an unknown version")
	}
	order, ok := state[1].(string)
	if !ok || len(order) != 1 {
		return m.malformed("a byte order that is %s", TypeName(state[1]))
	}
	d.BigEndian = order == ">"
	if size, ok := state[5].(int64); ok && size >= 0 {
		if d.Kind != 'S' && d.Kind != 'U' && d.Kind != 'V' || size > 1<<30 || d.Kind == 'U' && size%4 != 0 {
			return m.malformed("a dtype %s of %d bytes", d, size)
		}
		d.Size = int(size)
	}
	if len(state) > 8 {
		d.Unit = timeUnit(state[8])
	}
	if state[3] == nil {
		return nil
	}
	fields, err := m.fields(state[3], state[4])
	if err != nil {
		return err
	}
	if d.Kind != 'V' {
		return m.malformed("a dtype %s with fields", d)
	}
	made, err := npy.Structured(d.Size, fields)
	if err != nil {
		return m.malformed("%v", err)
	}
	*d = made
	return nil
}

// fields reads a tuple of names and a dict of (dtype, offset[, title]) by name.
func (m *machine) fields(names, byName any) ([]npy.Field, error) {
	t, ok1 := names.(*Tuple)
	dict, ok2 := byName.(*Dict)
	if !ok1 || !ok2 || len(t.Items) > npy.MaxFields {
		return nil, m.malformed("a structure whose fields are %s and %s, or more than %d", TypeName(names), TypeName(byName), npy.MaxFields)
	}
	if err := m.count(fieldCost * len(t.Items)); err != nil {
		return nil, err
	}
	fields := make([]npy.Field, len(t.Items))
	for i, item := range t.Items {
		name, _ := item.(string)
		v, ok := dict.Get(name)
		entry, isTuple := v.(*Tuple)
		if !ok || !isTuple || len(entry.Items) < 2 {
			return nil, m.malformed("a structure without its field %q", name)
		}
		dtype, ok1 := entry.Items[0].(*npy.Dtype)
		offset, ok2 := entry.Items[1].(int64)
		if !ok1 || !ok2 || offset < 0 || offset > 1<<30 {
			return nil, m.malformed("field %q of a structure has no type or no valid offset", name)
		}
		fields[i] = npy.Field{Name: name, Dtype: *dtype, Offset: int(offset)}
	}
	sort.SliceStable(fields, func(i, j int) bool { return fields[i].Offset < fields[j].Offset })
	return fields, nil
}

// timeUnit reads the metadata of M and m: (dict, (unit, count, 1, 1)).
func timeUnit(v any) string {
	meta, ok := v.(*Tuple)
	if !ok || len(meta.Items) != 2 {
		return ""
	}
	parts, ok := meta.Items[1].(*Tuple)
	if !ok || len(parts.Items) < 2 {
		return ""
	}
	unit, ok := parts.Items[0].(Bytes)
	if !ok {
		return ""
	}
	if n, ok := parts.Items[1].(int64); ok && n != 1 {
		return fmt.Sprintf("%d%s", n, unit)
	}
	return string(unit)
}
