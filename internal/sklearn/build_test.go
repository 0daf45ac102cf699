package sklearn_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"mizzen.dev/internal/format/joblib"
	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/base/basetest"
)

func global(module, name string) pickle.Global { return pickle.Global{Module: module, Name: name} }

func scaler(more basetest.Attrs) *pickle.Object {
	return basetest.Object("sklearn.preprocessing._data.StandardScaler", basetest.Attrs{
		"with_mean": true, "with_std": true, "mean_": basetest.Floats(1), "scale_": basetest.Floats(2), "n_features_in_": int64(1),
	}.With(more))
}

func pipe(ests ...any) *pickle.Object {
	items := make([]any, len(ests))
	for i, e := range ests {
		items[i] = basetest.Tuple("step", e)
	}
	return basetest.Object("sklearn.pipeline.Pipeline", basetest.Attrs{"steps": basetest.List(items...)})
}

// TestUnknownNames puts a name that is not known into many places of a file that
// could be served otherwise.
func TestUnknownNames(t *testing.T) {
	system := global("posix", "system")
	call := &pickle.Object{Class: system, Args: []any{"echo"}}
	inDict := &pickle.Dict{}
	inDict.Set("cache", call)
	keyed := &pickle.Dict{}
	keyed.Set(call, 1.0)
	args := &pickle.Object{Class: global("functools", "partial"), Args: []any{system}}
	state := &pickle.Object{Class: global("builtins", "object"), State: basetest.Tuple(nil, inDict)}
	items := &pickle.Object{Class: global("collections", "OrderedDict"), Items: inDict}
	kwargs := &pickle.Object{Class: global("builtins", "object"), Kwargs: inDict}
	chain := any(call)
	for range 5000 {
		chain = basetest.List(chain)
	}
	chained := scaler(basetest.Attrs{"extra": chain})
	tests := map[string]struct {
		value any
		want  string // the path
	}{
		"the model":                {call, ""},
		"a step":                   {pipe(scaler(nil), call), "Pipeline.steps[1]"},
		"a step of a step":         {pipe(scaler(nil), pipe(call)), "Pipeline.steps[1].Pipeline.steps[0]"},
		"an attribute":             {scaler(basetest.Attrs{"extra": call}), "StandardScaler.extra"},
		"a function":               {scaler(basetest.Attrs{"extra": system}), "StandardScaler.extra"},
		"an attribute of a step":   {pipe(scaler(basetest.Attrs{"extra": basetest.List(1.0, call)})), "Pipeline.steps[0].StandardScaler.extra[1]"},
		"a dict":                   {scaler(basetest.Attrs{"extra": inDict}), `StandardScaler.extra["cache"]`},
		"a key of a dict":          {scaler(basetest.Attrs{"extra": keyed}), "StandardScaler.extra"},
		"a set":                    {scaler(basetest.Attrs{"extra": &pickle.Set{Items: []any{call}}}), "StandardScaler.extra[0]"},
		"an object array":          {scaler(basetest.Attrs{"extra": basetest.Objects("a", call)}), "StandardScaler.extra[1]"},
		"a masked array":           {scaler(basetest.Attrs{"extra": &npy.Masked{Data: basetest.Objects(call)}}), "StandardScaler.extra[0]"},
		"an argument":              {scaler(basetest.Attrs{"extra": args}), "StandardScaler.extra[0]"},
		"an argument by keyword":   {scaler(basetest.Attrs{"extra": kwargs}), "StandardScaler.extra.cache"},
		"slots":                    {scaler(basetest.Attrs{"extra": state}), "StandardScaler.extra.cache"},
		"an item of an object":     {scaler(basetest.Attrs{"extra": items}), `StandardScaler.extra["cache"]`},
		"far down":                 {chained, "StandardScaler.extra" + strings.Repeat("[0]", 5000)},
		"a method of no such kind": {scaler(basetest.Attrs{"extra": &pickle.Object{Class: global("builtins", "getattr"), Args: []any{scaler(nil), "fit"}}}), "StandardScaler.extra"},
	}
	for name, test := range tests {
		for _, globals := range [][]pickle.Global{nil, {system, global("builtins", "getattr")}} {
			t.Run(name, func(t *testing.T) {
				est, _, err := sklearn.Build(test.value, globals)
				var unsupported *pickle.UnsupportedError
				if !errors.As(err, &unsupported) || est != nil {
					t.Fatalf("error %v, want an UnsupportedError", err)
				}
				if unsupported.Path != test.want {
					t.Errorf("path %q, want %q", unsupported.Path, test.want)
				}
				if !strings.Contains(unsupported.Help, "StandardScaler") {
					t.Errorf("help %q does not say what is supported", unsupported.Help)
				}
			})
		}
	}
}

// TestNameWithoutPlace is about a name that the file holds and drops again.
func TestNameWithoutPlace(t *testing.T) {
	_, _, err := sklearn.Build(scaler(nil), []pickle.Global{global("os", "system")})
	if err == nil || !strings.HasPrefix(err.Error(), "os.system is not supported; no Python code is run") {
		t.Errorf("error %v", err)
	}
}

