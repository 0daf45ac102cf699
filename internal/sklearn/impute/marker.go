// Package impute builds scikit-learn's imputers of missing values.
package impute

import (
	"math"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// marker is what stands for a missing value: the parameter missing_values.
type marker struct {
	value  frame.Value // as Key has it
	number float64     // of value, if it is one
	name   string      // for people
	// none: None is missing as well as NaN (pandas.NA).
	none bool
}

// readMarker reads missing_values, which is NaN unless said otherwise.
func readMarker(r *base.Reader) marker {
	v := r.Value("missing_values")
	if g, ok := v.(pickle.Global); ok && g.Name == "NA" && (g.Module == "pandas._libs.missing" || g.Module == "pandas") {
		return marker{value: frame.Float(math.NaN()), number: math.NaN(), name: "pandas.NA", none: true}
	}
	cell, err := base.Cell(v)
	if err != nil {
		r.Errorf("attribute missing_values: %v", err)
	}
	m := marker{value: cell.Key(), name: cell.String()}
	m.number, _ = cell.Float64()
	return m
}

// is reports whether a cell is missing. Python's None == NaN is false.
func (m marker) is(v frame.Value) bool {
	return v.Key() == m.value || m.none && v.IsNone()
}

// isNumber is is for numbers.
func (m marker) isNumber(v float64) bool {
	return v == m.number || math.IsNaN(v) && math.IsNaN(m.number)
}

// numeric reports whether columns of numbers can hold the marker.
func (m marker) numeric() bool {
	_, ok := m.value.Float64()
	return ok
}

// nan reports whether NaN is missing; a NaN that is not is refused.
func (m marker) nan() bool { return m.value.IsNaN() }

// indices reads a list of columns out of n.
func indices(r *base.Reader, name string, n int) []int {
	list, err := r.Array(name).Int64s()
	if err != nil {
		r.Errorf("attribute %s: %v", name, err)
	}
	out := make([]int, len(list))
	for i, j := range list {
		if j < 0 || j >= int64(n) {
			r.Errorf("attribute %s[%d] is %d, there are %d features", name, i, j, n)
			return nil
		}
		out[i] = int(j)
	}
	return out
}
