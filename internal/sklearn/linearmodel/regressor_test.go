package linearmodel_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/base/basetest"
	"mizzen.dev/internal/sklearn/linearmodel"
	"mizzen.dev/model/frame"
)

const ridge = "sklearn.linear_model._ridge.Ridge"

func csr(module string, shape *pickle.Tuple, indptr *npy.Array) *pickle.Object {
	return basetest.Object(module+".csr_matrix", basetest.Attrs{
		"_shape": shape, "data": basetest.Floats(3, 4), "indices": basetest.Ints(1, 0), "indptr": indptr,
	})
}

func TestRegressor(t *testing.T) {
	two := basetest.Numbers([]float64{1, 2}, []float64{0, -1})
	for name, c := range map[string]struct {
		attrs basetest.Attrs
		want  frame.Array
	}{
		"one target": {
			basetest.Attrs{"coef_": basetest.Floats(2, 3), "intercept_": 0.5},
			frame.Array{Rows: 2, Kind: frame.Float64, Floats: []float64{8.5, -2.5}},
		},
		"a column as target": {
			basetest.Attrs{"coef_": basetest.Matrix([]float64{2, 3}), "intercept_": basetest.Floats(0.5)},
			frame.Array{Rows: 2, Cols: 1, Kind: frame.Float64, Floats: []float64{8.5, -2.5}},
		},
		"two targets without intercept": {
			basetest.Attrs{"coef_": basetest.Matrix([]float64{2, 3}, []float64{0, 1}), "intercept_": 0.0},
			frame.Array{Rows: 2, Cols: 2, Kind: frame.Float64, Floats: []float64{8, 2, -3, -1}},
		},
		"a vector of coefficients, an array of one intercept": {
			basetest.Attrs{"coef_": basetest.Floats(2, 3), "intercept_": basetest.Floats(1)},
			frame.Array{Rows: 2, Kind: frame.Float64, Floats: []float64{9, -2}},
		},
		"sparse coefficients": {
			basetest.Attrs{"coef_": csr("scipy.sparse._csr", basetest.Tuple(int64(2), int64(2)), basetest.Ints(0, 1, 2)), "intercept_": basetest.Floats(0, 1)},
			frame.Array{Rows: 2, Cols: 2, Kind: frame.Float64, Floats: []float64{6, 5, -3, 1}},
		},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, linearmodel.Regressor, ridge, c.attrs.With(basetest.Attrs{"n_features_in_": int64(2)}))
			got, err := basetest.Ask(est, two, frame.Predict)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Error(diff)
			}
			want := []frame.Output{{Method: frame.Predict, Kind: frame.Float64, Cols: c.want.Cols}}
			if diff := cmp.Diff(want, est.Outputs()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestRegressorNames(t *testing.T) {
	est := basetest.MustBuild(t, linearmodel.Regressor, ridge, basetest.Attrs{
		"coef_": basetest.Floats(2, 3), "intercept_": 0.5, "feature_names_in_": basetest.Objects("age", "fare"),
	})
	want := base.Input{Width: 2, Features: []frame.Feature{{Name: "age"}, {Name: "fare"}}}
	if diff := cmp.Diff(want, est.Input(), cmp.AllowUnexported(frame.Value{})); diff != "" {
		t.Error(diff)
	}
}

func TestRegressorRefusesFiles(t *testing.T) {
	good := basetest.Attrs{"coef_": basetest.Floats(2, 3), "intercept_": 0.5, "n_features_in_": int64(2)}
	for name, c := range map[string]struct {
		change basetest.Attrs
		want   string
	}{
		"not fitted":               {basetest.Attrs{"coef_": basetest.Gone}, "Ridge: attribute coef_ is missing: is the model fitted?"},
		"coefficients are a list":  {basetest.Attrs{"coef_": basetest.List(1.0)}, "Ridge: attribute coef_ is a list, expected an array"},
		"no coefficient":           {basetest.Attrs{"coef_": basetest.Floats()}, "Ridge: attribute coef_ is empty"},
		"no intercept":             {basetest.Attrs{"intercept_": basetest.Gone}, "Ridge: attribute intercept_ is missing: is the model fitted?"},
		"intercepts too many":      {basetest.Attrs{"intercept_": basetest.Floats(1, 2)}, "Ridge: attribute intercept_ has 2 elements, coef_ has 1 rows"},
		"width disagrees":          {basetest.Attrs{"n_features_in_": int64(3)}, "Ridge: n_features_in_ is 3, but the fitted arrays are of 2 features"},
		"another sparse class":     {basetest.Attrs{"coef_": basetest.Object("scipy.sparse._csc.csc_matrix", nil)}, "Ridge: attribute coef_ is a scipy.sparse._csc.csc_matrix, expected an array or a csr_matrix; call densify() before saving"},
		"a class of the same name": {basetest.Attrs{"coef_": csr("evil", basetest.Tuple(int64(2), int64(2)), basetest.Ints(0, 1, 2))}, "Ridge: attribute coef_ is a evil.csr_matrix, expected an array or a csr_matrix; call densify() before saving"},
		"a sparse bomb":            {basetest.Attrs{"coef_": csr("scipy.sparse.csr", basetest.Tuple(int64(1)<<40, int64(1)<<20), basetest.Ints(0, 1, 2))}, "Ridge.coef_: _shape is [1.099511627776e+12 1.048576e+06]; two dimensions and at most 4194304 elements are supported: call densify() before saving"},
		"sparse rows disagree":     {basetest.Attrs{"coef_": csr("scipy.sparse.csr", basetest.Tuple(int64(3), int64(2)), basetest.Ints(0, 1, 2))}, "Ridge.coef_: indptr, indices and data do not fit a matrix of 3 rows"},
		"sparse rows go back":      {basetest.Attrs{"coef_": csr("scipy.sparse.csr", basetest.Tuple(int64(3), int64(2)), basetest.Ints(0, 9, 1, 2))}, "Ridge.coef_: indptr[1] is 9, out of order"},
		"sparse column outside":    {basetest.Attrs{"coef_": csr("scipy.sparse.csr", basetest.Tuple(int64(2), int64(1)), basetest.Ints(0, 1, 2))}, "Ridge.coef_: indices[0] is 1, there are 1 columns"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := basetest.Build(linearmodel.Regressor, ridge, good.With(c.change))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

func TestRegressorRefusesInputs(t *testing.T) {
	est := basetest.MustBuild(t, linearmodel.Regressor, ridge, basetest.Attrs{"coef_": basetest.Floats(2, 3), "intercept_": 0.5})
	for name, c := range map[string]struct {
		x           frame.Frame
		row, column int
	}{
		"width": {basetest.Numbers([]float64{1, 2, 3}), -1, -1},
		"word":  {basetest.Cells([]frame.Value{frame.Int(1), frame.String("two")}), 0, 1},
		"None":  {basetest.Cells([]frame.Value{frame.Int(1), frame.Int(2)}, []frame.Value{frame.None(), frame.Int(2)}), 1, 0},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := basetest.Ask(est, c.x, frame.Predict)
			var input *frame.InputError
			if !errors.As(err, &input) {
				t.Fatalf("got %v, want an InputError", err)
			}
			if input.Row != c.row || input.Column != c.column {
				t.Errorf("got row %d, column %d; want %d, %d", input.Row, input.Column, c.row, c.column)
			}
		})
	}
}
