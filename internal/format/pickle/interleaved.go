package pickle

import (
	"slices"

	"mizzen.dev/internal/format/npy"
)

// interleaved reads the array that joblib writes behind its wrapper: the bytes
// of the elements, in newer versions after padding, or a pickle of the whole
// array if it holds objects (joblib/numpy_pickle.py, NumpyArrayWrapper).
func (m *machine) interleaved(wrapper *Object) (*npy.Array, error) {
	if m.nested {
		return nil, m.malformed("an array interleaved with the pickle of another array")
	}
	m.info.Joblib = true
	attr := func(name string) any { v, _ := wrapper.Attr(name); return v }
	if class := attr("subclass"); !isPlain(class) {
		if g, ok := class.(Global); ok {
			return nil, &UnsupportedError{Global: g, Help: "arrays are supported as plain numpy.ndarray"}
		}
		return nil, m.malformed("an array of class %s", TypeName(class))
	}
	shape, err := m.shape(attr("shape"))
	if err != nil {
		return nil, err
	}
	dtype, ok := attr("dtype").(*npy.Dtype)
	if !ok {
		return nil, m.malformed("an array whose dtype is %s", TypeName(attr("dtype")))
	}
	order := attr("order")
	if order != "C" && order != "F" {
		return nil, m.malformed("an array in an order that is neither C nor F")
	}
	if dtype.Kind == 'O' {
		a, err := m.nestedStream()
		if err == nil && !slices.Equal(a.Shape, shape) {
			err = m.malformed("an array of shape %v is announced, %v follows", shape, a.Shape)
		}
		return a, err
	}
	if err := m.padding(attr("numpy_array_alignment_bytes")); err != nil {
		return nil, err
	}
	n, err := npy.Count(shape, dtype.Size)
	if err != nil {
		return nil, m.malformed("%v", err)
	}
	data, err := m.take(uint64(n * dtype.Size))
	if err != nil {
		return nil, err
	}
	return m.array(*dtype, shape, order == "F", data)
}

// padding skips the bytes that align an array in the file, which a byte counts.
// Versions of joblib before 1.2, and streams that cannot be aligned, have none.
func (m *machine) padding(alignment any) error {
	if alignment == nil {
		return nil
	}
	align, ok := alignment.(int64)
	if !ok || align < 1 || align > 255 {
		return m.malformed("an array aligned to %v bytes", brief(alignment))
	}
	n, err := m.byte()
	if err != nil {
		return err
	}
	if int64(n) > align {
		return m.malformed("%d bytes of padding to align an array to %d", n, align)
	}
	_, err = m.take(uint64(n))
	return err
}
