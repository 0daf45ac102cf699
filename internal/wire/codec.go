// Package wire turns the bodies of the inference protocols into frames, and
// arrays into bodies. It knows nothing of HTTP: a codec is a pair of functions
// over bytes.
package wire

import (
	"fmt"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// Codec speaks one protocol.
type Codec interface {
	// Decode reads a body into req: the frame in training order, the methods
	// asked for, and what the answer must repeat. Scratch comes from req.Arena.
	// The body must live as long as req. Errors are *Error.
	Decode(req *Request, body []byte) error
	// Encode appends the answer to dst. out has one entry a method of req.
	// It sets req.Answer.
	Encode(dst []byte, req *Request, out []frame.Array) ([]byte, error)
	// AppendError appends the body that tells a client of err.
	AppendError(dst []byte, err error) []byte
}

// Request is one call on its way through decode, predict and encode. It is
// reused from call to call: Reset it in between.
type Request struct {
	Schema *Schema
	Arena  *frame.Arena
	Header Header // set by the listener before Decode
	Answer Answer // set by Encode

	// Frame holds the rows, in training order.
	Frame frame.Frame
	// Methods are what is to be answered, in order.
	Methods []frame.Method
	// ID is the caller's name for the request, echoed (V2).
	ID string

	// what the protocols need to remember between Decode and Encode goes here
}

// Header is what a codec needs from the transport's headers.
type Header struct {
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

// Limits bound a body.
type Limits struct {
	Rows     int // rows of a request
	Elements int // cells of a request, and values of an answer
	Depth    int // nesting of JSON
}

// Schema is what the codecs know of one served model. It is immutable.
type Schema struct {
	Name, Version string
	Signature     *model.Signature
	Limits        Limits
}

// Error is a refusal that the caller can mend: what, where, what to do.
type Error struct {
	// Status is the HTTP status: 400, 413, 415 or 422.
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
