package linearmodel_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/sklearn/base/basetest"
	"mizzen.dev/internal/sklearn/linearmodel"
	"mizzen.dev/model/frame"
)

const logistic = "sklearn.linear_model._logistic.LogisticRegression"

var (
	binary = basetest.Attrs{
		"coef_": basetest.Matrix([]float64{2, -1}), "intercept_": basetest.Floats(0.5),
		"classes_": basetest.Objects("no", "yes"), "solver": "lbfgs", "_sklearn_version": "1.9.1",
	}
	ternary = basetest.Attrs{
		"coef_": basetest.Matrix([]float64{1, 0}, []float64{0, 1}, []float64{-1, -1}), "intercept_": basetest.Floats(0, 0, 0),
		"classes_": basetest.Ints(3, 5, 9), "solver": "lbfgs", "_sklearn_version": "1.9.1",
	}
)

func expit(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

func TestLogisticProbabilities(t *testing.T) {
	soft2 := []float64{math.Exp(-2.5) / (math.Exp(-2.5) + math.Exp(2.5)), math.Exp(2.5) / (math.Exp(-2.5) + math.Exp(2.5))}
	sigmoid2 := []float64{1 - expit(2.5), expit(2.5)}
	sum := math.Exp(1) + math.Exp(0) + math.Exp(-1)
	soft3 := []float64{math.Exp(1) / sum, math.Exp(0) / sum, math.Exp(-1) / sum}
	sum = expit(1) + expit(0) + expit(-1)
	rest3 := []float64{expit(1) / sum, expit(0) / sum, expit(-1) / sum}
	for name, c := range map[string]struct {
		attrs  basetest.Attrs
		change basetest.Attrs
		want   []float64
	}{
		"two classes":                          {binary, nil, sigmoid2},
		"two classes, auto":                    {binary, basetest.Attrs{"multi_class": "auto"}, sigmoid2},
		"two classes, ovr":                     {binary, basetest.Attrs{"multi_class": "ovr"}, sigmoid2},
		"two classes, multinomial":             {binary, basetest.Attrs{"multi_class": "multinomial"}, soft2},
		"three classes":                        {ternary, nil, soft3},
		"three classes, auto":                  {ternary, basetest.Attrs{"multi_class": "auto"}, soft3},
		"three classes, deprecated":            {ternary, basetest.Attrs{"multi_class": "deprecated"}, soft3},
		"three classes, ovr":                   {ternary, basetest.Attrs{"multi_class": "ovr"}, rest3},
		"three classes, warn":                  {ternary, basetest.Attrs{"multi_class": "warn"}, rest3},
		"three classes, liblinear":             {ternary, basetest.Attrs{"multi_class": "auto", "solver": "liblinear"}, rest3},
		"three classes, newton-cholesky":       {ternary, basetest.Attrs{"solver": "newton-cholesky"}, soft3},
		"three classes, newton-cholesky, 1.5":  {ternary, basetest.Attrs{"solver": "newton-cholesky", "multi_class": "deprecated", "_sklearn_version": "1.5.2"}, rest3},
		"three classes, newton-cholesky, asks": {ternary, basetest.Attrs{"solver": "newton-cholesky", "multi_class": "multinomial", "_sklearn_version": "1.5.2"}, soft3},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, linearmodel.LogisticRegression, logistic, c.attrs.With(c.change))
			got, err := basetest.Ask(est, basetest.Numbers([]float64{1, 0}), frame.PredictProba)
			if err != nil {
				t.Fatal(err)
			}
			want := frame.Array{Rows: 1, Cols: len(c.want), Kind: frame.Float64, Floats: c.want}
			if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-15, 0)); diff != "" {
				t.Error(diff)
			}
			got, err = basetest.Ask(est, basetest.Numbers([]float64{1, 0}), frame.PredictLogProba)
			if err != nil {
				t.Fatal(err)
			}
			want.Floats = nil
			for _, p := range c.want {
				want.Floats = append(want.Floats, math.Log(p))
			}
			if diff := cmp.Diff(want, got, cmpopts.EquateApprox(1e-13, 0)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLogisticLabelsAndScores(t *testing.T) {
	x := basetest.Numbers([]float64{1, 0}, []float64{0, 0.5}, []float64{-3, 0}, []float64{0, 1})
	for name, c := range map[string]struct {
		attrs  basetest.Attrs
		codes  []int32
		scores frame.Array
	}{
		"a score of 0 is the first class": {binary, []int32{1, 0, 0, 0}, frame.Array{Rows: 4, Kind: frame.Float64, Floats: []float64{2.5, 0, -5.5, -0.5}}},
		"the first of equal scores wins":  {ternary, []int32{0, 1, 2, 1}, frame.Array{Rows: 4, Cols: 3, Kind: frame.Float64, Floats: []float64{1, 0, -1, 0, 0.5, -0.5, -3, 0, 3, 0, 1, -1}}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, linearmodel.LogisticRegression, logistic, c.attrs)
			labels, err := basetest.Ask(est, x, frame.Predict)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.codes, labels.Codes); diff != "" {
				t.Error(diff)
			}
			scores, err := basetest.Ask(est, x, frame.DecisionFunction)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.scores, scores); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLogisticClasses(t *testing.T) {
	for name, c := range map[string]struct {
		classes *npy.Array
		kind    frame.Kind
		second  frame.Value
	}{
		"strings":  {basetest.Objects("no", "yes"), frame.Object, frame.String("yes")},
		"integers": {basetest.Ints(-1, 1), frame.Int64, frame.Int(1)},
		"floats":   {basetest.Floats(0, 1), frame.Float64, frame.Float(1)},
		"booleans": {&npy.Array{Dtype: npy.Dtype{Kind: 'b', Size: 1}, Shape: []int{2}, Data: []byte{0, 1}}, frame.Boolean, frame.Bool(true)},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, linearmodel.LogisticRegression, logistic, binary.With(basetest.Attrs{"classes_": c.classes}))
			got, err := basetest.Ask(est, basetest.Numbers([]float64{1, 0}), frame.Predict)
			if err != nil {
				t.Fatal(err)
			}
			if got.Kind != frame.Label || got.Classes[0].Kind != c.kind || got.At(0) != c.second {
				t.Errorf("got kind %d of classes of kind %d: %v; want %v of kind %d", got.Kind, got.Classes[0].Kind, got.At(0), c.second, c.kind)
			}
		})
	}
}

