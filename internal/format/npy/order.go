package npy

// RowMajor returns the array itself if its last index varies fastest, or a
// copy of it in that order.
func (a *Array) RowMajor() *Array {
	if !a.Fortran || len(a.Shape) < 2 || a.Len() == 0 {
		return a
	}
	strides := make([]int, len(a.Shape))
	step := 1
	for i, d := range a.Shape {
		strides[i] = step
		step *= d
	}
	return a.gather(a.Shape, strides)
}

// Transpose returns a row-major copy of a row-major array with its axes
// permuted: axis i of the result is axis axes[i] of a.
func (a *Array) Transpose(axes []int) *Array {
	strides := make([]int, len(a.Shape))
	step := 1
	for i := len(a.Shape) - 1; i >= 0; i-- {
		strides[i] = step
		step *= a.Shape[i]
	}
	shape, moved := make([]int, len(axes)), make([]int, len(axes))
	for i, axis := range axes {
		shape[i], moved[i] = a.Shape[axis], strides[axis]
	}
	return a.gather(shape, moved)
}

// gather copies the elements in row-major order of shape; strides are in
// elements, one a dimension.
func (a *Array) gather(shape, strides []int) *Array {
	out := &Array{Dtype: a.Dtype, Shape: shape}
	n, size := a.Len(), a.Dtype.Size
	objects := a.Dtype.Kind == 'O'
	if objects {
		out.Objects = make([]any, 0, n)
	} else {
		out.Data = make([]byte, 0, n*size)
	}
	index := make([]int, len(shape))
	at := 0
	for range n {
		if objects {
			out.Objects = append(out.Objects, a.Objects[at])
		} else {
			out.Data = append(out.Data, a.Data[at*size:(at+1)*size]...)
		}
		for i := len(shape) - 1; i >= 0; i-- {
			index[i]++
			at += strides[i]
			if index[i] < shape[i] {
				break
			}
			at -= index[i] * strides[i]
			index[i] = 0
		}
	}
	return out
}
