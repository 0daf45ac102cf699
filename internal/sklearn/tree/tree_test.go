package tree_test

import (
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/tree"
	"mizzen.dev/internal/sklearn/tree/treetest"
	"mizzen.dev/model/frame"
)

const module = "sklearn.tree._classes"

func build(obj *pickle.Object) (base.Estimator, *base.Node, error) {
	b := base.Builder{Lookup: func(g pickle.Global) (base.Build, bool) {
		if tree.IsMember(g, true) {
			return tree.Classifier, true
		}
		return tree.Regressor, tree.IsMember(g, false)
	}}
	return b.Build(obj)
}

func mustBuild(t *testing.T, obj *pickle.Object) base.Estimator {
	t.Helper()
	est, _, err := build(obj)
	if err != nil {
		t.Fatal(err)
	}
	return est
}

// nodes is a tree of five nodes over two features, numbered unlike any order in
// which it is walked:
//
//	x[1] <= 0.1 ? node 3 : (x[0] <= -1 ? node 4 : node 2), NaN left and right
func nodes(leaf3, leaf4, leaf2 []float64) []treetest.Node {
	weight := func(v []float64) (w float64) {
		for _, x := range v {
			w += x
		}
		return w
	}
	total := make([]float64, len(leaf3))
	for i := range total {
		total[i] = leaf3[i] + leaf4[i] + leaf2[i]
	}
	return []treetest.Node{
		{Left: 3, Right: 1, Feature: 1, Threshold: 0.1, MissingLeft: true, Weight: weight(total), Values: total},
		{Left: 4, Right: 2, Feature: 0, Threshold: -1, Weight: 5, Values: total},
		treetest.Leaf(weight(leaf2), leaf2...),
		treetest.Leaf(weight(leaf3), leaf3...),
		treetest.Leaf(weight(leaf4), leaf4...),
	}
}

// classifier returns the attributes of a classifier over three classes whose
// leaves hold counts.
func classifier() map[string]any {
	return map[string]any{
		"n_features_in_": int64(2), "n_outputs_": int64(1), "n_classes_": int64(3), "classes_": treetest.Ints(5, -7, 9),
		"criterion": "gini", "splitter": "best", "_sklearn_version": "1.3.2",
		"tree_": treetest.Form{}.Tree(2, []int{3}, nodes([]float64{1, 4, 4}, []float64{0, 0, 3}, []float64{6, 0, 1})),
	}
}

func evaluate(t *testing.T, est base.Estimator, m frame.Method, rows ...float64) frame.Array {
	t.Helper()
	w := est.Input().Width
	x := frame.Matrix(rows, len(rows)/w, w)
	var a frame.Arena
	out := make([]frame.Array, 1)
	if err := est.Evaluate(&a, &x, []frame.Method{m}, out); err != nil {
		t.Fatal(err)
	}
	return out[0]
}

// cells returns an answer's shape and values.
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

// Rows that end in node 3, 4 and 2; 0.1 as float32 is greater than the threshold.
var three = []float64{0, 0.09999999, -1, 0.2, 0, 0.1}

func TestClassifier(t *testing.T) {
	est := mustBuild(t, treetest.Estimator(module, "DecisionTreeClassifier", classifier()))
	for m, want := range map[frame.Method]string{
		frame.Predict:      "(3,0) -7 9 5", // of equal counts the first
		frame.PredictProba: "(3,3) 0.1111111111111111 0.4444444444444444 0.4444444444444444 0.0 0.0 1.0 0.8571428571428571 0.0 0.14285714285714285",
		frame.Apply:        "(3,0) 3 4 2",
	} {
		t.Run(m.String(), func(t *testing.T) {
			if got := cells(evaluate(t, est, m, three...)); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
		})
	}
	proba, logs := evaluate(t, est, frame.PredictProba, three...), evaluate(t, est, frame.PredictLogProba, three...)
	for i, p := range proba.Floats {
		if got := logs.Floats[i]; got != math.Log(p) {
			t.Errorf("the logarithm of %v is %v", p, got)
		}
	}
	if diff := cmp.Diff([]string{"predict", "predict_proba", "predict_log_proba", "apply"}, methods(est)); diff != "" {
		t.Errorf("methods (-want +got):\n%s", diff)
	}
}

