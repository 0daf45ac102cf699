package wire

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	"mizzen.dev/internal/wire/inference"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

type (
	inputTensor  = inference.ModelInferRequest_InferInputTensor
	outputTensor = inference.ModelInferResponse_InferOutputTensor
	contents     = inference.InferTensorContents
)

// grpcSchema is that of a classifier of two numbers with labels a and b.
func grpcSchema() *Schema {
	classes := []*frame.Classes{frame.NewClasses([]frame.Value{frame.String("a"), frame.String("b")})}
	return NewSchema("m", "1", &model.Signature{
		Width: 2, Numeric: true, Features: make([]frame.Feature, 2),
		Outputs: []frame.Output{
			{Method: frame.Predict, Kind: frame.Label, Classes: classes},
			{Method: frame.PredictProba, Kind: frame.Float64, Cols: 2, Classes: classes},
			{Method: frame.Apply, Kind: frame.Int64, Cols: 2},
		},
	}, Limits{})
}

func grpcRequest() *Request {
	r := NewRequest()
	r.Schema = grpcSchema()
	return r
}

func encodeMessage(t testing.TB, m proto.Message) []byte {
	t.Helper()
	body, err := proto.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

func float32s(v ...float32) []byte {
	var b []byte
	for _, f := range v {
		b = protowire.AppendFixed32(b, math.Float32bits(f))
	}
	return b
}

func rawBytes(elements ...string) []byte {
	var b []byte
	for _, e := range elements {
		b = protowire.AppendFixed32(b, uint32(len(e)))
		b = append(b, e...)
	}
	return b
}

func TestGRPCReadsEveryDatatype(t *testing.T) {
	tests := map[string]struct {
		datatype string
		typed    *contents
		raw      []byte
		want     []float64
	}{
		"FP64 typed":   {datatype: "FP64", typed: &contents{Fp64Contents: []float64{1.5, math.Inf(1)}}, want: []float64{1.5, math.Inf(1)}},
		"FP64 raw":     {datatype: "FP64", raw: protowire.AppendFixed64(protowire.AppendFixed64(nil, math.Float64bits(-2)), math.Float64bits(7)), want: []float64{-2, 7}},
		"FP32 typed":   {datatype: "FP32", typed: &contents{Fp32Contents: []float32{1.5, -2}}, want: []float64{1.5, -2}},
		"FP32 raw":     {datatype: "FP32", raw: float32s(0.5, 2), want: []float64{0.5, 2}},
		"FP16 raw":     {datatype: "FP16", raw: []byte{0x00, 0x3c, 0x00, 0xc0}, want: []float64{1, -2}},
		"BF16 raw":     {datatype: "BF16", raw: []byte{0x80, 0x3f, 0x00, 0xc0}, want: []float64{1, -2}},
		"BOOL typed":   {datatype: "BOOL", typed: &contents{BoolContents: []bool{true, false}}, want: []float64{1, 0}},
		"BOOL raw":     {datatype: "BOOL", raw: []byte{1, 0}, want: []float64{1, 0}},
		"INT8 typed":   {datatype: "INT8", typed: &contents{IntContents: []int32{-128, 127}}, want: []float64{-128, 127}},
		"INT8 raw":     {datatype: "INT8", raw: []byte{0xff, 2}, want: []float64{-1, 2}},
		"INT16 typed":  {datatype: "INT16", typed: &contents{IntContents: []int32{-32768, 5}}, want: []float64{-32768, 5}},
		"INT32 typed":  {datatype: "INT32", typed: &contents{IntContents: []int32{math.MinInt32, 5}}, want: []float64{math.MinInt32, 5}},
		"INT64 typed":  {datatype: "INT64", typed: &contents{Int64Contents: []int64{-1 << 50, 5}}, want: []float64{-1 << 50, 5}},
		"UINT8 typed":  {datatype: "UINT8", typed: &contents{UintContents: []uint32{255, 5}}, want: []float64{255, 5}},
		"UINT16 typed": {datatype: "UINT16", typed: &contents{UintContents: []uint32{65535, 5}}, want: []float64{65535, 5}},
		"UINT32 typed": {datatype: "UINT32", typed: &contents{UintContents: []uint32{math.MaxUint32, 5}}, want: []float64{math.MaxUint32, 5}},
		"UINT64 typed": {datatype: "UINT64", typed: &contents{Uint64Contents: []uint64{1 << 63, 5}}, want: []float64{1 << 63, 5}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := &inference.ModelInferRequest{Inputs: []*inputTensor{{Name: "x", Datatype: test.datatype, Shape: []int64{1, 2}, Contents: test.typed}}}
			if test.raw != nil {
				m.RawInputContents = [][]byte{test.raw}
			}
			req := grpcRequest()
			if err := (GRPC{}).Decode(req, encodeMessage(t, m)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, req.Frame.Dense); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestGRPCReadsStrings(t *testing.T) {
	schema := NewSchema("m", "", &model.Signature{Width: 1, Features: []frame.Feature{{Type: frame.Text}},
		Outputs: []frame.Output{{Method: frame.Predict}}}, Limits{})
	for name, m := range map[string]*inference.ModelInferRequest{
		"typed": {Inputs: []*inputTensor{{Datatype: "BYTES", Shape: []int64{2, 1}, Contents: &contents{BytesContents: [][]byte{[]byte("é"), nil}}}}},
		"raw":   {Inputs: []*inputTensor{{Datatype: "BYTES", Shape: []int64{2, 1}}}, RawInputContents: [][]byte{rawBytes("é", "")}},
	} {
		t.Run(name, func(t *testing.T) {
			req := NewRequest()
			req.Schema = schema
			if err := (GRPC{}).Decode(req, encodeMessage(t, m)); err != nil {
				t.Fatal(err)
			}
			got := []string{req.Frame.Value(0, 0).String(), req.Frame.Value(1, 0).String()}
			if diff := cmp.Diff([]string{`"é"`, `""`}, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// Inputs with contents and inputs without may stand side by side: KServe's
// client sends lists typed and arrays raw.
func TestGRPCMixesRawAndTypedInputs(t *testing.T) {
	req := grpcRequest()
	err := (GRPC{}).Decode(req, encodeMessage(t, &inference.ModelInferRequest{
		Inputs: []*inputTensor{
			{Name: "input-0", Datatype: "FP32", Shape: []int64{2}, Contents: &contents{Fp32Contents: []float32{1, 2}}},
			{Name: "input-1", Datatype: "FP32", Shape: []int64{2}},
		},
		RawInputContents: [][]byte{float32s(3, 4)},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{1, 3, 2, 4}, req.Frame.Dense); diff != "" {
		t.Error(diff)
	}
}

// MLServer's client sends empty contents beside the raw ones.
func TestGRPCTakesRawForEmptyContents(t *testing.T) {
	req := grpcRequest()
	err := (GRPC{}).Decode(req, encodeMessage(t, &inference.ModelInferRequest{
		Inputs:           []*inputTensor{{Name: "x", Datatype: "FP32", Shape: []int64{1, 2}, Contents: &contents{}}},
		RawInputContents: [][]byte{float32s(3, 4)},
	}))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{3, 4}, req.Frame.Dense); diff != "" {
		t.Error(diff)
	}
}

// protobuf allows a packed field in pieces, unpacked numbers, and a message in
// parts that are merged.
func TestGRPCReadsEveryEncodingOfProtobuf(t *testing.T) {
	field := func(dst []byte, num protowire.Number, data []byte) []byte {
		return protowire.AppendBytes(protowire.AppendTag(dst, num, protowire.BytesType), data)
	}
	first := field(nil, 6, float32s(1))
	second := protowire.AppendFixed32(protowire.AppendTag(nil, 6, protowire.Fixed32Type), math.Float32bits(2))
	input := field(nil, 5, first)
	input = field(input, 2, []byte("FP32"))
	input = protowire.AppendVarint(protowire.AppendTag(input, 3, protowire.VarintType), 1)
	input = field(input, 3, []byte{2})
	input = field(input, 5, second)
	input = protowire.AppendVarint(protowire.AppendTag(input, 99, protowire.VarintType), 1) // unknown: ignored

	req := grpcRequest()
	if err := (GRPC{}).Decode(req, field(nil, 5, input)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]float64{1, 2}, req.Frame.Dense); diff != "" {
		t.Error(diff)
	}
}

func TestGRPCRefuses(t *testing.T) {
	row := func(c *contents) *inference.ModelInferRequest {
		return &inference.ModelInferRequest{Inputs: []*inputTensor{{Name: "x", Datatype: "INT8", Shape: []int64{1, 2}, Contents: c}}}
	}
	output := row(&contents{IntContents: []int32{1, 2}})
	output.Outputs = []*inference.ModelInferRequest_InferRequestedOutputTensor{{Name: "predict_prob"}}
	left := row(&contents{IntContents: []int32{1, 2}})
	left.RawInputContents = [][]byte{{1, 2}}
	half := row(nil)
	half.Inputs[0].Datatype = "FP16"
	half.Inputs[0].Contents = &contents{Fp32Contents: []float32{1, 2}}
	unknown := row(nil)
	unknown.Inputs[0].Datatype = "FLOAT"
	tests := map[string]struct {
		message *inference.ModelInferRequest
		want    string
	}{
		"no inputs":          {&inference.ModelInferRequest{}, "inputs: no tensors: send one tensor of rows, or one tensor a column"},
		"no data":            {row(nil), "inputs[0]: no data: 0 raw_input_contents, and no contents"},
		"too few":            {row(&contents{IntContents: []int32{1}}), "inputs[0].contents: 1 elements, but the shape [1, 2] has 2"},
		"another field":      {row(&contents{Fp32Contents: []float32{1, 2}}), "inputs[0].contents: the values of datatype INT8 belong in int_contents, found fp32_contents"},
		"out of range":       {row(&contents{IntContents: []int32{1, -129}}), "inputs[0].contents.int_contents[1]: -129 does not fit datatype INT8"},
		"raw left over":      {left, "raw_input_contents: 1 entries, but 0 inputs without contents"},
		"typed FP16":         {half, "inputs[0].contents: FP16 has no typed contents: send it in raw_input_contents"},
		"unknown datatype":   {unknown, `inputs[0].datatype: unknown datatype "FLOAT"`},
		"unknown output":     {output, `outputs[0].name: the model has no output "predict_prob"; it has predict, predict_proba, apply`},
		"too many dimension": {&inference.ModelInferRequest{Inputs: []*inputTensor{{Datatype: "FP32", Shape: make([]int64, 9)}}}, "inputs[0].shape: more than 8 dimensions"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			err := (GRPC{}).Decode(grpcRequest(), encodeMessage(t, test.message))
			if err == nil {
				t.Fatal("decoded")
			}
			if got := string((GRPC{}).AppendError(nil, err)); !bytes.HasPrefix([]byte(got), []byte(test.want)) {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

// answer encodes an answer of two rows to a request, as a client reads it.
func grpcAnswer(t *testing.T, m *inference.ModelInferRequest) *inference.ModelInferResponse {
	t.Helper()
	req := grpcRequest()
	if err := (GRPC{}).Decode(req, encodeMessage(t, m)); err != nil {
		t.Fatal(err)
	}
	all := map[frame.Method]frame.Array{
		frame.Predict:      {Rows: 2, Kind: frame.Label, Codes: []int32{1, 0}, Classes: req.Schema.Signature.Outputs[0].Classes},
		frame.PredictProba: {Rows: 2, Cols: 2, Kind: frame.Float64, Floats: []float64{0.25, 0.75, 1, 0}},
		frame.Apply:        {Rows: 2, Cols: 2, Kind: frame.Int64, Ints: []int64{-1, 300, 5, 0}},
	}
	out := make([]frame.Array, len(req.Methods))
	for i, method := range req.Methods {
		out[i] = all[method]
	}
	body, err := (GRPC{}).Encode(nil, req, out)
	if err != nil {
		t.Fatal(err)
	}
	got := &inference.ModelInferResponse{}
	if err := proto.Unmarshal(body, got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestGRPCAnswersInKind(t *testing.T) {
	typed := func() *inference.ModelInferRequest {
		return &inference.ModelInferRequest{
			Id:     "7",
			Inputs: []*inputTensor{{Name: "x", Datatype: "FP32", Shape: []int64{2, 2}, Contents: &contents{Fp32Contents: []float32{1, 2, 3, 4}}}},
			Outputs: []*inference.ModelInferRequest_InferRequestedOutputTensor{
				{Name: "apply"}, {Name: "output-0"}, {Name: "predict_proba"},
			},
		}
	}
	raw := typed()
	raw.Inputs[0].Contents, raw.RawInputContents = nil, [][]byte{float32s(1, 2, 3, 4)}
	asked := typed()
	asked.Parameters = map[string]*inference.InferParameter{
		"binary_data_output": {ParameterChoice: &inference.InferParameter_BoolParam{BoolParam: true}}}

	outputs := []*outputTensor{
		{Name: "apply", Datatype: "INT64", Shape: []int64{2, 2}},
		{Name: "output-0", Datatype: "BYTES", Shape: []int64{2}},
		{Name: "predict_proba", Datatype: "FP64", Shape: []int64{2, 2}},
	}
	int64s := func(v ...int64) (b []byte) {
		for _, i := range v {
			b = protowire.AppendFixed64(b, uint64(i))
		}
		return b
	}
	float64s := func(v ...float64) (b []byte) {
		for _, f := range v {
			b = protowire.AppendFixed64(b, math.Float64bits(f))
		}
		return b
	}
	wantRaw := &inference.ModelInferResponse{ModelName: "m", ModelVersion: "1", Id: "7", Outputs: outputs,
		RawOutputContents: [][]byte{int64s(-1, 300, 5, 0), rawBytes("b", "a"), float64s(0.25, 0.75, 1, 0)}}
	wantTyped := proto.Clone(wantRaw).(*inference.ModelInferResponse)
	wantTyped.RawOutputContents = nil
	wantTyped.Outputs[0].Contents = &contents{Int64Contents: []int64{-1, 300, 5, 0}}
	wantTyped.Outputs[1].Contents = &contents{BytesContents: [][]byte{[]byte("b"), []byte("a")}}
	wantTyped.Outputs[2].Contents = &contents{Fp64Contents: []float64{0.25, 0.75, 1, 0}}

	for name, test := range map[string]struct {
		message *inference.ModelInferRequest
		want    *inference.ModelInferResponse
	}{
		"typed to typed": {typed(), wantTyped},
		"raw to raw":     {raw, wantRaw},
		"raw when asked": {asked, wantRaw},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, grpcAnswer(t, test.message), protocmp.Transform()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// FuzzGRPCReadsAsGenerated: what is read in place is what generated code reads,
// and what generated code refuses is refused.
func FuzzGRPCReadsAsGenerated(f *testing.F) {
	for _, m := range []*inference.ModelInferRequest{
		{},
		{ModelName: "m", Id: "é", Inputs: []*inputTensor{{Name: "x", Datatype: "FP32", Shape: []int64{1, 2}, Contents: &contents{Fp32Contents: []float32{1, 2}}}}},
		{Inputs: []*inputTensor{{Datatype: "INT16", Shape: []int64{-1}, Contents: &contents{IntContents: []int32{-5, 300}}}, {Datatype: "BYTES"}}, RawInputContents: [][]byte{rawBytes("a", "")}},
		{Inputs: []*inputTensor{{Datatype: "BYTES", Shape: []int64{2}, Contents: &contents{BytesContents: [][]byte{[]byte("a"), nil}}}}},
		{Parameters: map[string]*inference.InferParameter{"binary_data_output": {ParameterChoice: &inference.InferParameter_BoolParam{BoolParam: true}}},
			Outputs: []*inference.ModelInferRequest_InferRequestedOutputTensor{{Name: "predict"}}},
	} {
		f.Add(encodeMessage(f, m))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		req := grpcRequest()
		err := readAll(req, body)
		want := &inference.ModelInferRequest{}
		if refused := proto.Unmarshal(body, want); refused != nil {
			if err == nil {
				t.Fatalf("read what generated code refuses: %v", refused)
			}
			return
		}
		if err != nil {
			return // bounds, and rules of the protocol
		}
		raws := want.RawInputContents
		for i, in := range want.Inputs {
			got := &req.tensors[i]
			if got.Name != in.Name || got.Datatype.String() != in.Datatype || !cmp.Equal(append([]int64{}, got.Shape...), append([]int64{}, in.Shape...)) {
				t.Fatalf("input %d: read %s %s %v, generated code %s %s %v", i, got.Name, got.Datatype, got.Shape, in.Name, in.Datatype, in.Shape)
			}
			data := raws
			if len(in.GetContents().GetBytesContents()) == 0 && len(binaryForm(got.Datatype, in.Contents)) == 0 {
				raws = raws[1:]
			} else if data = [][]byte{binaryForm(got.Datatype, in.Contents)}; got.Datatype == BYTES {
				for j, e := range in.Contents.BytesContents {
					if s, _ := got.Cells[j].Text(); s != string(e) {
						t.Fatalf("input %d, element %d: read %q, generated code %q", i, j, s, e)
					}
				}
				continue
			}
			if !bytes.Equal(got.Raw, data[0]) {
				t.Fatalf("input %d: read %x, generated code %x", i, got.Raw, data[0])
			}
		}
	})
}

// readAll is Decode without binding the tensors to the model.
func readAll(req *Request, body []byte) error {
	m, err := readInfer(req, body)
	if err != nil {
		return err
	}
	if err := m.readOutputs(req, body); err != nil {
		return err
	}
	return m.readInputs(req, body)
}

// binaryForm writes contents that generated code has read.
func binaryForm(d Datatype, c *contents) []byte {
	var b []byte
	put := func(v uint64) {
		for i := range d.Size() {
			b = append(b, byte(v>>(8*i)))
		}
	}
	switch contentField(d) {
	case 1:
		for _, v := range c.GetBoolContents() {
			put(uint64(btoi(v)))
		}
	case 2:
		for _, v := range c.GetIntContents() {
			put(uint64(v))
		}
	case 3:
		for _, v := range c.GetInt64Contents() {
			put(uint64(v))
		}
	case 4:
		for _, v := range c.GetUintContents() {
			put(uint64(v))
		}
	case 5:
		for _, v := range c.GetUint64Contents() {
			put(v)
		}
	case 6:
		for _, v := range c.GetFp32Contents() {
			put(uint64(math.Float32bits(v)))
		}
	case 7:
		for _, v := range c.GetFp64Contents() {
			put(math.Float64bits(v))
		}
	}
	return b
}

// Run with: go test ./internal/wire -run '^$' -bench GRPC -benchmem
func BenchmarkGRPC(b *testing.B) {
	const rows, cols = 64, 2
	raw := bytes.Repeat(float32s(1, 2), rows)
	typed := &contents{Fp64Contents: make([]float64, rows*cols)}
	for name, m := range map[string]*inference.ModelInferRequest{
		"contents=raw":   {Inputs: []*inputTensor{{Name: "x", Datatype: "FP32", Shape: []int64{rows, cols}}}, RawInputContents: [][]byte{raw}},
		"contents=typed": {Inputs: []*inputTensor{{Name: "x", Datatype: "FP64", Shape: []int64{rows, cols}, Contents: typed}}},
	} {
		b.Run(name, func(b *testing.B) {
			body := encodeMessage(b, m)
			req, schema := NewRequest(), grpcSchema()
			codes, out := make([]int32, rows), make([]frame.Array, 1)
			var dst []byte
			b.ReportAllocs()
			for b.Loop() {
				req.Schema = schema
				if err := (GRPC{}).Decode(req, body); err != nil {
					b.Fatal(err)
				}
				out[0] = frame.Array{Rows: rows, Kind: frame.Label, Codes: codes, Classes: schema.Signature.Outputs[0].Classes}
				var err error
				if dst, err = (GRPC{}).Encode(dst[:0], req, out); err != nil {
					b.Fatal(err)
				}
				req.Reset()
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/rows, "ns/row")
		})
	}
}
