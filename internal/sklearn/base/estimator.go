// Package base has what all estimators share: what an estimator is, how its
// fitted attributes are read, and how its input is checked.
package base

import (
	"mizzen.dev/model/frame"
)

// Estimator is a fitted estimator, compiled for evaluation. It is immutable and
// safe for concurrent use.
type Estimator interface {
	// Input describes what the estimator takes.
	Input() Input
	// Outputs describes what it answers, in scikit-learn's order of methods:
	// predict, predict_proba, predict_log_proba, decision_function, transform,
	// score_samples, apply.
	Outputs() []frame.Output
	// Evaluate answers the methods for every row of x. out has one entry a
	// method; memory comes from a. An input that scikit-learn would refuse is a
	// *frame.InputError. Methods are among those of Outputs.
	Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error
}

// Input is what an estimator takes.
type Input struct {
	// Width is the number of features; -1 if it takes any number (an identity).
	Width int
	// Features has Width entries, in training order; names are empty if the
	// model was trained without. Nil if Width is -1.
	Features []frame.Feature
	// ExtraIgnored is true if columns that were not there in training are
	// ignored when they come by name, as ColumnTransformer does.
	ExtraIgnored bool
	// Values is true if a sample is one value and not a row (LabelEncoder):
	// the frame has one column.
	Values bool
}

// Numeric reports whether every feature is a number.
func (in Input) Numeric() bool {
	for _, f := range in.Features {
		if f.Type != frame.Number {
			return false
		}
	}
	return !in.Values
}

// Numbers returns the input of an estimator that takes n numbers. names is
// empty or has n entries.
func Numbers(n int, names []string, missing bool) Input {
	in := Input{Width: n, Features: make([]frame.Feature, n)}
	for i := range in.Features {
		in.Features[i] = frame.Feature{Type: frame.Number, Missing: missing}
		if len(names) == n {
			in.Features[i].Name = names[i]
		}
	}
	return in
}
