package compose

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
)

var six = func() table {
	t := table{width: 6}
	t.name([]string{"age", "fare", "rooms", "sex", "port", "member"})
	return t
}()

func list(items ...any) *pickle.List { return &pickle.List{Items: items} }

func slice(start, stop, step any) *pickle.Object {
	return &pickle.Object{Class: pickle.Global{Module: "builtins", Name: "slice"}, Args: []any{start, stop, step}}
}

func object(module, name string, args ...any) *pickle.Object {
	return &pickle.Object{Class: pickle.Global{Module: module, Name: name}, Args: args}
}

func objects(items ...any) *npy.Array {
	return &npy.Array{Dtype: npy.Dtype{Kind: 'O', Size: 8}, Shape: []int{len(items)}, Objects: items}
}

func TestResolve(t *testing.T) {
	data := &pickle.Dict{}
	data.Set("data", objects("port", "age"))
	rest := object("sklearn.compose._column_transformer", "_RemainderColsList")
	state := &pickle.Dict{}
	state.Set("data", list(int64(2), int64(5)))
	rest.State = state
	mask := &npy.Array{Dtype: npy.Dtype{Kind: 'b', Size: 1}, Shape: []int{6}, Data: []byte{1, 0, 0, 1, 0, 0}}
	tests := map[string]struct {
		spec any
		want []int
	}{
		"name":                     {"sex", []int{3}},
		"position":                 {int64(2), []int{2}},
		"position from the end":    {int64(-1), []int{5}},
		"names":                    {list("sex", "age"), []int{3, 0}},
		"names in a tuple":         {&pickle.Tuple{Items: []any{"fare"}}, []int{1}},
		"names in an array":        {objects("fare", "port"), []int{1, 4}},
		"positions":                {list(int64(4), int64(-6)), []int{4, 0}},
		"nothing":                  {list(), []int{}},
		"mask":                     {list(true, false, false, false, false, true), []int{0, 5}},
		"mask of nothing":          {list(false, false, false, false, false, false), []int{}},
		"mask in an array":         {mask, []int{0, 3}},
		"slice of names":           {slice("fare", "sex", nil), []int{1, 2, 3}},
		"slice up to a name":       {slice(nil, "fare", nil), []int{0, 1}},
		"slice from a name":        {slice("port", nil, nil), []int{4, 5}},
		"slice of nothing":         {slice("sex", "fare", nil), []int{}},
		"slice of all":             {slice(nil, nil, nil), []int{0, 1, 2, 3, 4, 5}},
		"slice as Python 2 has it": {&pickle.Object{Class: pickle.Global{Module: "__builtin__", Name: "slice"}, Args: []any{int64(1), int64(3), nil}}, []int{1, 2}},
		"remainder of 1.5 and 1.6": {rest, []int{2, 5}},
		"index of pandas":          {object("pandas.core.indexes.base", "_new_Index", pickle.Global{Module: "pandas.core.indexes.base", Name: "Index"}, data), []int{4, 0}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := six.resolve(test.spec)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("positions (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolveRefuses(t *testing.T) {
	tests := map[string]struct {
		spec any
		want string
	}{
		"None":                      {nil, "columns given as None"},
		"unknown name":              {"cabin", `column "cabin" is not among`},
		"unknown name in a list":    {list("age", "cabin"), `column "cabin" is not among`},
		"beyond the end":            {int64(6), "column 6 is not among 6 features"},
		"before the start":          {int64(-7), "column -7 is not among 6 features"},
		"short mask":                {list(true, false), "a mask of 2 columns does not fit 6 features"},
		"mask and names":            {list(true, "age"), "expected a name or a position"},
		"float":                     {list(1.5), "expected a name or a position"},
		"slice without a step":      {slice(nil, nil, int64(0)), "expected an int other than 0"},
		"slice of floats":           {slice(1.5, nil, nil), "is a float"},
		"slice of unknown names":    {slice("cabin", nil, nil), `column "cabin"`},
		"slice of names, backwards": {slice("port", "age", int64(-1)), "backwards"},
		"slice of two parts":        {object("builtins", "slice", int64(0), int64(1)), "has 2 parts"},
		"index without data":        {object("pandas.core.indexes.base", "_new_Index", nil, &pickle.Dict{}), "_new_Index are not supported"},
		"function":                  {pickle.Global{Module: "__main__", Name: "pick"}, "columns given as __main__.pick"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := six.resolve(test.spec)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v and error %v, want one with %q", got, err, test.want)
			}
		})
	}
}

// TestSlicesAsPython compares with testdata/slices.json, which Python wrote:
// [start, stop, step, list(range(3))[start:stop:step]] for all that matter.
func TestSlicesAsPython(t *testing.T) {
	data, err := os.ReadFile("testdata/slices.json")
	if err != nil {
		t.Fatal(err)
	}
	var cases [][4]any
	if err := json.Unmarshal(data, &cases); err != nil {
		t.Fatal(err)
	}
	integer := func(v any) any {
		if f, ok := v.(float64); ok {
			return int64(f)
		}
		return v
	}
	for _, c := range cases {
		got, err := table{width: 3}.resolve(slice(integer(c[0]), integer(c[1]), integer(c[2])))
		if err != nil {
			t.Fatal(err)
		}
		want := []int{}
		for _, v := range c[3].([]any) {
			want = append(want, int(v.(float64)))
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("[%v:%v:%v] (-want +got):\n%s", c[0], c[1], c[2], diff)
		}
	}
	if len(cases) < 700 {
		t.Errorf("only %d slices were compared", len(cases))
	}
}
