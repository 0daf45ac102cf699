package wire

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// show writes a frame for comparison: a matrix as [5.1 3.5; …], columns as
// {1.0 "a"; …} row by row, cells as Python's repr writes them.
func show(f *frame.Frame) string {
	var b strings.Builder
	b.WriteString(map[bool]string{true: "[", false: "{"}[f.Dense != nil])
	for i := range f.Rows {
		if i > 0 {
			b.WriteString("; ")
		}
		for j := range f.Cols {
			if j > 0 {
				b.WriteString(" ")
			}
			b.WriteString(f.Value(i, j).String())
		}
	}
	b.WriteString(map[bool]string{true: "]", false: "}"}[f.Dense != nil])
	return b.String()
}

// decode decodes a body twice with one request, as a server does, and returns
// what came of it.
func decode(t *testing.T, codec Codec, sig *model.Signature, header Header, body string) (*Request, error) {
	t.Helper()
	s := NewSchema("m", "", sig, Limits{Rows: 100, Elements: 1000})
	req := NewRequest()
	var first string
	for i := range 2 {
		req.Reset()
		req.Schema, req.Header = s, header
		err := codec.Decode(req, []byte(body))
		var e *Error
		if err != nil && (!errors.As(err, &e) || e.Status < 400 || e.Status > 499) {
			t.Fatalf("Decode(%s) = %v, which is no *Error of a status 4xx", body, err)
		}
		got := fmt.Sprint(err)
		if err == nil {
			got = show(&req.Frame)
		}
		if i == 0 {
			first = got
			continue
		}
		if got != first {
			t.Fatalf("Decode(%s) = %s, but a request that was used before %s", body, first, got)
		}
		return req, err
	}
	return nil, nil
}

// decodeTest is one body: either the frame that it makes, or the error.
type decodeTest struct {
	model  *model.Signature
	body   string
	header Header
	want   string
	fails  string // the error's text
	status int    // 400 unless set
}

func runDecode(t *testing.T, codec Codec, tests map[string]decodeTest) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			req, err := decode(t, codec, test.model, test.header, test.body)
			if test.fails != "" {
				if err == nil {
					t.Fatalf("Decode(%s) = %s; want the error %q", test.body, show(&req.Frame), test.fails)
				}
				if err.Error() != test.fails {
					t.Errorf("Decode(%s): error\n%s\nwant\n%s", test.body, err, test.fails)
				}
				var e *Error
				if want := max(test.status, 400); errors.As(err, &e) && e.Status != want {
					t.Errorf("Decode(%s): status %d, want %d", test.body, e.Status, want)
				}
				return
			}
			if err != nil {
				t.Fatalf("Decode(%s): %v", test.body, err)
			}
			if got := show(&req.Frame); got != test.want {
				t.Errorf("Decode(%s) = %s, want %s", test.body, got, test.want)
			}
		})
	}
}