// TestEstimatorsExplainThemselves is about a name that an estimator refuses with
// a reason of its own: that one helps more than a list of classes.
func TestEstimatorsExplainThemselves(t *testing.T) {
	log1p := global("numpy", "log1p")
	function := basetest.Object("sklearn.preprocessing._function_transformer.FunctionTransformer", basetest.Attrs{"func": log1p})
	_, _, err := sklearn.Build(pipe(function), []pickle.Global{log1p})
	if err == nil || !strings.Contains(err.Error(), "supported without func") {
		t.Errorf("error %v", err)
	}
}

func TestNamesThatMayStand(t *testing.T) {
	randint := &pickle.Object{Class: global("scipy.stats._discrete_distns", "randint_gen")}
	method := &pickle.Object{Class: global("builtins", "getattr"), Args: []any{randint, "_entropy"}}
	loop := basetest.List()
	loop.Items = append(loop.Items, loop)
	for name, extra := range map[string]any{
		"a method of a distribution": method,
		"a list that holds itself":   loop,
		"a scorer":                   basetest.Object("sklearn.metrics._scorer._Scorer", basetest.Attrs{"_score_func": global("sklearn.metrics._classification", "f1_score")}),
	} {
		t.Run(name, func(t *testing.T) {
			for _, globals := range [][]pickle.Global{nil, {global("builtins", "getattr")}} {
				if _, _, err := sklearn.Build(scaler(basetest.Attrs{"extra": extra}), globals); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

func TestTooDeep(t *testing.T) {
	value := any(1.0)
	for range 20_000 {
		value = basetest.List(value)
	}
	_, _, err := sklearn.Build(scaler(basetest.Attrs{"extra": value}), nil)
	if err == nil || !strings.Contains(err.Error(), "nested more than 10000 deep") {
		t.Errorf("error %.200v", err)
	}
}

// TestManyColumns is about files whose few numbers ask for many columns.
func TestManyColumns(t *testing.T) {
	identity := func() *pickle.Object {
		return basetest.Object("sklearn.preprocessing._function_transformer.FunctionTransformer", basetest.Attrs{
			"func": nil, "validate": true, "n_features_in_": int64(base.MaxFeatures),
		})
	}
	union := func(n int) *pickle.Object {
		parts := make([]any, n)
		for i := range parts {
			parts[i] = basetest.Tuple("part", identity())
		}
		return basetest.Object("sklearn.pipeline.FeatureUnion", basetest.Attrs{"transformer_list": basetest.List(parts...)})
	}
	columns := func(n int) *pickle.Object {
		parts := make([]any, n)
		for i := range parts {
			parts[i] = basetest.Tuple("part", "passthrough", &pickle.Object{Class: global("builtins", "slice"), Args: []any{nil, nil, nil}})
		}
		return basetest.Object("sklearn.compose._column_transformer.ColumnTransformer", basetest.Attrs{
			"n_features_in_": int64(base.MaxFeatures), "transformers_": basetest.List(parts...),
		})
	}
	chain := identity()
	for range 20 {
		chain = pipe(chain)
	}
	for name, test := range map[string]struct {
		model *pickle.Object
		ok    bool
	}{
		"a union":                      {union(4), true},
		"a wide union":                 {union(40), false},
		"a column transformer":         {columns(4), true},
		"a wide column transformer":    {columns(100), false},
		"pipelines of each other":      {pipe(pipe(identity())), true},
		"pipelines deep in each other": {chain, false},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := sklearn.Build(test.model, nil)
			var wrong *base.Error
			if test.ok && err != nil || !test.ok && (!errors.As(err, &wrong) || !strings.Contains(wrong.Reason, "in the estimators of the file")) {
				t.Errorf("got %v; built: want %v", err, test.ok)
			}
		})
	}
}

// TestNodesOfWhatIsNotSupported keeps what could be read, for people to look at.
func TestNodesOfWhatIsNotSupported(t *testing.T) {
	_, node, err := sklearn.Build(pipe(scaler(nil), basetest.Object("sklearn.svm._classes.SVC", nil)), []pickle.Global{global("sklearn.svm._classes", "SVC")})
	if err == nil || node == nil || len(node.Children) != 2 || node.Children[0].Built == nil || node.Children[1].Class != "SVC" {
		t.Errorf("error %v, node %+v", err, node)
	}
}

func TestSupported(t *testing.T) {
	names := sklearn.Supported()
	if !slices.IsSorted(names) || !slices.Contains(names, "RandomForestClassifier") {
		t.Errorf("supported: %v", names)
	}
}

// BenchmarkBuild builds the README's model from its parsed file.
//
//	go test -bench Build ./internal/sklearn
func BenchmarkBuild(b *testing.B) {
	data, err := os.ReadFile("../../examples/iris/model.pkl")
	if err != nil {
		b.Fatal(err)
	}
	value, info, err := joblib.Read(data, pickle.Limits{})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, _, err := sklearn.Build(value, info.Globals); err != nil {
			b.Fatal(err)
		}
	}
}
