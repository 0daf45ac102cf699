package wire

import (
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// encode decodes a request and encodes an answer to it.
func encode(t *testing.T, codec Codec, sig *model.Signature, body string, out ...frame.Array) (string, Answer) {
	t.Helper()
	req := NewRequest()
	req.Schema = NewSchema("iris", "2", sig, Limits{})
	req.Header.ContentType = typeJSON
	if err := codec.Decode(req, []byte(body)); err != nil {
		t.Fatalf("Decode(%s): %v", body, err)
	}
	if len(out) != len(req.Methods) {
		t.Fatalf("Decode(%s) asks for %v; the test has %d arrays", body, req.Methods, len(out))
	}
	got, err := codec.Encode([]byte("x"), req, out)
	if err != nil {
		t.Fatalf("Encode: %v", err)
	}
	if got[0] != 'x' {
		t.Fatalf("Encode changed what was before it: %s", got)
	}
	return string(got[1:]), req.Answer
}

func floats(values ...float64) frame.Array {
	return frame.Array{Rows: len(values), Floats: values}
}

func matrix(rows, cols int, values ...float64) frame.Array {
	return frame.Array{Rows: rows, Cols: cols, Floats: values}
}

func codes(c *frame.Classes, codes ...int32) frame.Array {
	return frame.Array{Rows: len(codes), Kind: frame.Label, Codes: codes, Classes: []*frame.Classes{c}}
}

func TestNativeAnswers(t *testing.T) {
	iris := numeric(1)
	c := iris.Outputs[0].Classes[0]
	two := twoTargets()
	proba := frame.Array{Rows: 1, Kind: frame.List, Parts: []frame.Array{matrix(1, 2, .25, .75), matrix(1, 3, 0, 1, 0)}}
	regressor := numeric(1)
	regressor.Outputs = []frame.Output{{Method: frame.Predict, Kind: frame.Float64}}
	tests := map[string]struct {
		model *model.Signature
		body  string
		out   []frame.Array
		want  string
	}{
		"labels":             {iris, `{"inputs":[[1],[2]]}`, []frame.Array{codes(c, 0, 2)}, `{"prediction":[0,2]}`},
		"probabilities":      {iris, `{"inputs":[[1],[2]],"outputs":["predict_proba"]}`, []frame.Array{codes(c, 0, 2), matrix(2, 3, 1, 0, 0, .05, .15, .8)}, `{"prediction":[0,2],"predict_proba":[[1.0,0.0,0.0],[0.05,0.15,0.8]]}`},
		"in the order asked": {iris, `{"inputs":[1],"outputs":["decision_function","predict_proba"]}`, []frame.Array{codes(c, 0), matrix(1, 1, 2), matrix(1, 1, 1)}, `{"prediction":[0],"decision_function":[[2.0]],"predict_proba":[[1.0]]}`},
		"predict by name":    {iris, `{"inputs":[1],"outputs":["predict"]}`, []frame.Array{codes(c, 1)}, `{"prediction":[1],"predict":[1]}`},
		"strings":            {iris, `{"inputs":[1]}`, []frame.Array{codes(classes(frame.String("a\"\\\n\x01é"), frame.String("b")), 0, 1)}, `{"prediction":["a\"\\\n\u0001é","b"]}`},
		"booleans":           {iris, `{"inputs":[1]}`, []frame.Array{codes(classes(frame.Bool(false), frame.Bool(true)), 0, 1)}, `{"prediction":[false,true]}`},
		"floats":             {iris, `{"inputs":[1]}`, []frame.Array{codes(classes(frame.Float(1), frame.Float(2.5)), 0, 1)}, `{"prediction":[1.0,2.5]}`},
		"mixed labels":       {iris, `{"inputs":[1]}`, []frame.Array{codes(classes(frame.Int(1), frame.String("a"), frame.None()), 0, 1, 2)}, `{"prediction":[1,"a",null]}`},
		"numbers": {regressor, `{"inputs":[1]}`, []frame.Array{floats(0, math.Copysign(0, -1), 1, -1, .1, 1e-5, 1e-4, 1e15, 1e16, 123456789, 1e100, 5e-324, 1.0/3, math.NaN(), math.Inf(1), math.Inf(-1))},
			`{"prediction":[0.0,-0.0,1.0,-1.0,0.1,1e-05,0.0001,1000000000000000.0,1e+16,123456789.0,1e+100,5e-324,0.3333333333333333,null,"Infinity","-Infinity"]}`},
		"integers":                {regressor, `{"inputs":[1]}`, []frame.Array{{Rows: 2, Kind: frame.Int64, Ints: []int64{math.MinInt64, 7}}}, `{"prediction":[-9223372036854775808,7]}`},
		"booleans, not labels":    {regressor, `{"inputs":[1]}`, []frame.Array{{Rows: 2, Kind: frame.Boolean, Bools: []bool{true, false}}}, `{"prediction":[true,false]}`},
		"regression of targets":   {regressor, `{"inputs":[1]}`, []frame.Array{matrix(2, 2, 1, 2, 3, 4)}, `{"prediction":[[1.0,2.0],[3.0,4.0]]}`},
		"one column":              {regressor, `{"inputs":[1]}`, []frame.Array{matrix(2, 1, 1, 2)}, `{"prediction":[[1.0],[2.0]]}`},
		"multi-output":            {two, `{"inputs":[1,2],"outputs":["predict_proba"]}`, []frame.Array{{Rows: 1, Cols: 2, Kind: frame.Label, Codes: []int32{1, 2}, Classes: two.Outputs[0].Classes}, proba}, `{"prediction":[[1,"c"]],"predict_proba":[[[0.25,0.75]],[[0.0,1.0,0.0]]]}`},
		"transformer":             {labelEncoder(), `{"inputs":["a"]}`, []frame.Array{{Rows: 1, Kind: frame.Int64, Ints: []int64{3}}}, `{"transform":[3]}`},
		"transformer, asked":      {labelEncoder(), `{"inputs":["a"],"outputs":["transform"]}`, []frame.Array{{Rows: 1, Kind: frame.Int64, Ints: []int64{3}}}, `{"transform":[3]}`},
		"cells":                   {anyCells(), `{"inputs":["a"]}`, []frame.Array{{Rows: 1, Cols: 5, Kind: frame.Object, Values: []frame.Value{frame.String("a"), frame.None(), frame.Float(math.NaN()), frame.Int(1), frame.Float(2)}}}, `{"transform":[["a",null,null,1,2.0]]}`},
		"classes not in the file": {iris, `{"inputs":[1]}`, []frame.Array{codes(ints(2), 1)}, `{"prediction":[1]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, answer := encode(t, Native{}, test.model, test.body, test.out...)
			if got != test.want {
				t.Errorf("answer\n%s\nwant\n%s", got, test.want)
			}
			if !json.Valid([]byte(got)) {
				t.Errorf("not JSON: %s", got)
			}
			if want := (Answer{ContentType: "application/json"}); answer != want {
				t.Errorf("Answer = %v, want %v", answer, want)
			}
		})
	}
}

func TestPredictions(t *testing.T) {
	c := numeric(1).Outputs[0].Classes[0]
	tests := map[string]struct {
		codec Codec
		model *model.Signature
		body  string
		out   frame.Array
		want  string
	}{
		"V1":                       {V1{}, numeric(1), `{"instances":[[1],[2]]}`, codes(c, 0, 2), `{"predictions":[0,2]}`},
		"V1, transformer":          {V1{}, anyWidth(), `{"instances":[[1],[2]]}`, matrix(2, 2, 1, 2, 3, 4), `{"predictions":[[1.0,2.0],[3.0,4.0]]}`},
		"invocations":              {Invocations{}, numeric(1), `{"inputs":[[1],[2]]}`, codes(classes(frame.String("a"), frame.String("b")), 1, 0), `{"predictions":["b","a"]}`},
		"invocations, transformer": {Invocations{}, anyWidth(), `{"instances":[[1]]}`, floats(math.NaN()), `{"predictions":[null]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, _ := encode(t, test.codec, test.model, test.body, test.out)
			if got != test.want {
				t.Errorf("answer %s, want %s", got, test.want)
			}
		})
	}
}

func TestV2Answers(t *testing.T) {
	iris, two := numeric(1), twoTargets()
	c := iris.Outputs[0].Classes[0]
	one := tensor("x", "[1,1]", "FP64", "[1]")
	pair := tensor("x", "[1,2]", "FP64", "[1,2]")
	ask := func(input, outputs string) string { return `{"inputs":[` + input + `],` + outputs + `}` }
	labels := frame.Array{Rows: 1, Cols: 2, Kind: frame.Label, Codes: []int32{1, 2}, Classes: two.Outputs[0].Classes}
	proba := frame.Array{Rows: 1, Kind: frame.List, Parts: []frame.Array{matrix(1, 2, .25, .75), matrix(1, 3, 0, 1, 0)}}
	tests := map[string]struct {
		model *model.Signature
		body  string
		out   []frame.Array
		want  string // the outputs
		raw   []byte
	}{
		"default":            {iris, infer(one), []frame.Array{codes(c, 2)}, `{"name":"predict","shape":[1],"datatype":"INT64","data":[2]}`, nil},
		"output-0":           {iris, ask(one, `"outputs":[{"name":"output-0"}]`), []frame.Array{codes(c, 2)}, `{"name":"output-0","shape":[1],"datatype":"INT64","data":[2]}`, nil},
		"selection":          {iris, ask(one, `"outputs":[{"name":"predict_proba"},{"name":"predict","parameters":{"content_type":"np"}}]`), []frame.Array{matrix(1, 3, 1, 0, 0), codes(c, 0)}, `{"name":"predict_proba","shape":[1,3],"datatype":"FP64","data":[1.0,0.0,0.0]},{"name":"predict","shape":[1],"datatype":"INT64","data":[0]}`, nil},
		"strings":            {iris, infer(one), []frame.Array{codes(classes(frame.String("a\n"), frame.String("b")), 0, 1)}, `{"name":"predict","shape":[2],"datatype":"BYTES","data":["a\n","b"]}`, nil},
		"booleans":           {iris, infer(one), []frame.Array{codes(classes(frame.Bool(false), frame.Bool(true)), 0, 1)}, `{"name":"predict","shape":[2],"datatype":"BOOL","data":[false,true]}`, nil},
		"floats":             {iris, infer(one), []frame.Array{codes(classes(frame.Float(1), frame.Float(2)), 0, 1)}, `{"name":"predict","shape":[2],"datatype":"FP64","data":[1.0,2.0]}`, nil},
		"mixed labels":       {iris, infer(one), []frame.Array{codes(classes(frame.Int(1), frame.String("a"), frame.Bool(true)), 0, 1, 2)}, `{"name":"predict","shape":[3],"datatype":"BYTES","data":["1","a","True"]}`, nil},
		"not finite":         {iris, infer(one), []frame.Array{floats(math.NaN(), math.Inf(1))}, `{"name":"predict","shape":[2],"datatype":"FP64","data":[null,"Infinity"]}`, nil},
		"mixed targets":      {two, infer(pair), []frame.Array{labels}, `{"name":"predict","shape":[1,2],"datatype":"BYTES","data":["1","c"]}`, nil},
		"all targets":        {two, ask(pair, `"outputs":[{"name":"predict_proba"}]`), []frame.Array{proba}, `{"name":"predict_proba_0","shape":[1,2],"datatype":"FP64","data":[0.25,0.75]},{"name":"predict_proba_1","shape":[1,3],"datatype":"FP64","data":[0.0,1.0,0.0]}`, nil},
		"one target":         {two, ask(pair, `"outputs":[{"name":"predict_proba_1"}]`), []frame.Array{proba}, `{"name":"predict_proba_1","shape":[1,3],"datatype":"FP64","data":[0.0,1.0,0.0]}`, nil},
		"transformer":        {labelEncoder(), infer(tensor("x", "[2]", "BYTES", `["a","b"]`)), []frame.Array{{Rows: 2, Kind: frame.Int64, Ints: []int64{3, 4}}}, `{"name":"transform","shape":[2],"datatype":"INT64","data":[3,4]}`, nil},
		"cells":              {anyCells(), infer(one), []frame.Array{{Rows: 1, Cols: 5, Kind: frame.Object, Values: []frame.Value{frame.String("a"), frame.None(), frame.Float(math.NaN()), frame.Int(1), frame.Float(2)}}}, `{"name":"transform","shape":[1,5],"datatype":"BYTES","data":["a",null,null,"1","2.0"]}`, nil},
		"binary":             {iris, ask(one, `"outputs":[{"name":"predict","parameters":{"binary_data":true}},{"name":"predict_proba"}]`), []frame.Array{codes(c, 2, 1), matrix(1, 1, 1)}, `{"name":"predict","shape":[2],"datatype":"INT64","parameters":{"binary_data_size":16}},{"name":"predict_proba","shape":[1,1],"datatype":"FP64","data":[1.0]}`, le(int64(2), int64(1))},
		"all binary":         {iris, ask(one, `"parameters":{"binary_data_output":true}`), []frame.Array{floats(1.5, math.NaN(), math.Inf(-1))}, `{"name":"predict","shape":[3],"datatype":"FP64","parameters":{"binary_data_size":24}}`, le(1.5, math.NaN(), math.Inf(-1))},
		"all binary but":     {iris, ask(one, `"outputs":[{"name":"predict","parameters":{"binary_data":false}},{"name":"predict_proba"}],"parameters":{"binary_data_output":true}`), []frame.Array{codes(c, 2), matrix(1, 1, 1)}, `{"name":"predict","shape":[1],"datatype":"INT64","data":[2]},{"name":"predict_proba","shape":[1,1],"datatype":"FP64","parameters":{"binary_data_size":8}}`, le(1.0)},
		"binary strings":     {iris, ask(one, `"parameters":{"binary_data_output":true}`), []frame.Array{codes(classes(frame.String("a"), frame.String("bé")), 1, 0)}, `{"name":"predict","shape":[2],"datatype":"BYTES","parameters":{"binary_data_size":12}}`, texts("bé", "a")},
		"binary booleans":    {iris, ask(one, `"parameters":{"binary_data_output":true}`), []frame.Array{codes(classes(frame.Bool(false), frame.Bool(true)), 1, 0)}, `{"name":"predict","shape":[2],"datatype":"BOOL","parameters":{"binary_data_size":2}}`, []byte{1, 0}},
		"binary floats":      {iris, ask(one, `"parameters":{"binary_data_output":true}`), []frame.Array{codes(classes(frame.Float(1), frame.Float(2)), 1)}, `{"name":"predict","shape":[1],"datatype":"FP64","parameters":{"binary_data_size":8}}`, le(2.0)},
		"binary cells":       {anyCells(), ask(one, `"parameters":{"binary_data_output":true}`), []frame.Array{{Rows: 1, Cols: 5, Kind: frame.Object, Values: []frame.Value{frame.String("a"), frame.None(), frame.Float(math.NaN()), frame.Int(1), frame.Bool(false)}}}, `{"name":"transform","shape":[1,5],"datatype":"BYTES","parameters":{"binary_data_size":34}}`, texts("a", "None", "nan", "1", "False")},
		"binary, the target": {two, ask(pair, `"parameters":{"binary_data_output":true},"outputs":[{"name":"predict_proba_0"},{"name":"predict"}]`), []frame.Array{proba, labels}, `{"name":"predict_proba_0","shape":[1,2],"datatype":"FP64","parameters":{"binary_data_size":16}},{"name":"predict","shape":[1,2],"datatype":"BYTES","parameters":{"binary_data_size":10}}`, append(le(.25, .75), texts("1", "c")...)},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, answer := encode(t, V2{}, test.model, test.body, test.out...)
			text := `{"model_name":"iris","model_version":"2","outputs":[` + test.want + `]}`
			want := Answer{ContentType: "application/json"}
			if test.raw != nil {
				want = Answer{ContentType: "application/octet-stream", JSONLength: len(text)}
			}
			if got != text+string(test.raw) {
				t.Errorf("answer\n%q\nwant\n%q", got, text+string(test.raw))
			}
			if answer != want {
				t.Errorf("Answer = %v, want %v", answer, want)
			}
			if !json.Valid([]byte(got[:len(text)])) {
				t.Errorf("not JSON: %s", got)
			}
		})
	}
}