func TestNativeRows(t *testing.T) {
	runDecode(t, Native{}, map[string]decodeTest{
		"a flat list is one row":       {model: numeric(4), body: `{"inputs":[5.1,3.5,1.4,0.2]}`, want: `[5.1 3.5 1.4 0.2]`},
		"a list of rows":               {model: numeric(2), body: `{"inputs":[[1,2],[3,4]]}`, want: `[1.0 2.0; 3.0 4.0]`},
		"white space":                  {model: numeric(2), body: " {\n\t\"inputs\" : [ [ 1 , 2 ] ,\r\n [ 3 , 4 ] ] } \n", want: `[1.0 2.0; 3.0 4.0]`},
		"a byte-order mark":            {model: numeric(1), body: "\ufeff{\"inputs\":[1]}", want: `[1.0]`},
		"rows of a named model":        {model: flowers(), body: `{"inputs":[[1,2,3,4]]}`, want: `[1.0 2.0 3.0 4.0]`},
		"a row of a mixed model":       {model: people(), body: `{"inputs":[31,"Oslo",1,"x"]}`, want: `{31.0 "Oslo" 1 "x"}`},
		"one column, flat":             {model: numeric(1), body: `{"inputs":[7]}`, want: `[7.0]`},
		"one column, rows":             {model: numeric(1), body: `{"inputs":[[1],[2]]}`, want: `[1.0; 2.0]`},
		"samples of one value":         {model: labelEncoder(), body: `{"inputs":["a","b","a"]}`, want: `{"a"; "b"; "a"}`},
		"one sample":                   {model: labelEncoder(), body: `{"inputs":["a"]}`, want: `{"a"}`},
		"samples as rows":              {model: labelEncoder(), body: `{"inputs":[["a"],["b"]]}`, want: `{"a"; "b"}`},
		"samples that are numbers":     {model: numberEncoder(), body: `{"inputs":[1,2,3]}`, want: `[1.0; 2.0; 3.0]`},
		"any width":                    {model: anyWidth(), body: `{"inputs":[[1,2,3],[4,5,6]]}`, want: `[1.0 2.0 3.0; 4.0 5.0 6.0]`},
		"any width, one row":           {model: anyWidth(), body: `{"inputs":[1,2]}`, want: `[1.0 2.0]`},
		"any width, cells":             {model: anyCells(), body: `{"inputs":[["a",1],[null,2.0]]}`, want: `{"a" 1; None 2.0}`},
		"outputs before inputs":        {model: numeric(1), body: `{"outputs":["predict_proba"],"inputs":[1]}`, want: `[1.0]`},
		"cells in an unnamed model":    {model: unnamed(), body: `{"inputs":[["a",1],[2,3]]}`, want: `{"a" 1.0; 2 3.0}`},
		"empty list":                   {model: numeric(2), body: `{"inputs":[]}`, fails: `inputs: no rows: send at least one`},
		"empty row":                    {model: numeric(2), body: `{"inputs":[[]]}`, fails: `inputs[0]: got 0 values, expected 2`},
		"empty row, any width":         {model: anyWidth(), body: `{"inputs":[[]]}`, fails: `inputs[0]: the row is empty`},
		"too narrow":                   {model: numeric(4), body: `{"inputs":[5.1,3.5]}`, fails: `inputs: got 2 values, expected 4`},
		"too wide":                     {model: numeric(2), body: `{"inputs":[[1,2],[1,2,3]]}`, fails: `inputs[1]: got 3 values, expected 2`},
		"too wide by far":              {model: numeric(1), body: `{"inputs":[[1,2,3,4,5,6]]}`, fails: `inputs[0]: got 6 values, expected 1`},
		"wrong width, names":           {model: flowers(), body: `{"inputs":[[1]]}`, fails: `inputs[0]: got 1 value, expected 4 (sepal length (cm), sepal width (cm), petal_length, petal_width)`},
		"mixed, wrong width":           {model: people(), body: `{"inputs":[[1,"a"]]}`, fails: `inputs[0]: got 2 values, expected 4 (age, city, grade, note)`},
		"ragged":                       {model: anyWidth(), body: `{"inputs":[[1,2],[1]]}`, fails: `inputs[1]: got 1 value, but the first row has 2`},
		"ragged, wider":                {model: anyCells(), body: `{"inputs":[["a"],["b","c"]]}`, fails: `inputs[1]: got 2 values, but the first row has 1`},
		"one column, many flat":        {model: numeric(1), body: `{"inputs":[1,2,3]}`, fails: `inputs: got 3 values, expected 1; a flat list is one row: write [[1], [2]] for two rows of one value`},
		"a scalar":                     {model: numeric(1), body: `{"inputs":5}`, fails: `inputs: expected a row (a list), a list of rows, or records, found 5`},
		"a string":                     {model: numeric(1), body: `{"inputs":"5"}`, fails: `inputs: expected a row (a list), a list of rows, or records, found "5"`},
		"null":                         {model: numeric(1), body: `{"inputs":null}`, fails: `inputs: expected a row (a list), a list of rows, or records, found null`},
		"string for a number":          {model: numeric(3), body: `{"inputs":[[1,2,3],[1,2,3],[1,2,3],[1,2,"abc"]]}`, fails: `inputs[3][2]: expected a number, found "abc"`},
		"the string NaN":               {model: numeric(1), body: `{"inputs":["NaN"]}`, fails: `inputs[0]: expected a number, found "NaN"`},
		"long string for a number":     {model: numeric(1), body: `{"inputs":["` + strings.Repeat("é", 40) + `"]}`, fails: `inputs[0]: expected a number, found "` + strings.Repeat("é", 20) + `…"`},
		"list for a number":            {model: numeric(2), body: `{"inputs":[[1,[2]]]}`, fails: `inputs[0][1]: expected a number, found a list`},
		"list in a flat row":           {model: numeric(2), body: `{"inputs":[1,[2]]}`, fails: `inputs[1]: expected a number, found a list`},
		"object for a number":          {model: numeric(2), body: `{"inputs":[1,{}]}`, fails: `inputs[1]: expected a number, found an object`},
		"number among rows":            {model: numeric(1), body: `{"inputs":[[1],2]}`, fails: `inputs[1]: expected a row (a list), as the rows before it, found 2`},
		"record among rows":            {model: flowers(), body: `{"inputs":[[1,2,3,4],{}]}`, fails: `inputs[1]: expected a row (a list), as the rows before it, found an object`},
		"list for a cell":              {model: people(), body: `{"inputs":[1,"Oslo",["a"],"x"]}`, fails: `inputs[2]: expected a value, found a list`},
		"string in the numbers column": {model: people(), body: `{"inputs":[["old","Oslo",1,"x"]]}`, fails: `inputs[0][0]: expected a number, found "old"`},
		"list among samples":           {model: labelEncoder(), body: `{"inputs":["a",["b"]]}`, fails: `inputs[1]: expected a value, as those before it, found a list`},
		"string among numbers samples": {model: numberEncoder(), body: `{"inputs":[1,"b"]}`, fails: `inputs[1]: expected a number, found "b"`},
		"sample row too wide":          {model: labelEncoder(), body: `{"inputs":[["a","b"]]}`, fails: `inputs[0]: got 2 values, expected 1`},
		"too many rows":                {model: numeric(1), body: `{"inputs":[` + strings.Repeat("[1],", 100) + `[1]]}`, fails: `inputs: more than 100 rows in a request (--max-rows)`, status: 413},
		"too many samples":             {model: labelEncoder(), body: `{"inputs":[` + strings.Repeat(`"a",`, 100) + `"a"]}`, fails: `inputs: more than 100 rows in a request (--max-rows)`, status: 413},
		"too many cells":               {model: numeric(50), body: `{"inputs":[` + strings.Repeat("["+strings.Repeat("1,", 49)+"1],", 21) + `[1]]}`, fails: `inputs: more than 1000 values in a request (--max-values)`, status: 413},
		"too many cells, any width":    {model: anyWidth(), body: `{"inputs":[` + strings.Repeat("1,", 1000) + `1]}`, fails: `inputs: more than 1000 values in a request (--max-values)`, status: 413},
		"too many cells of any type":   {model: anyCells(), body: `{"inputs":[` + strings.Repeat("1,", 1000) + `1]}`, fails: `inputs: more than 1000 values in a request (--max-values)`, status: 413},
	})
}

