package wire

import (
	"google.golang.org/protobuf/encoding/protowire"

	"mizzen.dev/model/frame"
)

// GRPC is the codec of ModelInfer: a body is a ModelInferRequest, the answer a
// ModelInferResponse, both in protobuf's binary form. It reads in place: raw
// contents are never copied, and nothing is allocated. An error is its text, for
// a gRPC status.
type GRPC struct{}

// The bounds of a request's shape: a model of more columns than maxTensors takes
// one tensor of rows.
const (
	maxTensors = 1 << 15
	maxDims    = 8
)

// Decode reads a ModelInferRequest; see [Codec].
func (GRPC) Decode(req *Request, body []byte) error {
	m, err := readInfer(req, body)
	if err != nil {
		return err
	}
	if err := m.readOutputs(req, body); err != nil {
		return err
	}
	if err := m.readInputs(req, body); err != nil {
		return err
	}
	return req.Bind(req.tensors)
}

// inferMessage is what a ModelInferRequest says beside its inputs and outputs,
// and how many of these there are.
type inferMessage struct {
	inputs, outputs, raws int
	params                inferParams
}

// readInfer checks the fields of a ModelInferRequest, and sets the request's ID.
func readInfer(req *Request, body []byte) (m inferMessage, err error) {
	f := fields{rest: body}
	for f.next() {
		switch {
		case f.is(1), f.is(2): // who was asked: see InferTarget
			f.text()
		case f.is(3):
			req.ID = f.text()
		case f.is(4):
			if !m.params.read(f.data) {
				return m, malformedInfer("parameters")
			}
		case f.is(5):
			m.inputs++
		case f.is(6):
			m.outputs++
		case f.is(7):
			m.raws++
		}
	}
	switch {
	case f.bad:
		return m, malformedInfer("")
	case m.inputs > maxTensors:
		return m, tooLarge("inputs", "%d tensors, at most %d are allowed: send one tensor of rows", m.inputs, maxTensors)
	}
	return m, nil
}

// readOutputs sets what the answer holds. It is raw if the request was, or asked
// for it: clients that send typed contents read typed contents only.
func (m *inferMessage) readOutputs(req *Request, body []byte) error {
	raw := m.raws > 0 || m.params.binaryOutput
	if m.outputs == 0 {
		req.wantDefault(raw)
		return nil
	}
	i := 0
	for f := (fields{rest: body}); f.next(); {
		if !f.is(6) {
			continue
		}
		name, params, ok := readOutput(f.data)
		if !ok {
			return malformedInfer("outputs" + element(i))
		}
		raw = raw || params.binary
		if err := req.selectOutput(name, false, "name"); err != nil {
			return under(err, "outputs"+element(i))
		}
		i++
	}
	for i := range req.wanted { // raw_output_contents are those of all outputs
		req.wanted[i].binary = raw
	}
	return nil
}

// readOutput reads an InferRequestedOutputTensor.
func readOutput(body []byte) (name string, params inferParams, ok bool) {
	f := fields{rest: body}
	for f.next() {
		switch {
		case f.is(1):
			name = f.text()
		case f.is(2):
			if !params.read(f.data) {
				return "", params, false
			}
		}
	}
	return name, params, !f.bad
}

// readInputs reads the tensors. Those without contents take the raw ones, in
// their order; MLServer sends contents that are empty beside the raw ones.
func (m *inferMessage) readInputs(req *Request, body []byte) error {
	raws, taken := fields{rest: body}, 0
	for f := (fields{rest: body}); f.next(); {
		if !f.is(5) {
			continue
		}
		i := len(req.tensors)
		req.tensors = append(req.tensors, Tensor{})
		t := &req.tensors[i]
		in, err := readTensor(req, t, f.data, i)
		if err != nil {
			return err
		}
		if in.values > 0 {
			if err := req.readContents(t, &in, f.data, i); err != nil {
				return err
			}
			continue
		}
		if taken++; taken > m.raws {
			return invalid("inputs"+element(i), "no data: %d raw_input_contents, and no contents", m.raws)
		}
		for raws.next() && !raws.is(7) {
		}
		t.Raw = raws.data
	}
	if taken < m.raws {
		return invalid("raw_input_contents", "%d entries, but %d inputs without contents", m.raws, taken)
	}
	return nil
}

