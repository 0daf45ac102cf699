package preprocessing_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/base/basetest"
	"mizzen.dev/internal/sklearn/preprocessing"
	"mizzen.dev/model/frame"
)

var (
	standard = basetest.Attrs{
		"with_mean": true, "with_std": true, "n_features_in_": int64(2),
		"mean_": basetest.Floats(1, 10), "scale_": basetest.Floats(2, 5),
	}
	robust = basetest.Attrs{
		"with_centering": true, "with_scaling": true, "n_features_in_": int64(2),
		"center_": basetest.Floats(1, 10), "scale_": basetest.Floats(2, 5),
	}
	minMax = basetest.Attrs{
		"feature_range": basetest.Tuple(int64(-1), int64(1)), "n_features_in_": int64(2),
		"scale_": basetest.Floats(0.5, 2), "min_": basetest.Floats(-1, 0),
	}
)

func TestScalers(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		build base.Build
		attrs basetest.Attrs
		want  []float64
	}{
		"standard":            {preprocessing.StandardScaler, standard, []float64{1, -2, nan, 0}},
		"standard, no mean":   {preprocessing.StandardScaler, standard.With(basetest.Attrs{"with_mean": false}), []float64{1.5, 0, nan, 2}},
		"standard, no std":    {preprocessing.StandardScaler, standard.With(basetest.Attrs{"with_std": false, "scale_": nil}), []float64{2, -10, nan, 0}},
		"standard, neither":   {preprocessing.StandardScaler, standard.With(basetest.Attrs{"with_mean": false, "with_std": false, "mean_": nil, "scale_": nil}), []float64{3, 0, nan, 10}},
		"robust":              {preprocessing.RobustScaler, robust, []float64{1, -2, nan, 0}},
		"robust, no center":   {preprocessing.RobustScaler, robust.With(basetest.Attrs{"with_centering": false, "center_": nil}), []float64{1.5, 0, nan, 2}},
		"minmax":              {preprocessing.MinMaxScaler, minMax, []float64{0.5, 0, nan, 20}},
		"minmax, not clipped": {preprocessing.MinMaxScaler, minMax.With(basetest.Attrs{"clip": false}), []float64{0.5, 0, nan, 20}},
		"minmax, clipped":     {preprocessing.MinMaxScaler, minMax.With(basetest.Attrs{"clip": true}), []float64{0.5, 0, nan, 1}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, c.build, "sklearn.preprocessing._data.Scaler", c.attrs)
			want := frame.Array{Rows: 2, Cols: 2, Kind: frame.Float64, Floats: c.want}
			for form, x := range map[string]frame.Frame{
				"dense":   basetest.Numbers([]float64{3, 0}, []float64{nan, 10}),
				"columns": {Rows: 2, Cols: 2, Columns: []frame.Column{{Floats: []float64{3, nan}}, {Objects: []frame.Value{frame.Bool(false), frame.String("10")}}}},
			} {
				got, err := basetest.Ask(est, x, frame.Transform)
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
					t.Errorf("%s: %s", form, diff)
				}
			}
			if diff := cmp.Diff([]frame.Output{{Method: frame.Transform, Kind: frame.Float64, Cols: 2}}, est.Outputs()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScalersDescribeTheirInput(t *testing.T) {
	for name, c := range map[string]struct {
		center bool
		want   []frame.Value
	}{
		"the mean is an example": {true, []frame.Value{frame.Float(1), frame.Float(10)}},
		"no mean, no example":    {false, []frame.Value{frame.None(), frame.None()}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, preprocessing.StandardScaler, "sklearn.preprocessing._data.StandardScaler", standard.With(basetest.Attrs{
				"with_mean": c.center, "feature_names_in_": basetest.Objects("age", "fare"),
			}))
			want := base.Input{Width: 2, Features: []frame.Feature{
				{Name: "age", Missing: true, Example: c.want[0]}, {Name: "fare", Missing: true, Example: c.want[1]},
			}}
			if diff := cmp.Diff(want, est.Input(), cmp.AllowUnexported(frame.Value{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestScalersRefuseInputs(t *testing.T) {
	est := basetest.MustBuild(t, preprocessing.StandardScaler, "sklearn.preprocessing._data.StandardScaler", standard)
	for name, x := range map[string]frame.Frame{
		"infinity": basetest.Numbers([]float64{1, math.Inf(-1)}),
		"width":    basetest.Numbers([]float64{1}),
		"word":     basetest.Cells([]frame.Value{frame.Int(1), frame.String("x")}),
	} {
		t.Run(name, func(t *testing.T) {
			_, err := basetest.Ask(est, x, frame.Transform)
			var input *frame.InputError
			if !errors.As(err, &input) {
				t.Errorf("got %v, want an InputError", err)
			}
		})
	}
}

func TestScalersRefuseFiles(t *testing.T) {
	for name, c := range map[string]struct {
		build  base.Build
		attrs  basetest.Attrs
		change basetest.Attrs
		want   string
	}{
		"lengths differ":     {preprocessing.StandardScaler, standard, basetest.Attrs{"scale_": basetest.Floats(1)}, "Scaler: attribute scale_ has 1 elements, mean_ has 2"},
		"width differs":      {preprocessing.RobustScaler, robust, basetest.Attrs{"n_features_in_": int64(7)}, "Scaler: n_features_in_ is 7, but the fitted arrays are of 2 features"},
		"not fitted":         {preprocessing.StandardScaler, standard, basetest.Attrs{"mean_": basetest.Gone}, "Scaler: attribute mean_ is missing: is the model fitted?"},
		"a width bomb":       {preprocessing.StandardScaler, standard, basetest.Attrs{"with_mean": false, "with_std": false, "n_features_in_": int64(1) << 50}, "Scaler: n_features_in_ is 1125899906842624; at most 65536 features are supported here"},
		"range of one":       {preprocessing.MinMaxScaler, minMax, basetest.Attrs{"feature_range": basetest.Tuple(1.0)}, "Scaler: attribute feature_range has 1 elements, expected 2"},
		"min and scale":      {preprocessing.MinMaxScaler, minMax, basetest.Attrs{"min_": basetest.Floats(1)}, "Scaler: attribute min_ has 1 elements, expected 2"},
		"flag is no boolean": {preprocessing.RobustScaler, robust, basetest.Attrs{"with_scaling": "yes"}, "Scaler: attribute with_scaling is a str, expected a boolean"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := basetest.Build(c.build, "sklearn.preprocessing._data.Scaler", c.attrs.With(c.change))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestScalerAllocatesNothing(t *testing.T) {
	est := basetest.MustBuild(t, preprocessing.StandardScaler, "sklearn.preprocessing._data.StandardScaler", standard)
	x, out := frame.Matrix(make([]float64, 128), 64, 2), make([]frame.Array, 1)
	methods := []frame.Method{frame.Transform}
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

// go test -bench StandardScaler ./internal/sklearn/preprocessing
func BenchmarkStandardScaler(b *testing.B) {
	const features = 50
	mean, scale := make([]float64, features), make([]float64, features)
	for j := range scale {
		scale[j] = 2
	}
	est := basetest.MustBuild(b, preprocessing.StandardScaler, "sklearn.preprocessing._data.StandardScaler", basetest.Attrs{
		"with_mean": true, "with_std": true, "mean_": basetest.Floats(mean...), "scale_": basetest.Floats(scale...),
	})
	x, out := frame.Matrix(make([]float64, 64*features), 64, features), make([]frame.Array, 1)
	methods := []frame.Method{frame.Transform}
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
