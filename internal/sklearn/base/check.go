package base

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"mizzen.dev/model/frame"
)

// Check says which numbers an estimator takes, as the arguments of
// scikit-learn's check_array do.
type Check struct {
	// Width is the number of features; -1 for any.
	Width int
	// Class is the estimator's name, for messages.
	Class string
	// AllowNaN lets NaN pass (force_all_finite="allow-nan").
	AllowNaN bool
	// AllowInf lets infinities pass too (force_all_finite=False).
	AllowInf bool
	// Float32 refuses numbers that float32 cannot hold: the estimator casts.
	Float32 bool
}

// Dense returns x as a row-major matrix of numbers that has passed the check.
// Strings that hold numbers are parsed, None becomes NaN and booleans 0 and 1,
// as numpy does when it casts objects to float64. The result may alias x.
func (c Check) Dense(a *frame.Arena, x *frame.Frame) ([]float64, error) {
	if err := c.Shape(x); err != nil {
		return nil, err
	}
	dense := x.Dense
	if x.Columns != nil {
		dense = a.Floats(x.Rows * x.Cols)
		for j, col := range x.Columns {
			if err := fill(dense, x, j, col); err != nil {
				return nil, err
			}
		}
	}
	return dense, c.finite(dense, x.Cols)
}

// Shape checks the number of features alone, for estimators that take cells of
// any type.
func (c Check) Shape(x *frame.Frame) error {
	if c.Width >= 0 && x.Cols != c.Width {
		return &frame.InputError{Row: -1, Column: -1, Reason: fmt.Sprintf("has %d features a row, %s takes %d", x.Cols, c.Class, c.Width)}
	}
	return nil
}

func fill(dense []float64, x *frame.Frame, j int, col frame.Column) error {
	if col.Floats != nil {
		for i, v := range col.Floats {
			dense[i*x.Cols+j] = v
		}
		return nil
	}
	for i := range x.Rows {
		f, ok := Number(col.Value(i))
		if !ok {
			return &frame.InputError{Row: i, Column: j, Reason: fmt.Sprintf("expected a number, found %s", col.Value(i))}
		}
		dense[i*x.Cols+j] = f
	}
	return nil
}

// Number converts a cell to float64 as numpy casts an object.
func Number(v frame.Value) (float64, bool) {
	if f, ok := v.Float64(); ok {
		return f, true
	}
	if s, ok := v.Text(); ok {
		f, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		return f, err == nil
	}
	return math.NaN(), true // None
}

func (c Check) finite(dense []float64, cols int) error {
	limit := math.MaxFloat64
	if c.Float32 {
		limit = math.MaxFloat32
	}
	for i, v := range dense {
		if v >= -limit && v <= limit {
			continue
		}
		if reason := c.refuses(v); reason != "" {
			return &frame.InputError{Row: i / cols, Column: i % cols, Reason: reason}
		}
	}
	return nil
}

func (c Check) refuses(v float64) string {
	switch {
	case math.IsNaN(v):
		if c.AllowNaN || c.AllowInf {
			return ""
		}
		return c.Class + " takes no missing value (NaN) here; put a SimpleImputer before it, or send a number"
	case math.IsInf(v, 0):
		if c.AllowInf {
			return ""
		}
		return c.Class + " takes no infinity"
	case float32(v) > math.MaxFloat32 || float32(v) < -math.MaxFloat32:
		return fmt.Sprintf("%s is too large: %s computes in float32", frame.FormatFloat(v), c.Class)
	}
	return ""
}
