package linearmodel

import (
	"mizzen.dev/internal/engine/linear"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// Regressor builds LinearRegression, Ridge, Lasso and ElasticNet: they differ
// in how they are fitted only.
func Regressor(r *base.Reader) (base.Estimator, error) {
	dense, vector := coefficients(r)
	if r.Err() != nil {
		return nil, r.Err()
	}
	m := &regressor{
		dense: dense,
		check: base.Check{Width: dense.In, Class: r.Class.Name},
		input: base.Numbers(dense.In, r.FeatureNames(), false),
		cols:  dense.Out, // a target of one column answers one column
	}
	if vector {
		m.cols = 0
	}
	r.Note("features", dense.In)
	r.Note("targets", dense.Out)
	return m, r.Err()
}

type regressor struct {
	dense linear.Dense
	check base.Check
	input base.Input
	cols  int // 0: predictions are a vector
}

func (m *regressor) Input() base.Input { return m.input }

func (m *regressor) Outputs() []frame.Output {
	return []frame.Output{{Method: frame.Predict, Kind: frame.Float64, Cols: m.cols}}
}

func (m *regressor) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	data, err := m.check.Dense(a, x)
	if err != nil {
		return err
	}
	y := a.Floats(x.Rows * m.dense.Out)
	m.dense.Apply(y, data, x.Rows)
	for i := range methods { // predict is the only one
		out[i] = frame.Array{Rows: x.Rows, Cols: m.cols, Kind: frame.Float64, Floats: y}
	}
	return nil
}
