package compose_test

import (
	"errors"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/base/basetest"
	"mizzen.dev/model/frame"
)

// transformer returns a ColumnTransformer of a data frame with the columns age,
// fare, sex and note, fitted by scikit-learn 1.9.
func transformer(more basetest.Attrs, parts ...any) *pickle.Object {
	return basetest.Object("sklearn.compose._column_transformer.ColumnTransformer", basetest.Attrs{
		"transformers_": basetest.List(parts...), "sparse_output_": false, "n_features_in_": int64(4),
		"feature_names_in_": basetest.Objects("age", "fare", "sex", "note"), "transformer_weights": nil,
		"_sklearn_version": "1.9.1",
	}.With(more))
}

func part(name string, est, columns any) any { return basetest.Tuple(name, est, columns) }

// scaler subtracts 1, 2, 3 ... from n columns.
func scaler(n int) *pickle.Object {
	mean, scale := make([]float64, n), make([]float64, n)
	for j := range mean {
		mean[j], scale[j] = float64(j+1), 1
	}
	return basetest.Object("sklearn.preprocessing._data.StandardScaler", basetest.Attrs{
		"with_mean": true, "with_std": true, "mean_": basetest.Floats(mean...), "scale_": basetest.Floats(scale...),
		"n_features_in_": int64(n), "_sklearn_version": "1.9.1",
	})
}

func oneHot() *pickle.Object {
	return basetest.Object("sklearn.preprocessing._encoders.OneHotEncoder", basetest.Attrs{
		"categories_": basetest.List(basetest.Objects("female", "male")), "handle_unknown": "error", "drop_idx_": nil,
		"dtype": pickle.Global{Module: "numpy", Name: "float64"}, "n_features_in_": int64(1), "_sklearn_version": "1.9.1",
	})
}

func linear(n int) *pickle.Object {
	coef := make([]float64, n)
	for j := range coef {
		coef[j] = 1
	}
	return basetest.Object("sklearn.linear_model._base.LinearRegression", basetest.Attrs{
		"coef_": basetest.Floats(coef...), "intercept_": 0.0, "n_features_in_": int64(n), "_sklearn_version": "1.9.1",
	})
}

func steps(ests ...any) *pickle.Object {
	items := make([]any, len(ests))
	for i, e := range ests {
		items[i] = basetest.Tuple("s", e)
	}
	return basetest.Object("sklearn.pipeline.Pipeline", basetest.Attrs{"steps": basetest.List(items...), "memory": nil, "verbose": false})
}

func build(t *testing.T, v any) base.Estimator {
	t.Helper()
	est, _, err := sklearn.Build(v, nil)
	if err != nil {
		t.Fatal(err)
	}
	return est
}

// rows is a frame with the columns of transformer; note was left out.
func rows() frame.Frame {
	sex := []frame.Value{frame.String("male"), frame.String("female")}
	return frame.Frame{Rows: 2, Cols: 4, Columns: []frame.Column{
		{Floats: []float64{41, 30}}, {Floats: []float64{7.5, 80}}, {Objects: sex}, {},
	}}
}

func TestTransform(t *testing.T) {
	tests := map[string]struct {
		model *pickle.Object
		cols  int
		want  []float64
	}{
		"scaled and encoded": {transformer(nil, part("n", scaler(2), basetest.List("fare", "age")), part("c", oneHot(), basetest.List("sex"))), 4,
			[]float64{6.5, 39, 0, 1, 79, 28, 1, 0}},
		"dropped and passed": {transformer(nil, part("d", "drop", basetest.List("sex")), part("p", "passthrough", basetest.List(int64(1)))), 1,
			[]float64{7.5, 80}},
		"nothing selected": {transformer(nil, part("e", scaler(1), basetest.List()), part("n", scaler(1), basetest.List("age"))), 1,
			[]float64{40, 29}},
		"weights": {transformer(basetest.Attrs{"transformer_weights": weights("n", 2.0, "c", int64(10))}, part("n", scaler(1), basetest.List("age")), part("c", oneHot(), basetest.List("sex"))), 3,
			[]float64{80, 0, 10, 58, 10, 0}},
		"columns of a kind nobody knows": {transformer(basetest.Attrs{"_transformer_to_input_indices": weights("n", basetest.List(int64(1)))}, part("n", scaler(1), basetest.Object("pandas.Index", nil))), 1,
			[]float64{6.5, 79}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := basetest.Ask(build(t, test.model), rows(), frame.Transform)
			if err != nil {
				t.Fatal(err)
			}
			values := make([]float64, got.Rows*got.Width())
			for i := range values {
				values[i], _ = got.At(i).Float64()
			}
			if got.Cols != test.cols {
				t.Errorf("%d columns, want %d", got.Cols, test.cols)
			}
			if diff := cmp.Diff(test.want, values); diff != "" {
				t.Errorf("values (-want +got):\n%s", diff)
			}
		})
	}
}

