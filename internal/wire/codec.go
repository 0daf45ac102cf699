// Package wire turns the bodies of the inference protocols into frames, and
// arrays into bodies. It knows nothing of HTTP: a codec is a pair of functions
// over bytes. What the protocols share lies below them: a scanner for JSON, the
// tensors of the Open Inference Protocol, the way from columns by name to the
// order of training, and the writing of numbers.
package wire

import (
	"fmt"
	"net/http"

	"mizzen.dev/model/frame"
)

// Codec speaks one protocol.
type Codec interface {
	// Decode reads a body into req: the frame in training order, the methods
	// asked for, and what the answer must repeat. The body must live, unchanged,
	// as long as req does: cells are parts of it. Errors are *Error.
	Decode(req *Request, body []byte) error
	// Encode appends the answer to dst. out has one entry a method of req. It
	// sets req.Answer. Errors are *Error: the answer is larger than the limit.
	Encode(dst []byte, req *Request, out []frame.Array) ([]byte, error)
	// AppendError appends the body that tells a client of err.
	AppendError(dst []byte, err error) []byte
}

// Header is what a codec needs from the transport's headers.
type Header struct {
	// ContentType matters to [Invocations] only: elsewhere a body is JSON
	// whatever its type says.
	ContentType string
	// JSONLength is the Inference-Header-Content-Length of a V2 binary body; 0
	// if there is none.
	JSONLength int
}

// Answer is what the transport must say beside the body.
type Answer struct {
	ContentType string
	// JSONLength is the Inference-Header-Content-Length to send; 0 for none.
	JSONLength int
}

const (
	typeJSON   = "application/json"
	typeBinary = "application/octet-stream"
)

// Limits bound a body. A field that is zero has its default.
type Limits struct {
	Rows     int // rows of a request
	Elements int // cells of a request, and values of an answer
	Depth    int // nesting of JSON
}

// The defaults of [Limits].
const (
	DefaultRows     = 100_000
	DefaultElements = 16 << 20
	DefaultDepth    = 32
)

func (l Limits) withDefaults() Limits {
	if l.Rows <= 0 {
		l.Rows = DefaultRows
	}
	if l.Elements <= 0 {
		l.Elements = DefaultElements
	}
	if l.Depth <= 0 {
		l.Depth = DefaultDepth
	}
	return l
}

// Error is a refusal that the caller can mend: what, where, what to do.
type Error struct {
	// Status is the HTTP status: 400, 413 or 415 for a body. What answers calls
	// has others, too.
	Status int
	// Path is where in the body: inputs[3][2]. Empty for the whole.
	Path   string
	Reason string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return fmt.Sprintf("%s: %s", e.Path, e.Reason)
}

// invalid returns the error of a body that is not what the protocol asks for.
func invalid(path, format string, args ...any) error {
	return &Error{Status: http.StatusBadRequest, Path: path, Reason: fmt.Sprintf(format, args...)}
}

// tooLarge returns the error of a body or an answer over a limit.
func tooLarge(path, format string, args ...any) error {
	return &Error{Status: http.StatusRequestEntityTooLarge, Path: path, Reason: fmt.Sprintf(format, args...)}
}
