package impute

import (
	"math"

	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// MissingIndicator builds the mask of missing values.
func MissingIndicator(r *base.Reader) (base.Estimator, error) {
	n := r.Int("_n_features")
	if n < 1 || n > base.MaxFeatures {
		r.Errorf("_n_features is %d; 1 to %d features are supported", n, base.MaxFeatures)
		n = 0
	}
	r.Width(n)
	m := &indicator{
		check:    base.Check{Width: n, Class: r.Class.Name},
		marker:   readMarker(r),
		features: indices(r, "features_", n),
	}
	which := r.String("features")
	if which == "missing-only" && r.Bool("error_on_new") {
		m.new = make([]bool, n)
		for j := range m.new {
			m.new[j] = true
		}
		for _, j := range m.features {
			m.new[j] = false
		}
	}
	m.input = base.Numbers(n, r.FeatureNames(), true)
	for j := range m.input.Features {
		m.input.Features[j].Missing = m.new == nil || !m.new[j]
		if !m.marker.numeric() {
			m.input.Features[j].Type = frame.Any
		}
	}
	r.Note("features", n)
	r.Note("missing_values", m.marker.name)
	r.Note("columns", len(m.features))
	return m, r.Err()
}

type indicator struct {
	check    base.Check
	input    base.Input
	marker   marker
	features []int  // columns of the input that are in the answer
	new      []bool // columns that must not be missing, for they never were in fit; nil if all may
}

func (m *indicator) Input() base.Input { return m.input }

func (m *indicator) Outputs() []frame.Output {
	return []frame.Output{{Method: frame.Transform, Kind: frame.Boolean, Cols: len(m.features)}}
}

func (m *indicator) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	if err := m.verify(x); err != nil {
		return err
	}
	n := len(m.features)
	mask := a.Bools(x.Rows * n)
	for k, j := range m.features {
		for i := range x.Rows {
			mask[i*n+k] = m.marker.is(x.Value(i, j))
		}
	}
	for i := range methods { // transform is the only one
		out[i] = frame.Array{Rows: x.Rows, Cols: n, Kind: frame.Boolean, Bools: mask}
	}
	return nil
}

// verify refuses what scikit-learn refuses: NaN if it is not what is missing,
// infinities among numbers, and missing values where fit had none.
func (m *indicator) verify(x *frame.Frame) error {
	if err := m.check.Shape(x); err != nil {
		return err
	}
	if err := refuseNaN(x, m.marker, m.check.Class); err != nil {
		return err
	}
	for j := range x.Cols {
		numbers := x.Columns == nil || x.Columns[j].Floats != nil
		for i := range x.Rows {
			v := x.Value(i, j)
			if f, _ := v.Float64(); numbers && math.IsInf(f, 0) {
				return &frame.InputError{Row: i, Column: j, Reason: m.check.Class + " takes no infinity"}
			}
			if m.new != nil && m.new[j] && m.marker.is(v) {
				return &frame.InputError{Row: i, Column: j, Name: m.input.Features[j].Name, Reason: "is missing here, and never was when " + m.check.Class + " was fitted (error_on_new)"}
			}
		}
	}
	return nil
}
