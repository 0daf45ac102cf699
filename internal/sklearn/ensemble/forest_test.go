package ensemble_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/ensemble"
	"mizzen.dev/internal/sklearn/tree/treetest"
	"mizzen.dev/model/frame"
)

func build(obj *pickle.Object) (base.Estimator, *base.Node, error) {
	b := base.Builder{Lookup: func(g pickle.Global) (base.Build, bool) {
		if strings.HasSuffix(g.Name, "Classifier") {
			return ensemble.ForestClassifier, true
		}
		return ensemble.ForestRegressor, true
	}}
	return b.Build(obj)
}

func mustBuild(tb testing.TB, obj *pickle.Object) base.Estimator {
	tb.Helper()
	est, _, err := build(obj)
	if err != nil {
		tb.Fatal(err)
	}
	return est
}

// stump returns a tree over two features which sends x[0] <= 0.5 to node 1, all
// others to node 2, and NaN to node 1.
func stump(class string, weight float64, left, right []float64, classes ...int) *pickle.Object {
	root := treetest.Node{Left: 1, Right: 2, Threshold: 0.5, MissingLeft: true, Weight: 2 * weight, Values: make([]float64, len(left))}
	for i := range left {
		root.Values[i] = left[i] + right[i]
		if weight == 1 { // fractions
			root.Values[i] /= 2
		}
	}
	return treetest.Estimator("sklearn.tree._classes", class, map[string]any{
		"criterion": map[bool]string{true: "gini", false: "squared_error"}[strings.HasSuffix(class, "Classifier")],
		"splitter":  map[bool]string{true: "random", false: "best"}[strings.HasPrefix(class, "Extra")],
		"classes_":  treetest.Floats([]float64{0, 1}, 2), // of the tree's own: nobody asks for them
		"tree_": treetest.Form{}.Tree(2, classes, []treetest.Node{
			root, treetest.Leaf(weight, left...), treetest.Leaf(weight, right...),
		}),
	})
}

// forest returns a forest of trees; attrs come on top of those that it needs.
func forest(class string, trees []any, attrs map[string]any) *pickle.Object {
	all := map[string]any{
		"n_features_in_": int64(2), "n_outputs_": int64(1), "_sklearn_version": "1.7.2",
		"estimators_": &pickle.List{Items: trees},
	}
	if strings.HasSuffix(class, "Classifier") {
		all["n_classes_"], all["classes_"] = int64(2), treetest.Ints(7, 3)
	}
	for k, v := range attrs {
		all[k] = v
	}
	// Members are of the version of their forest.
	for _, t := range trees {
		if obj, ok := t.(*pickle.Object); ok {
			obj.State.(*pickle.Dict).Set("_sklearn_version", all["_sklearn_version"])
		}
	}
	return treetest.Estimator("sklearn.ensemble._forest", class, all)
}

// answer evaluates three rows: one that goes left, one right, one left.
func answer(t *testing.T, est base.Estimator, m frame.Method) string {
	t.Helper()
	x := frame.Matrix([]float64{0.5, 0, 0.51, 0, -1, 0}, 3, 2)
	out := make([]frame.Array, 1)
	if err := est.Evaluate(new(frame.Arena), &x, []frame.Method{m}, out); err != nil {
		t.Fatal(err)
	}
	return cells(out[0])
}

func cells(a frame.Array) string {
	if a.Kind == frame.List {
		var parts []string
		for _, p := range a.Parts {
			parts = append(parts, cells(p))
		}
		return "list of " + strings.Join(parts, ", ")
	}
	var values []string
	for i := range a.Rows * a.Width() {
		values = append(values, a.At(i).String())
	}
	return fmt.Sprintf("(%d,%d) %s", a.Rows, a.Cols, strings.Join(values, " "))
}