func methods(est base.Estimator) (names []string) {
	for _, o := range est.Outputs() {
		names = append(names, o.Method.String())
	}
	return names
}

func TestAllMethodsAtOnce(t *testing.T) {
	est := mustBuild(t, treetest.Estimator(module, "DecisionTreeClassifier", classifier()))
	ask := []frame.Method{frame.Apply, frame.PredictLogProba, frame.Predict, frame.PredictProba}
	out := make([]frame.Array, len(ask))
	var a frame.Arena
	x := frame.Matrix(three, 3, 2)
	if err := est.Evaluate(&a, &x, ask, out); err != nil {
		t.Fatal(err)
	}
	for i, m := range ask {
		if got, want := cells(out[i]), cells(evaluate(t, est, m, three...)); got != want {
			t.Errorf("%s among others answers %s, alone %s", m, got, want)
		}
	}
}

// The fields of nodes are found by name, whatever machine and version wrote them.
func TestForms(t *testing.T) {
	for name, form := range map[string]treetest.Form{
		"since 1.3":  {},
		"before 1.3": {NoMissing: true},
		"32 bits":    {Small: true},
		"big endian": {BigEndian: true},
		"old, small": {NoMissing: true, Small: true, BigEndian: true},
	} {
		t.Run(name, func(t *testing.T) {
			attrs := classifier()
			attrs["tree_"] = form.Tree(2, []int{3}, nodes([]float64{1, 4, 4}, []float64{0, 0, 3}, []float64{6, 0, 1}))
			est := mustBuild(t, treetest.Estimator(module, "ExtraTreeClassifier", attrs))
			if got := cells(evaluate(t, est, frame.Apply, three...)); got != "(3,0) 3 4 2" {
				t.Errorf("apply answers %s", got)
			}
		})
	}
}

