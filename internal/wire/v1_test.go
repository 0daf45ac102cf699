package wire

import (
	"strings"
	"testing"
)

func TestV1(t *testing.T) {
	runDecode(t, V1{}, map[string]decodeTest{
		"rows":                  {model: numeric(2), body: `{"instances":[[1,2],[3,4]]}`, want: `[1.0 2.0; 3.0 4.0]`},
		"inputs":                {model: numeric(2), body: `{"inputs":[[1,2]]}`, want: `[1.0 2.0]`},
		"one row":               {model: numeric(2), body: `{"instances":[1,2]}`, want: `[1.0 2.0]`},
		"samples":               {model: labelEncoder(), body: `{"instances":["a","b"]}`, want: `{"a"; "b"}`},
		"TensorFlow's key":      {model: numeric(2), body: `{"signature_name":"serving_default","instances":[[1,2]]}`, want: `[1.0 2.0]`},
		"foreign keys":          {model: numeric(2), body: `{"instances":[[1,2]],"parameters":{"a":1},"id":{"x":[1,{"y":null}]}}`, want: `[1.0 2.0]`},
		"records":               {model: people(), body: `{"instances":[{"age":30,"city":"Oslo","grade":2},{"grade":1,"city":"Rome","age":3}]}`, want: `{30.0 "Oslo" 2 None; 3.0 "Rome" 1 None}`},
		"frames of one row":     {model: people(), body: `{"instances":[{"age":{"0":30},"city":{"0":"Oslo"},"grade":{"0":2}},{"age":{"1":3},"city":{"1":"Rome"},"grade":{"1":1}}]}`, want: `{30.0 "Oslo" 2 None; 3.0 "Rome" 1 None}`},
		"frames of two rows":    {model: flowers(), body: `{"instances":[{"sepal length (cm)":[1,5],"sepal width (cm)":[2,6],"petal_length":[3,7],"petal_width":[4,8]},{"sepal length (cm)":[9],"sepal width (cm)":[10],"petal_length":[11],"petal_width":[12]}]}`, want: `[1.0 2.0 3.0 4.0; 5.0 6.0 7.0 8.0; 9.0 10.0 11.0 12.0]`},
		"a frame":               {model: flowers(), body: `{"instances":{"sepal length (cm)":[1,5],"sepal width (cm)":[2,6],"petal_length":[3,7],"petal_width":[4,8]}}`, want: `[1.0 2.0 3.0 4.0; 5.0 6.0 7.0 8.0]`},
		"frame, no names":       {model: numeric(2), body: `{"instances":[{"a":[1,2],"b":[3,4]},{"b":[6],"a":[5]}]}`, want: `[1.0 3.0; 2.0 4.0; 5.0 6.0]`},
		"record, no names":      {model: numeric(2), body: `{"instances":[{"a":1,"b":2},{"b":4,"a":3}]}`, want: `[1.0 2.0; 3.0 4.0]`},
		"nothing":               {model: numeric(2), body: `{}`, fails: `no "instances": send {"instances":[…]}`},
		"instance":              {model: numeric(2), body: `{"instance":[[1,2]]}`, fails: `instance: unknown key; did you mean instances?`},
		"both":                  {model: numeric(2), body: `{"instances":[[1,2]],"inputs":[[1,2]]}`, fails: `both instances and inputs: send one of them`},
		"twice":                 {model: numeric(2), body: `{"instances":[[1,2]],"instances":[[1,2]]}`, fails: `the key "instances" is there twice`},
		"foreign key twice":     {model: numeric(2), body: `{"id":1,"instances":[[1,2]],"id":2}`, fails: `the key "id" is there twice`},
		"empty":                 {model: numeric(2), body: `{"instances":[]}`, fails: `instances: no rows: send at least one`},
		"string":                {model: numeric(2), body: `{"instances":[[1,"x"]]}`, fails: `instances[0][1]: expected a number, found "x"`},
		"too deep elsewhere":    {model: numeric(2), body: `{"x":` + strings.Repeat("[", 99), fails: `x: nested more than 32 deep at byte 37 (--max-json-depth)`},
		"frame, string":         {model: flowers(), body: `{"instances":{"sepal length (cm)":[1,"b"]}}`, fails: `instances["sepal length (cm)"][1]: expected a number, found "b"`},
		"frames, string":        {model: people(), body: `{"instances":[{"age":[1,"b"]}]}`, fails: `instances: row 1, column "age": expected a number, found "b"`},
		"frame, ragged":         {model: flowers(), body: `{"instances":{"petal_width":[1,2],"petal_length":[1]}}`, fails: `instances: column "petal_length": got 1 row, but the column before has 2`},
		"frame, key twice":      {model: flowers(), body: `{"instances":{"petal_width":{"0":1,"0":2}}}`, fails: `instances.petal_width[1]: the key "0" is there twice`},
		"frame, cell":           {model: flowers(), body: `{"instances":{"petal_width":[1],"petal_length":1}}`, fails: `instances: column "petal_length": expected a column (a list), found 1`},
		"frame, no rows":        {model: numeric(1), body: `{"instances":{"a":[]}}`, fails: `instances: no rows: send at least one`},
		"frame, unknown column": {model: flowers(), body: `{"instances":{"petal":[1]}}`, fails: `instances: row 0: the model has no column "petal" (missing: sepal length (cm), sepal width (cm), petal_length, petal_width)`},
		"frame, only unknown":   {model: ignoring(), body: `{"instances":[{"x":[1]}]}`, fails: `instances: row 0: missing: age, city, grade`},
		"frame, too many rows":  {model: numeric(1), body: `{"instances":{"a":[` + strings.Repeat("1,", 100) + `1]}}`, fails: `instances: more than 100 rows in a request (--max-rows)`, status: 413},
		"frame, wide and short": {model: numeric(500), body: `{"instances":{"a":[1,1,1]}}`, fails: `instances: row 0: got too few columns; the model takes 500, the same in each record`},
		"frame, endless column": {model: flowers(), body: `{"instances":{"petal_width":[` + strings.Repeat("1,", 1000) + `1]}}`, fails: `instances: more than 1000 values in a request (--max-values)`, status: 413},
		"no names, other key":   {model: numeric(2), body: `{"instances":[{"a":1,"b":2},{"a":1,"c":2}]}`, fails: `instances[1]: got the column "c" beside 2 others; the model takes 2`},
		"no names, too few":     {model: numeric(2), body: `{"instances":[{"a":1}]}`, fails: `instances[0]: got too few columns; the model takes 2, the same in each record`},
		"any width, record":     {model: anyWidth(), body: `{"instances":[{"a":1}]}`, fails: `instances[0]: the model's file holds no column names: send rows (lists), not records`},
	})
}