func weights(pairs ...any) *pickle.Dict {
	d := &pickle.Dict{}
	for i := 0; i < len(pairs); i += 2 {
		d.Set(pairs[i], pairs[i+1])
	}
	return d
}

func TestInput(t *testing.T) {
	male := []frame.Value{frame.String("female"), frame.String("male")}
	number, rest := frame.Feature{Type: frame.Number}, frame.Feature{Type: frame.Any, Missing: true}
	named := func(name string, f frame.Feature) frame.Feature { f.Name = name; return f }
	unused := rest
	unused.Unused = true
	encoded := frame.Feature{Type: frame.Text, Categories: male, Closed: true}
	scaled := number
	scaled.Missing = true
	old := basetest.Attrs{"feature_names_in_": basetest.Gone, "_feature_names_in": basetest.Objects("age", "fare", "sex", "note"), "_sklearn_version": "0.24.2"}
	array := basetest.Attrs{"feature_names_in_": basetest.Gone}
	n, c := part("n", scaler(1), basetest.List(int64(1))), part("c", oneHot(), basetest.List(int64(2)))
	tests := map[string]struct {
		model   *pickle.Object
		want    []frame.Feature
		lenient bool
	}{
		"each its own": {transformer(nil, n, c),
			[]frame.Feature{named("age", unused), named("fare", scaled), named("sex", encoded), named("note", unused)}, true},
		"0.24 looks for every column": {transformer(old, n, c),
			[]frame.Feature{named("age", rest), named("fare", scaled), named("sex", encoded), named("note", rest)}, false},
		"an array of numbers": {transformer(array, n),
			[]frame.Feature{scaled, scaled, scaled, scaled}, false},
		"an array of objects": {transformer(array, n, c),
			[]frame.Feature{rest, scaled, encoded, rest}, false},
		"what passes may be anything": {transformer(nil, n, part("p", "passthrough", basetest.List("age", "note"))),
			[]frame.Feature{named("age", rest), named("fare", scaled), named("sex", unused), named("note", rest)}, true},
		"unless what is behind it takes numbers": {steps(transformer(nil, n, part("p", "passthrough", basetest.List("age"))), linear(2)),
			[]frame.Feature{named("age", number), named("fare", scaled), named("sex", unused), named("note", unused)}, true},
		"through steps that pass": {steps("passthrough", transformer(nil, part("p", "passthrough", basetest.List("age", "sex", "fare"))),
			transformer(basetest.Attrs{"n_features_in_": int64(3), "feature_names_in_": basetest.Objects("a", "b", "c")}, part("n", scaler(1), basetest.List("c")), part("c", oneHot(), basetest.List("b")), part("p", "passthrough", basetest.List("a"))), linear(4)),
			[]frame.Feature{named("age", number), named("fare", scaled), named("sex", encoded), named("note", unused)}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			in := build(t, test.model).Input()
			for i := range in.Features {
				in.Features[i].Example = frame.Value{}
			}
			if diff := cmp.Diff(test.want, in.Features, cmp.Comparer(func(a, b frame.Value) bool { return a == b })); diff != "" {
				t.Errorf("features (-want +got):\n%s", diff)
			}
			if in.ExtraIgnored != test.lenient {
				t.Errorf("ExtraIgnored is %v", in.ExtraIgnored)
			}
		})
	}
}

