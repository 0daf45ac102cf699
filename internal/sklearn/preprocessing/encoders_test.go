package preprocessing_test

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
	"mizzen.dev/internal/sklearn/preprocessing"
	"mizzen.dev/model/frame"
)

const (
	oneHot  = "sklearn.preprocessing._encoders.OneHotEncoder"
	ordinal = "sklearn.preprocessing._encoders.OrdinalEncoder"
	label   = "sklearn.preprocessing._label.LabelEncoder"
)

var (
	float64Type = pickle.Global{Module: "numpy", Name: "float64"}
	word        = frame.String
	none        = frame.None()
	nan         = frame.Float(math.NaN())
)

// ports is an encoder of one column of strings.
func ports(more basetest.Attrs) basetest.Attrs {
	return basetest.Attrs{
		"categories_":    basetest.List(basetest.Objects("C", "Q", "S")),
		"handle_unknown": "ignore", "drop_idx_": nil, "dtype": float64Type, "n_features_in_": int64(1),
		"_sklearn_version": "1.9.1",
	}.With(more)
}

// rare puts C and S together.
func rare(more basetest.Attrs) basetest.Attrs {
	return ports(basetest.Attrs{
		"_infrequent_enabled":             true,
		"_infrequent_indices":             basetest.List(basetest.Ints(0, 2)),
		"_default_to_infrequent_mappings": basetest.List(basetest.Ints(1, 0, 1)),
	}).With(more)
}

