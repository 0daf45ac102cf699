package joblib

import (
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"compress/zlib"
	"errors"
	"io"
	"math"

	"github.com/pierrec/lz4/v4"
	"github.com/ulikunitz/xz"
	"github.com/ulikunitz/xz/lzma"

	"mizzen.dev/internal/format/pickle"
)

// compression is one way in which joblib compresses files, which starts with
// its magic (joblib/compressor.py).
type compression struct {
	name  string
	magic string
	open  func(data []byte, lim pickle.Limits) (io.Reader, error)
}

var compressions = []compression{
	{"zlib", "\x78", func(data []byte, _ pickle.Limits) (io.Reader, error) { return zlib.NewReader(bytes.NewReader(data)) }},
	{"gzip", "\x1f\x8b", func(data []byte, _ pickle.Limits) (io.Reader, error) { return gzip.NewReader(bytes.NewReader(data)) }},
	{"bz2", "BZ", func(data []byte, _ pickle.Limits) (io.Reader, error) {
		return bzip2.NewReader(bytes.NewReader(data)), nil
	}},
	{"xz", "\xfd7zXZ", openXZ},
	{"lzma", "\x5d\x00", openLZMA},
	{"lz4", "\x04\x22\x4d\x18", func(data []byte, _ pickle.Limits) (io.Reader, error) {
		return lz4.NewReader(bytes.NewReader(data)), nil
	}},
	{"ZFile", "ZF", func([]byte, pickle.Limits) (io.Reader, error) {
		return nil, errors.New("this is joblib's ZFile format of before 2016; load it with joblib and dump it again")
	}},
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

// ratio is what the ratio of the limits allows for a file, divided by per.
func ratio(lim pickle.Limits, data []byte, per int64) int64 {
	if n := int64(len(data)); n == 0 || lim.Ratio <= math.MaxInt64/n {
		return lim.Ratio * n / per
	}
	return math.MaxInt64 / per
}

// decompress returns what data expands to, as long as that is within the
// limits. Memory grows with what was decompressed, never with what is announced.
func decompress(data []byte, c *compression, lim pickle.Limits) ([]byte, error) {
	limit := &pickle.LimitError{What: "bytes once decompressed", Limit: lim.Bytes, Flag: "--max-bytes"}
	if allowed := max(floorBytes, ratio(lim, data, 1)); allowed < lim.Bytes {
		limit = &pickle.LimitError{What: "bytes once decompressed, too many for its size", Limit: allowed, Flag: "--max-ratio"}
	}
	r, err := c.open(data, lim)
	var chunks [][]byte
	var chunk []byte // the last of chunks
	total, size := int64(0), firstChunk
	for err == nil {
		if len(chunk) == cap(chunk) {
			chunk = make([]byte, 0, size)
			chunks = append(chunks, chunk)
			size = min(2*size, lastChunk)
		}
		var n int
		n, err = r.Read(chunk[len(chunk):cap(chunk)])
		chunk = chunk[:len(chunk)+n]
		chunks[len(chunks)-1] = chunk
		if total += int64(n); total > limit.Limit {
			return nil, limit
		}
	}
	if err != io.EOF {
		return nil, &pickle.FormatError{Format: c.name + " stream", Offset: total, Reason: "after decompression of so many bytes: " + err.Error()}
	}
	if len(chunks) == 1 {
		return chunk, nil
	}
	return bytes.Join(chunks, nil), nil
}

// Decompressed data are collected in chunks that grow from the first to the
// last of these sizes.
const (
	firstChunk = 64 << 10
	lastChunk  = 8 << 20
)

func openXZ(data []byte, _ pickle.Limits) (io.Reader, error) {
	return xz.ReaderConfig{}.NewReader(bytes.NewReader(data))
}

func openLZMA(data []byte, _ pickle.Limits) (io.Reader, error) {
	return lzma.ReaderConfig{DictCap: maxDictionary}.NewReader(bytes.NewReader(data))
}

// maxDictionary is the largest dictionary that Python's lzma makes (preset 9).
const maxDictionary = 64 << 20