// TestInputErrors asks with a cell that a part refuses: the error names the
// column of the caller, not of the part.
func TestInputErrors(t *testing.T) {
	n := part("n", scaler(2), basetest.List("fare", "age"))
	c := part("c", oneHot(), basetest.List("sex"))
	bad := rows()
	bad.Columns[2].Objects = []frame.Value{frame.String("male"), frame.String("other")}
	infinite := rows()
	infinite.Columns[0].Floats = []float64{1, math.Inf(1)}
	empty := rows()
	empty.Columns[0].Floats = []float64{1, math.NaN()}
	tests := map[string]struct {
		model *pickle.Object
		x     frame.Frame
		row   int
		col   int
	}{
		"unknown category":               {transformer(nil, n, c), bad, 1, 2},
		"infinity":                       {transformer(nil, n, c), infinite, 1, 0},
		"passed on to what refuses it":   {steps(transformer(nil, part("n", scaler(1), basetest.List("fare")), part("p", "passthrough", basetest.List("age"))), linear(2)), empty, 1, 0},
		"computed before it was refused": {steps(transformer(nil, n, c), linear(4)), empty, 1, -1},
		"width":                          {transformer(nil, n, c), frame.Matrix(make([]float64, 6), 2, 3), -1, -1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			est := build(t, test.model)
			_, err := basetest.Ask(est, test.x, est.Outputs()[0].Method)
			var input *frame.InputError
			if !errors.As(err, &input) {
				t.Fatalf("error %v, want an InputError", err)
			}
			if input.Row != test.row || input.Column != test.col {
				t.Errorf("row %d, column %d, want %d and %d: %v", input.Row, input.Column, test.row, test.col, err)
			}
		})
	}
}

func TestBuildErrors(t *testing.T) {
	n := part("n", scaler(1), basetest.List("age"))
	tests := map[string]struct {
		model *pickle.Object
		want  string
	}{
		"unknown column":        {transformer(nil, part("n", scaler(1), basetest.List("cabin"))), `ColumnTransformer: transformers_[0] (n): column "cabin" is not among`},
		"position out of range": {transformer(nil, part("n", scaler(1), basetest.List(int64(4)))), "column 4 is not among 4 features"},
		"width of a part":       {transformer(nil, part("n", scaler(2), basetest.List("age"))), "transformers_[0] takes 2 features, and 1 columns are selected"},
		"predicting part":       {transformer(nil, part("n", linear(1), basetest.List("age"))), "transformers_[0] does not transform"},
		"unfitted part":         {transformer(nil, part("n", basetest.Object("sklearn.preprocessing._data.StandardScaler", nil), basetest.List("age"))), "ColumnTransformer.transformers_[0].StandardScaler"},
		"everything dropped":    {transformer(nil, part("d", "drop", basetest.List("age"))), "every column is dropped"},
		"not a triple":          {transformer(nil, basetest.Tuple("n", scaler(1))), "transformers_[0] is a tuple, expected a name"},
		"names and width":       {transformer(basetest.Attrs{"n_features_in_": int64(5)}, n), "has 4 feature names, and 5 features"},
		"huge width":            {transformer(basetest.Attrs{"n_features_in_": int64(1 << 40), "feature_names_in_": basetest.Gone}, n), "n_features_in_ is 1099511627776"},
		"negative width":        {transformer(basetest.Attrs{"n_features_in_": int64(-1), "feature_names_in_": basetest.Gone}, n), "n_features_in_ is -1"},
		"weights":               {transformer(basetest.Attrs{"transformer_weights": weights("n", "2")}, n), `transformer_weights["n"] is a str, expected a number`},
		"not fitted":            {transformer(basetest.Attrs{"transformers_": basetest.Gone}), "attribute transformers_ is missing: is the model fitted?"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			_, _, err := sklearn.Build(test.model, nil)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestEvaluateAllocatesNothing(t *testing.T) {
	est := build(t, steps(transformer(nil, part("n", scaler(2), basetest.List("fare", "age")), part("c", oneHot(), basetest.List("sex")), part("p", "passthrough", basetest.List("age"))), linear(5)))
	x, arena, out := rows(), &frame.Arena{}, make([]frame.Array, 1)
	methods := []frame.Method{frame.Predict}
	allocs := testing.AllocsPerRun(100, func() {
		arena.Reset()
		if err := est.Evaluate(arena, &x, methods, out); err != nil {
			t.Fatal(err)
		}
	})
	if allocs != 0 {
		t.Errorf("%v allocations a call", allocs)
	}
}