func TestOneHotEncoder(t *testing.T) {
	ask := []frame.Value{word("C"), word("Q"), word("S"), word("X"), none}
	for name, c := range map[string]struct {
		attrs basetest.Attrs
		ask   []frame.Value
		cols  int
		want  []float64
	}{
		"unknown is ignored": {ports(nil), ask, 3,
			[]float64{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}},
		"the first is dropped": {ports(basetest.Attrs{"drop_idx_": basetest.Objects(int64(0))}), ask, 2,
			[]float64{0, 0, 1, 0, 0, 1, 0, 0, 0, 0}},
		"the middle is dropped, indices are integers": {ports(basetest.Attrs{"drop_idx_": basetest.Ints(1)}), ask, 2,
			[]float64{1, 0, 0, 0, 0, 1, 0, 0, 0, 0}},
		"nothing is dropped of three (if_binary)": {ports(basetest.Attrs{"drop_idx_": basetest.Objects(nil)}), ask, 3,
			[]float64{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}},
		"infrequent ones share a column": {rare(nil), ask, 2,
			[]float64{0, 1, 1, 0, 0, 1, 0, 0, 0, 0}},
		"unknown ones are infrequent": {rare(basetest.Attrs{"handle_unknown": "infrequent_if_exist"}), ask, 2,
			[]float64{0, 1, 1, 0, 0, 1, 0, 1, 0, 1}},
		"unknown ones are infrequent, where there are any": {ports(basetest.Attrs{"handle_unknown": "infrequent_if_exist"}), ask, 3,
			[]float64{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0}},
		"warn is the same": {rare(basetest.Attrs{"handle_unknown": "warn"}), ask, 2,
			[]float64{0, 1, 1, 0, 0, 1, 0, 1, 0, 1}},
		"warn was not, up to 1.7": {rare(basetest.Attrs{"handle_unknown": "warn", "_sklearn_version": "1.7.2"}), ask, 2,
			[]float64{0, 1, 1, 0, 0, 1, 0, 0, 0, 0}},
		"a group is dropped": {rare(basetest.Attrs{"drop_idx_": basetest.Objects(int64(1)), "_drop_idx_after_grouping": basetest.Objects(int64(0)), "handle_unknown": "infrequent_if_exist"}), ask, 1,
			[]float64{1, 0, 1, 1, 1}},
		"a group is dropped, 1.1": {rare(basetest.Attrs{"drop_idx_": basetest.Objects(int64(0))}), ask, 1,
			[]float64{1, 0, 1, 0, 0}},
		"numbers, integers and booleans are equal as in Python": {ports(basetest.Attrs{"categories_": basetest.List(basetest.Ints(0, 1, 7))}),
			[]frame.Value{frame.Bool(true), frame.Float(7), frame.Int(0), frame.Float(7.5), word("7")}, 3,
			[]float64{0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0}},
		"large integers are told apart": {ports(basetest.Attrs{"categories_": basetest.List(basetest.Ints(1<<60, 1<<60+1))}),
			[]frame.Value{frame.Int(1<<60 + 1), frame.Int(1 << 60), frame.Int(1<<60 + 2)}, 2,
			[]float64{0, 1, 1, 0, 0, 0}},
		"None and NaN are two categories": {ports(basetest.Attrs{"categories_": basetest.List(basetest.Objects("a", nil, math.NaN()))}),
			[]frame.Value{nan, none, word("a")}, 3,
			[]float64{0, 0, 1, 0, 1, 0, 1, 0, 0}},
		"None is not NaN": {ports(basetest.Attrs{"categories_": basetest.List(basetest.Objects("a", math.NaN()))}),
			[]frame.Value{nan, none}, 2, []float64{0, 1, 0, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, preprocessing.OneHotEncoder, oneHot, c.attrs)
			x := frame.Frame{Rows: len(c.ask), Cols: 1, Columns: []frame.Column{{Objects: c.ask}}}
			got, err := basetest.Ask(est, x, frame.Transform)
			if err != nil {
				t.Fatal(err)
			}
			want := frame.Array{Rows: len(c.ask), Cols: c.cols, Kind: frame.Float64, Floats: c.want}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
			if diff := cmp.Diff([]frame.Output{{Method: frame.Transform, Kind: frame.Float64, Cols: c.cols}}, est.Outputs()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOneHotEncoderOfSeveralColumns(t *testing.T) {
	est := basetest.MustBuild(t, preprocessing.OneHotEncoder, oneHot, basetest.Attrs{
		"categories_":    basetest.List(basetest.Floats(1, 2.5, math.NaN()), basetest.Ints(2, 3)),
		"handle_unknown": "ignore", "drop_idx_": nil, "dtype": &npy.Dtype{Kind: 'i', Size: 1},
	})
	got, err := basetest.Ask(est, basetest.Numbers([]float64{math.NaN(), 2}, []float64{1, 9}, []float64{2.5, 3}), frame.Transform)
	if err != nil {
		t.Fatal(err)
	}
	want := frame.Array{Rows: 3, Cols: 5, Kind: frame.Int64, Ints: []int64{0, 0, 1, 1, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEncoderTypes(t *testing.T) {
	for name, c := range map[string]struct {
		dtype any
		want  frame.Kind
	}{
		"numpy.float64":        {float64Type, frame.Float64},
		"numpy.float32":        {pickle.Global{Module: "numpy", Name: "float32"}, frame.Float64},
		"float":                {pickle.Global{Module: "builtins", Name: "float"}, frame.Float64},
		"numpy.int8":           {pickle.Global{Module: "numpy", Name: "int8"}, frame.Int64},
		"int":                  {pickle.Global{Module: "builtins", Name: "int"}, frame.Int64},
		"a dtype":              {&npy.Dtype{Kind: 'u', Size: 2}, frame.Int64},
		"a name":               {"int16", frame.Int64},
		"numpy.bool_":          {pickle.Global{Module: "numpy", Name: "bool_"}, frame.Boolean},
		"bool":                 {"bool", frame.Boolean},
		"numpy.longdouble":     {pickle.Global{Module: "numpy", Name: "longdouble"}, frame.Float64},
		"a dtype, single":      {&npy.Dtype{Kind: 'f', Size: 4}, frame.Float64},
		"numpy.bool (NumPy 2)": {pickle.Global{Module: "numpy", Name: "bool"}, frame.Boolean},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, preprocessing.OneHotEncoder, oneHot, ports(basetest.Attrs{"dtype": c.dtype}))
			got, err := basetest.Ask(est, basetest.Cells([]frame.Value{word("Q")}), frame.Transform)
			if err != nil {
				t.Fatal(err)
			}
			want := frame.Array{Rows: 1, Cols: 3, Kind: c.want}
			switch c.want {
			case frame.Int64:
				want.Ints = []int64{0, 1, 0}
			case frame.Boolean:
				want.Bools = []bool{false, true, false}
			default:
				want.Floats = []float64{0, 1, 0}
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOrdinalEncoder(t *testing.T) {
	base := ports(basetest.Attrs{"handle_unknown": "use_encoded_value", "unknown_value": int64(-1), "_missing_indices": &pickle.Dict{}})
	missing := &pickle.Dict{}
	missing.Set(int64(0), int64(2))
	for name, c := range map[string]struct {
		change basetest.Attrs
		ask    []frame.Value
		want   []float64
	}{
		"unknown is -1":  {nil, []frame.Value{word("S"), word("C"), word("x"), none, nan}, []float64{2, 0, -1, -1, -1}},
		"unknown is NaN": {basetest.Attrs{"unknown_value": math.NaN()}, []frame.Value{word("x"), word("Q")}, []float64{math.NaN(), 1}},
		"NaN stays NaN": {basetest.Attrs{"categories_": basetest.List(basetest.Objects("a", "b", math.NaN())), "_missing_indices": missing},
			[]frame.Value{nan, word("b"), none}, []float64{math.NaN(), 1, -1}},
		"NaN is encoded": {basetest.Attrs{"categories_": basetest.List(basetest.Objects("a", "b", math.NaN())), "_missing_indices": missing, "encoded_missing_value": int64(-2)},
			[]frame.Value{nan, word("b"), none}, []float64{-2, 1, -1}},
		"None is a category": {basetest.Attrs{"categories_": basetest.List(basetest.Objects("a", nil))}, []frame.Value{none, word("a")}, []float64{1, 0}},
		"infrequent ones share a number, NaN has its own": {basetest.Attrs{
			"categories_": basetest.List(basetest.Objects("a", "b", math.NaN())), "_missing_indices": missing, "encoded_missing_value": int64(9),
			"_infrequent_enabled": true, "_infrequent_indices": basetest.List(basetest.Ints(0)), "_default_to_infrequent_mappings": basetest.List(basetest.Ints(1, 0)),
		}, []frame.Value{word("a"), word("b"), nan, word("x")}, []float64{1, 0, 9, -1}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, preprocessing.OrdinalEncoder, ordinal, base.With(c.change))
			x := frame.Frame{Rows: len(c.ask), Cols: 1, Columns: []frame.Column{{Objects: c.ask}}}
			got, err := basetest.Ask(est, x, frame.Transform)
			if err != nil {
				t.Fatal(err)
			}
			want := frame.Array{Rows: len(c.ask), Cols: 1, Kind: frame.Float64, Floats: c.want}
			if diff := cmp.Diff(want, got, cmpopts.EquateNaNs()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestOrdinalEncoderIntegers(t *testing.T) {
	est := basetest.MustBuild(t, preprocessing.OrdinalEncoder, ordinal, basetest.Attrs{
		"categories_": basetest.List(basetest.Ints(10, 20), basetest.Ints(5, 6)), "handle_unknown": "error",
		"dtype": pickle.Global{Module: "numpy", Name: "int32"}, "_missing_indices": &pickle.Dict{},
	})
	got, err := basetest.Ask(est, basetest.Numbers([]float64{20, 5}, []float64{10, 6}), frame.Transform)
	if err != nil {
		t.Fatal(err)
	}
	want := frame.Array{Rows: 2, Cols: 2, Kind: frame.Int64, Ints: []int64{1, 0, 0, 1}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLabelEncoder(t *testing.T) {
	for name, c := range map[string]struct {
		classes *npy.Array
		x       frame.Frame
	}{
		"strings":        {basetest.Objects("a", "b", "c"), basetest.Cells([]frame.Value{word("c")}, []frame.Value{word("a")})},
		"integers":       {basetest.Ints(-3, 7, 100), basetest.Numbers([]float64{100}, []float64{-3})},
		"integer cells":  {basetest.Ints(-3, 7, 100), basetest.Cells([]frame.Value{frame.Int(100)}, []frame.Value{frame.Int(-3)})},
		"missing labels": {basetest.Objects("a", "b", math.NaN()), basetest.Cells([]frame.Value{nan}, []frame.Value{word("a")})},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, preprocessing.LabelEncoder, label, basetest.Attrs{"classes_": c.classes})
			got, err := basetest.Ask(est, c.x, frame.Transform)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(frame.Array{Rows: 2, Kind: frame.Int64, Ints: []int64{2, 0}}, got); diff != "" {
				t.Error(diff)
			}
			if in := est.Input(); !in.Values || in.Width != 1 {
				t.Errorf("a sample is one value; Input() = %+v", in)
			}
		})
	}
}

func TestEncodersRefuseInputs(t *testing.T) {
	closed := ports(basetest.Attrs{"handle_unknown": "error", "feature_names_in_": basetest.Objects("port"), "_missing_indices": &pickle.Dict{}})
	numbers := closed.With(basetest.Attrs{"categories_": basetest.List(basetest.Ints(1, 2, 3, 4, 5, 6, 7, 8))})
	open := numbers.With(basetest.Attrs{"handle_unknown": "use_encoded_value", "unknown_value": int64(-1)})
	for name, c := range map[string]struct {
		build base.Build
		class string
		attrs basetest.Attrs
		x     frame.Frame
		want  string
	}{
		"unknown word":           {preprocessing.OneHotEncoder, oneHot, closed, basetest.Cells([]frame.Value{word("C")}, []frame.Value{word("X")}), `row 1, column "port": unknown category "X": OneHotEncoder knows "C", "Q", "S"`},
		"unknown number":         {preprocessing.OneHotEncoder, oneHot, numbers, basetest.Numbers([]float64{9}), `row 0, column "port": unknown category 9.0: OneHotEncoder knows 1, 2, 3, 4, 5, 6 and 2 more`},
		"None":                   {preprocessing.OrdinalEncoder, ordinal, closed, basetest.Cells([]frame.Value{none}), `row 0, column "port": unknown category None: OrdinalEncoder knows "C", "Q", "S"`},
		"infinity, though open":  {preprocessing.OrdinalEncoder, ordinal, open, basetest.Numbers([]float64{math.Inf(1)}), `row 0, column "port": OrdinalEncoder takes no infinity`},
		"NaN, 0.24, though open": {preprocessing.OrdinalEncoder, ordinal, open.With(basetest.Attrs{"_missing_indices": basetest.Gone}), basetest.Numbers([]float64{math.NaN()}), `row 0, column "port": OrdinalEncoder takes no missing value (NaN) here; put a SimpleImputer before it`},
		"width":                  {preprocessing.OneHotEncoder, oneHot, closed, basetest.Numbers([]float64{1, 2}), "the input: has 2 features a row, OneHotEncoder takes 1"},
		"width, ordinal":         {preprocessing.OrdinalEncoder, ordinal, closed, basetest.Numbers([]float64{1, 2}), "the input: has 2 features a row, OrdinalEncoder takes 1"},
		"unknown label":          {preprocessing.LabelEncoder, label, basetest.Attrs{"classes_": basetest.Objects("a", "b")}, basetest.Cells([]frame.Value{word("z")}), `row 0: unknown category "z": LabelEncoder knows "a", "b"`},
		"rows for labels":        {preprocessing.LabelEncoder, label, basetest.Attrs{"classes_": basetest.Ints(1, 2)}, basetest.Numbers([]float64{1, 2}), "the input: has 2 values a sample, LabelEncoder takes one"},
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

func TestEncodersDescribeTheirInput(t *testing.T) {
	for name, c := range map[string]struct {
		categories *npy.Array
		handle     string
		want       frame.Feature
	}{
		"strings":          {basetest.Objects("a", "b"), "error", frame.Feature{Type: frame.Text, Closed: true, Example: word("a")}},
		"strings, open":    {basetest.Objects("a", "b"), "ignore", frame.Feature{Type: frame.Text, Missing: true, Example: word("a")}},
		"strings and None": {basetest.Objects("a", nil), "error", frame.Feature{Type: frame.Text, Missing: true, Closed: true, Example: word("a")}},
		"integers":         {basetest.Ints(4, 5), "error", frame.Feature{Type: frame.Number, Closed: true, Example: frame.Int(4)}},
		"numbers and NaN":  {basetest.Floats(4, math.NaN()), "error", frame.Feature{Type: frame.Number, Missing: true, Closed: true, Example: frame.Float(4)}},
		"numbers and None": {basetest.Objects(int64(4), nil), "error", frame.Feature{Type: frame.Any, Missing: true, Closed: true, Example: frame.Int(4)}},
		"large integers":   {basetest.Ints(4, 1<<60+1), "error", frame.Feature{Type: frame.Any, Closed: true, Example: frame.Int(4)}},
		"booleans":         {basetest.Objects(false, true), "error", frame.Feature{Type: frame.Any, Closed: true, Example: frame.Bool(false)}},
		"a mixture":        {basetest.Objects(int64(1), "a"), "error", frame.Feature{Type: frame.Any, Closed: true, Example: frame.Int(1)}},
	} {
		t.Run(name, func(t *testing.T) {
			est := basetest.MustBuild(t, preprocessing.OneHotEncoder, oneHot, ports(basetest.Attrs{
				"categories_": basetest.List(c.categories), "handle_unknown": c.handle, "feature_names_in_": basetest.Objects("f"),
			}))
			got := est.Input().Features[0]
			if len(got.Categories) != c.categories.Len() {
				t.Errorf("%d categories, want %d", len(got.Categories), c.categories.Len())
			}
			got.Categories, c.want.Name = nil, "f"
			if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(frame.Value{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestEncodersRefuseFiles(t *testing.T) {
	bad := &pickle.Dict{}
	bad.Set(int64(0), int64(3))
	for name, c := range map[string]struct {
		build  base.Build
		change basetest.Attrs
		want   string
	}{
		"not fitted":              {preprocessing.OneHotEncoder, basetest.Attrs{"categories_": basetest.Gone}, "Encoder: attribute categories_ is missing: is the model fitted?"},
		"no columns":              {preprocessing.OneHotEncoder, basetest.Attrs{"categories_": basetest.List()}, "Encoder: attribute categories_ is empty"},
		"no categories":           {preprocessing.OneHotEncoder, basetest.Attrs{"categories_": basetest.List(basetest.Objects())}, "Encoder: attribute categories_[0] is empty"},
		"categories of dicts":     {preprocessing.OneHotEncoder, basetest.Attrs{"categories_": basetest.List(basetest.Objects(&pickle.Dict{}))}, "Encoder: attribute categories_[0]: element 0: a dict is not a plain value"},
		"width differs":           {preprocessing.OneHotEncoder, basetest.Attrs{"n_features_in_": int64(4)}, "Encoder: n_features_in_ is 4, but the fitted arrays are of 1 features"},
		"another handle_unknown":  {preprocessing.OneHotEncoder, basetest.Attrs{"handle_unknown": "guess"}, `Encoder: handle_unknown is "guess"; error, ignore, infrequent_if_exist and warn are supported`},
		"ordinal, another":        {preprocessing.OrdinalEncoder, basetest.Attrs{"handle_unknown": "ignore"}, `Encoder: handle_unknown is "ignore"; error and use_encoded_value are supported`},
		"drops are too many":      {preprocessing.OneHotEncoder, basetest.Attrs{"drop_idx_": basetest.Ints(0, 0)}, "Encoder: attribute drop_idx_ has 2 elements, there are 1 columns"},
		"drops nothing there":     {preprocessing.OneHotEncoder, basetest.Attrs{"drop_idx_": basetest.Ints(3)}, "Encoder: column 0: the dropped category is 3 of 3"},
		"drops a word":            {preprocessing.OneHotEncoder, basetest.Attrs{"drop_idx_": basetest.Objects("x")}, "Encoder: attribute drop_idx_[0] is x, expected an index"},
		"text as dtype":           {preprocessing.OneHotEncoder, basetest.Attrs{"dtype": "U5"}, "Encoder: dtype U5 is not supported; float, int, uint and bool of any size are"},
		"groups are short":        {preprocessing.OneHotEncoder, basetest.Attrs{"_infrequent_enabled": true, "_infrequent_indices": basetest.List(basetest.Ints(0)), "_default_to_infrequent_mappings": basetest.List(basetest.Ints(0))}, "Encoder: _default_to_infrequent_mappings[0] does not fit 3 categories"},
		"groups without NaN":      {preprocessing.OneHotEncoder, basetest.Attrs{"_infrequent_enabled": true, "_infrequent_indices": basetest.List(basetest.Ints(0)), "_default_to_infrequent_mappings": basetest.List(basetest.Ints(0, 1))}, "Encoder: column 0: 2 groups for 3 categories"},
		"a group outside":         {preprocessing.OneHotEncoder, basetest.Attrs{"_infrequent_enabled": true, "_infrequent_indices": basetest.List(basetest.Ints(0)), "_default_to_infrequent_mappings": basetest.List(basetest.Ints(0, 1, 1<<40))}, "Encoder: _default_to_infrequent_mappings[0] names the group 1099511627776"},
		"an infrequent outside":   {preprocessing.OneHotEncoder, basetest.Attrs{"_infrequent_enabled": true, "_infrequent_indices": basetest.List(basetest.Ints(5)), "_default_to_infrequent_mappings": basetest.List(basetest.Ints(0, 1, 1))}, "Encoder: _default_to_infrequent_mappings[0] does not fit 3 categories"},
		"groups of other columns": {preprocessing.OneHotEncoder, basetest.Attrs{"_infrequent_enabled": true, "_infrequent_indices": basetest.List(), "_default_to_infrequent_mappings": basetest.List()}, "Encoder: infrequent categories are listed for 0 and 0 columns, there are 1"},
		"NaN nowhere":             {preprocessing.OrdinalEncoder, basetest.Attrs{"_missing_indices": bad, "handle_unknown": "error"}, "Encoder: attribute _missing_indices has the entry 0: 3"},
		"a category in no group":  {preprocessing.OrdinalEncoder, basetest.Attrs{"handle_unknown": "error", "_infrequent_enabled": true, "_infrequent_indices": basetest.List(basetest.Ints(0)), "_default_to_infrequent_mappings": basetest.List(basetest.Ints(0, 1))}, "Encoder: column 0: category 2 is in no group"},
		"-1 as an unsigned":       {preprocessing.OrdinalEncoder, basetest.Attrs{"handle_unknown": "use_encoded_value", "unknown_value": int64(-1), "dtype": "uint8"}, "Encoder: dtype does not hold unknown_value, which is -1"},
		"no labels":               {preprocessing.LabelEncoder, basetest.Attrs{"classes_": basetest.Objects()}, "Encoder: attribute classes_ is empty"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := basetest.Build(c.build, "sklearn.preprocessing._encoders.Encoder", ports(c.change))
			if err == nil || err.Error() != c.want {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
}

// go test -bench OneHotEncoder ./internal/sklearn/preprocessing
func BenchmarkOneHotEncoder(b *testing.B) {
	est := basetest.MustBuild(b, preprocessing.OneHotEncoder, oneHot, ports(nil))
	x := frame.Frame{Rows: 64, Cols: 1, Columns: []frame.Column{{Objects: make([]frame.Value, 64)}}}
	for i := range x.Columns[0].Objects {
		x.Columns[0].Objects[i] = word([]string{"C", "Q", "S", "X"}[i%4])
	}
	methods, out := []frame.Method{frame.Transform}, make([]frame.Array, 1)
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