// Far from every class the one-vs-rest probabilities are all 0.
func TestLogisticNoProbabilityLeft(t *testing.T) {
	third := 1.0 / 3
	for version, want := range map[string][]float64{"1.9.1": {third, third, third}, "1.7.2": {math.NaN(), math.NaN(), math.NaN()}} {
		t.Run(version, func(t *testing.T) {
			est := basetest.MustBuild(t, linearmodel.LogisticRegression, logistic, ternary.With(basetest.Attrs{
				"intercept_": basetest.Floats(-800, -800, -800), "solver": "liblinear", "_sklearn_version": version,
			}))
			got, err := basetest.Ask(est, basetest.Numbers([]float64{0, 0}), frame.PredictProba)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got.Floats, cmpopts.EquateNaNs()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLogisticRefusesFiles(t *testing.T) {
	for name, c := range map[string]struct {
		change basetest.Attrs
		want   string
	}{
		"one class":          {basetest.Attrs{"classes_": basetest.Ints(1)}, "LogisticRegression: coef_ has 1 rows for 1 classes"},
		"three classes":      {basetest.Attrs{"classes_": basetest.Ints(1, 2, 3)}, "LogisticRegression: coef_ has 1 rows for 3 classes"},
		"classes are a dict": {basetest.Attrs{"classes_": 1.5}, "LogisticRegression: attribute classes_: a float is not a list of values"},
		"not fitted":         {basetest.Attrs{"classes_": basetest.Gone}, "LogisticRegression: attribute classes_ is missing: is the model fitted?"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := basetest.Build(linearmodel.LogisticRegression, logistic, binary.With(c.change))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestLogisticRefusesNaN(t *testing.T) {
	est := basetest.MustBuild(t, linearmodel.LogisticRegression, logistic, binary)
	_, err := basetest.Ask(est, basetest.Numbers([]float64{1, 0}, []float64{1, math.NaN()}), frame.Predict)
	var input *frame.InputError
	if !errors.As(err, &input) || input.Row != 1 || input.Column != 1 {
		t.Errorf("got %v, want an InputError at row 1, column 1", err)
	}
}

// go test -bench Logistic ./internal/sklearn/linearmodel
func BenchmarkLogistic(b *testing.B) {
	est := basetest.MustBuild(b, linearmodel.LogisticRegression, logistic, ternary)
	x := frame.Matrix(make([]float64, 64*2), 64, 2)
	methods := []frame.Method{frame.Predict, frame.PredictProba}
	out := make([]frame.Array, 2)
	var a frame.Arena
	b.ReportAllocs()
	for b.Loop() {
		a.Reset()
		if err := est.Evaluate(&a, &x, methods, out); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/row")
}

func TestLogisticAllocatesNothing(t *testing.T) {
	est := basetest.MustBuild(t, linearmodel.LogisticRegression, logistic, ternary)
	x := frame.Matrix(make([]float64, 64*2), 64, 2)
	methods := []frame.Method{frame.Predict, frame.PredictProba, frame.PredictLogProba, frame.DecisionFunction}
	out := make([]frame.Array, len(methods))
	var a frame.Arena
	n := testing.AllocsPerRun(100, func() {
		a.Reset()
		if err := est.Evaluate(&a, &x, methods, out); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a call", n)
	}
}
