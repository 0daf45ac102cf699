package impute_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/base/basetest"
	"mizzen.dev/internal/sklearn/impute"
	"mizzen.dev/model/frame"
)

const (
	simple    = "sklearn.impute._base.SimpleImputer"
	indicator = "sklearn.impute._base.MissingIndicator"
)

var (
	nan  = math.NaN()
	word = frame.String
	none = frame.None()
	null = frame.Float(nan)

	floats  = &npy.Dtype{Kind: 'f', Size: 8}
	objects = &npy.Dtype{Kind: 'O', Size: 8}

	mean = basetest.Attrs{
		"statistics_": basetest.Floats(1.5, -2, nan), "strategy": "mean", "missing_values": nan, "add_indicator": false,
		"indicator_": nil, "_fit_dtype": floats, "n_features_in_": int64(3), "_sklearn_version": "1.9.1",
	}
	frequent = basetest.Attrs{
		"statistics_": basetest.Objects("a", int64(7)), "strategy": "most_frequent", "missing_values": nan, "add_indicator": false,
		"indicator_": nil, "_fit_dtype": objects, "n_features_in_": int64(2), "_sklearn_version": "1.9.1",
	}
)

func flags(features ...int64) *pickle.Object {
	return basetest.Object(indicator, basetest.Attrs{"features_": basetest.Ints(features...)})
}

