package pickle

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// opcode is an instruction: its name in pickletools, the protocol that brought
// it, and what it does to the machine.
type opcode struct {
	name     string
	protocol int
	run      func(*machine) error
}

// opcodes is indexed by the instruction's byte; unknown ones have no run.
var opcodes = [256]opcode{
	'(':  {"MARK", 0, mark},
	'.':  {"STOP", 0, func(*machine) error { return errStop }},
	'0':  {"POP", 0, pop},
	'1':  {"POP_MARK", 1, func(m *machine) error { _, err := m.popMark(); return err }},
	'2':  {"DUP", 0, dup},
	0x80: {"PROTO", 2, proto},
	0x95: {"FRAME", 4, frame},

	'N':  {"NONE", 0, constant(nil)},
	0x88: {"NEWTRUE", 2, constant(true)},
	0x89: {"NEWFALSE", 2, constant(false)},
	'I':  {"INT", 0, intText},
	'L':  {"LONG", 0, longText},
	'F':  {"FLOAT", 0, floatText},
	'J':  {"BININT", 1, func(m *machine) error { return m.integer(4) }},
	'K':  {"BININT1", 1, func(m *machine) error { return m.integer(1) }},
	'M':  {"BININT2", 1, func(m *machine) error { return m.integer(2) }},
	0x8a: {"LONG1", 2, func(m *machine) error { return m.long(1) }},
	0x8b: {"LONG4", 2, func(m *machine) error { return m.long(4) }},
	'G':  {"BINFLOAT", 1, binfloat},

	'S':  {"STRING", 0, stringText},
	'V':  {"UNICODE", 0, unicodeText},
	'T':  {"BINSTRING", 1, func(m *machine) error { return m.asciiString(4) }},
	'U':  {"SHORT_BINSTRING", 1, func(m *machine) error { return m.asciiString(1) }},
	'X':  {"BINUNICODE", 1, func(m *machine) error { return m.unicode(4) }},
	0x8c: {"SHORT_BINUNICODE", 4, func(m *machine) error { return m.unicode(1) }},
	0x8d: {"BINUNICODE8", 4, func(m *machine) error { return m.unicode(8) }},
	'B':  {"BINBYTES", 3, func(m *machine) error { return m.bytes(4) }},
	'C':  {"SHORT_BINBYTES", 3, func(m *machine) error { return m.bytes(1) }},
	0x8e: {"BINBYTES8", 4, func(m *machine) error { return m.bytes(8) }},
	0x96: {"BYTEARRAY8", 5, func(m *machine) error { return m.bytes(8) }},

	']':  {"EMPTY_LIST", 1, emptyList},
	'a':  {"APPEND", 0, appendOne},
	'e':  {"APPENDS", 1, appendMany},
	'l':  {"LIST", 0, list},
	')':  {"EMPTY_TUPLE", 1, func(m *machine) error { return m.tuple(0) }},
	't':  {"TUPLE", 0, markTuple},
	0x85: {"TUPLE1", 2, func(m *machine) error { return m.tuple(1) }},
	0x86: {"TUPLE2", 2, func(m *machine) error { return m.tuple(2) }},
	0x87: {"TUPLE3", 2, func(m *machine) error { return m.tuple(3) }},
	'}':  {"EMPTY_DICT", 1, emptyDict},
	'd':  {"DICT", 0, dict},
	's':  {"SETITEM", 0, setItem},
	'u':  {"SETITEMS", 1, setItems},
	0x8f: {"EMPTY_SET", 4, emptySet},
	0x90: {"ADDITEMS", 4, addItems},
	0x91: {"FROZENSET", 4, frozenset},

	'p':  {"PUT", 0, putText},
	'q':  {"BINPUT", 1, func(m *machine) error { return m.put(1) }},
	'r':  {"LONG_BINPUT", 1, func(m *machine) error { return m.put(4) }},
	0x94: {"MEMOIZE", 4, func(m *machine) error { return m.memoize(uint64(m.memo.len())) }},
	'g':  {"GET", 0, getText},
	'h':  {"BINGET", 1, func(m *machine) error { return m.get(1) }},
	'j':  {"LONG_BINGET", 1, func(m *machine) error { return m.get(4) }},

	'c':  {"GLOBAL", 0, globalText},
	0x93: {"STACK_GLOBAL", 4, stackGlobal},
	'R':  {"REDUCE", 0, reduce},
	'b':  {"BUILD", 0, build},
	'i':  {"INST", 0, inst},
	'o':  {"OBJ", 1, obj},
	0x81: {"NEWOBJ", 2, newobj},
	0x92: {"NEWOBJ_EX", 4, newobjEx},

	'P':  {"PERSID", 0, outside("a persistent id")},
	'Q':  {"BINPERSID", 1, outside("a persistent id")},
	0x82: {"EXT1", 2, outside("the extension registry")},
	0x83: {"EXT2", 2, outside("the extension registry")},
	0x84: {"EXT4", 2, outside("the extension registry")},
	0x97: {"NEXT_BUFFER", 5, outside("a buffer")},
	0x98: {"READONLY_BUFFER", 5, outside("a buffer")},
}