func TestNativeRecords(t *testing.T) {
	runDecode(t, Native{}, map[string]decodeTest{
		"one record":             {model: flowers(), body: `{"inputs":{"sepal length (cm)":1,"sepal width (cm)":2,"petal_length":3,"petal_width":4}}`, want: `[1.0 2.0 3.0 4.0]`},
		"any order":              {model: flowers(), body: `{"inputs":[{"petal_width":4,"sepal width (cm)":2,"sepal length (cm)":1,"petal_length":3},{"petal_length":7,"petal_width":8,"sepal length (cm)":5,"sepal width (cm)":6}]}`, want: `[1.0 2.0 3.0 4.0; 5.0 6.0 7.0 8.0]`},
		"escaped key":            {model: flowers(), body: `{"inputs":{"sepal length (cm)":1,"sepal width (cm)":2,"petal\u005flength":3,"petal_width":4}}`, want: `[1.0 2.0 3.0 4.0]`},
		"mixed":                  {model: people(), body: `{"inputs":[{"age":30,"city":"Oslo","grade":2,"note":"n"},{"grade":"B","city":null,"age":null,"note":null}]}`, want: `{30.0 "Oslo" 2 "n"; nan None "B" None}`},
		"without unused columns": {model: people(), body: `{"inputs":{"age":30,"city":"Oslo","grade":2}}`, want: `{30.0 "Oslo" 2 None}`},
		"extra key ignored":      {model: ignoring(), body: `{"inputs":{"id":7,"age":30,"city":"Oslo","grade":2,"x":{"deep":[1]}}}`, want: `{30.0 "Oslo" 2 None}`},

		"missing column":            {model: flowers(), body: `{"inputs":[{"sepal length (cm)":1,"petal_width":4}]}`, fails: `inputs[0]: missing: sepal width (cm), petal_length`},
		"empty record":              {model: people(), body: `{"inputs":[{"age":1,"city":"a","grade":1},{}]}`, fails: `inputs[1]: missing: age, city, grade`},
		"misspelt key":              {model: flowers(), body: `{"inputs":{"sepal length (cm)":1,"sepal width (cm)":2,"petal_lenght":3,"petal_width":4}}`, fails: `inputs: the model has no column "petal_lenght"; did you mean petal_length? (missing: petal_length)`},
		"extra key":                 {model: people(), body: `{"inputs":[{"age":30,"city":"Oslo","grade":2,"colour":"red"}]}`, fails: `inputs[0]: the model has no column "colour"`},
		"misspelt where ignored":    {model: ignoring(), body: `{"inputs":{"age":30,"citty":"Oslo","grade":2}}`, fails: `inputs: the model has no column "citty"; did you mean city? (missing: city)`},
		"missing where ignored":     {model: ignoring(), body: `{"inputs":{"age":30,"colour":"red","grade":2}}`, fails: `inputs: missing: city`},
		"twice":                     {model: people(), body: `{"inputs":[{"age":30,"city":"Oslo","age":2}]}`, fails: `inputs[0]: the key "age" is there twice`},
		"twice, escaped":            {model: people(), body: `{"inputs":[{"age":30,"city":"Oslo","\u0061ge":2}]}`, fails: `inputs[0]: the key "age" is there twice`},
		"extra key twice":           {model: ignoring(), body: `{"inputs":{"age":30,"x":1,"x":2}}`, fails: `inputs: the key "x" is there twice`},
		"twice in an ignored value": {model: ignoring(), body: `{"inputs":{"age":30,"x":{"y":1,"y":2}}}`, fails: `inputs: the key "y" is there twice`},
		"string for a number":       {model: people(), body: `{"inputs":[{"city":"Oslo","age":"thirty"}]}`, fails: `inputs[0].age: expected a number, found "thirty"`},
		"quoted path":               {model: flowers(), body: `{"inputs":{"sepal length (cm)":"x"}}`, fails: `inputs["sepal length (cm)"]: expected a number, found "x"`},
		"list for a number":         {model: flowers(), body: `{"inputs":{"sepal length (cm)":[1,2]}}`, fails: `inputs["sepal length (cm)"]: expected a number, found a list`},
		"list for a cell":           {model: people(), body: `{"inputs":{"city":["Oslo"]}}`, fails: `inputs.city: expected a value, found a list`},
		"row among records":         {model: people(), body: `{"inputs":[{"age":1,"city":"a","grade":1},[1]]}`, fails: `inputs[1]: expected a record (an object), as those before it, found a list`},
		"model without names":       {model: numeric(4), body: `{"inputs":[{"a":1}]}`, fails: `inputs[0]: the model's file holds no column names: send rows (lists), not records`},
		"one, model without names":  {model: numeric(4), body: `{"inputs":{"a":1}}`, fails: `inputs: the model's file holds no column names: send rows (lists), not records`},
		"too many":                  {model: people(), body: `{"inputs":[` + strings.Repeat(`{"age":1,"city":"a","grade":1},`, 100) + `{}]}`, fails: `inputs: more than 100 rows in a request (--max-rows)`, status: 413},
	})
}

