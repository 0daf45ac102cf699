// Package linearmodel builds scikit-learn's linear models.
package linearmodel

import (
	"mizzen.dev/internal/engine/linear"
	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
)

// maxSparse bounds the elements of a sparsified coef_ when it is made dense
// again: a few bytes of a file can name any shape.
const maxSparse = 1 << 22

// sparseModules are the modules under which SciPy's releases pickle csr_matrix.
var sparseModules = map[string]bool{"scipy.sparse.csr": true, "scipy.sparse._csr": true}

// coefficients reads coef_ and intercept_. vector is true if coef_ has one
// dimension: then predictions are a vector too.
func coefficients(r *base.Reader) (d linear.Dense, vector bool) {
	var weights []float64
	var rows, cols int
	switch v := r.Value("coef_").(type) {
	case *pickle.Object:
		weights, rows, cols = sparse(r, v)
	case *npy.Array:
		vector = len(v.Shape) == 1
		weights, rows, cols = r.Matrix("coef_")
	default:
		r.Errorf("attribute coef_ is %s, expected an array", pickle.TypeName(v))
	}
	if len(weights) == 0 {
		r.Errorf("attribute coef_ is empty")
	}
	if r.Err() != nil {
		return linear.Dense{}, vector
	}
	r.Width(cols)
	bias := r.Floats("intercept_")
	switch {
	case len(bias) == 1 && rows > 1: // fit_intercept=False leaves the number 0.0
		one := bias[0]
		bias = make([]float64, rows)
		for i := range bias {
			bias[i] = one
		}
	case len(bias) != rows:
		r.Errorf("attribute intercept_ has %d elements, coef_ has %d rows", len(bias), rows)
	}
	return linear.Dense{In: cols, Out: rows, Weights: weights, Bias: bias}, vector
}

// sparse reads a coef_ that sparsify() has made a csr_matrix.
func sparse(r *base.Reader, obj *pickle.Object) (dense []float64, rows, cols int) {
	if !sparseModules[obj.Class.Module] || obj.Class.Name != "csr_matrix" && obj.Class.Name != "csr_array" {
		r.Errorf("attribute coef_ is %s, expected an array or a csr_matrix; call densify() before saving", pickle.TypeName(obj))
		return nil, 0, 0
	}
	m := r.Object("coef_")
	defer m.Done()
	shape := m.Floats("_shape")
	data, indices, starts := m.Floats("data"), integers(&m.Reader, "indices"), integers(&m.Reader, "indptr")
	if m.Err() != nil {
		return nil, 0, 0
	}
	if len(shape) != 2 || !(shape[0] >= 1 && shape[1] >= 1 && shape[0]*shape[1] <= maxSparse) {
		m.Errorf("_shape is %v; two dimensions and at most %d elements are supported: call densify() before saving", shape, maxSparse)
		return nil, 0, 0
	}
	rows, cols = int(shape[0]), int(shape[1])
	if len(starts) != rows+1 || len(indices) != len(data) || starts[0] != 0 || starts[rows] != int64(len(data)) {
		m.Errorf("indptr, indices and data do not fit a matrix of %d rows", rows)
		return nil, 0, 0
	}
	dense = make([]float64, rows*cols)
	for i := range rows {
		lo, hi := starts[i], starts[i+1]
		if lo > hi || hi > int64(len(data)) {
			m.Errorf("indptr[%d] is %d, out of order", i+1, hi)
			return nil, 0, 0
		}
		for k := lo; k < hi; k++ {
			j := indices[k]
			if j < 0 || j >= int64(cols) {
				m.Errorf("indices[%d] is %d, there are %d columns", k, j, cols)
				return nil, 0, 0
			}
			dense[i*cols+int(j)] += data[k] // equal positions add up, as in SciPy
		}
	}
	return dense, rows, cols
}

func integers(r *base.Reader, name string) []int64 {
	n, err := r.Array(name).Int64s()
	if err != nil {
		r.Errorf("attribute %s: %v", name, err)
	}
	return n
}
