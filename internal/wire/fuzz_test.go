package wire

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strings"
	"testing"

	"mizzen.dev/model"
)

// pythonOnly reports whether a text has what Python's json writes beyond JSON,
// or a byte-order mark.
func pythonOnly(body []byte) bool {
	return bytes.Contains(body, []byte("NaN")) || bytes.Contains(body, []byte("Infinity")) || bytes.HasPrefix(body, []byte("\ufeff"))
}

// stricter reports whether an error is of what encoding/json lets pass.
func stricter(err error) bool {
	for _, reason := range []string{"is there twice", "out of range", "surrogate", "UTF-8", "nested more than"} {
		if strings.Contains(err.Error(), reason) {
			return true
		}
	}
	return false
}

// fuzzModels are the models of the fuzz targets, by number.
var fuzzModels = []func() *model.Signature{func() *model.Signature { return numeric(2) }, flowers, people, ignoring, unnamed, labelEncoder, numberEncoder, anyWidth, anyCells, twoTargets}

// fuzzLimits are small, so that the fuzzer meets them.
var fuzzLimits = Limits{Rows: 8, Elements: 24, Depth: 6}

// checkDecode decodes a body and checks what holds for every one: a frame is
// within the limits, whole and of the model's types; an error is one that the
// caller can mend; the request's last use does not matter.
func checkDecode(t *testing.T, codec Codec, sig *model.Signature, header Header, body []byte) (*Request, bool) {
	t.Helper()
	s := NewSchema("m", "", sig, fuzzLimits)
	req := NewRequest()
	var first string
	var err error
	for i := range 2 {
		req.Reset()
		req.Schema, req.Header = s, header
		kept := bytes.Clone(body)
		err = codec.Decode(req, kept)
		if !bytes.Equal(kept, body) {
			t.Fatalf("Decode(%q) changed the body", body)
		}
		got := ""
		if err == nil {
			got = show(&req.Frame)
		} else {
			got = err.Error()
			clear(kept) // the body is used again before the error is written
			if err.Error() != got {
				t.Fatalf("the error %q is part of the body", got)
			}
		}
		if i == 0 {
			first = got
		} else if got != first {
			t.Fatalf("Decode(%q) = %s, then %s", body, first, got)
		}
	}
	if err != nil {
		var e *Error
		if !errors.As(err, &e) || e.Status < 400 || e.Status > 499 || e.Reason == "" {
			t.Fatalf("Decode(%q): %v is no *Error of a caller's fault", body, err)
		}
		if out := codec.AppendError(nil, err); !json.Valid(out) {
			t.Fatalf("AppendError(%v) = %s", err, out)
		}
		return req, false
	}
	f := &req.Frame
	switch {
	case f.Rows < 1 || f.Rows > fuzzLimits.Rows || f.Rows*f.Cols > fuzzLimits.Elements:
		t.Fatalf("Decode(%q): %d×%d is beyond the limits", body, f.Rows, f.Cols)
	case s.width >= 0 && f.Cols != s.width:
		t.Fatalf("Decode(%q): %d columns, want %d", body, f.Cols, s.width)
	case s.dense && (len(f.Dense) != f.Rows*f.Cols || f.Columns != nil):
		t.Fatalf("Decode(%q): a matrix of %d, want %d×%d", body, len(f.Dense), f.Rows, f.Cols)
	case !s.dense && len(f.Columns) != f.Cols:
		t.Fatalf("Decode(%q): %d columns, want %d", body, len(f.Columns), f.Cols)
	case len(req.Methods) == 0:
		t.Fatalf("Decode(%q) asks for nothing", body)
	}
	for j, c := range f.Columns {
		if len(c.Floats) != f.Rows && len(c.Objects) != f.Rows && !s.unused(j) {
			t.Fatalf("Decode(%q): column %d has %d and %d cells of %d", body, j, len(c.Floats), len(c.Objects), f.Rows)
		}
	}
	return req, true
}

func FuzzNative(f *testing.F) {
	for _, seed := range []string{
		`{"inputs":[5.1,3.5]}`, `{"inputs":[[5.1,3.5],[1,NaN]],"outputs":["predict_proba"]}`, `{"inputs":["a","b"]}`,
		`{"inputs":{"age":30,"city":"Oslo","grade":2}}`, `{"inputs":[{"city":null,"age":null,"grade":"B","note":"\u00e9"}]}`,
		`{"inputs":[{"sepal length (cm)":1,"sepal width (cm)":2,"petal_length":3,"petal_width":4}]}`,
		`{"inputs":[]}`, `{"inputs":[[]]}`, `{"input":[1]}`, `{"inputs":[1],"inputs":[1]}`, `{"inputs":[[[[[[[[`, `{"inputs":[1e999]}`,
		`{"inputs":[-Infinity,true]}`, `{"inputs":[[1,2],[3]]}`, `{"outputs":["transform"],"inputs":[[1,"a"]]}`,
	} {
		for m := range fuzzModels {
			f.Add([]byte(seed), uint8(m))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, m uint8) {
		sig := fuzzModels[int(m)%len(fuzzModels)]()
		req, ok := checkDecode(t, Native{}, sig, Header{}, body)
		if !ok || req.source.form != rows || !req.Schema.dense {
			return
		}
		// A matrix is what encoding/json reads.
		var want struct{ Inputs [][]*float64 }
		if json.Unmarshal(body, &want) != nil || len(want.Inputs) != req.Frame.Rows {
			return
		}
		for i, row := range want.Inputs {
			for j, cell := range row {
				got := req.Frame.Dense[i*req.Frame.Cols+j]
				if cell == nil && got == got || cell != nil && math.Float64bits(*cell) != math.Float64bits(got) {
					t.Fatalf("Decode(%q): inputs[%d][%d] is %v", body, i, j, got)
				}
			}
		}
	})
}

