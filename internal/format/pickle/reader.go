package pickle

import (
	"bytes"
	"encoding/binary"
	"io"
)

// reader is the position in a file and what its streams have used of the
// limits: an object array of joblib is a stream inside a stream.
type reader struct {
	data []byte // the whole file, or what was read of src and not yet passed
	pos  int    // in data
	base int64  // offset of data in the file
	op   int64  // offset of the current opcode, for errors

	// src, if not nil, goes on behind data. Blocks that were read of it are never
	// written again: values alias them.
	src  io.Reader
	size *LimitError // the limit of base+len(data)

	ops      *[256]opcode
	lim      Limits
	info     Info
	elements int64
	used     int64 // bytes of arrays and of conversions, which a stream can repeat
	interned map[Global]any
}

const (
	// blockSize is how much is read of a source at once.
	blockSize = 64 << 10
	// trusted is how many bytes are allocated because a length announces them;
	// more only when so many have come.
	trusted = 16 << 20
)

func (r *reader) offset(pos int) int64 { return r.base + int64(pos) }

// fill reads on until n bytes can be read at r.pos, for n of moderate size. It
// reports false without an error if the file ends before.
func (r *reader) fill(n int) (bool, error) {
	have := len(r.data) - r.pos
	if have >= n {
		return true, nil
	}
	if r.src == nil {
		return false, nil
	}
	block := make([]byte, max(blockSize, n))
	copy(block, r.data[r.pos:])
	got, err := io.ReadFull(r.src, block[have:])
	r.base += int64(r.pos)
	r.data, r.pos = block[:have+got], 0
	if err == io.EOF || err == io.ErrUnexpectedEOF {
		err = nil
	}
	return have+got >= n, r.checkSize(err)
}

// checkSize returns err, or that more was read than the size allows.
func (r *reader) checkSize(err error) error {
	if err == nil && r.offset(len(r.data)) > r.size.Limit {
		return r.size
	}
	return err
}

func (r *reader) byte() (byte, error) {
	if r.pos >= len(r.data) {
		if ok, err := r.fill(1); err != nil {
			return 0, err
		} else if !ok {
			return 0, r.malformed("the file ends in the middle of the pickle")
		}
	}
	b := r.data[r.pos]
	r.pos++
	return b, nil
}

// take returns the next n bytes, which alias the file.
func (r *reader) take(n uint64) ([]byte, error) {
	if rest := len(r.data) - r.pos; n > uint64(rest) {
		if r.src == nil {
			return nil, r.malformed("%d bytes announced, %d left in the file", n, rest)
		}
		if n > uint64(r.size.Limit-r.offset(r.pos)) {
			return nil, r.size
		}
		if n > blockSize {
			return r.takeLarge(int(n))
		}
		if ok, err := r.fill(int(n)); err != nil {
			return nil, err
		} else if !ok {
			return nil, r.short(n)
		}
	}
	b := r.data[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return b, nil
}

func (r *reader) short(n uint64) error {
	return r.malformed("%d bytes announced, %d left in the file", n, len(r.data)-r.pos)
}

// takeLarge reads n bytes into memory of their own, which grows as they come.
func (r *reader) takeLarge(n int) ([]byte, error) {
	out := make([]byte, min(n, trusted))
	have := copy(out, r.data[r.pos:])
	for {
		got, err := io.ReadFull(r.src, out[have:])
		have += got
		if err == io.EOF || err == io.ErrUnexpectedEOF {
			r.data, r.base, r.pos = out[:have], r.offset(r.pos), 0
			return nil, r.short(uint64(n))
		}
		if err != nil {
			return nil, err
		}
		if have == n {
			break
		}
		larger := make([]byte, min(n, 4*len(out)))
		copy(larger, out)
		out = larger
	}
	r.base = r.offset(r.pos) + int64(n)
	r.data, r.pos = nil, 0
	return out, nil
}

// line reads to the next end of line.
func (r *reader) line() ([]byte, error) {
	for seen := 0; ; {
		if n := bytes.IndexByte(r.data[r.pos+seen:], '\n'); n >= 0 {
			text := r.data[r.pos : r.pos+seen+n]
			r.pos += seen + n + 1
			return text, nil
		}
		seen = len(r.data) - r.pos
		if ok, err := r.fill(max(2*seen, 1)); err != nil {
			return nil, err
		} else if !ok && len(r.data)-r.pos == seen {
			return nil, r.malformed("a line without an end")
		}
	}
}

// drain reads the source to its end.
func (r *reader) drain() error {
	scratch := make([]byte, blockSize)
	for {
		n, err := r.src.Read(scratch)
		r.base += int64(n)
		if err == io.EOF {
			return nil
		}
		if err := r.checkSize(err); err != nil {
			return err
		}
	}
}

// uint reads a little-endian number of 1, 2, 4 or 8 bytes.
func (r *reader) uint(size int) (uint64, error) {
	b, err := r.take(uint64(size))
	if err != nil {
		return 0, err
	}
	switch size {
	case 1:
		return uint64(b[0]), nil
	case 2:
		return uint64(binary.LittleEndian.Uint16(b)), nil
	case 4:
		return uint64(binary.LittleEndian.Uint32(b)), nil
	}
	return binary.LittleEndian.Uint64(b), nil
}

// counted reads a length of size bytes and as many bytes as it says.
func (r *reader) counted(size int) ([]byte, error) {
	n, err := r.uint(size)
	if err != nil {
		return nil, err
	}
	return r.take(n)
}
