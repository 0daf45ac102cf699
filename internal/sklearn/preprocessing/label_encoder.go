package preprocessing

import (
	"fmt"

	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// LabelEncoder builds the position of a label among classes_. A sample is one
// value. scikit-learn since 1.2 first casts values to the type of classes_, so
// that 1.5 passes for the label 1 and 5 for True; here these are unknown.
func LabelEncoder(r *base.Reader) (base.Estimator, error) {
	labels := newCategories(r.Values("classes_"))
	if len(labels.values) == 0 {
		r.Errorf("attribute classes_ is empty")
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	r.Note("classes", len(labels.values))
	return &labelEncoder{labels: labels, input: base.Input{
		Width:    1,
		Features: []frame.Feature{labels.feature(true, false)},
		Values:   true,
	}}, nil
}

type labelEncoder struct {
	labels categories
	input  base.Input
}

func (e *labelEncoder) Input() base.Input { return e.input }

func (e *labelEncoder) Outputs() []frame.Output { return transforms(frame.Int64, 0) }

func (e *labelEncoder) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	if x.Cols != 1 {
		return &frame.InputError{Row: -1, Column: -1, Reason: fmt.Sprintf("has %d values a sample, LabelEncoder takes one", x.Cols)}
	}
	codes := a.Ints(x.Rows)
	for i := range codes {
		v := x.Value(i, 0)
		code, ok := e.labels.code(v)
		if !ok {
			return e.labels.unknownError("LabelEncoder", i, -1, "", v)
		}
		codes[i] = int64(code)
	}
	answer(out, frame.Array{Rows: x.Rows, Kind: frame.Int64, Ints: codes})
	return nil
}
