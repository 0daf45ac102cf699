package pickle

import (
	"errors"
	"fmt"
	"io"

	"mizzen.dev/internal/format/npy"
)

// Info tells what the stream was.
type Info struct {
	Protocol int  // as announced, or 0 or 1 by its opcodes
	Joblib   bool // arrays are interleaved with the pickle, as joblib writes them
	// Globals are all classes and functions that the stream names, in order,
	// each once: also those that are in no part of the value, because what they
	// made was thrown away.
	Globals  []Global
	Size     int64 // bytes of the stream
	Trailing int64 // bytes behind it, which Python ignores
}

// Read reads the first pickle in data, with the arrays that joblib interleaves.
// Array data, and bytes, alias data.
func Read(data []byte, lim Limits) (any, Info, error) {
	lim = lim.WithDefaults()
	r := newReader(lim)
	if int64(len(data)) > lim.Bytes {
		return nil, r.info, &LimitError{What: "bytes", Limit: lim.Bytes, Flag: "--max-bytes"}
	}
	r.data = data
	return r.read()
}

// ReadFrom is [Read] for what a decompressor gives. It reads src to its end, so
// that a checksum there is seen, but no further than size.Limit bytes: then its
// error is size.
func ReadFrom(src io.Reader, size *LimitError, lim Limits) (any, Info, error) {
	r := newReader(lim.WithDefaults())
	r.src, r.size = src, size
	value, info, err := r.read()
	if err == nil {
		err = r.drain()
	}
	if err != nil {
		return nil, info, err
	}
	info.Trailing = r.offset(len(r.data)) - info.Size
	return value, info, nil
}

func newReader(lim Limits) *reader {
	return &reader{ops: &opcodes, lim: lim, interned: make(map[Global]any)}
}

func (r *reader) read() (any, Info, error) {
	m := machine{reader: r}
	value, err := m.run()
	r.info.Size = r.offset(r.pos)
	r.info.Trailing = int64(len(r.data) - r.pos)
	if err == nil {
		err = r.checkExtent(value)
	}
	if err != nil {
		return nil, r.info, err
	}
	return value, r.info, nil
}

// machine runs one stream.
type machine struct {
	*reader
	nested bool // inside another stream, where joblib interleaves nothing
	stack  []any
	marks  []int // stack heights
	memo   memo
}

// errStop ends a stream.
var errStop = errors.New("stop")

func (m *machine) run() (any, error) {
	for {
		m.op = m.offset(m.pos)
		code, err := m.byte()
		if err != nil {
			return nil, err
		}
		op := &m.ops[code]
		if op.run == nil {
			return nil, m.malformed("unknown opcode %#02x", code)
		}
		if op.protocol == 1 && m.info.Protocol == 0 && !m.nested {
			m.info.Protocol = 1
		}
		if err := op.run(m); err != nil {
			if errors.Is(err, errStop) {
				break
			}
			return nil, err
		}
		if int64(len(m.stack)) > m.lim.Elements {
			return nil, m.tooManyElements()
		}
	}
	value, err := m.pop()
	if err == nil && (len(m.stack) > 0 || len(m.marks) > 0) {
		err = m.malformed("%d values and %d marks are left at the end", len(m.stack), len(m.marks))
	}
	return value, err
}

// Errors.

func (r *reader) malformed(format string, args ...any) error {
	return &FormatError{Format: "pickle", Offset: r.op, Reason: fmt.Sprintf(format, args...)}
}

func (r *reader) tooManyElements() error {
	return &LimitError{What: "items in its lists, dicts and other containers", Limit: r.lim.Elements, Flag: "--max-elements"}
}

// What counts as several elements, since its memory is that of so many items: a
// container, an object or a name, a field of a structure.
const (
	containerCost = 4
	objectCost    = 8
	fieldCost     = 8
)

// count takes n elements from the limit. Python writes at most four for a byte;
// there are more only if a stream makes containers of what it has again and again.
func (r *reader) count(n int) error {
	r.elements += int64(n)
	if r.elements > r.lim.Elements {
		return r.tooManyElements()
	}
	if r.elements > 4*r.offset(r.pos)+allowance {
		return r.malformed("the same items are put into containers again and again")
	}
	return nil
}

