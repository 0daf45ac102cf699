package pipeline_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/base/basetest"
	"mizzen.dev/model/frame"
)

// scaler maps x to (x-mean)/2 in n columns.
func scaler(n int, mean float64) *pickle.Object {
	means, scale := make([]float64, n), make([]float64, n)
	for j := range means {
		means[j], scale[j] = mean, 2
	}
	return basetest.Object("sklearn.preprocessing._data.StandardScaler", basetest.Attrs{
		"with_mean": true, "with_std": true, "mean_": basetest.Floats(means...), "scale_": basetest.Floats(scale...),
		"n_features_in_": int64(n), "_sklearn_version": "1.9.1",
	})
}

// sum adds n columns up.
func sum(n int) *pickle.Object {
	coef := make([]float64, n)
	for j := range coef {
		coef[j] = 1
	}
	return basetest.Object("sklearn.linear_model._base.LinearRegression", basetest.Attrs{
		"coef_": basetest.Floats(coef...), "intercept_": 0.0, "n_features_in_": int64(n), "_sklearn_version": "1.9.1",
	})
}

func identity() *pickle.Object {
	return basetest.Object("sklearn.preprocessing._function_transformer.FunctionTransformer", basetest.Attrs{"func": nil, "validate": false})
}

func pipe(ests ...any) *pickle.Object {
	items := make([]any, len(ests))
	for i, e := range ests {
		items[i] = basetest.Tuple("step", e)
	}
	return basetest.Object("sklearn.pipeline.Pipeline", basetest.Attrs{"steps": basetest.List(items...), "memory": nil, "verbose": false})
}

func union(weights *pickle.Dict, pairs ...any) *pickle.Object {
	attrs := basetest.Attrs{"transformer_list": basetest.List(pairs...), "transformer_weights": nil}
	if weights != nil {
		attrs["transformer_weights"] = weights
	}
	return basetest.Object("sklearn.pipeline.FeatureUnion", attrs)
}

func named(name string, est any) any { return basetest.Tuple(name, est) }

func double(name string) *pickle.Dict {
	d := &pickle.Dict{}
	d.Set(name, 2.0)
	return d
}

func TestEvaluate(t *testing.T) {
	tests := map[string]struct {
		model  *pickle.Object
		method frame.Method
		cols   int
		want   []float64
	}{
		"one after another":          {pipe(scaler(2, 1), scaler(2, 0), sum(2)), frame.Predict, 0, []float64{0.25, 1.25}},
		"steps that pass":            {pipe("passthrough", scaler(2, 1), nil, identity(), sum(2)), frame.Predict, 0, []float64{0.5, 2.5}},
		"a last step that passes":    {pipe(scaler(2, 1), "passthrough"), frame.Transform, 2, []float64{0, 0.5, 1, 1.5}},
		"a last step of identity":    {pipe(scaler(2, 1), identity()), frame.Transform, 2, []float64{0, 0.5, 1, 1.5}},
		"nothing but passing":        {pipe("passthrough", identity()), frame.Transform, 2, []float64{1, 2, 3, 4}},
		"pipelines in a pipeline":    {pipe(pipe(identity(), scaler(2, 1)), pipe(pipe(sum(2)))), frame.Predict, 0, []float64{0.5, 2.5}},
		"side by side":               {union(nil, named("a", scaler(2, 1)), named("b", scaler(2, 3))), frame.Transform, 4, []float64{0, 0.5, -1, -0.5, 1, 1.5, 0, 0.5}},
		"side by side, one dropped":  {union(nil, named("a", "drop"), named("b", scaler(2, 3)), named("c", nil)), frame.Transform, 2, []float64{-1, -0.5, 0, 0.5}},
		"side by side, one passes":   {pipe(union(nil, named("a", scaler(2, 1)), named("b", "passthrough")), sum(4)), frame.Predict, 0, []float64{3.5, 9.5}},
		"side by side with a weight": {union(double("b"), named("a", scaler(2, 1)), named("b", identity())), frame.Transform, 4, []float64{0, 0.5, 2, 4, 1, 1.5, 6, 8}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			est, _, err := sklearn.Build(test.model, nil)
			if err != nil {
				t.Fatal(err)
			}
			if outputs := est.Outputs(); len(outputs) != 1 || outputs[0].Method != test.method {
				t.Fatalf("outputs %v, want %v alone", outputs, test.method)
			}
			got, err := basetest.Ask(est, basetest.Numbers([]float64{1, 2}, []float64{3, 4}), test.method)
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

func TestBuildErrors(t *testing.T) {
	unknown := basetest.Object("sklearn.svm._classes.SVC", nil)
	itself := pipe(scaler(2, 1))
	list, _ := itself.Attr("steps")
	list.(*pickle.List).Items = append(list.(*pickle.List).Items, basetest.Tuple("again", itself))
	deep := scaler(1, 1)
	for range base.MaxNesting + 1 {
		deep = pipe(deep)
	}
	tests := map[string]struct {
		model *pickle.Object
		want  string
	}{
		"unknown class":            {pipe(scaler(2, 1), unknown), "Pipeline.steps[1]: sklearn.svm._classes.SVC is not supported; supported are "},
		"widths disagree":          {pipe(scaler(2, 1), sum(3)), "Pipeline: a step takes 3 features, and the one before it answers 2"},
		"predicts in the middle":   {pipe(sum(2), scaler(1, 1)), "Pipeline: steps[0] does not transform"},
		"no steps":                 {pipe(), "Pipeline: has no steps"},
		"not a pair":               {basetest.Object("sklearn.pipeline.Pipeline", basetest.Attrs{"steps": basetest.List("s")}), "steps[0] is a str, expected a name and an estimator"},
		"not an estimator":         {pipe(int64(3)), "steps[0] is an int, expected an estimator"},
		"itself":                   {itself, "the estimator contains itself"},
		"too deep":                 {deep, "estimators are nested more than 64 deep"},
		"union widths disagree":    {union(nil, named("a", scaler(2, 1)), named("b", scaler(3, 1))), "one transformer takes 2 features and another 3"},
		"union of a predictor":     {union(nil, named("a", sum(2))), "transformer_list[0] does not transform"},
		"union of nothing":         {union(nil, named("a", "drop")), "every transformer is dropped"},
		"union of what is no pair": {union(nil, scaler(2, 1)), "transformer_list[0] is a sklearn.preprocessing._data.StandardScaler, expected a name"},
		"first step is unfitted":   {pipe(basetest.Object("sklearn.preprocessing._data.StandardScaler", nil), sum(2)), "Pipeline.steps[0].StandardScaler: attribute"},
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
