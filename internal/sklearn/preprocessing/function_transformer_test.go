package preprocessing_test

import (
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/base/basetest"
	"mizzen.dev/internal/sklearn/preprocessing"
	"mizzen.dev/model/frame"
)

const function = "sklearn.preprocessing._function_transformer.FunctionTransformer"

var identity = basetest.Attrs{"func": nil, "validate": false, "n_features_in_": int64(2)}

func TestIdentity(t *testing.T) {
	est := basetest.MustBuild(t, preprocessing.FunctionTransformer, function, identity)
	if !base.Identity(est) {
		t.Error("is no identity")
	}
	for name, c := range map[string]struct{ x, want any }{
		"numbers of any width": {basetest.Numbers([]float64{1, 2, math.Inf(1)}), frame.Array{Rows: 1, Cols: 3, Kind: frame.Float64, Floats: []float64{1, 2, math.Inf(1)}}},
		"objects":              {basetest.Cells([]frame.Value{frame.String("a"), frame.None()}), frame.Array{Rows: 1, Cols: 2, Kind: frame.Object, Values: []frame.Value{frame.String("a"), frame.None()}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := basetest.Ask(est, c.x.(frame.Frame), frame.Transform)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(frame.Value{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestValidatedIdentity(t *testing.T) {
	for name, c := range map[string]struct {
		version string
		x       frame.Frame
		ok      bool
	}{
		"numbers":                     {"1.9.1", basetest.Numbers([]float64{1, 2}), true},
		"another width":               {"1.9.1", basetest.Numbers([]float64{1, 2, 3}), false},
		"another width, 0.24":         {"0.24.2", basetest.Numbers([]float64{1, 2, 3}), true},
		"NaN":                         {"1.9.1", basetest.Numbers([]float64{1, math.NaN()}), false},
		"infinity":                    {"1.9.1", basetest.Numbers([]float64{1, math.Inf(1)}), false},
		"a word":                      {"1.9.1", basetest.Cells([]frame.Value{frame.Int(1), frame.String("a")}), false},
		"a number written as a word":  {"1.9.1", basetest.Cells([]frame.Value{frame.Int(1), frame.String("2")}), true},
		"a word and another width":    {"0.24.2", basetest.Cells([]frame.Value{frame.String("a")}), false},
		"infinity and another width":  {"0.24.2", basetest.Numbers([]float64{math.Inf(1)}), false},
		"no more than numbers needed": {"0.24.2", basetest.Numbers([]float64{7}), true},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, preprocessing.FunctionTransformer, function, identity.With(basetest.Attrs{"validate": true, "_sklearn_version": c.version}))
			if base.Identity(est) {
				t.Error("passes for an identity")
			}
			_, err := basetest.Ask(est, c.x, frame.Transform)
			var input *frame.InputError
			if c.ok && err != nil || !c.ok && !errors.As(err, &input) {
				t.Errorf("got %v; accepted: want %v", err, c.ok)
			}
		})
	}
}

func TestFunctionsAreRefusedByName(t *testing.T) {
	for name, c := range map[string]struct {
		f    any
		want string
	}{
		"a ufunc":               {pickle.Global{Module: "numpy", Name: "log1p"}, "FunctionTransformer.func: numpy.log1p is not supported; Mizzen never runs the functions that a file names: FunctionTransformer is supported without func"},
		"a ufunc of NumPy 1.19": {&pickle.Object{Class: pickle.Global{Module: "numpy.core", Name: "_ufunc_reconstruct"}, Args: []any{"numpy.core._multiarray_umath", "log1p"}}, "FunctionTransformer.func: numpy.core._multiarray_umath.log1p is not supported; Mizzen never runs the functions that a file names: FunctionTransformer is supported without func"},
		"a partial":             {basetest.Object("functools.partial", nil), "FunctionTransformer.func: functools.partial is not supported; Mizzen never runs the functions that a file names: FunctionTransformer is supported without func"},
		"a number":              {int64(3), "FunctionTransformer: attribute func is an int, expected a function"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := basetest.Build(preprocessing.FunctionTransformer, function, identity.With(basetest.Attrs{"func": c.f}))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}
