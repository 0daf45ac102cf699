package wire

import (
	"encoding/binary"
	"math/bits"
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// fields walks over the fields of a protobuf message in place. Generated code
// would copy every byte of a tensor and allocate a dozen objects a request.
type fields struct {
	rest []byte
	// The field that next has found. num is 0 for one of a type that no field of
	// the protocol has; it counts as unknown, which protobuf ignores.
	num    protowire.Number
	packed bool   // data holds a message, a string or packed numbers
	data   []byte // of a packed field, or the bytes of a fixed-size number; else nil
	varint uint64
	bad    bool // the message is malformed
}

// next finds the next field; false at the end, and if the message is malformed.
func (f *fields) next() bool {
	if len(f.rest) == 0 {
		return false
	}
	num, typ, n := protowire.ConsumeTag(f.rest)
	if n < 0 || num > protowire.MaxValidNumber {
		return f.fail()
	}
	f.rest = f.rest[n:]
	f.num, f.packed, f.data = num, false, nil
	switch typ {
	case protowire.VarintType:
		f.varint, n = protowire.ConsumeVarint(f.rest)
	case protowire.BytesType:
		f.data, n = protowire.ConsumeBytes(f.rest)
		f.packed = true
	case protowire.Fixed32Type, protowire.Fixed64Type:
		if n = protowire.ConsumeFieldValue(num, typ, f.rest); n > 0 {
			f.data = f.rest[:n]
		}
	default:
		f.num = 0
		n = protowire.ConsumeFieldValue(num, typ, f.rest)
	}
	if n < 0 {
		return f.fail()
	}
	f.rest = f.rest[n:]
	return true
}

func (f *fields) fail() bool {
	f.bad, f.rest = true, nil
	return false
}

// is reports whether the field has this number and is a string or a message.
func (f *fields) is(num protowire.Number) bool { return f.num == num && f.packed }

// isVarint reports whether the field is a number of variable size, alone.
func (f *fields) isVarint() bool { return f.data == nil }

// text returns the string that the field holds. Protobuf's strings are UTF-8.
func (f *fields) text() string {
	if !utf8.Valid(f.data) {
		f.fail()
		return ""
	}
	return text(f.data)
}

// elements returns how many numbers of the given size in bytes the field adds to
// a repeated one, packed or alone; size 0 means varints.
func (f *fields) elements(size int) int {
	switch {
	case f.packed && size > 0:
		if len(f.data)%size != 0 {
			f.fail()
		}
		return len(f.data) / size
	case f.packed:
		if n := len(f.data); n > 0 && f.data[n-1] >= 0x80 {
			f.fail() // the last one does not end
		}
		return varints(f.data)
	case size > 0:
		return btoi(len(f.data) == size)
	}
	return btoi(f.isVarint())
}

// varints counts the bytes that end a varint.
func varints(b []byte) int {
	n := 0
	for ; len(b) >= 8; b = b[8:] {
		n += bits.OnesCount64(^binary.LittleEndian.Uint64(b) & 0x8080808080808080)
	}
	for _, c := range b {
		n += int(^c >> 7)
	}
	return n
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

// InferHead is what a ModelInferRequest says of itself. The strings are parts of
// the message.
type InferHead struct{ Model, Version, ID string }

// ReadInferHead reads model_name, model_version and id of a ModelInferRequest,
// without the rest: the model chooses the schema that the rest is read by. A
// malformed message has none; [GRPC.Decode] says what is wrong with it.
func ReadInferHead(message []byte) InferHead {
	var head InferHead
	f := fields{rest: message}
	for f.next() {
		switch {
		case f.is(1):
			head.Model = f.text()
		case f.is(2):
			head.Version = f.text()
		case f.is(3):
			head.ID = f.text()
		}
	}
	if f.bad {
		return InferHead{}
	}
	return head
}
