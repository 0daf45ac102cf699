package joblib

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"encoding/binary"
	"errors"
	"io"
	"math"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz/lzma"

	"mizzen.dev/internal/format/pickle"
)

// compression is one way in which joblib compresses files, which starts with
// its magic (joblib/compressor.py).
type compression struct {
	name  string
	magic string
	// open starts decompressing data, which may expand to as many bytes as are allowed.
	open func(data []byte, allowed int64) (io.Reader, error)
}

var compressions = []compression{
	{"zlib", "\x78", func(data []byte, _ int64) (io.Reader, error) { return zlib.NewReader(bytes.NewReader(data)) }},
	{"gzip", "\x1f\x8b", func(data []byte, _ int64) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(data)) }},
	{"bz2", "BZ", func(data []byte, _ int64) (io.Reader, error) { return bzip2.NewReader(bytes.NewReader(data)), nil }},
	{"xz", "\xfd7zXZ", openXZ},
	{"lzma", "\x5d\x00", openLZMA},
	{"lz4", "\x04\x22\x4d\x18", func(data []byte, _ int64) (io.Reader, error) { return lz4.NewReader(bytes.NewReader(data)), nil }},
	{"ZFile", "ZF", openZFile},
}

// detect returns how data is compressed, or nil if it is not. No pickle starts
// with one of the magics: they are no opcodes, or such as need a value before them.
func detect(data []byte) *compression {
	for i := range compressions {
		if c := &compressions[i]; bytes.HasPrefix(data, []byte(c.magic)) {
			return c
		}
	}
	return nil
}

// ratio is how much the ratio of the limits allows for a file.
func ratio(lim pickle.Limits, data []byte) int64 {
	if n := int64(len(data)); n > 0 && lim.Ratio > math.MaxInt64/n {
		return math.MaxInt64
	}
	return lim.Ratio * int64(len(data))
}

// decompressedLimit returns the bound on what data may expand to.
func decompressedLimit(data []byte, lim pickle.Limits) *pickle.LimitError {
	if allowed := max(floorBytes, ratio(lim, data)); allowed < lim.Bytes {
		return &pickle.LimitError{What: "bytes once decompressed, too many for its size", Limit: allowed, Flag: "--max-ratio"}
	}
	return &pickle.LimitError{What: "bytes once decompressed", Limit: lim.Bytes, Flag: "--max-bytes"}
}

// open starts decompressing data.
func open(data []byte, c *compression, size *pickle.LimitError) (io.Reader, error) {
	s := &stream{name: c.name}
	var err error
	if s.src, err = c.open(data, size.Limit); errors.Is(err, errTooLarge) {
		return nil, size
	} else if err != nil {
		return nil, s.malformed(err)
	}
	return s, nil
}

// stream turns the errors of a decompressor into such as say where they are.
type stream struct {
	name string
	src  io.Reader
	read int64
}

func (s *stream) Read(p []byte) (int, error) {
	n, err := s.src.Read(p)
	s.read += int64(n)
	if err != nil && !errors.Is(err, io.EOF) {
		err = s.malformed(err)
	}
	return n, err
}

func (s *stream) malformed(err error) error {
	name := s.name + " stream"
	if s.read > 0 {
		name += ", decompressed," // that is what the offset counts
	}
	reason := err.Error()
	if errors.Is(err, io.ErrUnexpectedEOF) {
		reason = "it ends too early: is the file cut short?"
	}
	return &pickle.FormatError{Format: name, Offset: s.read, Reason: reason}
}

// errTooLarge says that a file announces more bytes than are allowed.
var errTooLarge = errors.New("too large")

// openLZMA opens the format of LZMA before xz: a byte of properties, the size
// of the dictionary, which the decompressor allocates as announced, and the
// size of what follows or -1. No more dictionary is needed than bytes are allowed.
func openLZMA(data []byte, allowed int64) (io.Reader, error) {
	if len(data) < lzma.HeaderLen {
		return nil, io.ErrUnexpectedEOF
	}
	header := bytes.Clone(data[:lzma.HeaderLen])
	dictionary := binary.LittleEndian.Uint32(header[1:])
	if dictionary > maxDictionary {
		return nil, errors.New("an LZMA dictionary of more than 64 MiB")
	}
	binary.LittleEndian.PutUint32(header[1:], uint32(min(int64(dictionary), allowed)))
	if size := int64(binary.LittleEndian.Uint64(header[5:])); size > allowed {
		return nil, errTooLarge
	}
	return lzma.NewReader(bufio.NewReader(io.MultiReader(bytes.NewReader(header), bytes.NewReader(data[lzma.HeaderLen:]))))
}

func openZFile([]byte, int64) (io.Reader, error) {
	return nil, errors.New("this is the ZFile format of joblib before 0.10; load it there and dump it again")
}