// outside refuses what only another program could resolve.
func outside(what string) func(*machine) error {
	return func(m *machine) error {
		return m.malformed("it refers to %s outside of the file, which saved models never do", what)
	}
}

func constant(v any) func(*machine) error {
	return func(m *machine) error { m.push(v); return nil }
}

// maxProtocol is the highest protocol there is.
const maxProtocol = 5

func proto(m *machine) error {
	n, err := m.byte()
	if err != nil {
		return err
	}
	if n > maxProtocol {
		return m.malformed("protocol %d; the highest is %d", n, maxProtocol)
	}
	if !m.nested {
		m.info.Protocol = int(n)
	}
	return nil
}

// frame skips a frame's length, a hint for buffered reading. joblib's reader
// takes frames that are cut short and opcodes that cross their end, too.
func frame(m *machine) error {
	_, err := m.take(8)
	return err
}

func mark(m *machine) error {
	if int64(len(m.marks)) > m.lim.Elements {
		return m.tooManyElements()
	}
	m.marks = append(m.marks, len(m.stack))
	return nil
}

// pop discards the top of the stack, or the mark if that is on top.
func pop(m *machine) error {
	if n := len(m.marks); n > 0 && m.marks[n-1] == len(m.stack) {
		m.marks = m.marks[:n-1]
		return nil
	}
	_, err := m.pop()
	return err
}

func dup(m *machine) error {
	v, err := m.top()
	if err == nil {
		m.push(v)
	}
	return err
}

// integer reads BININT (signed) and the unsigned short ones.
func (m *machine) integer(size int) error {
	n, err := m.uint(size)
	if err != nil {
		return err
	}
	if size == 4 {
		m.push(int64(int32(n)))
	} else {
		m.push(int64(n))
	}
	return nil
}

// maxLong bounds the bytes of an integer: numpy's random states have 16.
const maxLong = 4096

// long reads a length and a little-endian two's complement integer.
func (m *machine) long(size int) error {
	n, err := m.uint(size)
	if err != nil {
		return err
	}
	if n > maxLong {
		return m.malformed("an integer of %d bytes", n)
	}
	b, err := m.take(n)
	if err != nil {
		return err
	}
	m.push(twosComplement(b))
	return nil
}

func binfloat(m *machine) error {
	b, err := m.take(8)
	if err != nil {
		return err
	}
	m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
	return nil
}

func (m *machine) unicode(size int) error {
	b, err := m.counted(size)
	if err != nil {
		return err
	}
	if !utf8.Valid(b) {
		return m.malformed("a string that is not valid UTF-8")
	}
	m.push(string(b))
	return nil
}

func (m *machine) bytes(size int) error {
	b, err := m.counted(size)
	if err != nil {
		return err
	}
	m.push(Bytes(b))
	return nil
}

// asciiString reads a str of Python 2, which Python 3 takes if it is ASCII.
func (m *machine) asciiString(size int) error {
	b, err := m.counted(size)
	if err != nil {
		return err
	}
	return m.pushASCII(b)
}

func (m *machine) pushASCII(b []byte) error {
	for _, c := range b {
		if c >= utf8.RuneSelf {
			return m.malformed("a string of Python 2 that is not ASCII")
		}
	}
	m.push(string(b))
	return nil
}

func (m *machine) put(size int) error {
	i, err := m.uint(size)
	if err != nil {
		return err
	}
	return m.memoize(i)
}

func (m *machine) get(size int) error {
	i, err := m.uint(size)
	if err != nil {
		return err
	}
	return m.recall(i)
}