func FuzzV1(f *testing.F) {
	for _, seed := range []string{
		`{"instances":[[1,2],[3,4]]}`, `{"instances":[{"age":[30,31],"city":["a","b"],"grade":[1,2]}]}`, `{"instances":{"a":{"0":1},"b":{"0":2}}}`,
		`{"inputs":[{"a":1,"b":2},{"b":1,"a":2}],"signature_name":"x"}`,
	} {
		for m := range fuzzModels {
			f.Add([]byte(seed), uint8(m))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, m uint8) {
		checkDecode(t, V1{}, fuzzModels[int(m)%len(fuzzModels)](), Header{}, body)
	})
}

func FuzzInvocations(f *testing.F) {
	types := []string{"application/json", "text/csv", "application/json; format=pandas-split", "application/json; format=pandas-records"}
	for i, seeds := range [][]string{
		{`{"inputs":{"a":[1,2],"b":[3,4]}}`, `{"dataframe_split":{"columns":["city","age","grade"],"data":[["Oslo",30,1]]}}`, `{"dataframe_records":[{"age":1,"city":"a","grade":2}],"params":{}}`},
		{"1,2\n3,4\n", "age,city,grade\n30,\"Oslo, N\",B\n", "a,b\n,NA\n", "\ufeffa\r\nb"},
		{`{"columns":["a","b"],"index":[0],"data":[[1,2]]}`}, {`[{"age":1,"city":"a","grade":2}]`},
	} {
		for _, seed := range seeds {
			for m := range fuzzModels {
				f.Add([]byte(seed), uint8(m), uint8(i))
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, m, kind uint8) {
		checkDecode(t, Invocations{}, fuzzModels[int(m)%len(fuzzModels)](), Header{ContentType: types[int(kind)%len(types)]}, body)
	})
}

func FuzzV2JSON(f *testing.F) {
	for _, seed := range []string{
		infer(tensor("input-0", "[1,2]", "FP64", "[1,2]")), infer(tensor("x", "[2,2]", "FP32", "[[1,2],[3,NaN]]")),
		infer(tensor("x", "[2]", "BYTES", `["a",null]`)), infer(tensor("a", "[1]", "INT8", "[1]"), tensor("b", "[1,1]", "BYTES", `["x"]`)),
		infer(tensor("city", "[2]", "BYTES", `["Oslo","Rome"]`), tensor("age", "[2,1]", "INT64", "[1,2]"), tensor("grade", "[2]", "BYTES", `["a",1]`)),
		`{"id":"1","parameters":{"binary_data_output":true},"inputs":[{"data":[[1,2]],"shape":[1,2],"datatype":"UINT64","name":"x"}],"outputs":[{"name":"output-0","parameters":{"binary_data":false}}]}`,
		infer(tensor("x", "[1,1,2]", "BOOL", "[[[true,0]]]")), infer(tensor("x", "[4294967296,4294967296]", "FP64", "[]")),
	} {
		for m := range fuzzModels {
			f.Add([]byte(seed), uint8(m))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, m uint8) {
		checkDecode(t, V2{}, fuzzModels[int(m)%len(fuzzModels)](), Header{}, body)
	})
}

func FuzzV2Binary(f *testing.F) {
	for _, inputs := range [][]rawTensor{
		{{"x", "[1,2]", "FP64", le(1.0, 2.0)}}, {{"x", "[2,2]", "FP16", le(uint16(1), uint16(2), uint16(3), uint16(4))}},
		{{"x", "[2]", "BYTES", texts("a", "bc")}}, {{"city", "[1]", "BYTES", texts("a")}, {"age", "[1]", "INT8", le(int8(1))}, {"grade", "[1,1]", "BOOL", []byte{1}}},
		{{"a", "[2]", "UINT64", le(uint64(1), uint64(1<<63))}, {"b", "[2]", "BF16", le(uint16(1), uint16(0x7fc0))}},
	} {
		header, body := inferRaw(inputs...)
		for m := range fuzzModels {
			f.Add([]byte(body), header.JSONLength, uint8(m))
		}
	}
	f.Fuzz(func(t *testing.T, body []byte, header int, m uint8) {
		checkDecode(t, V2{}, fuzzModels[int(m)%len(fuzzModels)](), Header{JSONLength: header}, body)
	})
}