func TestNativeNumbers(t *testing.T) {
	row := func(cell string) string { return `{"inputs":[` + cell + `]}` }
	tests := map[string]decodeTest{}
	for cell, want := range map[string]string{
		"0": "0.0", "-0": "-0.0", "-0.0": "-0.0", "1": "1.0", "12.5": "12.5", "1e3": "1000.0", "1E+3": "1000.0", "25e-1": "2.5",
		"NaN": "nan", "Infinity": "inf", "-Infinity": "-inf", "null": "nan", "true": "1.0", "false": "0.0",
		"9007199254740993": "9007199254740992.0", "18446744073709551616": "1.8446744073709552e+19",
		"123456789012345678901234567890": "1.2345678901234568e+29", "1.7976931348623157e308": "1.7976931348623157e+308",
		"5e-324": "5e-324", "1e-400": "0.0", "0e999999999999": "0.0",
		"0.1000000000000000055511151231257827021181583404541015625": "0.1",
		"2.2250738585072011e-308":                                   "2.225073858507201e-308",
	} {
		tests[cell] = decodeTest{model: numeric(1), body: row(cell), want: "[" + want + "]"}
	}
	for cell, fails := range map[string]string{
		"1e999":                  "inputs[0]: the number 1e999 is out of range",
		"-1e309":                 "inputs[0]: the number -1e309 is out of range",
		strings.Repeat("9", 400): "inputs[0]: the number " + strings.Repeat("9", 40) + "… is out of range",
		"01":                     "inputs[0]: malformed JSON at byte 12: expected a digit of a number, found '1'",
		"+1":                     "inputs[0]: malformed JSON at byte 11: expected a value, found '+'",
		".5":                     "inputs[0]: malformed JSON at byte 11: expected a value, found '.'",
		"1.":                     "inputs[0]: malformed JSON at byte 13: expected a digit of a number, found ']'",
		"1.e2":                   "inputs[0]: malformed JSON at byte 13: expected a digit of a number, found 'e'",
		"1e":                     "inputs[0]: malformed JSON at byte 13: expected a digit of a number, found ']'",
		"1e+":                    "inputs[0]: malformed JSON at byte 14: expected a digit of a number, found ']'",
		"-":                      "inputs[0]: malformed JSON at byte 12: expected a digit of a number, found ']'",
		"--1":                    "inputs[0]: malformed JSON at byte 12: expected a digit of a number, found '-'",
		"0x10":                   "inputs[1]: malformed JSON at byte 12: expected ',' or ']', found 'x'",
		"1_000":                  "inputs[1]: malformed JSON at byte 12: expected ',' or ']', found '_'",
		"1 2":                    "inputs[1]: malformed JSON at byte 13: expected ',' or ']', found '2'",
		"nan":                    "inputs[0]: malformed JSON at byte 11: expected a value, found 'n'",
		"inf":                    "inputs[0]: malformed JSON at byte 11: expected a value, found 'i'",
		"-inf":                   "inputs[0]: malformed JSON at byte 12: expected a digit of a number, found 'i'",
		"None":                   "inputs[0]: malformed JSON at byte 11: expected a value, found 'N'",
		"True":                   "inputs[0]: malformed JSON at byte 11: expected a value, found 'T'",
		"'a'":                    `inputs[0]: malformed JSON at byte 11: expected a value, found '\''`,
		"1,":                     "inputs[1]: malformed JSON at byte 13: expected a value behind the comma, found ']'",
		",1":                     "inputs[0]: malformed JSON at byte 11: expected a value, found ','",
		"１":                      "inputs[0]: malformed JSON at byte 11: expected a value, found '１'",
		"1\u00a0":                "inputs[1]: malformed JSON at byte 12: expected ',' or ']', found '\\u00a0'",
		"1,2,3,\xff":             "inputs[3]: malformed JSON at byte 17: expected a value, found byte 0xff",
	} {
		tests[cell] = decodeTest{model: numeric(1), body: row(cell), fails: fails}
	}
	runDecode(t, Native{}, tests)
}

