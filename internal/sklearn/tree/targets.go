package tree

import (
	"math"

	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// Targets are what a tree or a forest predicts: one or several classes, or one
// or several numbers.
type Targets struct {
	// Classes has an entry a target; nil for a regressor.
	Classes []*frame.Classes
	// Counts are the values that a leaf holds for each target: one a class, or
	// one. They stand one target after the other in Width values.
	Counts []int
	Width  int
}

// maxTargets bounds n_outputs_ of regressors, behind which no array stands.
const maxTargets = 1 << 20

// ReadTargets reads n_outputs_ and, of a classifier, classes_ and n_classes_.
// It returns nil after an error.
func ReadTargets(r *base.Reader, classifier bool) *Targets {
	outputs := r.Int("n_outputs_")
	if outputs < 1 || outputs > maxTargets {
		r.Errorf("n_outputs_ is %d", outputs)
	}
	if r.Err() != nil {
		return nil
	}
	t := &Targets{}
	if classifier {
		t.Classes = readClasses(r, outputs)
	}
	for k := range outputs {
		n := 1
		if classifier && k < len(t.Classes) {
			n = len(t.Classes[k].Values)
		}
		t.Counts = append(t.Counts, n)
		t.Width += n
	}
	if r.Err() != nil {
		return nil
	}
	return t
}

// readClasses reads classes_, which is a list of arrays if there are several
// targets, and holds it against n_classes_.
func readClasses(r *base.Reader, outputs int) []*frame.Classes {
	var classes []*frame.Classes
	if outputs == 1 {
		classes = append(classes, r.Classes("classes_"))
	} else {
		for k, v := range r.Items("classes_") {
			cells, err := base.Cells(v)
			if err != nil {
				r.Errorf("attribute classes_[%d]: %v", k, err)
			}
			classes = append(classes, frame.NewClasses(cells))
		}
	}
	if len(classes) != outputs {
		r.Errorf("classes_ has the classes of %d targets, n_outputs_ is %d", len(classes), outputs)
	}
	told := r.Vector("n_classes_", outputs)
	for k, c := range classes {
		if r.Err() != nil {
			return nil
		}
		if len(c.Values) == 0 || float64(len(c.Values)) != told[k] {
			r.Errorf("target %d has %d classes_, n_classes_ is %v", k, len(c.Values), told[k])
		}
	}
	return classes
}

// Outputs describes the methods of a tree or a forest; apply answers a vector if
// trees is 0.
func (t *Targets) Outputs(trees int) []frame.Output {
	cols := len(t.Counts)
	if cols == 1 {
		cols = 0
	}
	apply := frame.Output{Method: frame.Apply, Kind: frame.Int64, Cols: trees}
	if t.Classes == nil {
		return []frame.Output{{Method: frame.Predict, Kind: frame.Float64, Cols: cols}, apply}
	}
	proba := frame.Output{Method: frame.PredictProba, Kind: frame.Float64, Cols: t.Width, Classes: t.Classes}
	if cols > 0 {
		proba.Kind, proba.Cols = frame.List, 0
	}
	log := proba
	log.Method = frame.PredictLogProba
	return []frame.Output{{Method: frame.Predict, Kind: frame.Label, Cols: cols, Classes: t.Classes}, proba, log, apply}
}

// Argmax writes the position of the greatest of each target's values to dst,
// the first of several. NaN is greater than all, as it is to numpy.
func (t *Targets) Argmax(dst []int32, values []float64) {
	for k, n := range t.Counts {
		best := 0
		for i, v := range values[:n] {
			if v > values[best] || v != v {
				best = i
				if v != v {
					break
				}
			}
		}
		dst[k] = int32(best)
		values = values[n:]
	}
}

// matrix returns the array of one or several targets' answers.
func (t *Targets) matrix(rows int, kind frame.Kind) frame.Array {
	out := frame.Array{Rows: rows, Kind: kind}
	if len(t.Counts) > 1 {
		out.Cols = len(t.Counts)
	}
	return out
}

// Labels returns what predict answers: codes holds a code a row and target.
func (t *Targets) Labels(rows int, codes []int32) frame.Array {
	out := t.matrix(rows, frame.Label)
	out.Codes, out.Classes = codes, t.Classes
	return out
}

// Numbers returns what a regressor's predict answers: Width values a row.
func (t *Targets) Numbers(rows int, values []float64) frame.Array {
	out := t.matrix(rows, frame.Float64)
	out.Floats = values
	return out
}

// Proba returns what predict_proba answers: a matrix, or a list of one a target.
// proba holds Width values a row, and is part of the answer.
func (t *Targets) Proba(a *frame.Arena, rows int, proba []float64) frame.Array {
	if len(t.Counts) == 1 {
		return frame.Array{Rows: rows, Cols: t.Width, Kind: frame.Float64, Floats: proba}
	}
	out := frame.Array{Rows: rows, Kind: frame.List, Parts: a.Arrays(len(t.Counts))}
	at := 0
	for k, n := range t.Counts {
		part := a.Floats(rows * n)
		for i := range rows {
			copy(part[i*n:(i+1)*n], proba[i*t.Width+at:])
		}
		out.Parts[k] = frame.Array{Rows: rows, Cols: n, Kind: frame.Float64, Floats: part}
		at += n
	}
	return out
}

// LogProba returns what predict_log_proba answers.
func (t *Targets) LogProba(a *frame.Arena, rows int, proba []float64) frame.Array {
	logs := a.Floats(len(proba))
	for i, p := range proba {
		logs[i] = math.Log(p)
	}
	return t.Proba(a, rows, logs)
}

// Note adds the facts about the targets.
func (t *Targets) Note(r *base.Reader) {
	switch {
	case t.Classes == nil && len(t.Counts) > 1:
		r.Note("outputs", len(t.Counts))
	case len(t.Classes) == 1:
		r.Note("classes", t.Counts[0])
	case t.Classes != nil:
		r.Note("outputs", len(t.Counts))
		r.Note("classes", t.Counts)
	}
}
