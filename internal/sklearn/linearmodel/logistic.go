package linearmodel

import (
	"mizzen.dev/internal/engine/linear"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// LogisticRegression builds binary, multinomial and one-vs-rest classifiers.
func LogisticRegression(r *base.Reader) (base.Estimator, error) {
	classes := r.Classes("classes_")
	dense, _ := coefficients(r)
	if r.Err() != nil {
		return nil, r.Err()
	}
	k := len(classes.Values)
	if k < 2 || k == 2 && dense.Out != 1 || k > 2 && dense.Out != k {
		return nil, r.Errorf("coef_ has %d rows for %d classes", dense.Out, k)
	}
	m := &logistic{
		dense:   dense,
		check:   base.Check{Width: dense.In, Class: r.Class.Name},
		input:   base.Numbers(dense.In, r.FeatureNames(), false),
		classes: []*frame.Classes{classes},
		link:    link(r, k),
		uniform: r.Since(1, 9),
	}
	r.Note("features", dense.In)
	r.Note("classes", len(classes.Values))
	r.Note("probabilities", m.link.String())
	return m, r.Err()
}

// probabilities says how scores become probabilities.
type probabilities uint8

const (
	// sigmoid: each score by itself; of more than one, divided by their sum
	// (one-vs-rest).
	sigmoid probabilities = iota
	softmax
)

func (p probabilities) String() string { return [...]string{"sigmoid", "softmax"}[p] }

// link follows LogisticRegression.predict_proba of the version that fitted the
// model. From 1.8 on multi_class is gone: only two classes are not multinomial.
func link(r *base.Reader, classes int) probabilities {
	switch r.StringOr("multi_class", "auto") {
	case "ovr", "warn":
		return sigmoid
	case "multinomial":
		return softmax
	}
	solver := r.StringOr("solver", "lbfgs")
	if classes == 2 || solver == "liblinear" || solver == "newton-cholesky" && !r.Since(1, 6) {
		return sigmoid
	}
	return softmax
}

type logistic struct {
	dense   linear.Dense // one row for two classes, else one a class
	check   base.Check
	input   base.Input
	classes []*frame.Classes // of length 1
	link    probabilities
	// uniform: one-vs-rest probabilities that are all zero become equal ones;
	// before 1.9 they become 0/0.
	uniform bool
}

func (m *logistic) Input() base.Input { return m.input }

func (m *logistic) Outputs() []frame.Output {
	k := len(m.classes[0].Values)
	return []frame.Output{
		{Method: frame.Predict, Kind: frame.Label, Classes: m.classes},
		{Method: frame.PredictProba, Kind: frame.Float64, Cols: k, Classes: m.classes},
		{Method: frame.PredictLogProba, Kind: frame.Float64, Cols: k, Classes: m.classes},
		{Method: frame.DecisionFunction, Kind: frame.Float64, Cols: m.scoreCols(), Classes: m.classes},
	}
}

// scoreCols is the width of decision_function: one score is a vector.
func (m *logistic) scoreCols() int {
	if m.dense.Out == 1 {
		return 0
	}
	return m.dense.Out
}

func (m *logistic) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	data, err := m.check.Dense(a, x)
	if err != nil {
		return err
	}
	scores := a.Floats(x.Rows * m.dense.Out)
	m.dense.Apply(scores, data, x.Rows)
	k := len(m.classes[0].Values)
	for i, method := range methods {
		switch method {
		case frame.Predict:
			out[i] = frame.Array{Rows: x.Rows, Kind: frame.Label, Codes: m.labels(a, scores), Classes: m.classes}
		case frame.PredictProba:
			out[i] = frame.Array{Rows: x.Rows, Cols: k, Kind: frame.Float64, Floats: m.proba(a, scores)}
		case frame.PredictLogProba:
			p := m.proba(a, scores)
			for j, v := range p {
				p[j] = linear.Log(v)
			}
			out[i] = frame.Array{Rows: x.Rows, Cols: k, Kind: frame.Float64, Floats: p}
		case frame.DecisionFunction:
			out[i] = frame.Array{Rows: x.Rows, Cols: m.scoreCols(), Kind: frame.Float64, Floats: scores}
		}
	}
	return nil
}

func (m *logistic) labels(a *frame.Arena, scores []float64) []int32 {
	n := m.dense.Out
	codes := a.Int32s(len(scores) / n)
	for i := range codes {
		if n == 1 {
			if scores[i] > 0 {
				codes[i] = 1
			}
			continue
		}
		codes[i] = int32(linear.ArgMax(scores[i*n : (i+1)*n]))
	}
	return codes
}

// proba returns one row of probabilities for every row of scores.
func (m *logistic) proba(a *frame.Arena, scores []float64) []float64 {
	if m.dense.Out == 1 {
		return m.binary(a, scores)
	}
	p := a.Floats(len(scores))
	copy(p, scores)
	k := m.dense.Out
	for lo := 0; lo < len(p); lo += k {
		row := p[lo : lo+k]
		if m.link == softmax {
			linear.Softmax(row)
			continue
		}
		var sum float64
		for j, s := range row {
			row[j] = linear.Expit(s)
			sum += row[j]
		}
		for j := range row {
			if sum == 0 && m.uniform {
				row[j] = 1 / float64(k)
				continue
			}
			row[j] /= sum
		}
	}
	return p
}

// binary returns the probabilities of the two classes that one score decides
// on; with multi_class="multinomial" they are the softmax of -s and s.
func (m *logistic) binary(a *frame.Arena, scores []float64) []float64 {
	p := a.Floats(2 * len(scores))
	for i, s := range scores {
		row := p[2*i : 2*i+2]
		if m.link == softmax {
			row[0], row[1] = -s, s
			linear.Softmax(row)
			continue
		}
		row[1] = linear.Expit(s)
		row[0] = 1 - row[1]
	}
	return p
}