func TestNativeCells(t *testing.T) {
	body := func(cell string) string { return `{"inputs":[[` + cell + `,0]]}` }
	tests := map[string]decodeTest{}
	for cell, want := range map[string]string{
		`1`: `1`, `1.0`: `1.0`, `1e2`: `100.0`, `-7`: `-7`, `true`: `True`, `null`: `None`, `NaN`: `nan`, `-Infinity`: `-inf`,
		`"NaN"`: `"NaN"`, `""`: `""`, `"a b"`: `"a b"`, `"é€😀"`: `"é€😀"`,
		`"\"\\\/\b\f\n\r\t"`: `"\"\\/\b\f\n\r\t"`, `"\u00e9\u20AC\ud83d\ude00x"`: `"é€😀x"`, `"a\u0000"`: `"a\x00"`,
		`9223372036854775807`: `9223372036854775807`, `-9223372036854775808`: `-9223372036854775808`,
		`9223372036854775808`: `9.223372036854776e+18`,
	} {
		tests[cell] = decodeTest{model: unnamed(), body: body(cell), want: `{` + want + ` 0.0}`}
	}
	for cell, fails := range map[string]string{
		`"\x41"`:           `inputs[0][0]: malformed JSON at byte 13: unknown escape \x`,
		`"\ud83d"`:         `inputs[0][0]: malformed JSON at byte 13: half of a surrogate pair`,
		`"\ude00"`:         `inputs[0][0]: malformed JSON at byte 13: half of a surrogate pair`,
		`"\ud83d\u0041"`:   `inputs[0][0]: malformed JSON at byte 13: half of a surrogate pair`,
		`"\u12g4"`:         `inputs[0][0]: malformed JSON at byte 13: \u needs four hexadecimal digits`,
		`"\u12"`:           `inputs[0][0]: malformed JSON at byte 13: \u needs four hexadecimal digits`,
		"\"a\nb\"":         `inputs[0][0]: malformed JSON at byte 14: a control character in a string must be escaped`,
		"\"a\\n\nb\"":      `inputs[0][0]: malformed JSON at byte 16: a control character in a string must be escaped`,
		"\"a\xffb\"":       `inputs[0][0]: the string at byte 12 is not valid UTF-8`,
		"\"a\\n\xc3\"":     `inputs[0][0]: the string at byte 12 is not valid UTF-8`,
		"\"\xed\xa0\x80\"": `inputs[0][0]: the string at byte 12 is not valid UTF-8`,
		`1e999`:            `inputs[0][0]: the number 1e999 is out of range`,
		`truth`:            `inputs[0][0]: malformed JSON at byte 12: expected a value, found 't'`,
		`[1]`:              `inputs[0][0]: expected a value, found a list`,
	} {
		tests[cell] = decodeTest{model: unnamed(), body: body(cell), fails: fails}
	}
	tests[`"a`] = decodeTest{model: unnamed(), body: body(`"a`), fails: `inputs[0][0]: the JSON ends at byte 19, where the end of a string was expected`}
	runDecode(t, Native{}, tests)
}