// Encode appends a ModelInferResponse; see [Codec].
func (GRPC) Encode(dst []byte, req *Request, out []frame.Array) ([]byte, error) {
	tensors, err := req.Tensors(out)
	if err != nil {
		return dst, err
	}
	req.Answer = Answer{ContentType: typeGRPC}
	dst = appendStringField(dst, 1, req.Schema.Name)
	dst = appendStringField(dst, 2, req.Schema.Version)
	dst = appendStringField(dst, 3, req.ID)
	for i := range tensors {
		dst = tensors[i].appendMessage(dst)
	}
	for i := range tensors {
		if tensors[i].binary {
			dst = protowire.AppendTag(dst, 6, protowire.BytesType)
			dst = protowire.AppendVarint(dst, uint64(tensors[i].RawSize()))
			dst = tensors[i].AppendRaw(dst)
		}
	}
	return dst, nil
}

const typeGRPC = "application/grpc"

// AppendError appends the error's text.
func (GRPC) AppendError(dst []byte, err error) []byte { return append(dst, err.Error()...) }

// appendStringField appends a string, unless it is empty.
func appendStringField(dst []byte, num protowire.Number, s string) []byte {
	if s == "" {
		return dst
	}
	dst = protowire.AppendTag(dst, num, protowire.BytesType)
	return protowire.AppendString(dst, s)
}

// appendMessage appends the tensor as field outputs of a ModelInferResponse.
func (t *OutputTensor) appendMessage(dst []byte) []byte {
	shape, contents := 0, 0
	for _, d := range t.Shape {
		shape += protowire.SizeVarint(uint64(d))
	}
	datatype := t.Datatype.String()
	// The tags of all fields have one byte.
	size := 1 + protowire.SizeBytes(len(t.Name)) + 1 + protowire.SizeBytes(len(datatype)) + 1 + protowire.SizeBytes(shape)
	if !t.binary {
		contents = t.contentsSize()
		size += 1 + protowire.SizeBytes(contents)
	}
	dst = protowire.AppendTag(dst, 5, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(size))
	dst = protowire.AppendTag(dst, 1, protowire.BytesType)
	dst = protowire.AppendString(dst, t.Name)
	dst = protowire.AppendTag(dst, 2, protowire.BytesType)
	dst = protowire.AppendString(dst, datatype)
	dst = protowire.AppendTag(dst, 3, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(shape))
	for _, d := range t.Shape {
		dst = protowire.AppendVarint(dst, uint64(d))
	}
	if t.binary {
		return dst
	}
	dst = protowire.AppendTag(dst, 5, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(contents))
	return t.appendContents(dst)
}

// packedSize returns the size of the values of a packed field.
func (t *OutputTensor) packedSize() int {
	n := t.Len()
	if t.Datatype != INT64 {
		return n * t.Datatype.Size()
	}
	size := 0
	for i := range n {
		size += protowire.SizeVarint(uint64(t.Int64(i)))
	}
	return size
}

// contentsSize returns the size of an InferTensorContents.
func (t *OutputTensor) contentsSize() int {
	if t.Datatype != BYTES {
		return 1 + protowire.SizeBytes(t.packedSize())
	}
	size := 0
	for i := range t.Len() {
		size += 1 + protowire.SizeBytes(t.elementSize(i))
	}
	return size
}

// appendContents appends the fields of an InferTensorContents.
func (t *OutputTensor) appendContents(dst []byte) []byte {
	num := contentField(t.Datatype)
	if t.Datatype == BYTES {
		for i := range t.Len() {
			dst = protowire.AppendTag(dst, num, protowire.BytesType)
			dst = protowire.AppendVarint(dst, uint64(t.elementSize(i)))
			dst = t.AppendElement(dst, i)
		}
		return dst
	}
	dst = protowire.AppendTag(dst, num, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(t.packedSize()))
	if t.Datatype != INT64 { // FP64 and BOOL are packed as they are in binary form
		return t.AppendRaw(dst)
	}
	for i := range t.Len() {
		dst = protowire.AppendVarint(dst, uint64(t.Int64(i)))
	}
	return dst
}

// elementSize returns the length of element i of a BYTES tensor.
func (t *OutputTensor) elementSize(i int) int {
	if t.array.Kind == frame.Label {
		l, code := t.label(i)
		return len(l.text[code])
	}
	return textSize(t.array.At(i))
}
