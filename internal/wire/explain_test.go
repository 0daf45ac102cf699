package wire

import (
	"errors"
	"fmt"
	"testing"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

func TestExplain(t *testing.T) {
	csv := Header{ContentType: "text/csv"}
	record := `{"age":1,"city":"a","grade":1}`
	tests := map[string]struct {
		codec    Codec
		model    *model.Signature
		body     string
		header   Header
		row, col int
		want     string
	}{
		"a row":                  {Native{}, numeric(2), `{"inputs":[1,2]}`, Header{}, 0, 1, `inputs[1]: refused`},
		"a row, all of it":       {Native{}, numeric(2), `{"inputs":[1,2]}`, Header{}, 0, -1, `inputs: refused`},
		"rows":                   {Native{}, numeric(2), `{"inputs":[[1,2],[3,4]]}`, Header{}, 1, 0, `inputs[1][0]: refused`},
		"a row of rows":          {Native{}, numeric(2), `{"inputs":[[1,2],[3,4]]}`, Header{}, 1, -1, `inputs[1]: refused`},
		"a column of rows":       {Native{}, numeric(2), `{"inputs":[[1,2],[3,4]]}`, Header{}, -1, 1, `inputs: column 1: refused`},
		"a named column of rows": {Native{}, flowers(), `{"inputs":[[1,2,3,4]]}`, Header{}, -1, 0, `inputs: column "sepal length (cm)": refused`},
		"everything":             {Native{}, numeric(2), `{"inputs":[[1,2],[3,4]]}`, Header{}, -1, -1, `inputs: refused`},
		"a sample":               {Native{}, labelEncoder(), `{"inputs":["a","b"]}`, Header{}, 1, 0, `inputs[1]: refused`},
		"a record":               {Native{}, people(), `{"inputs":` + record + `}`, Header{}, 0, 0, `inputs.age: refused`},
		"a record, all of it":    {Native{}, people(), `{"inputs":` + record + `}`, Header{}, 0, -1, `inputs: refused`},
		"records":                {Native{}, people(), `{"inputs":[` + record + `,` + record + `]}`, Header{}, 1, 1, `inputs[1].city: refused`},
		"a column beyond":        {Native{}, people(), `{"inputs":[` + record + `]}`, Header{}, 0, 9, `inputs[0]: refused`},
		"instances":              {V1{}, numeric(1), `{"instances":[[1],[2]]}`, Header{}, 1, 0, `instances[1][0]: refused`},
		"a frame":                {V1{}, numeric(1), `{"instances":{"a":[1,2]}}`, Header{}, 1, 0, `instances: row 1, column 0: refused`},
		"records, no names":      {V1{}, numeric(1), `{"instances":[{"a":1},{"a":2}]}`, Header{}, 1, 0, `instances[1]: column 0: refused`},
		"a named frame":          {V1{}, people(), `{"instances":{"age":[1,2],"city":["a","b"],"grade":[1,2]}}`, Header{}, 1, 1, `instances.city[1]: refused`},
		"a row of a frame":       {V1{}, people(), `{"instances":{"age":[1,2],"city":["a","b"],"grade":[1,2]}}`, Header{}, 1, -1, `instances: row 1: refused`},
		"frames":                 {V1{}, people(), `{"instances":[{"age":[1,2],"city":["a","b"],"grade":[1,2]}]}`, Header{}, 1, 1, `instances: row 1, column "city": refused`},
		"split":                  {Invocations{}, people(), `{"dataframe_split":{"columns":["grade","city","age"],"data":[[1,"a",2]]}}`, jsonHeader, 0, 0, `dataframe_split.data[0][2]: refused`},
		"split, no names":        {Invocations{}, numeric(2), `{"dataframe_split":{"data":[[1,2]]}}`, jsonHeader, 0, 1, `dataframe_split.data[0][1]: refused`},
		"CSV":                    {Invocations{}, numeric(2), "1,2\n3,4\n", csv, 1, 0, `record 2, column 0: refused`},
		"CSV with a header":      {Invocations{}, people(), "city,age,grade\na,1,1\n", csv, 0, 1, `record 1, column "city": refused`},
		"CSV, a row":             {Invocations{}, numeric(2), "1,2\n3,4\n", csv, 1, -1, `record 2: refused`},
		"flat tensor":            {V2{}, numeric(2), infer(tensor("x", "[2,2]", "FP64", "[1,2,3,4]")), Header{}, 1, 0, `inputs[0].data[2]: row 1, column 0: refused`},
		"nested tensor":          {V2{}, numeric(2), infer(tensor("x", "[2,2]", "FP64", "[[1,2],[3,4]]")), Header{}, 1, 0, `inputs[0].data[1][0]: refused`},
		"nested cells":           {V2{}, anyCells(), infer(tensor("x", "[2,1]", "BYTES", `[["a"],["b"]]`)), Header{}, 1, 0, `inputs[0].data[1][0]: refused`},
		"a row of a tensor":      {V2{}, numeric(2), infer(tensor("x", "[2,2]", "FP64", "[1,2,3,4]")), Header{}, 1, -1, `inputs[0].data: row 1: refused`},
		"a column of a tensor":   {V2{}, numeric(2), infer(tensor("x", "[2,2]", "FP64", "[1,2,3,4]")), Header{}, -1, 1, `inputs[0].data: column 1: refused`},
		"tensor by column":       {V2{}, people(), infer(tensor("grade", "[2]", "INT64", "[1,2]"), tensor("age", "[2]", "INT64", "[1,2]"), tensor("city", "[2]", "BYTES", `["a","b"]`)), Header{}, 1, 1, `inputs[2].data[1]: row 1: refused`},
		"a column by column":     {V2{}, people(), infer(tensor("grade", "[2]", "INT64", "[1,2]"), tensor("age", "[2]", "INT64", "[1,2]"), tensor("city", "[2]", "BYTES", `["a","b"]`)), Header{}, -1, 1, `inputs[2].data: refused`},
		"a row by column":        {V2{}, people(), infer(tensor("grade", "[2]", "INT64", "[1,2]"), tensor("age", "[2]", "INT64", "[1,2]"), tensor("city", "[2]", "BYTES", `["a","b"]`)), Header{}, 1, -1, `inputs: row 1: refused`},
	}
	header, body := inferRaw(rawTensor{"x", "[2,2]", "FP64", le(1.0, 2.0, 3.0, 4.0)})
	binary := tests["flat tensor"]
	binary.header, binary.body, binary.want = header, body, `inputs[0].data: row 1, column 0: refused`
	tests["binary tensor"] = binary
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req, err := decode(t, test.codec, test.model, test.header, test.body)
			if err != nil {
				t.Fatalf("Decode(%s): %v", test.body, err)
			}
			got := req.Explain(fmt.Errorf("predicting: %w", &frame.InputError{Row: test.row, Column: test.col, Reason: "refused"}))
			var e *Error
			if !errors.As(got, &e) || e.Status != 400 || e.Error() != test.want {
				t.Errorf("Explain = %v, want %s", got, test.want)
			}
		})
	}
	other := errors.New("other")
	if got := NewRequest().Explain(other); got != other {
		t.Errorf("Explain(%v) = %v", other, got)
	}
	if got := NewRequest().Explain(nil); got != nil {
		t.Errorf("Explain(nil) = %v", got)
	}
}
