// Package ensemble builds the estimators of sklearn.ensemble.
package ensemble

import (
	"fmt"

	"mizzen.dev/internal/engine/forest"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/tree"
	"mizzen.dev/model/frame"
)

// Forest is the mean of trees.
type Forest struct {
	input   base.Input
	check   base.Check
	targets *tree.Targets
	forest  *forest.Forest
	trees   int
}

// ForestClassifier builds RandomForestClassifier and ExtraTreesClassifier.
func ForestClassifier(r *base.Reader) (base.Estimator, error) { return buildForest(r, true) }

// ForestRegressor builds RandomForestRegressor and ExtraTreesRegressor.
func ForestRegressor(r *base.Reader) (base.Estimator, error) { return buildForest(r, false) }

func buildForest(r *base.Reader, classifier bool) (base.Estimator, error) {
	features := r.Width(-1)
	targets := tree.ReadTargets(r, classifier)
	members := r.Items("estimators_")
	if r.Err() != nil {
		return nil, r.Err()
	}
	if len(members) == 0 {
		return nil, r.Errorf("estimators_ is empty: the forest has no trees")
	}
	f := &Forest{targets: targets, trees: len(members)}
	missing, err := f.grow(r, features, members)
	if err != nil {
		return nil, err
	}
	f.input = base.Numbers(features, r.FeatureNames(), missing)
	f.check = base.Check{Width: features, Class: r.Class.Name, AllowNaN: missing, Float32: true}
	tree.Note(r, f.forest.Stats(), features)
	targets.Note(r)
	return f, r.Err()
}

// grow compiles the trees. It returns whether they take missing values: that is
// for the first to say, and for forests from scikit-learn 1.4 on.
func (f *Forest) grow(r *base.Reader, features int, members []any) (missing bool, err error) {
	decoder := tree.NewDecoder(features, f.targets)
	var b *forest.Builder
	for i, v := range members {
		r.Leaf(fmt.Sprintf("estimators_[%d]", i), v, func(m *base.Reader) {
			if !tree.IsMember(m.Class, f.targets.Classes != nil) {
				m.Errorf("is no tree of this kind of forest")
				return
			}
			member := decoder.Read(m)
			if member == nil {
				return
			}
			if b == nil {
				missing = r.Since(1, 4) && tree.TakesMissing(m) && member.MissingLeft != nil
				b = forest.NewBuilder(forest.Shape{Features: features, Width: f.targets.Width, Missing: missing, Trees: len(members)})
			}
			member.Probabilities(f.targets)
			if err := b.Add(&member.Tree); err != nil {
				m.Errorf("tree_: %v", err)
			}
		})
		if r.Err() != nil {
			return false, r.Err()
		}
	}
	f.forest = b.Finish()
	return missing, nil
}

// Input describes what the forest takes.
func (f *Forest) Input() base.Input { return f.input }

// Outputs describes what the forest answers.
func (f *Forest) Outputs() []frame.Output { return f.targets.Outputs(f.trees) }

// Evaluate answers the methods for every row of x; the trees are walked once for
// all of them.
func (f *Forest) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	dense, err := f.check.Dense(a, x)
	if err != nil {
		return err
	}
	var want forest.Output
	for _, m := range methods {
		switch {
		case m == frame.Apply:
			want.Nodes = a.Ints(x.Rows * f.trees)
		case want.Sum == nil:
			want.Sum = a.Floats(x.Rows * f.targets.Width)
		}
	}
	f.forest.Evaluate(a, dense, x.Rows, want)
	trees := float64(f.trees)
	for i := range want.Sum {
		want.Sum[i] /= trees
	}
	for i, m := range methods {
		switch m {
		case frame.Apply:
			out[i] = frame.Array{Rows: x.Rows, Cols: f.trees, Kind: frame.Int64, Ints: want.Nodes}
		case frame.PredictProba:
			out[i] = f.targets.Proba(a, x.Rows, want.Sum)
		case frame.PredictLogProba:
			out[i] = f.targets.LogProba(a, x.Rows, want.Sum)
		default:
			out[i] = f.predict(a, x.Rows, want.Sum)
		}
	}
	return nil
}

// predict returns the label with the greatest mean probability, or the mean.
func (f *Forest) predict(a *frame.Arena, rows int, mean []float64) frame.Array {
	if f.targets.Classes == nil {
		return f.targets.Numbers(rows, mean)
	}
	n, w := len(f.targets.Counts), f.targets.Width
	codes := a.Int32s(rows * n)
	for i := range rows {
		f.targets.Argmax(codes[i*n:(i+1)*n], mean[i*w:(i+1)*w])
	}
	return f.targets.Labels(rows, codes)
}
