package preprocessing

import (
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// MinMaxScaler builds x*scale + min, clipped to feature_range if clip is set.
func MinMaxScaler(r *base.Reader) (base.Estimator, error) {
	scale := r.Floats("scale_")
	shift := r.Vector("min_", len(scale))
	bounds := r.Vector("feature_range", 2)
	n := r.Width(len(scale))
	if r.Err() != nil {
		return nil, r.Err()
	}
	s := &minMaxScaler{
		check: base.Check{Width: n, Class: r.Class.Name, AllowNaN: true},
		input: base.Numbers(n, r.FeatureNames(), true),
		scale: scale, shift: shift,
		clip: r.BoolOr("clip", false), // since 0.24
		low:  bounds[0], high: bounds[1],
	}
	r.Note("features", n)
	r.Note("range", bounds)
	r.Note("clips", s.clip)
	return s, r.Err()
}

type minMaxScaler struct {
	check        base.Check
	input        base.Input
	scale, shift []float64
	clip         bool
	low, high    float64
}

func (s *minMaxScaler) Input() base.Input { return s.input }

func (s *minMaxScaler) Outputs() []frame.Output { return transforms(frame.Float64, s.check.Width) }

func (s *minMaxScaler) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	data, err := s.check.Dense(a, x)
	if err != nil {
		return err
	}
	y := a.Floats(len(data))
	n := s.check.Width
	for i := range x.Rows {
		from, to := data[i*n:(i+1)*n], y[i*n:(i+1)*n]
		for j, v := range from {
			// The conversion keeps the product from being fused with the sum:
			// numpy rounds twice.
			to[j] = float64(v*s.scale[j]) + s.shift[j]
		}
	}
	if s.clip {
		for i, v := range y {
			if v < s.low { // NaN passes
				y[i] = s.low
			} else if v > s.high {
				y[i] = s.high
			}
		}
	}
	answer(out, frame.Array{Rows: x.Rows, Cols: n, Kind: frame.Float64, Floats: y})
	return nil
}