// use accounts for n bytes that become an array or are converted. Python does
// this once or twice with each byte that it wrote.
func (r *reader) use(n int) error {
	if r.used += int64(n); r.used > 4*r.offset(r.pos)+allowance {
		return r.malformed("the same bytes are used again and again")
	}
	return nil
}

// allowance is what a small file may use of elements and bytes in any case.
const allowance = 64 << 10

// The stack.

func (m *machine) push(v any) { m.stack = append(m.stack, v) }

// floor is the lowest height that opcodes may pop to: that of the last mark.
func (m *machine) floor() int {
	if n := len(m.marks); n > 0 {
		return m.marks[n-1]
	}
	return 0
}

func (m *machine) pop() (any, error) {
	n := len(m.stack)
	if n <= m.floor() {
		return nil, m.malformed("the stack is empty")
	}
	v := m.stack[n-1]
	m.stack = m.stack[:n-1]
	return v, nil
}

func (m *machine) top() (any, error) {
	n := len(m.stack)
	if n <= m.floor() {
		return nil, m.malformed("the stack is empty")
	}
	return m.stack[n-1], nil
}

// popMark returns what stands above the last mark; it is valid until the next push.
func (m *machine) popMark() ([]any, error) {
	n := len(m.marks)
	if n == 0 {
		return nil, m.malformed("there is no mark")
	}
	items := m.stack[m.marks[n-1]:]
	m.stack = m.stack[:m.marks[n-1]]
	m.marks = m.marks[:n-1]
	return items, nil
}

// replace puts v in the place of the top of the stack.
func (m *machine) replace(v any) { m.stack[len(m.stack)-1] = v }

// global notes a name that the stream gives and returns it as a value.
func (r *reader) global(module, name string) (any, error) {
	if module == "" || name == "" {
		return nil, r.malformed("a class without a name")
	}
	g := Global{module, name}
	if v, ok := r.interned[g]; ok {
		return v, nil
	}
	r.interned[g] = g
	r.info.Globals = append(r.info.Globals, g)
	return r.interned[g], r.count(objectCost)
}

// memo keeps values by number. Numbers that leave a gap go to a map, so that a
// large number allocates nothing.
type memo struct {
	dense  []any
	sparse map[uint64]any
}

func (m *memo) len() int { return len(m.dense) + len(m.sparse) }

func (m *memo) get(i uint64) (any, bool) {
	if i < uint64(len(m.dense)) {
		return m.dense[i], true
	}
	v, ok := m.sparse[i]
	return v, ok
}

func (m *memo) put(i uint64, v any) {
	switch n := uint64(len(m.dense)); {
	case i < n:
		m.dense[i] = v
	case i == n:
		m.dense = append(m.dense, v)
		delete(m.sparse, i)
	default:
		if m.sparse == nil {
			m.sparse = make(map[uint64]any)
		}
		m.sparse[i] = v
	}
}

func (m *machine) memoize(i uint64) error {
	v, err := m.top()
	if err != nil {
		return err
	}
	if m.memo.put(i, v); m.memo.len() > m.lim.Memo {
		return &LimitError{What: "memo entries", Limit: int64(m.lim.Memo), Flag: "--max-memo"}
	}
	return nil
}

func (m *machine) recall(i uint64) error {
	v, ok := m.memo.get(i)
	if !ok {
		return m.malformed("the memo has no entry %d", i)
	}
	m.push(v)
	return nil
}

// nestedStream reads the pickle that stands at the current position: the
// elements of an object array of joblib.
func (m *machine) nestedStream() (*npy.Array, error) {
	inner := machine{reader: m.reader, nested: true}
	v, err := inner.run()
	if err != nil {
		return nil, err
	}
	a, ok := v.(*npy.Array)
	if !ok || a.Dtype.Kind != 'O' {
		return nil, m.malformed("an object array is announced, %T follows", v)
	}
	return a, nil
}
