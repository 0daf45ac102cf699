package wire

import (
	"encoding/binary"
	"encoding/json"
	"math"
	"math/rand/v2"
	"strconv"
	"testing"

	"mizzen.dev/model/frame"
)

// Run with: go test -run '^$' -bench . ./internal/wire

// matrixJSON returns random rows as JSON: 16 to 17 digits a number, as Python
// writes doubles.
func matrixJSON(rows, cols int) []byte {
	rng := rand.New(rand.NewPCG(1, 2))
	m := make([][]float64, rows)
	for i := range m {
		m[i] = make([]float64, cols)
		for j := range m[i] {
			m[i][j] = rng.NormFloat64()
		}
	}
	body, _ := json.Marshal(m)
	return body
}

// matrixRaw returns rows that are JSON in binary form.
func matrixRaw(matrix []byte) []byte {
	var m [][]float64
	if err := json.Unmarshal(matrix, &m); err != nil {
		panic(err)
	}
	var raw []byte
	for _, row := range m {
		for _, f := range row {
			raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(f))
		}
	}
	return raw
}

// call is one benchmark: a body, and the arrays that a model answers.
type call struct {
	codec  Codec
	schema *Schema
	header Header
	body   []byte
	out    []frame.Array
}

func calls() map[string]call {
	labels := func(s *Schema, n int) []frame.Array {
		return []frame.Array{{Rows: n, Kind: frame.Label, Codes: make([]int32, n), Classes: s.Signature.Outputs[0].Classes}}
	}
	iris := NewSchema("iris", "1", numeric(4), Limits{})
	wide := NewSchema("wide", "1", numeric(50), Limits{})
	named := NewSchema("flowers", "1", flowers(), Limits{})
	mixed := NewSchema("people", "1", people(), Limits{})
	proba := func(s *Schema, rows, cols int) []frame.Array {
		m := frame.Array{Rows: rows, Cols: cols, Floats: make([]float64, rows*cols)}
		for i := range m.Floats {
			m.Floats[i] = float64(i%200) / 200
		}
		return append(labels(s, rows), m)
	}
	matrix := matrixJSON(64, 50)
	head := func(parameters string) string {
		return `{"id":"7","inputs":[{"name":"input-0","shape":[64,50],"datatype":"FP64",` + parameters
	}
	binary := head(`"parameters":{"binary_data_size":25600}}],"outputs":[{"name":"predict","parameters":{"binary_data":true}}]}`)
	return map[string]call{
		"native/rows=1/cols=4":        {Native{}, iris, Header{}, []byte(`{"inputs":[5.1,3.5,1.4,0.2]}`), labels(iris, 1)},
		"native/records=1/cols=4":     {Native{}, named, Header{}, []byte(`{"inputs":{"petal_length":1.4,"petal_width":0.2,"sepal length (cm)":5.1,"sepal width (cm)":3.5}}`), labels(named, 1)},
		"native/records=1/mixed=4":    {Native{}, mixed, Header{}, []byte(`{"inputs":[{"age":31,"city":"Oslo","grade":"B","note":null}]}`), labels(mixed, 1)},
		"native/proba=64/cols=50":     {Native{}, wide, Header{}, []byte(`{"inputs":` + string(matrix) + `,"outputs":["predict_proba"]}`), proba(wide, 64, 3)},
		"v1/rows=64/cols=50":          {V1{}, wide, Header{}, []byte(`{"instances":` + string(matrix) + `}`), labels(wide, 64)},
		"invocations/rows=64/cols=50": {Invocations{}, wide, Header{ContentType: typeJSON}, []byte(`{"inputs":` + string(matrix) + `}`), labels(wide, 64)},
		"v2/columns=4/mixed=4":        {V2{}, mixed, Header{}, []byte(infer(tensor("grade", "[1]", "BYTES", `["B"]`), tensor("city", "[1]", "BYTES", `["Oslo"]`), tensor("age", "[1,1]", "FP64", "[31]"))), labels(mixed, 1)},
		"v2/rows=1/cols=4":            {V2{}, iris, Header{}, []byte(`{"inputs":[{"name":"input-0","shape":[1,4],"datatype":"FP64","data":[5.1,3.5,1.4,0.2]}]}`), labels(iris, 1)},
		"v2/rows=64/cols=50":          {V2{}, wide, Header{}, []byte(head(`"data":` + string(matrix) + `}]}`)), labels(wide, 64)},
		"v2binary/rows=64/cols=50":    {V2{}, wide, Header{JSONLength: len(binary)}, append([]byte(binary), matrixRaw(matrix)...), labels(wide, 64)},
		"native/rows=64/cols=50":      {Native{}, wide, Header{}, []byte(`{"inputs":` + string(matrix) + `}`), labels(wide, 64)},
	}
}

func (c *call) run(req *Request, dst []byte) ([]byte, error) {
	req.Reset()
	req.Schema, req.Header = c.schema, c.header
	if err := c.codec.Decode(req, c.body); err != nil {
		return dst, err
	}
	return c.codec.Encode(dst[:0], req, c.out)
}

func BenchmarkCodec(b *testing.B) {
	for name, c := range calls() {
		b.Run(name, func(b *testing.B) {
			req, dst := NewRequest(), make([]byte, 0, 1<<16)
			b.SetBytes(int64(len(c.body)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.run(req, dst); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// From the bytes of a body to those of the answer nothing is allocated, once the
// request's buffers have grown to the size of the work.
func TestNoAllocations(t *testing.T) {
	for name, c := range calls() {
		t.Run(name, func(t *testing.T) {
			req, dst := NewRequest(), make([]byte, 0, 1<<16)
			n := testing.AllocsPerRun(100, func() {
				if _, err := c.run(req, dst); err != nil {
					t.Fatal(err)
				}
			})
			if n != 0 {
				t.Errorf("%v allocations a request, want 0", n)
			}
		})
	}
}

func BenchmarkScanNumber(b *testing.B) {
	for _, text := range []string{"5.1", "0.123456", "-1.2345678901234567", "1.2345678901234567e-05", "12345"} {
		b.Run("digits="+strconv.Itoa(len(text)), func(b *testing.B) {
			body := []byte(text + ",")
			for b.Loop() {
				scanNumber(body, 0)
			}
		})
	}
}
