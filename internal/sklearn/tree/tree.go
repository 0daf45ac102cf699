// Package tree builds the estimators of sklearn.tree, and decodes the trees of
// those that are made of them.
package tree

import (
	"mizzen.dev/internal/engine/forest"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

const module = "sklearn.tree._classes"

// IsMember reports whether the class is one of those of this package: trees that
// forests are made of.
func IsMember(class pickle.Global, classifier bool) bool {
	switch class {
	case pickle.Global{Module: module, Name: "DecisionTreeClassifier"}, pickle.Global{Module: module, Name: "ExtraTreeClassifier"}:
		return classifier
	case pickle.Global{Module: module, Name: "DecisionTreeRegressor"}, pickle.Global{Module: module, Name: "ExtraTreeRegressor"}:
		return !classifier
	}
	return false
}

func isClassifier(class pickle.Global) bool { return IsMember(class, true) }

func isExtra(class pickle.Global) bool {
	return class.Name == "ExtraTreeClassifier" || class.Name == "ExtraTreeRegressor"
}

// Tree is a single tree.
type Tree struct {
	input   base.Input
	check   base.Check
	targets *Targets
	forest  *forest.Forest
	// Of every row of forest.Values, row-major: what predict_proba answers (a
	// regressor's values), and the code that predict answers for each target.
	values []float64
	codes  []int32
}

// Classifier builds DecisionTreeClassifier and ExtraTreeClassifier.
func Classifier(r *base.Reader) (base.Estimator, error) { return build(r, true) }

// Regressor builds DecisionTreeRegressor and ExtraTreeRegressor.
func Regressor(r *base.Reader) (base.Estimator, error) { return build(r, false) }

func build(r *base.Reader, classifier bool) (base.Estimator, error) {
	features := r.Width(-1)
	targets := ReadTargets(r, classifier)
	if r.Err() != nil {
		return nil, r.Err()
	}
	member := NewDecoder(features, targets).Read(r)
	if member == nil {
		return nil, r.Err()
	}
	missing := TakesMissing(r) && member.MissingLeft != nil
	b := forest.NewBuilder(forest.Shape{Features: features, Width: targets.Width, Missing: missing, Trees: 1})
	if err := b.Add(&member.Tree); err != nil {
		return nil, r.Errorf("tree_: %v", err)
	}
	t := &Tree{
		input:   base.Numbers(features, r.FeatureNames(), missing),
		check:   base.Check{Width: features, Class: r.Class.Name, AllowNaN: missing, Float32: true},
		targets: targets,
		forest:  b.Finish(),
	}
	t.answers(member.Counts)
	Note(r, t.forest.Stats(), features)
	targets.Note(r)
	return t, r.Err()
}

// answers prepares the answer of every row of leaf values. predict takes the
// greatest of them before they are divided by their sum.
func (t *Tree) answers(counts bool) {
	raw := t.forest.Values()
	t.values = raw
	if t.targets.Classes == nil {
		return
	}
	rows, targets := len(raw)/t.targets.Width, len(t.targets.Counts)
	t.codes = make([]int32, rows*targets)
	for i := range rows {
		t.targets.Argmax(t.codes[i*targets:(i+1)*targets], raw[i*t.targets.Width:])
	}
	if counts {
		t.values = append([]float64(nil), raw...)
		for i := range rows {
			t.targets.normalise(t.values[i*t.targets.Width : (i+1)*t.targets.Width])
		}
	}
}

// Note adds the facts about compiled trees.
func Note(r *base.Reader, s forest.Stats, features int) {
	if s.Trees > 1 {
		r.Note("trees", s.Trees)
	}
	r.Note("nodes", s.Nodes)
	r.Note("leaves", s.Leaves)
	r.Note("max depth", s.Depth)
	r.Note("features", features)
	r.Note("memory", s.Bytes)
}

// Input describes what the tree takes.
func (t *Tree) Input() base.Input { return t.input }

// Outputs describes what the tree answers.
func (t *Tree) Outputs() []frame.Output { return t.targets.Outputs(0) }

// Evaluate answers the methods for every row of x.
func (t *Tree) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	dense, err := t.check.Dense(a, x)
	if err != nil {
		return err
	}
	want := forest.Output{Rows: a.Int32s(x.Rows)}
	for _, m := range methods {
		if m == frame.Apply && want.Nodes == nil {
			want.Nodes = a.Ints(x.Rows)
		}
	}
	t.forest.Evaluate(a, dense, x.Rows, want)
	for i, m := range methods {
		switch m {
		case frame.Apply:
			out[i] = frame.Array{Rows: x.Rows, Kind: frame.Int64, Ints: want.Nodes}
		case frame.PredictProba:
			out[i] = t.targets.Proba(a, x.Rows, t.gather(a, want.Rows))
		case frame.PredictLogProba:
			out[i] = t.targets.LogProba(a, x.Rows, t.gather(a, want.Rows))
		default:
			out[i] = t.predict(a, want.Rows)
		}
	}
	return nil
}

// predict returns the labels or numbers of the leaves with these rows of values.
func (t *Tree) predict(a *frame.Arena, rows []int32) frame.Array {
	if t.targets.Classes == nil {
		return t.targets.Numbers(len(rows), t.gather(a, rows))
	}
	n := len(t.targets.Counts)
	codes := a.Int32s(len(rows) * n)
	for i, row := range rows {
		copy(codes[i*n:(i+1)*n], t.codes[int(row)*n:])
	}
	return t.targets.Labels(len(rows), codes)
}

// gather returns the values of the leaves with these rows of values.
func (t *Tree) gather(a *frame.Arena, rows []int32) []float64 {
	w := t.targets.Width
	out := a.Floats(len(rows) * w)
	for i, row := range rows {
		copy(out[i*w:(i+1)*w], t.values[int(row)*w:])
	}
	return out
}