func TestForests(t *testing.T) {
	const dtc, dtr, etc = "DecisionTreeClassifier", "DecisionTreeRegressor", "ExtraTreeClassifier"
	// 0.1 + 0.2 + 0.3 is not 0.3 + 0.2 + 0.1, and neither is 0.6.
	thirds := []any{
		stump(dtr, 1, []float64{0.1}, []float64{0.3}, 1),
		stump(dtr, 1, []float64{0.2}, []float64{0.2}, 1),
		stump(dtr, 1, []float64{0.3}, []float64{0.1}, 1),
	}
	for name, c := range map[string]struct {
		forest *pickle.Object
		want   map[frame.Method]string
	}{
		"fractions": {
			forest("RandomForestClassifier", []any{
				stump(dtc, 9, []float64{0.25, 0.75}, []float64{1, 0}, 2),
				stump(dtc, 9, []float64{0.75, 0.25}, []float64{0.5, 0.5}, 2),
			}, nil),
			map[frame.Method]string{
				frame.Predict:         "(3,0) 7 7 7", // of equals the first
				frame.PredictProba:    "(3,2) 0.5 0.5 0.75 0.25 0.5 0.5",
				frame.PredictLogProba: fmt.Sprintf("(3,2) %[1]v %[1]v %[2]v %[3]v %[1]v %[1]v", math.Log(0.5), math.Log(0.75), math.Log(0.25)),
				frame.Apply:           "(3,2) 1 1 2 2 1 1",
			},
		},
		"counts": {
			forest("ExtraTreesClassifier", []any{
				stump(etc, 4, []float64{1, 3}, []float64{4, 0}, 2),
				stump(etc, 8, []float64{2, 6}, []float64{2, 6}, 2),
			}, map[string]any{"_sklearn_version": "1.2.2"}),
			map[frame.Method]string{
				frame.Predict:      "(3,0) 3 7 3",
				frame.PredictProba: "(3,2) 0.25 0.75 0.625 0.375 0.25 0.75",
			},
		},
		"several targets": {
			forest("RandomForestClassifier", []any{stump(dtc, 9, []float64{0.25, 0.75, 0, 0.5, 0.25, 0.25}, []float64{1, 0, 0, 0, 0.5, 0.5}, 2, 3)}, map[string]any{
				"n_outputs_": int64(2), "n_classes_": &pickle.List{Items: []any{int64(2), int64(3)}},
				"classes_": &pickle.List{Items: []any{treetest.Ints(7, 3), treetest.Ints(1, 2, 3)}},
			}),
			map[frame.Method]string{
				frame.Predict:      "(3,2) 3 1 7 2 3 1",
				frame.PredictProba: "list of (3,2) 0.25 0.75 1.0 0.0 0.25 0.75, (3,3) 0.5 0.25 0.25 0.0 0.5 0.5 0.5 0.25 0.25",
				frame.Apply:        "(3,1) 1 2 1",
			},
		},
		"one class": {
			forest("RandomForestClassifier", []any{stump(dtc, 9, []float64{1}, []float64{1}, 1)},
				map[string]any{"n_classes_": int64(1), "classes_": treetest.Objects("only")}),
			map[frame.Method]string{
				frame.Predict:      `(3,0) "only" "only" "only"`,
				frame.PredictProba: "(3,1) 1.0 1.0 1.0",
			},
		},
		"numbers, added in the trees' order": {
			forest("RandomForestRegressor", thirds, nil),
			map[frame.Method]string{
				frame.Predict: "(3,0) 0.20000000000000004 0.19999999999999998 0.20000000000000004",
				frame.Apply:   "(3,3) 1 1 1 2 2 2 1 1 1",
			},
		},
		"rows of numbers": {
			forest("ExtraTreesRegressor", []any{
				stump("ExtraTreeRegressor", 1, []float64{1, 10}, []float64{2, 20}, 1, 1),
				stump("ExtraTreeRegressor", 1, []float64{3, 30}, []float64{4, 40}, 1, 1),
			}, map[string]any{"n_outputs_": int64(2)}),
			map[frame.Method]string{frame.Predict: "(3,2) 2.0 20.0 3.0 30.0 2.0 20.0"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			est := mustBuild(t, c.forest)
			for m, want := range c.want {
				if got := answer(t, est, m); got != want {
					t.Errorf("%s\ngot  %s\nwant %s", m, got, want)
				}
				out, ok := base.Output(est, m)
				if !ok || out.Kind != frame.List && !strings.HasPrefix(want, fmt.Sprintf("(3,%d)", out.Cols)) {
					t.Errorf("%s is described as %+v", m, out)
				}
			}
		})
	}
}

// NaN is for the first tree to allow, and for forests from 1.4 on; it goes where
// the nodes say.
func TestMissingValues(t *testing.T) {
	for name, c := range map[string]struct {
		class, tree, version string
		want                 bool
	}{
		"1.3":        {"RandomForestClassifier", "DecisionTreeClassifier", "1.3.2", false},
		"1.4":        {"RandomForestClassifier", "DecisionTreeClassifier", "1.4.2", true},
		"1.4, extra": {"ExtraTreesClassifier", "ExtraTreeClassifier", "1.4.2", false},
		"1.6, extra": {"ExtraTreesClassifier", "ExtraTreeClassifier", "1.6.1", true},
	} {
		t.Run(name, func(t *testing.T) {
			trees := []any{stump(c.tree, 9, []float64{1, 0}, []float64{0, 1}, 2)}
			est := mustBuild(t, forest(c.class, trees, map[string]any{"_sklearn_version": c.version}))
			if got := est.Input().Features[1].Missing; got != c.want {
				t.Fatalf("takes NaN: %v, want %v", got, c.want)
			}
			x := frame.Matrix([]float64{1, 0, math.NaN(), math.NaN()}, 2, 2)
			out := make([]frame.Array, 1)
			err := est.Evaluate(new(frame.Arena), &x, []frame.Method{frame.Apply}, out)
			var input *frame.InputError
			switch {
			case !c.want && (!errors.As(err, &input) || input.Row != 1 || input.Column != 0):
				t.Errorf("error %v, want one about row 1, column 0", err)
			case c.want && (err != nil || cells(out[0]) != "(2,1) 2 1"):
				t.Errorf("apply answers %s, %v", cells(out[0]), err)
			}
		})
	}
}