func TestV2Echo(t *testing.T) {
	sig := numeric(1)
	s := NewSchema("a \"b\"", "", sig, Limits{})
	req := NewRequest()
	req.Schema = s
	if err := (V2{}).Decode(req, []byte(`{"id":"r\u00e9\"1","inputs":[`+tensor("x", "[1,1]", "FP64", "[1]")+`]}`)); err != nil {
		t.Fatal(err)
	}
	got, err := V2{}.Encode(nil, req, []frame.Array{codes(sig.Outputs[0].Classes[0], 1)})
	want := `{"model_name":"a \"b\"","id":"ré\"1","outputs":[{"name":"predict","shape":[1],"datatype":"INT64","data":[1]}]}`
	if err != nil || string(got) != want {
		t.Errorf("Encode = %s, %v; want %s", got, err, want)
	}
}

func TestV2Outputs(t *testing.T) {
	one := tensor("x", "[1,1]", "FP64", "[1]")
	ask := func(outputs string) string { return `{"inputs":[` + one + `],"outputs":` + outputs + `}` }
	runDecode(t, V2{}, map[string]decodeTest{
		"none":           {model: numeric(1), body: ask(`[]`), want: `[1.0]`},
		"unknown":        {model: numeric(1), body: ask(`[{"name":"predict"},{"name":"probabilities"}]`), fails: `outputs[1].name: the model has no output "probabilities"; it has predict, predict_proba, predict_log_proba, decision_function`},
		"unknown target": {model: twoTargets(), body: `{"inputs":[` + tensor("x", "[1,2]", "FP64", "[1,2]") + `],"outputs":[{"name":"predict_proba_2"}]}`, fails: `outputs[0].name: the model has no output "predict_proba_2"; it has predict, predict_proba_0, predict_proba_1; did you mean predict_proba_0?`},
		"twice":          {model: numeric(1), body: ask(`[{"name":"predict"},{"name":"predict"}]`), fails: `outputs[1].name: "predict" is asked for twice`},
		"no name":        {model: numeric(1), body: ask(`[{}]`), fails: `outputs[0].name: the model has no output ""; it has predict, predict_proba, predict_log_proba, decision_function`},
		"no object":      {model: numeric(1), body: ask(`["predict"]`), fails: `outputs[0]: expected an object, found "predict"`},
		"classification": {model: numeric(1), body: ask(`[{"name":"predict","parameters":{"classification":3}}]`), fails: `outputs[0].parameters.classification: the classification extension is not served: ask for the output predict or predict_proba`},
		"not a boolean":  {model: numeric(1), body: ask(`[{"name":"predict","parameters":{"binary_data":1}}]`), fails: `outputs[0].parameters.binary_data: expected true or false, found 1`},
		"misspelt":       {model: numeric(1), body: ask(`[{"name":"predict","paramters":{}}]`), fails: `outputs[0].paramters: unknown key; did you mean parameters?`},
		"key twice":      {model: numeric(1), body: ask(`[{"name":"predict","name":"predict"}]`), fails: `outputs[0]: the key "name" is there twice`},
	})
}

