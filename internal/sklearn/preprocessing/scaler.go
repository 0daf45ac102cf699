// Package preprocessing builds scikit-learn's scalers and encoders.
package preprocessing

import (
	"math"

	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// scaler is (x - center) / scale, a column at a time.
type scaler struct {
	check  base.Check
	input  base.Input
	center []float64 // zeros if the scaler does not center
	scale  []float64 // ones if it does not scale
}

// newScaler reads the two steps of a scaler. An attribute is None, or is there
// and not used, if its step is switched off.
func newScaler(r *base.Reader, centers, center, scales, scale string) (base.Estimator, error) {
	var shift, divisor []float64
	n := -1
	if r.Bool(centers) {
		shift = r.Floats(center)
		n = len(shift)
	}
	if r.Bool(scales) {
		divisor = r.Floats(scale)
		if n >= 0 && len(divisor) != n {
			r.Errorf("attribute %s has %d elements, %s has %d", scale, len(divisor), center, n)
		}
		n = len(divisor)
	}
	n = r.Width(n)
	if r.Err() != nil {
		return nil, r.Err()
	}
	s := &scaler{
		check:  base.Check{Width: n, Class: r.Class.Name, AllowNaN: true},
		input:  base.Numbers(n, r.FeatureNames(), true),
		center: shift,
		scale:  divisor,
	}
	for j, c := range shift { // the middle of what fit has seen
		if !math.IsNaN(c) {
			s.input.Features[j].Example = frame.Float(c)
		}
	}
	if s.center == nil {
		s.center = make([]float64, n)
	}
	if s.scale == nil {
		s.scale = make([]float64, n)
		for j := range s.scale {
			s.scale[j] = 1
		}
	}
	r.Note("features", n)
	r.Note("centers", shift != nil)
	r.Note("scales", divisor != nil)
	return s, r.Err()
}

func (s *scaler) Input() base.Input { return s.input }

func (s *scaler) Outputs() []frame.Output { return transforms(frame.Float64, s.check.Width) }

func (s *scaler) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	data, err := s.check.Dense(a, x)
	if err != nil {
		return err
	}
	y := a.Floats(len(data))
	n := s.check.Width
	for i := range x.Rows {
		from, to := data[i*n:(i+1)*n], y[i*n:(i+1)*n]
		for j, v := range from {
			to[j] = (v - s.center[j]) / s.scale[j]
		}
	}
	answer(out, frame.Array{Rows: x.Rows, Cols: n, Kind: frame.Float64, Floats: y})
	return nil
}

// transforms is the Outputs of an estimator that has transform alone.
func transforms(kind frame.Kind, cols int) []frame.Output {
	return []frame.Output{{Method: frame.Transform, Kind: kind, Cols: cols}}
}

// answer gives y as the answer of every method that was asked for: of
// estimators whose only method is transform.
func answer(out []frame.Array, y frame.Array) {
	for i := range out {
		out[i] = y
	}
}