func TestSimpleImputerOfNumbers(t *testing.T) {
	x := basetest.Numbers([]float64{nan, 5, 8}, []float64{3, nan, nan}, []float64{-1, 0, 9})
	for name, c := range map[string]struct {
		change basetest.Attrs
		cols   int
		want   []float64
	}{
		"a column that fit never saw is left out": {nil, 2, []float64{1.5, 5, 3, -2, -1, 0}},
		"it is kept on demand":                    {basetest.Attrs{"keep_empty_features": true, "statistics_": basetest.Floats(1.5, -2, 0)}, 3, []float64{1.5, 5, 8, 3, -2, 0, -1, 0, 9}},
		"a constant": {basetest.Attrs{"strategy": "constant", "statistics_": basetest.Floats(0, 0, 0)}, 3,
			[]float64{0, 5, 8, 3, 0, 0, -1, 0, 9}},
		"a constant of 1.8": {basetest.Attrs{"strategy": "constant", "statistics_": basetest.Objects(int64(0), int64(0), nan), "_fill_dtype": floats}, 2,
			[]float64{0, 5, 3, 0, -1, 0}},
		"NaN as the constant, before 1.8": {basetest.Attrs{"strategy": "constant", "statistics_": basetest.Floats(nan, 0, 0)}, 3,
			[]float64{nan, 5, 8, 3, 0, 0, -1, 0, 9}},
		"with an indicator": {basetest.Attrs{"add_indicator": true, "indicator_": flags(0, 2)}, 4,
			[]float64{1.5, 5, 1, 0, 3, -2, 0, 1, -1, 0, 0, 0}},
		"pandas.NA": {basetest.Attrs{"missing_values": pickle.Global{Module: "pandas._libs.missing", Name: "NA"}}, 2,
			[]float64{1.5, 5, 3, -2, -1, 0}},
		"fitted by 0.24": {basetest.Attrs{"_fit_dtype": basetest.Gone, "_sklearn_version": "0.24.2"}, 2,
			[]float64{1.5, 5, 3, -2, -1, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, impute.SimpleImputer, simple, mean.With(c.change))
			got, err := basetest.Ask(est, x, frame.Transform)
			if err != nil {
				t.Fatal(err)
			}
			want := frame.Array{Rows: 3, Cols: c.cols, Kind: frame.Float64, Floats: c.want}
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]frame.Output{{Method: frame.Transform, Kind: frame.Float64, Cols: c.cols}}, est.Outputs()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSimpleImputerOfAnotherMarker(t *testing.T) {
	est := basetest.MustBuild(t, impute.SimpleImputer, simple, mean.With(basetest.Attrs{
		"missing_values": int64(-1), "statistics_": basetest.Floats(7, 3, 0),
	}))
	got, err := basetest.Ask(est, basetest.Numbers([]float64{-1, -1, 0}, []float64{3, 4, -1}), frame.Transform)
	if err != nil {
		t.Fatal(err)
	}
	want := frame.Array{Rows: 2, Cols: 3, Kind: frame.Float64, Floats: []float64{7, 3, 0, 3, 4, 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestSimpleImputerOfObjects(t *testing.T) {
	for name, c := range map[string]struct {
		change basetest.Attrs
		row    []frame.Value
		want   []frame.Value
	}{
		"NaN is filled, None is a value":       {nil, []frame.Value{null, none}, []frame.Value{word("a"), none}},
		"numbers stay what they are":           {nil, []frame.Value{word("b"), frame.Bool(true)}, []frame.Value{word("b"), frame.Bool(true)}},
		"None is filled":                       {basetest.Attrs{"missing_values": nil}, []frame.Value{none, frame.Int(3)}, []frame.Value{word("a"), frame.Int(3)}},
		"a word is filled":                     {basetest.Attrs{"missing_values": "?"}, []frame.Value{word("?"), word("?!")}, []frame.Value{word("a"), word("?!")}},
		"numbers are equal as in Python":       {basetest.Attrs{"missing_values": int64(1)}, []frame.Value{frame.Float(1), frame.Bool(true)}, []frame.Value{word("a"), frame.Int(7)}},
		"pandas.NA is both":                    {basetest.Attrs{"missing_values": pickle.Global{Module: "pandas._libs.missing", Name: "NA"}}, []frame.Value{none, null}, []frame.Value{word("a"), frame.Int(7)}},
		"the indicator is made of booleans":    {basetest.Attrs{"add_indicator": true, "indicator_": flags(1)}, []frame.Value{word("b"), null}, []frame.Value{word("b"), frame.Int(7), frame.Bool(true)}},
		"infinity passes among objects":        {nil, []frame.Value{frame.Float(math.Inf(1)), none}, []frame.Value{frame.Float(math.Inf(1)), none}},
		"0.24 shows it by its statistics":      {basetest.Attrs{"_fit_dtype": basetest.Gone}, []frame.Value{null, word("x")}, []frame.Value{word("a"), word("x")}},
		"a column without a value is left out": {basetest.Attrs{"statistics_": basetest.Objects(nan, "z")}, []frame.Value{null, null}, []frame.Value{word("z")}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, impute.SimpleImputer, simple, frequent.With(c.change))
			got, err := basetest.Ask(est, basetest.Cells(c.row), frame.Transform)
			if err != nil {
				t.Fatal(err)
			}
			want := frame.Array{Rows: 1, Cols: len(c.want), Kind: frame.Object, Values: c.want}
			if diff := cmp.Diff(want, got, cmp.AllowUnexported(frame.Value{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestSimpleImputerDescribesItsInput(t *testing.T) {
	est := basetest.MustBuild(t, impute.SimpleImputer, simple, frequent.With(basetest.Attrs{"feature_names_in_": basetest.Objects("port", "deck")}))
	want := base.Input{Width: 2, Features: []frame.Feature{
		{Name: "port", Type: frame.Text, Missing: true, Example: word("a")},
		{Name: "deck", Type: frame.Any, Missing: true, Example: frame.Int(7)},
	}}
	if diff := cmp.Diff(want, est.Input(), cmp.AllowUnexported(frame.Value{})); diff != "" {
		t.Error(diff)
	}
}

func TestSimpleImputerPassesColumns(t *testing.T) {
	est := basetest.MustBuild(t, impute.SimpleImputer, simple, mean.With(basetest.Attrs{
		"statistics_": basetest.Floats(nan, 1, 2), "add_indicator": true, "indicator_": flags(0),
	}))
	if diff := cmp.Diff([]int{1, 2, -1}, est.(base.Passer).Passes()); diff != "" {
		t.Error(diff)
	}
}

func TestSimpleImputerIsNarrowed(t *testing.T) {
	behind := frame.Feature{Name: "port", Type: frame.Text, Closed: true, Categories: []frame.Value{word("C"), word("S")}, Example: word("C")}
	for name, c := range map[string]struct {
		change basetest.Attrs
		want   frame.Feature
	}{
		"NaN may be missing":                    {nil, frame.Feature{Name: "port", Type: frame.Text, Missing: true, Closed: true, Categories: behind.Categories, Example: word("C")}},
		"a marker is one more value":            {basetest.Attrs{"missing_values": "?"}, frame.Feature{Name: "port", Type: frame.Text, Missing: true, Categories: behind.Categories, Example: word("C")}},
		"an imputer of numbers is one of these": {basetest.Attrs{"_fit_dtype": floats, "statistics_": basetest.Floats(1, 2)}, frame.Feature{Name: "port", Type: frame.Number, Missing: true, Closed: true, Categories: behind.Categories, Example: word("C")}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, impute.SimpleImputer, simple, frequent.With(c.change))
			before := est.Input().Features[0]
			got := est.(base.Passer).Narrow([]frame.Feature{behind, behind})
			values := cmp.AllowUnexported(frame.Value{})
			if diff := cmp.Diff(c.want, got.Input().Features[0], values); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff(before, est.Input().Features[0], values); diff != "" {
				t.Errorf("the imputer itself changed: %s", diff)
			}
		})
	}
}

func TestMissingIndicator(t *testing.T) {
	attrs := basetest.Attrs{
		"features_": basetest.Ints(0, 2), "_n_features": int64(3), "n_features_in_": int64(3), "features": "missing-only",
		"missing_values": nan, "error_on_new": true, "sparse": "auto",
	}
	for name, c := range map[string]struct {
		change basetest.Attrs
		x      frame.Frame
		want   frame.Array
	}{
		"those that were missing in fit": {nil, basetest.Numbers([]float64{nan, 1, 2}, []float64{1, 1, nan}),
			frame.Array{Rows: 2, Cols: 2, Kind: frame.Boolean, Bools: []bool{true, false, false, true}}},
		"new ones are not looked at": {basetest.Attrs{"error_on_new": false}, basetest.Numbers([]float64{1, nan, 2}),
			frame.Array{Rows: 1, Cols: 2, Kind: frame.Boolean, Bools: []bool{false, false}}},
		"all": {basetest.Attrs{"features": "all", "features_": basetest.Ints(0, 1, 2)}, basetest.Numbers([]float64{1, nan, 2}),
			frame.Array{Rows: 1, Cols: 3, Kind: frame.Boolean, Bools: []bool{false, true, false}}},
		"another marker": {basetest.Attrs{"missing_values": int64(0)}, basetest.Numbers([]float64{0, 1, 2}),
			frame.Array{Rows: 1, Cols: 2, Kind: frame.Boolean, Bools: []bool{true, false}}},
		"None among words": {basetest.Attrs{"missing_values": nil}, basetest.Cells([]frame.Value{none, word("x"), word("y")}),
			frame.Array{Rows: 1, Cols: 2, Kind: frame.Boolean, Bools: []bool{true, false}}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, impute.MissingIndicator, indicator, attrs.With(c.change))
			got, err := basetest.Ask(est, c.x, frame.Transform)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestImputersRefuseInputs(t *testing.T) {
	mask := basetest.Attrs{
		"features_": basetest.Ints(0), "_n_features": int64(2), "features": "missing-only", "missing_values": nan, "error_on_new": true,
		"feature_names_in_": basetest.Objects("age", "fare"),
	}
	for name, c := range map[string]struct {
		build base.Build
		class string
		attrs basetest.Attrs
		x     frame.Frame
		want  string
	}{
		"infinity":                       {impute.SimpleImputer, simple, mean, basetest.Numbers([]float64{1, math.Inf(1), 2}), "row 0, column 1: SimpleImputer takes no infinity"},
		"a word among numbers":           {impute.SimpleImputer, simple, mean, basetest.Cells([]frame.Value{word("x"), null, null}), `row 0, column 0: expected a number, found "x"`},
		"NaN that is not missing":        {impute.SimpleImputer, simple, mean.With(basetest.Attrs{"missing_values": int64(-1)}), basetest.Numbers([]float64{1, nan, 2}), "row 0, column 1: SimpleImputer takes no missing value (NaN) here; put a SimpleImputer before it, or send a number"},
		"NaN that is not missing, words": {impute.SimpleImputer, simple, frequent.With(basetest.Attrs{"missing_values": "?"}), basetest.Cells([]frame.Value{word("x"), null}), `row 0, column 1: SimpleImputer takes no NaN here: missing_values is "?"`},
		"width":                          {impute.SimpleImputer, simple, frequent, basetest.Numbers([]float64{1}), "the input: has 1 features a row, SimpleImputer takes 2"},
		"mask: missing for the first time": {impute.MissingIndicator, indicator, mask, basetest.Numbers([]float64{1, 1}, []float64{nan, nan}),
			`row 1, column "fare": is missing here, and never was when MissingIndicator was fitted (error_on_new)`},
		"mask: infinity":                {impute.MissingIndicator, indicator, mask, basetest.Numbers([]float64{1, math.Inf(-1)}), "row 0, column 1: MissingIndicator takes no infinity"},
		"mask: NaN that is not missing": {impute.MissingIndicator, indicator, mask.With(basetest.Attrs{"missing_values": int64(0)}), basetest.Numbers([]float64{1, nan}), "row 0, column 1: MissingIndicator takes no NaN here: missing_values is 0"},
		"mask: width":                   {impute.MissingIndicator, indicator, mask, basetest.Numbers([]float64{1}), "the input: has 1 features a row, MissingIndicator takes 2"},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, c.build, c.class, c.attrs)
			_, err := basetest.Ask(est, c.x, frame.Transform)
			var input *frame.InputError
			if !errors.As(err, &input) || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestImputersRefuseFiles(t *testing.T) {
	mask := basetest.Attrs{"features_": basetest.Ints(0), "_n_features": int64(2), "features": "missing-only", "missing_values": nan, "error_on_new": true}
	for name, c := range map[string]struct {
		build base.Build
		attrs basetest.Attrs
		want  string
	}{
		"not fitted":                {impute.SimpleImputer, mean.With(basetest.Attrs{"statistics_": basetest.Gone}), "Imputer: attribute statistics_ is missing: is the model fitted?"},
		"no features":               {impute.SimpleImputer, mean.With(basetest.Attrs{"statistics_": basetest.Floats(), "n_features_in_": int64(0)}), "Imputer: attribute statistics_ is empty"},
		"width differs":             {impute.SimpleImputer, mean.With(basetest.Attrs{"n_features_in_": int64(9)}), "Imputer: n_features_in_ is 9, but the fitted arrays are of 3 features"},
		"flags outside":             {impute.SimpleImputer, mean.With(basetest.Attrs{"add_indicator": true, "indicator_": flags(3)}), "Imputer.indicator_: attribute features_[0] is 3, there are 3 features"},
		"words among numbers":       {impute.SimpleImputer, mean.With(basetest.Attrs{"statistics_": basetest.Objects("x", 1.0, 2.0)}), `Imputer: attribute statistics_[0] is "x", but the imputer was fitted on numbers`},
		"None marks numbers":        {impute.SimpleImputer, mean.With(basetest.Attrs{"missing_values": nil}), "Imputer: missing_values is None, but the imputer was fitted on numbers"},
		"a marker that is a list":   {impute.SimpleImputer, mean.With(basetest.Attrs{"missing_values": basetest.List()}), "Imputer: attribute missing_values: a list is not a plain value"},
		"a function as strategy":    {impute.SimpleImputer, mean.With(basetest.Attrs{"strategy": pickle.Global{Module: "numpy", Name: "max"}}), "Imputer: attribute strategy is numpy.max, expected a string"},
		"the dtype is a word":       {impute.SimpleImputer, mean.With(basetest.Attrs{"_fit_dtype": "f8"}), "Imputer: attribute _fit_dtype is a str, expected a dtype"},
		"mask: a width bomb":        {impute.MissingIndicator, mask.With(basetest.Attrs{"_n_features": int64(1) << 40}), "Imputer: _n_features is 1099511627776; 1 to 65536 features are supported"},
		"mask: a column outside":    {impute.MissingIndicator, mask.With(basetest.Attrs{"features_": basetest.Ints(-1)}), "Imputer: attribute features_[0] is -1, there are 2 features"},
		"mask: widths differ":       {impute.MissingIndicator, mask.With(basetest.Attrs{"n_features_in_": int64(3)}), "Imputer: n_features_in_ is 3, but the fitted arrays are of 2 features"},
		"mask: features are floats": {impute.MissingIndicator, mask.With(basetest.Attrs{"features_": basetest.Floats(1)}), "Imputer: attribute features_: elements of type <f8 are not integers"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := basetest.Build(c.build, "sklearn.impute._base.Imputer", c.attrs)
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestImputersAllocateNothing(t *testing.T) {
	numbers := frame.Matrix(make([]float64, 3*64), 64, 3)
	words := frame.Frame{Rows: 64, Cols: 2, Columns: []frame.Column{{Objects: make([]frame.Value, 64)}, {Objects: make([]frame.Value, 64)}}}
	for name, c := range map[string]struct {
		attrs basetest.Attrs
		x     frame.Frame
	}{"numbers": {mean, numbers}, "objects": {frequent, words}} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, impute.SimpleImputer, simple, c.attrs)
			methods, out := []frame.Method{frame.Transform}, make([]frame.Array, 1)
			var a frame.Arena
			n := testing.AllocsPerRun(100, func() {
				a.Reset()
				if err := est.Evaluate(&a, &c.x, methods, out); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations a call", n)
			}
		})
	}
}