func TestAnswerTooLarge(t *testing.T) {
	codecs := map[string]struct {
		codec Codec
		body  string
	}{
		"native":      {Native{}, `{"inputs":[[1]]}`},
		"V1":          {V1{}, `{"instances":[[1]]}`},
		"V2":          {V2{}, infer(tensor("x", "[1,1]", "FP64", "[1]"))},
		"invocations": {Invocations{}, `{"inputs":[[1]]}`},
	}
	for name, c := range codecs {
		t.Run(name, func(t *testing.T) {
			req := NewRequest()
			req.Schema = NewSchema("m", "", anyWidth(), Limits{Elements: 10})
			req.Header.ContentType = typeJSON
			if err := c.codec.Decode(req, []byte(c.body)); err != nil {
				t.Fatal(err)
			}
			_, err := c.codec.Encode(nil, req, []frame.Array{matrix(1, 11, make([]float64, 11)...)})
			var e *Error
			if !errors.As(err, &e) || e.Status != 413 || !strings.Contains(e.Reason, "11 values, more than 10 (--max-values)") {
				t.Errorf("Encode: %v; want a status of 413 and the flag", err)
			}
		})
	}
}

func TestAppendError(t *testing.T) {
	refused := invalid("inputs[3][2]", "expected a number, found %q", "a\nb")
	tests := map[string]struct {
		codec Codec
		err   error
		want  string
	}{
		"native":                {Native{}, refused, `{"error":"inputs[3][2]: expected a number, found \"a\\nb\""}`},
		"V1":                    {V1{}, refused, `{"error":"inputs[3][2]: expected a number, found \"a\\nb\""}`},
		"V2":                    {V2{}, refused, `{"error":"inputs[3][2]: expected a number, found \"a\\nb\""}`},
		"invocations":           {Invocations{}, refused, `{"error_code":"BAD_REQUEST","message":"inputs[3][2]: expected a number, found \"a\\nb\""}`},
		"invocations, internal": {Invocations{}, errors.New("no"), `{"error_code":"INTERNAL_ERROR","message":"no"}`},
		"invocations, busy":     {Invocations{}, &Error{Status: 503, Reason: "no"}, `{"error_code":"TEMPORARILY_UNAVAILABLE","message":"no"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := string(test.codec.AppendError(nil, test.err)); got != test.want {
				t.Errorf("AppendError = %s, want %s", got, test.want)
			}
		})
	}
}
