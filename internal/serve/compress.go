package serve

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"strconv"
	"strings"
	"sync"
)

// minCompressed is the size from which an answer is compressed: below, it costs
// more time than it saves on the wire.
const minCompressed = 4 << 10

// compressors make answers smaller for clients that ask for it.
type compressors struct{ gzip, deflate sync.Pool }

// deflateWriter is what the writers of gzip and zlib have in common.
type deflateWriter interface {
	io.WriteCloser
	Reset(io.Writer)
}

// acceptedEncoding returns gzip, deflate or "": the one of them that the client
// likes best, as its Accept-Encoding says.
func acceptedEncoding(accept []string) string {
	best, weight := "", 0.0
	for _, line := range accept {
		for item := range strings.SplitSeq(line, ",") {
			name, params, _ := strings.Cut(item, ";")
			name = strings.ToLower(strings.TrimSpace(name))
			q := 1.0
			if text, ok := strings.CutPrefix(strings.ReplaceAll(params, " ", ""), "q="); ok {
				q, _ = strconv.ParseFloat(text, 64)
			}
			if name == "*" {
				name = "gzip"
			}
			if (name == "gzip" || name == "deflate") && (q > weight || q == weight && q > 0 && name == "gzip") {
				best, weight = name, q
			}
		}
	}
	return best
}

// compress returns data in the encoding; dst is memory that it may use.
func (c *compressors) compress(dst *bytes.Buffer, encoding string, data []byte) ([]byte, error) {
	pool := &c.gzip
	if encoding == "deflate" {
		pool = &c.deflate
	}
	dst.Reset()
	w, ok := pool.Get().(deflateWriter)
	if !ok {
		var err error
		if w, err = newDeflateWriter(encoding); err != nil {
			return nil, err
		}
	}
	defer pool.Put(w)
	w.Reset(dst)
	if _, err := w.Write(data); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return dst.Bytes(), nil
}

// newDeflateWriter favours speed: the server's time is worth more than the last
// few percent.
func newDeflateWriter(encoding string) (deflateWriter, error) {
	if encoding == "deflate" {
		return zlib.NewWriterLevel(io.Discard, zlib.BestSpeed)
	}
	return gzip.NewWriterLevel(io.Discard, gzip.BestSpeed)
}
