package frame

// maxRetained is the number of bytes a slab keeps from one request to the next;
// a larger one is dropped by Reset, so that one big batch does not hold memory
// for ever.
const maxRetained = 4 << 20

// Arena hands out scratch memory for one request. What it returns is zeroed,
// belongs to the caller until Reset, and costs no allocation once the arena has
// grown to the size of the work. An Arena serves one goroutine at a time.
type Arena struct {
	floats   slab[float64]
	float32s slab[float32]
	ints     slab[int64]
	int32s   slab[int32]
	bools    slab[bool]
	bytes    slab[byte]
	values   slab[Value]
	columns  slab[Column]
	arrays   slab[Array]
	frames   slab[Frame]
}

// Floats returns n zeros.
func (a *Arena) Floats(n int) []float64 { return a.floats.take(n) }

// Float32s returns n zeros.
func (a *Arena) Float32s(n int) []float32 { return a.float32s.take(n) }

// Ints returns n zeros.
func (a *Arena) Ints(n int) []int64 { return a.ints.take(n) }

// Int32s returns n zeros.
func (a *Arena) Int32s(n int) []int32 { return a.int32s.take(n) }

// Bools returns n times false.
func (a *Arena) Bools(n int) []bool { return a.bools.take(n) }

// Bytes returns n zeros.
func (a *Arena) Bytes(n int) []byte { return a.bytes.take(n) }

// Values returns n times None.
func (a *Arena) Values(n int) []Value { return a.values.take(n) }

// Columns returns n empty columns.
func (a *Arena) Columns(n int) []Column { return a.columns.take(n) }

// Arrays returns n empty arrays.
func (a *Arena) Arrays(n int) []Array { return a.arrays.take(n) }

// Frames returns n empty frames: what lies between the steps of a pipeline.
func (a *Arena) Frames(n int) []Frame { return a.frames.take(n) }

// Reset takes back all that was handed out.
func (a *Arena) Reset() {
	a.floats.reset(8)
	a.float32s.reset(4)
	a.ints.reset(8)
	a.int32s.reset(4)
	a.bools.reset(1)
	a.bytes.reset(1)
	a.values.reset(32)
	a.columns.reset(48)
	a.arrays.reset(216)
	a.frames.reset(64)
}

// Mark remembers how much an arena has handed out.
type Mark struct {
	floats, float32s, ints, int32s, bools, bytes, values, columns, arrays, frames place
}

// Mark returns where the arena stands, for Release.
func (a *Arena) Mark() Mark {
	return Mark{a.floats.mark(), a.float32s.mark(), a.ints.mark(), a.int32s.mark(), a.bools.mark(),
		a.bytes.mark(), a.values.mark(), a.columns.mark(), a.arrays.mark(), a.frames.mark()}
}

// Release takes back all that was handed out since the mark.
func (a *Arena) Release(m Mark) {
	a.floats.release(m.floats)
	a.float32s.release(m.float32s)
	a.ints.release(m.ints)
	a.int32s.release(m.int32s)
	a.bools.release(m.bools)
	a.bytes.release(m.bytes)
	a.values.release(m.values)
	a.columns.release(m.columns)
	a.arrays.release(m.arrays)
	a.frames.release(m.frames)
}

// slab hands out parts of one buffer; when it is used up a larger one takes its
// place, and the old one lives as long as its users.
type slab[T any] struct {
	buf  []T
	used int
	// generation counts the buffers, so that a mark knows its own.
	generation int
}

type place struct{ used, generation int }

func (s *slab[T]) mark() place { return place{s.used, s.generation} }

func (s *slab[T]) release(p place) {
	if p.generation != s.generation {
		p.used = 0 // the buffer is younger than the mark: all of it is free again
	}
	s.used = p.used
}

func (s *slab[T]) take(n int) []T {
	if s.used+n > len(s.buf) {
		s.buf = make([]T, max(n, 2*len(s.buf), 64))
		s.used = 0
		s.generation++
	}
	out := s.buf[s.used : s.used+n : s.used+n]
	s.used += n
	clear(out)
	return out
}

func (s *slab[T]) reset(size int) {
	if len(s.buf)*size > maxRetained {
		s.buf = nil
		s.generation++
	}
	s.used = 0
}
