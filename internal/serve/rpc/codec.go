package rpc

import (
	"google.golang.org/grpc/encoding"
	"google.golang.org/grpc/encoding/proto"
	"google.golang.org/grpc/mem"
)

// codec reads and writes messages. Those of inference stay bytes: wire.GRPC
// reads them in place. All others are those of the generated code.
type codec struct{}

// Name is that of protobuf's codec, of which this is a variant.
func (codec) Name() string { return proto.Name }

func (codec) Marshal(v any) (mem.BufferSlice, error) {
	if m, ok := v.(*answer); ok {
		return m.buffers()
	}
	return encoding.GetCodecV2(proto.Name).Marshal(v)
}

func (codec) Unmarshal(data mem.BufferSlice, v any) error {
	if m, ok := v.(*message); ok {
		m.set(data)
		return nil
	}
	return encoding.GetCodecV2(proto.Name).Unmarshal(data, v)
}

// message is a message that was received, in its binary form.
type message struct{ buffer mem.Buffer }

// set takes over what data refers to. The transport's memory is used as it is,
// unless the message came in several pieces.
func (m *message) set(data mem.BufferSlice) {
	m.free()
	if len(data) == 1 {
		data[0].Ref()
		m.buffer = data[0]
		return
	}
	m.buffer = data.MaterializeToBuffer(mem.DefaultBufferPool())
}

// bytes returns the message; it is there until free.
func (m *message) bytes() []byte {
	if m.buffer == nil {
		return nil
	}
	return m.buffer.ReadOnlyData()
}

func (m *message) free() {
	if m.buffer != nil {
		m.buffer.Free()
		m.buffer = nil
	}
}

// answer is a message to send: a few bytes before the body, and the body, which
// goes back to its pool once it is sent.
type answer struct {
	head []byte
	body *[]byte
	pool mem.BufferPool
}

func (m *answer) buffers() (mem.BufferSlice, error) {
	body := mem.NewBuffer(m.body, m.pool)
	if len(m.head) == 0 {
		return mem.BufferSlice{body}, nil
	}
	return mem.BufferSlice{mem.SliceBuffer(m.head), body}, nil
}