// A tree tells by itself whether its leaves hold counts, which predict_proba
// divides by their sum, or fractions, which it leaves as they are: these do not
// add up to 1 in the last bit.
func TestCountsAndFractions(t *testing.T) {
	fractions := []float64{0.1, 0.7, 0.200000000001}
	tree := func(weights [3]float64, leaf []float64) []treetest.Node {
		return []treetest.Node{
			{Left: 1, Right: 2, Weight: weights[0], Values: leaf},
			treetest.Leaf(weights[1], leaf...), treetest.Leaf(weights[2], leaf...),
		}
	}
	divided := "(1,3) 0.09999999999990002 0.6999999999993001 0.2000000000008"
	whole := "(1,3) 0.1 0.7 0.200000000001"
	for name, c := range map[string]struct {
		version string
		nodes   []treetest.Node
		want    string
	}{
		"fractions":                    {"1.9.1", tree([3]float64{20, 10, 10}, fractions), whole},
		"fractions, though it is old":  {"1.2.2", tree([3]float64{20, 10, 10}, fractions), whole},
		"counts":                       {"1.2.2", tree([3]float64{30, 10, 10}, []float64{3, 21, 6}), "(1,3) 0.1 0.7 0.2"},
		"counts, though it is new":     {"1.9.1", tree([3]float64{30, 10, 10}, []float64{3, 21, 6}), "(1,3) 0.1 0.7 0.2"},
		"weights that add up to 1":     {"1.9.1", tree([3]float64{1, 0.5, 0.5}, fractions), whole},
		"counts that add up to 1":      {"1.2.2", tree([3]float64{1, 0.25, 0.75}, []float64{0.025, 0.175, 0.05}), "(1,3) 0.1 0.7 0.2"},
		"every weight is 1, it is new": {"1.5.2", tree([3]float64{1, 1, 1}, fractions), whole},
		"every weight is 1, it is old": {"1.3.2", tree([3]float64{1, 1, 1}, fractions), divided},
		"no sample in a leaf of counts": {"1.2.2", []treetest.Node{
			{Left: 1, Right: 2, Weight: 10, Values: []float64{1, 7, 2}}, treetest.Leaf(0, 0, 0, 0), treetest.Leaf(10, 1, 7, 2),
		}, "(1,3) 0.0 0.0 0.0"},
		"no sample among fractions: NaN": {"1.9.1", tree([3]float64{0, 0, 0}, []float64{math.NaN(), math.NaN(), math.NaN()}), "(1,3) nan nan nan"},
	} {
		t.Run(name, func(t *testing.T) {
			attrs := classifier()
			attrs["_sklearn_version"] = c.version
			attrs["tree_"] = treetest.Form{}.Tree(2, []int{3}, c.nodes)
			est := mustBuild(t, treetest.Estimator(module, "DecisionTreeClassifier", attrs))
			if got := cells(evaluate(t, est, frame.PredictProba, 0, 0)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
}

// Of equals the first is taken; NaN is the greatest, as numpy has it.
func TestArgmax(t *testing.T) {
	targets := tree.Targets{Counts: []int{3, 2}}
	for name, c := range map[string]struct {
		values []float64
		want   []int32
	}{
		"greatest":  {[]float64{1, 3, 2, 4, 5}, []int32{1, 1}},
		"ties":      {[]float64{1, 3, 3, 4, 4}, []int32{1, 0}},
		"zeros":     {[]float64{0, math.Copysign(0, -1), 0, 0, 0}, []int32{0, 0}},
		"NaN":       {[]float64{9, math.NaN(), math.Inf(1), 1, math.NaN()}, []int32{1, 1}},
		"NaN first": {[]float64{math.NaN(), math.NaN(), 9, math.NaN(), 1}, []int32{0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			got := make([]int32, 2)
			if targets.Argmax(got, c.values); !cmp.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

func TestLabels(t *testing.T) {
	strings := &npy.Array{Dtype: npy.Dtype{Kind: 'U', Size: 4}, Shape: []int{3}, Data: []byte("a\x00\x00\x00\xe9\x00\x00\x00c\x00\x00\x00")}
	bools := &npy.Array{Dtype: npy.Dtype{Kind: 'b', Size: 1}, Shape: []int{2}, Data: []byte{0, 1}}
	for name, c := range map[string]struct {
		classes *npy.Array
		kind    frame.Kind
		want    string
	}{
		"integers": {treetest.Ints(5, -7, 9), frame.Int64, `(3,0) -7 9 5`},
		"floats":   {treetest.Floats([]float64{1, 2, 3.5}, 3), frame.Float64, `(3,0) 2.0 3.5 1.0`},
		"strings":  {strings, frame.Object, `(3,0) "é" "c" "a"`},
		"objects":  {treetest.Objects("x", int64(2), nil), frame.Object, `(3,0) 2 None "x"`},
		"booleans": {bools, frame.Boolean, `(3,0) True True False`},
	} {
		t.Run(name, func(t *testing.T) {
			attrs := classifier()
			n := c.classes.Len()
			attrs["classes_"], attrs["n_classes_"] = c.classes, int64(n)
			leaf := func(v ...float64) []float64 { return v[:n] }
			attrs["tree_"] = treetest.Form{}.Tree(2, []int{n}, nodes(leaf(1, 4, 4), leaf(0, 1, 3), leaf(6, 0, 1)))
			est := mustBuild(t, treetest.Estimator(module, "DecisionTreeClassifier", attrs))
			if got := cells(evaluate(t, est, frame.Predict, three...)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if out := est.Outputs()[0]; out.Kind != frame.Label || out.Classes[0].Kind != c.kind {
				t.Errorf("predict is described as %+v", out)
			}
		})
	}
}

// Targets have different numbers of classes; the array of values is padded.
func TestMultiOutputClassifier(t *testing.T) {
	attrs := classifier()
	attrs["n_outputs_"] = int64(2)
	attrs["classes_"] = &pickle.List{Items: []any{treetest.Ints(5, -7, 9), treetest.Ints(0, 1)}}
	attrs["n_classes_"] = treetest.Ints(3, 2)
	both := nodes([]float64{1, 0, 3, 3, 1, 0}, []float64{0, 2, 0, 0, 2, 0}, []float64{4, 0, 0, 4, 0, 0})
	for i := range both {
		both[i].Weight /= 2 // each sample counts for both targets
	}
	attrs["tree_"] = treetest.Form{}.Tree(2, []int{3, 2}, both)
	est := mustBuild(t, treetest.Estimator(module, "DecisionTreeClassifier", attrs))
	for m, want := range map[frame.Method]string{
		frame.Predict:      "(3,2) 9 0 -7 1 5 0",
		frame.PredictProba: "list of (3,3) 0.25 0.0 0.75 0.0 1.0 0.0 1.0 0.0 0.0, (3,2) 0.75 0.25 0.0 1.0 1.0 0.0",
		frame.Apply:        "(3,0) 3 4 2",
	} {
		if got := cells(evaluate(t, est, m, three...)); got != want {
			t.Errorf("%s: got %s, want %s", m, got, want)
		}
	}
	if out := est.Outputs(); out[0].Cols != 2 || out[1].Kind != frame.List || len(out[1].Classes) != 2 {
		t.Errorf("outputs are described as %+v", out)
	}
}

func TestRegressor(t *testing.T) {
	for name, c := range map[string]struct {
		outputs int
		nodes   []treetest.Node
		want    string
	}{
		"one target":  {1, nodes([]float64{0.1}, []float64{-2}, []float64{1e300}), "(3,0) 0.1 -2.0 1e+300"},
		"two targets": {2, nodes([]float64{0.1, 1}, []float64{-2, 2}, []float64{0, 3}), "(3,2) 0.1 1.0 -2.0 2.0 0.0 3.0"},
	} {
		t.Run(name, func(t *testing.T) {
			classes := []int{1, 1}[:c.outputs]
			est := mustBuild(t, treetest.Estimator(module, "DecisionTreeRegressor", map[string]any{
				"n_features_in_": int64(2), "n_outputs_": int64(c.outputs), "tree_": treetest.Form{}.Tree(2, classes, c.nodes),
			}))
			if got := cells(evaluate(t, est, frame.Predict, three...)); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
			if diff := cmp.Diff([]string{"predict", "apply"}, methods(est)); diff != "" {
				t.Errorf("methods (-want +got):\n%s", diff)
			}
		})
	}
}

// Which trees take NaN, by version: what scikit-learn's own _validate_X_predict
// lets through.
func TestMissingValues(t *testing.T) {
	for name, c := range map[string]struct {
		class, version, splitter, criterion string
		monotonic                           any
		form                                treetest.Form
		want                                bool
	}{
		"1.2":                        {"DecisionTreeClassifier", "1.2.2", "best", "gini", nil, treetest.Form{}, false},
		"1.3":                        {"DecisionTreeClassifier", "1.3.0", "best", "gini", nil, treetest.Form{}, true},
		"1.3, entropy":               {"DecisionTreeClassifier", "1.3.0", "best", "entropy", nil, treetest.Form{}, true},
		"1.3, random":                {"DecisionTreeClassifier", "1.3.2", "random", "gini", nil, treetest.Form{}, false},
		"1.6, random":                {"DecisionTreeClassifier", "1.6.1", "random", "gini", nil, treetest.Form{}, true},
		"1.5, extra":                 {"ExtraTreeClassifier", "1.5.2", "random", "gini", nil, treetest.Form{}, false},
		"1.6, extra":                 {"ExtraTreeClassifier", "1.6.1", "random", "gini", nil, treetest.Form{}, true},
		"1.6, extra and best":        {"ExtraTreeClassifier", "1.6.1", "best", "gini", nil, treetest.Form{}, false},
		"1.8, extra and best, reg.":  {"ExtraTreeRegressor", "1.8.0", "best", "squared_error", nil, treetest.Form{}, true},
		"1.9, extra and best, reg.":  {"ExtraTreeRegressor", "1.9.1", "best", "squared_error", nil, treetest.Form{}, false},
		"1.8, monotonic":             {"DecisionTreeClassifier", "1.8.0", "best", "gini", treetest.Ints(1, 0), treetest.Form{}, false},
		"1.9, monotonic":             {"DecisionTreeClassifier", "1.9.1", "best", "gini", treetest.Ints(1, 0), treetest.Form{}, true},
		"1.8, absolute error":        {"DecisionTreeRegressor", "1.8.0", "best", "absolute_error", nil, treetest.Form{}, false},
		"1.9, absolute error":        {"DecisionTreeRegressor", "1.9.1", "best", "absolute_error", nil, treetest.Form{}, true},
		"1.4, poisson":               {"DecisionTreeRegressor", "1.4.2", "best", "poisson", nil, treetest.Form{}, true},
		"a classifier's in a reg.":   {"DecisionTreeRegressor", "1.4.2", "best", "gini", nil, treetest.Form{}, false},
		"a reg.'s in a classifier":   {"DecisionTreeClassifier", "1.4.2", "best", "squared_error", nil, treetest.Form{}, false},
		"no version, old nodes":      {"DecisionTreeClassifier", "", "best", "gini", nil, treetest.Form{NoMissing: true}, false},
		"1.10, which is not 1.1":     {"DecisionTreeClassifier", "1.10.0", "best", "gini", nil, treetest.Form{}, true},
		"old trees cannot go wrong ": {"DecisionTreeRegressor", "0.24.2", "best", "mse", nil, treetest.Form{NoMissing: true}, false},
	} {
		t.Run(name, func(t *testing.T) {
			leaf := []float64{2}
			attrs := map[string]any{
				"n_features_in_": int64(2), "n_outputs_": int64(1), "n_classes_": int64(1), "classes_": treetest.Ints(4),
				"splitter": c.splitter, "criterion": c.criterion, "monotonic_cst": c.monotonic, "_sklearn_version": c.version,
				"tree_": c.form.Tree(2, []int{1}, nodes(leaf, leaf, leaf)),
			}
			est := mustBuild(t, treetest.Estimator(module, c.class, attrs))
			if got := est.Input().Features[0].Missing; got != c.want {
				t.Fatalf("takes NaN: %v, want %v", got, c.want)
			}
			nan := math.NaN()
			x := frame.Matrix([]float64{0, nan, nan, 0, nan, 1, -3, 1}, 4, 2)
			out := make([]frame.Array, 1)
			err := est.Evaluate(new(frame.Arena), &x, []frame.Method{frame.Apply}, out)
			var input *frame.InputError
			switch {
			case !c.want && (!errors.As(err, &input) || input.Row != 0 || input.Column != 1):
				t.Errorf("error %v, want one about row 0, column 1", err)
			case c.want && err != nil:
				t.Error(err)
			case c.want && cells(out[0]) != "(4,0) 3 3 2 4": // left at the root, right at node 1
				t.Errorf("apply answers %s", cells(out[0]))
			}
		})
	}
}

func TestInputsThatAreRefused(t *testing.T) {
	est := mustBuild(t, treetest.Estimator(module, "DecisionTreeClassifier", classifier()))
	for name, c := range map[string]struct {
		x    frame.Frame
		want string
	}{
		"wrong width":       {frame.Matrix(make([]float64, 3), 1, 3), "the input: has 3 features a row, DecisionTreeClassifier takes 2"},
		"infinity":          {frame.Matrix([]float64{0, 0, math.Inf(-1), 0}, 2, 2), "row 1, column 0: DecisionTreeClassifier takes no infinity"},
		"beyond float32":    {frame.Matrix([]float64{0, 1e39}, 1, 2), "row 0, column 1: 1e+39 is too large"},
		"rounds to maximum": {frame.Matrix([]float64{0, math.MaxFloat32 * (1 + 1e-9)}, 1, 2), ""},
	} {
		t.Run(name, func(t *testing.T) {
			err := est.Evaluate(new(frame.Arena), &c.x, []frame.Method{frame.Predict}, make([]frame.Array, 1))
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

func TestDetails(t *testing.T) {
	_, node, err := build(treetest.Estimator(module, "DecisionTreeClassifier", classifier()))
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, d := range node.Details {
		got[d.Name] = d.Value
	}
	if bytes, _ := got["memory"].(int); bytes < 5*8 {
		t.Errorf("memory is %v", got["memory"])
	}
	delete(got, "memory")
	want := map[string]any{"nodes": 5, "leaves": 3, "max depth": 2, "features": 2, "classes": 3}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}
