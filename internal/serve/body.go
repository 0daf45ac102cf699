package serve

import (
	"bufio"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"

	"mizzen.dev/internal/wire"
)

const (
	// firstBuffer is what is allocated for a body, whatever its Content-Length
	// says: the rest comes as the bytes come.
	firstBuffer = 4 << 10
	// freeBuffer is what a body may hold without asking the budget.
	freeBuffer = 64 << 10
	// keptBuffer bounds the buffers that wait for the next call.
	keptBuffer = 256 << 10
)

// body reads the body of a request into a buffer that is used again. It
// implements [Body].
type body struct {
	r      *http.Request
	limit  int64
	memory *budget

	buf   []byte
	taken int64 // from the budget

	// Decompressors are made when first needed, and used again.
	zipped *gzip.Reader
	zlibbed,
	deflated io.ReadCloser
	peek *bufio.Reader
}

// ReadBody implements [Body].
func (b *body) ReadBody() ([]byte, error) {
	b.buf = b.buf[:0]
	if b.r.ContentLength > b.limit {
		if b.r.Header["Expect"] == nil { // who does expect an answer has not sent it yet
			b.drop()
		}
		return nil, b.tooLarge()
	}
	if encoding := b.r.Header["Content-Encoding"]; len(encoding) > 0 {
		return b.readEncoded(strings.Join(encoding, ","))
	}
	if err := b.grow(min(max(b.r.ContentLength, 512), firstBuffer)); err != nil {
		return nil, err
	}
	if err := b.readAll(b.r.Body); err != nil {
		return nil, err
	}
	return b.buf, nil
}

// readAll appends all of src to the buffer.
func (b *body) readAll(src io.Reader) error {
	for {
		if len(b.buf) == cap(b.buf) {
			if err := b.grow(int64(2 * cap(b.buf))); err != nil {
				return err
			}
		}
		n, err := src.Read(b.buf[len(b.buf):cap(b.buf)])
		b.buf = b.buf[:len(b.buf)+n]
		if int64(len(b.buf)) > b.limit {
			b.drop()
			return b.tooLarge()
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return b.broken(err)
		}
	}
}

// grow makes room for n bytes, which the budget must allow if they are many.
func (b *body) grow(n int64) error {
	n = min(n, b.limit+1)
	if length := b.r.ContentLength; length >= 0 && b.r.Header["Content-Encoding"] == nil {
		n = min(n, length+1) // one more, so that the end is seen
	}
	if int64(cap(b.buf)) >= n {
		return nil
	}
	if more := n - freeBuffer - b.taken; more > 0 {
		if !b.memory.take(more) {
			return &Rejection{Cause: Memory, RetryAfter: busyRetry}
		}
		b.taken += more
	}
	b.buf = append(make([]byte, 0, n), b.buf...)
	return nil
}

// reset lets go of the request, and of a buffer that is too large to be kept.
func (b *body) reset() {
	b.r = nil
	b.memory.give(b.taken)
	b.taken = 0
	if cap(b.buf) > keptBuffer {
		b.buf = nil
	}
}

// maxDropped bounds what is read of a body only to be dropped.
const maxDropped = 64 << 20

// drop reads what is left of a body that is refused. Many clients look for an
// answer only when they have sent everything; they would see a broken connection
// and not the reason.
func (b *body) drop() {
	if b.r.ContentLength <= maxDropped {
		_, _ = io.CopyN(io.Discard, b.r.Body, maxDropped) // it is refused whatever comes of this
	}
}

func (b *body) tooLarge() error {
	return &wire.Error{Status: http.StatusRequestEntityTooLarge,
		Reason: fmt.Sprintf("the body is larger than %d bytes (--max-body): send fewer rows at a time", b.limit)}
}

// broken explains why the body could not be read.
func (b *body) broken(err error) error {
	var timeout net.Error
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return &wire.Error{Status: http.StatusRequestTimeout, Reason: "the body did not come in time (--read-timeout)"}
	case errors.Is(err, io.ErrUnexpectedEOF): // a caller that sent too little may wait for the answer
		if b.r.Header["Content-Encoding"] == nil && b.r.ContentLength >= 0 {
			return &wire.Error{Status: http.StatusBadRequest, Reason: fmt.Sprintf("the body ended after %d of %d bytes", len(b.buf), b.r.ContentLength)}
		}
	case b.r.Context().Err() != nil:
		return context.Canceled
	}
	return &wire.Error{Status: http.StatusBadRequest, Reason: "the body cannot be read: " + err.Error()}
}

// readEncoded reads a compressed body.
func (b *body) readEncoded(encoding string) ([]byte, error) {
	src, err := b.decompressor(strings.ToLower(strings.TrimSpace(encoding)))
	if err != nil {
		return nil, err
	}
	if err := b.grow(firstBuffer); err != nil {
		return nil, err
	}
	if err := b.readAll(src); err != nil {
		return nil, err
	}
	return b.buf, nil
}

func (b *body) decompressor(encoding string) (io.Reader, error) {
	var err error
	switch encoding {
	case "identity", "":
		return b.r.Body, nil
	case "gzip", "x-gzip":
		if b.zipped == nil {
			b.zipped, err = gzip.NewReader(b.r.Body)
		} else {
			err = b.zipped.Reset(b.r.Body)
		}
		if err != nil {
			b.zipped = nil
			return nil, b.broken(err)
		}
		return b.zipped, nil
	case "deflate":
		return b.inflater()
	}
	return nil, &wire.Error{Status: http.StatusUnsupportedMediaType,
		Reason: fmt.Sprintf("Content-Encoding %q is not supported: send gzip, deflate or none", encoding)}
}

// inflater reads deflate: the zlib form, as the standard says, or the raw form,
// as some clients send it.
func (b *body) inflater() (io.Reader, error) {
	if b.peek == nil {
		b.peek = bufio.NewReader(b.r.Body)
	} else {
		b.peek.Reset(b.r.Body)
	}
	head, err := b.peek.Peek(2)
	if err != nil {
		return nil, b.broken(io.ErrUnexpectedEOF)
	}
	if head[0]&0x0f == 8 && (uint(head[0])<<8|uint(head[1]))%31 == 0 {
		if b.zlibbed == nil {
			b.zlibbed, err = zlib.NewReader(b.peek)
		} else {
			err = b.zlibbed.(zlib.Resetter).Reset(b.peek, nil)
		}
		if err != nil {
			b.zlibbed = nil
			return nil, b.broken(err)
		}
		return b.zlibbed, nil
	}
	if b.deflated == nil {
		b.deflated = flate.NewReader(b.peek)
	} else if err := b.deflated.(flate.Resetter).Reset(b.peek, nil); err != nil {
		return nil, b.broken(err)
	}
	return b.deflated, nil
}
