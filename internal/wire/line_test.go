package wire

import (
	"math"
	"testing"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

func TestDecodeRow(t *testing.T) {
	two := &model.Signature{Width: 2, Numeric: true, Outputs: classifier(ints(2)),
		Features: []frame.Feature{{}, {}}}
	table := &model.Signature{Width: 2, Named: true, Outputs: classifier(ints(2)),
		Features: []frame.Feature{{Name: "age", Missing: true}, {Name: "sex", Type: frame.Text}}}
	values := &model.Signature{Width: 1, Values: true, Outputs: classifier(ints(2)),
		Features: []frame.Feature{{Type: frame.Any}}}
	nan := math.NaN()
	tests := map[string]struct {
		sig  *model.Signature
		line string
		want []frame.Value // the cells of the row
		err  string
	}{
		"numbers":           {two, `[1, -2.5]`, []frame.Value{frame.Float(1), frame.Float(-2.5)}, ""},
		"bare NaN":          {two, `[NaN, 2]`, []frame.Value{frame.Float(nan), frame.Float(2)}, ""},
		"record":            {table, `{"sex":"f","age":null}`, []frame.Value{frame.Float(nan), frame.String("f")}, ""},
		"row of a table":    {table, `[7,"f"]`, []frame.Value{frame.Float(7), frame.String("f")}, ""},
		"a value":           {values, `"a"`, []frame.Value{frame.String("a")}, ""},
		"a list of a value": {values, `["a"]`, []frame.Value{frame.String("a")}, ""},
		"two rows":          {two, `[[1,2],[3,4]]`, nil, "expected one row, found 2"},
		"more behind it":    {two, `[1,2],"outputs":[]`, nil, "malformed JSON at byte 5: ',' after the end of the body's object"},
		"not a number":      {two, `[1,"a"]`, nil, `[1]: expected a number, found "a"`},
		"missing key":       {table, `{"age":1}`, nil, "missing: sex"},
		"nothing":           {two, ``, nil, "the JSON ends at byte 0, where a row (a list), a list of rows, or records was expected"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req := NewRequest()
			req.Schema = NewSchema("m", "1", test.sig, Limits{})
			err := DecodeRow(req, []byte(test.line))
			if test.err != "" {
				if err == nil || err.Error() != test.err {
					t.Fatalf("error %v, want %s", err, test.err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if req.Frame.Rows != 1 || req.Frame.Cols != len(test.want) {
				t.Fatalf("%d×%d cells, want 1×%d", req.Frame.Rows, req.Frame.Cols, len(test.want))
			}
			for j, want := range test.want {
				if got := req.Frame.Value(0, j); got.Key() != want.Key() {
					t.Errorf("cell %d is %s, want %s", j, got, want)
				}
			}
		})
	}
}