func TestNativeBodies(t *testing.T) {
	deep := strings.Repeat("[", 5000)
	runDecode(t, Native{}, map[string]decodeTest{
		"no body":           {model: numeric(1), body: ``, fails: `the JSON ends at byte 0, where an object such as {"inputs":[…]} was expected`},
		"a list":            {model: numeric(1), body: `[1]`, fails: `expected an object such as {"inputs":[…]}, found a list`},
		"a number":          {model: numeric(1), body: `1`, fails: `expected an object such as {"inputs":[…]}, found 1`},
		"no JSON":           {model: numeric(1), body: `inputs=1`, fails: `malformed JSON at byte 0: expected a value, found 'i'`},
		"empty object":      {model: numeric(1), body: `{}`, fails: `no "inputs": send {"inputs":[…]}`},
		"input":             {model: numeric(1), body: `{"input":[1]}`, fails: `input: unknown key; did you mean inputs?`},
		"output":            {model: numeric(1), body: `{"inputs":[1],"output":["predict"]}`, fails: `output: unknown key; did you mean outputs?`},
		"unknown key":       {model: numeric(1), body: `{"rows":[1]}`, fails: `rows: unknown key; known are inputs, outputs`},
		"inputs twice":      {model: numeric(1), body: `{"inputs":[1],"inputs":[2]}`, fails: `the key "inputs" is there twice`},
		"outputs twice":     {model: numeric(1), body: `{"outputs":[],"inputs":[2],"outputs":[]}`, fails: `the key "outputs" is there twice`},
		"trailing garbage":  {model: numeric(1), body: `{"inputs":[1]}]`, fails: `malformed JSON at byte 14: ']' after the end of the body's object`},
		"two objects":       {model: numeric(1), body: `{"inputs":[1]}{"inputs":[1]}`, fails: `malformed JSON at byte 14: '{' after the end of the body's object`},
		"truncated number":  {model: numeric(4), body: `{"inputs":[5.1,3.5,1.`, fails: `inputs[2]: the JSON ends at byte 21, where a digit of a number was expected`},
		"truncated row":     {model: numeric(4), body: `{"inputs":[[5.1,3.5`, fails: `inputs[0][2]: the JSON ends at byte 19, where ',' or ']' was expected`},
		"truncated list":    {model: numeric(1), body: `{"inputs":[[5.1]`, fails: `inputs: the JSON ends at byte 16, where ',' or ']' was expected`},
		"truncated object":  {model: numeric(1), body: `{"inputs":[5.1]`, fails: `the JSON ends at byte 15, where ',' or '}' was expected`},
		"truncated key":     {model: numeric(1), body: `{"inp`, fails: `the JSON ends at byte 5, where the end of a string was expected`},
		"truncated escape":  {model: numeric(1), body: `{"inp\`, fails: `the JSON ends at byte 6, where the end of a string was expected`},
		"truncated literal": {model: numeric(1), body: `{"inputs":[nul`, fails: `inputs[0]: malformed JSON at byte 11: expected a value, found 'n'`},
		"no colon":          {model: numeric(1), body: `{"inputs" [1]}`, fails: `malformed JSON at byte 10: expected ':', found '['`},
		"trailing comma":    {model: numeric(1), body: `{"inputs":[1],}`, fails: `malformed JSON at byte 14: expected a key in double quotes, found '}'`},
		"single quotes":     {model: numeric(1), body: `{'inputs':[1]}`, fails: `malformed JSON at byte 1: expected a key in double quotes, found '\''`},
		"deep":              {model: numeric(1), body: `{"inputs":` + deep, fails: `inputs[0][0]: expected a number, found a list`},
		"deep cells":        {model: unnamed(), body: `{"inputs":` + deep, fails: `inputs[0][0]: expected a value, found a list`},
		"deep and ignored":  {model: ignoring(), body: `{"inputs":{"x":` + deep, fails: `inputs: nested more than 32 deep at byte 47 (--max-json-depth)`},
		"UTF-16":            {model: numeric(1), body: "{\x00\"\x00", fails: `malformed JSON at byte 1: expected a key in double quotes, found '\x00'`},

		"unknown output":    {model: numeric(1), body: `{"inputs":[1],"outputs":["score_samples"]}`, fails: `outputs[0]: the model has no output "score_samples"; it has predict, predict_proba, predict_log_proba, decision_function`},
		"misspelt output":   {model: numeric(1), body: `{"inputs":[1],"outputs":["predict","predict_prob"]}`, fails: `outputs[1]: the model has no output "predict_prob"; it has predict, predict_proba, predict_log_proba, decision_function; did you mean predict_proba?`},
		"output twice":      {model: numeric(1), body: `{"inputs":[1],"outputs":["predict_proba","predict_proba"]}`, fails: `outputs[1]: "predict_proba" is asked for twice`},
		"output no list":    {model: numeric(1), body: `{"inputs":[1],"outputs":"predict_proba"}`, fails: `outputs: expected a list of outputs such as ["predict_proba"], found "predict_proba"`},
		"output no name":    {model: numeric(1), body: `{"inputs":[1],"outputs":[1]}`, fails: `outputs[0]: expected the name of an output, found 1`},
		"transformer's own": {model: labelEncoder(), body: `{"inputs":["a"],"outputs":["predict"]}`, fails: `outputs[0]: the model has no output "predict"; it has transform`},
	})
}
