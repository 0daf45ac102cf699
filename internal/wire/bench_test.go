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
	matrix := matrixJSON(64, 50)
	head := func(parameters string) string {
		return `{"id":"7","inputs":[{"name":"input-0","shape":[64,50],"datatype":"FP64",` + parameters
	}
	binary := head(`"parameters":{"binary_data_size":25600}}],"outputs":[{"name":"predict","parameters":{"binary_data":true}}]}`)
	return map[string]call{
		"native/rows=1/cols=4":     {Native{}, iris, Header{}, []byte(`{"inputs":[5.1,3.5,1.4,0.2]}`), labels(iris, 1)},
		"v2/rows=1/cols=4":         {V2{}, iris, Header{}, []byte(`{"inputs":[{"name":"input-0","shape":[1,4],"datatype":"FP64","data":[5.1,3.5,1.4,0.2]}]}`), labels(iris, 1)},
		"v2/rows=64/cols=50":       {V2{}, wide, Header{}, []byte(head(`"data":` + string(matrix) + `}]}`)), labels(wide, 64)},
		"v2binary/rows=64/cols=50": {V2{}, wide, Header{JSONLength: len(binary)}, append([]byte(binary), matrixRaw(matrix)...), labels(wide, 64)},
		"native/rows=64/cols=50":   {Native{}, wide, Header{}, []byte(`{"inputs":` + string(matrix) + `}`), labels(wide, 64)},
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