func TestForestsThatAreRefused(t *testing.T) {
	good := func() *pickle.Object { return stump("DecisionTreeClassifier", 9, []float64{1, 0}, []float64{0, 1}, 2) }
	// alias is another tree over the same nodes.
	alias := func(of *pickle.Object) *pickle.Object {
		copied := good()
		nodes, _ := treeOf(of).Attr("nodes")
		treeOf(copied).State.(*pickle.Dict).Set("nodes", nodes)
		return copied
	}
	first := good()
	for name, c := range map[string]struct {
		trees any
		want  string
	}{
		"no trees":          {&pickle.List{}, "RandomForestClassifier: estimators_ is empty"},
		"no list":           {int64(3), "attribute estimators_ is an int, expected a list"},
		"no estimator":      {&pickle.List{Items: []any{good(), int64(3)}}, "estimators_[1] is an int, expected an estimator"},
		"a regressor":       {&pickle.List{Items: []any{stump("DecisionTreeRegressor", 1, []float64{1}, []float64{0}, 1)}}, "estimators_[0].DecisionTreeRegressor: is no tree of this kind of forest"},
		"no tree":           {&pickle.List{Items: []any{treetest.Estimator("sklearn.svm._classes", "DecisionTreeClassifier", nil)}}, "is no tree of this kind of forest"},
		"other classes":     {&pickle.List{Items: []any{good(), stump("DecisionTreeClassifier", 9, []float64{1, 0, 0}, []float64{0, 1, 0}, 3)}}, "estimators_[1].DecisionTreeClassifier.tree_: has n_classes [3], the estimator has [2]"},
		"the same tree":     {&pickle.List{Items: []any{first, first}}, "estimators_[1].DecisionTreeClassifier.tree_: nodes: they are those of another tree too"},
		"of the same nodes": {&pickle.List{Items: []any{first, alias(first)}}, "nodes: they are those of another tree too"},
		"not a tree": {&pickle.List{Items: []any{good(), func() *pickle.Object {
			o := good()
			*treeOf(o) = *treetest.Form{}.Tree(2, []int{2}, []treetest.Node{{Left: 0, Right: 0, Values: []float64{1, 1}}})
			return o
		}()}}, "estimators_[1].DecisionTreeClassifier: tree_: node 0 has the root for a child"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := build(forest("RandomForestClassifier", nil, map[string]any{"estimators_": c.trees}))
			var typed *base.Error
			if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func treeOf(estimator *pickle.Object) *pickle.Object {
	v, _ := estimator.Attr("tree_")
	return v.(*pickle.Object)
}

func TestDetails(t *testing.T) {
	_, node, err := build(forest("RandomForestClassifier", []any{
		stump("DecisionTreeClassifier", 9, []float64{1, 0}, []float64{0, 1}, 2),
		stump("DecisionTreeClassifier", 9, []float64{1, 0}, []float64{0, 1}, 2),
	}, nil))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, d := range node.Details {
		got[d.Name] = d.Value
	}
	if bytes, _ := got["memory"].(int); bytes < 6*8 {
		t.Errorf("memory is %v", got["memory"])
	}
	delete(got, "memory")
	want := map[string]any{"trees": 2, "nodes": 6, "leaves": 4, "max depth": 1, "features": 2, "classes": 2}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

// A request allocates nothing once its arena has grown.
func TestEvaluateAllocatesNothing(t *testing.T) {
	est := mustBuild(t, synthetic(50, 20, 6, 3))
	methods := []frame.Method{frame.Predict, frame.PredictProba, frame.PredictLogProba, frame.Apply}
	out := make([]frame.Array, len(methods))
	x := frame.Matrix(make([]float64, 6*30), 30, 6)
	var a frame.Arena
	allocs := testing.AllocsPerRun(10, func() {
		a.Reset()
		if err := est.Evaluate(&a, &x, methods, out); err != nil {
			t.Fatal(err)
		}
	})
	if allocs > 0 {
		t.Errorf("%v allocations a call", allocs)
	}
}
