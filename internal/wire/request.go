package wire

import (
	"errors"
	"unsafe"

	"mizzen.dev/model/frame"
)

// Request is one call on its way through decode, predict and encode. It is
// reused from call to call: Reset it in between. It serves one goroutine at a
// time.
type Request struct {
	Schema *Schema
	Arena  *frame.Arena
	Header Header // set by the listener before Decode
	Answer Answer // set by Encode

	// Frame holds the rows, in training order.
	Frame frame.Frame
	// Methods are what is to be answered, each once.
	Methods []frame.Method
	// ID is the caller's name for the request, echoed (V2).
	ID string

	// wanted are the outputs by the names under which they are answered.
	wanted []wanted
	// source is how the rows came: it is how errors name a cell.
	source source

	scan scanner

	// The rows while they are read, row-major: numbers of a model that takes
	// nothing else, cells of any other.
	floats []float64
	cells  []frame.Value
	// seen has the number of the record in which a column was last met.
	seen   []int
	record int
	// at are the columns of the model, by the columns that the caller named.
	at []int
	// frames says that the protocol takes records that hold columns, as pandas
	// writes them, and the columns of a model without names by their order.
	frames bool
	// order has the columns of the first record, for such a model.
	order map[string]int
	// column holds the columns of a frame while they are read, one after the other.
	column []frame.Value

	v2      v2Request
	asked   []askedOutput
	tensors []Tensor
	shapes  []int64
	outputs []OutputTensor
}

// NewRequest returns a request with an arena of its own.
func NewRequest() *Request { return &Request{Arena: &frame.Arena{}} }

// wanted is one output of the answer.
type wanted struct {
	name   string
	method int  // index into Methods
	part   int  // the target of a multi-output answer; -1: all of it
	binary bool // as binary tensor (V2)
}

// maxRetained is the number of bytes that a request keeps of each of its buffers
// from one call to the next: one big batch does not hold memory for ever.
const maxRetained = 4 << 20

// Reset makes the request ready for the next call. It gives back what the arena
// handed out, and lets go of the body and of Schema.
func (r *Request) Reset() {
	r.Arena.Reset()
	r.Schema, r.Header, r.Answer, r.Frame, r.ID = nil, Header{}, Answer{}, frame.Frame{}, ""
	r.source, r.scan, r.record = source{}, scanner{}, 0
	r.Methods = r.Methods[:0]
	r.floats = retain(r.floats)
	clear(r.cells) // they hold parts of the body
	r.cells = retain(r.cells)
	clear(r.seen)
	r.seen = retain(r.seen)
	r.at = retain(r.at)
	r.frames = false
	clear(r.order)
	clear(r.column)
	r.column = retain(r.column)
	clear(r.wanted)
	r.wanted = retain(r.wanted)
	r.v2 = v2Request{}
	clear(r.asked)
	r.asked = retain(r.asked)
	clear(r.tensors)
	r.tensors = retain(r.tensors)
	r.shapes = retain(r.shapes)
	clear(r.outputs)
	r.outputs = retain(r.outputs)
}

func retain[T any](s []T) []T {
	if cap(s)*int(unsafe.Sizeof(*new(T))) > maxRetained {
		return nil
	}
	return s[:0]
}

// want adds an output to the answer.
func (r *Request) want(name string, m frame.Method, part int, binary bool) {
	at := -1
	for i, have := range r.Methods {
		if have == m {
			at = i
		}
	}
	if at < 0 {
		at = len(r.Methods)
		r.Methods = append(r.Methods, m)
	}
	r.wanted = append(r.wanted, wanted{name: name, method: at, part: part, binary: binary})
}

// Explain turns an error of the model into one that names the cell as the
// protocol does, such as inputs[3][2]; any other error is returned as it is.
func (r *Request) Explain(err error) error {
	var input *frame.InputError
	if err == nil || !errors.As(err, &input) {
		return err
	}
	path, where := r.source.path(r.Schema, input.Row, input.Column)
	return invalid(path, "%s%s", where, input.Reason)
}
