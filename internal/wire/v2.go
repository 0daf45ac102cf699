package wire

import (
	"errors"
	"strings"
)

// V2 is the codec of the Open Inference Protocol over REST: POST
// /v2/models/NAME/infer, with JSON and with the binary tensors that Triton added
// (Header.JSONLength bytes of JSON, then the data of the inputs in their order).
type V2 struct{}

// The keys that people misspell. Unknown keys are ignored, as the protocol asks
// for, unless they look like one of these; id, name and data are too short to
// tell.
var (
	v2Keys     = []string{"parameters", "inputs", "outputs"}
	tensorKeys = []string{"shape", "datatype", "parameters"}
	outputKeys = []string{"parameters"}
)

// Decode implements [Codec].
func (V2) Decode(req *Request, body []byte) error {
	header := req.Header.JSONLength
	if header < 0 || header > len(body) {
		return invalid("", "Inference-Header-Content-Length is %d, but the body has %s", header, counted(len(body), "byte"))
	}
	text, blob := body, body[len(body):]
	if header > 0 {
		text, blob = body[:header], body[header:]
	}
	in := &req.v2
	*in = v2Request{req: req, sc: req.newScanner(text), blob: blob, binary: header > 0}
	if err := in.read(); err != nil {
		return err
	}
	if len(in.blob) > 0 {
		return invalid("", "%s of the body left over after the inputs: see parameters.binary_data_size", counted(len(in.blob), "byte"))
	}
	if err := in.selectOutputs(); err != nil {
		return err
	}
	return req.Bind(req.tensors)
}

// AppendError implements [Codec].
func (V2) AppendError(dst []byte, err error) []byte { return appendError(dst, err) }

// v2Request is a request while it is read. It is part of the [Request].
type v2Request struct {
	req    *Request
	sc     *scanner
	blob   []byte // the binary data that is left
	binary bool   // there is some
	// params are the parameters of the request.
	params parameters
}

func (in *v2Request) read() error {
	sc := in.sc
	if sc.peek() != '{' {
		return sc.expected(`an object such as {"inputs":[{"name":"input-0","shape":[1,4],"datatype":"FP64","data":[…]}]}`)
	}
	sc.i++
	var keys keySet
	for n := 0; ; n++ {
		key, more, err := in.sc.newMember(&keys, n)
		if err != nil {
			return err
		}
		if !more {
			return sc.end()
		}
		switch key {
		case "id":
			in.req.ID, err = in.str()
		case "parameters":
			in.params, err = in.parameters()
		case "inputs":
			err = in.list((*v2Request).input)
		case "outputs":
			err = in.list((*v2Request).output)
		default:
			err = in.sc.skipKey(key, &keys, v2Keys)
		}
		if err != nil {
			return under(err, keyPath(key))
		}
	}
}

// list reads the list at which the scanner stands; null is an empty one.
func (in *v2Request) list(read func(in *v2Request, i int) error) error {
	sc := in.sc
	if in.null() {
		return nil
	}
	if sc.peek() != '[' {
		return sc.expected("a list")
	}
	sc.i++
	for i := 0; ; i++ {
		more, err := sc.element(i)
		if err != nil || !more {
			return err
		}
		if err := read(in, i); err != nil {
			return under(err, element(i))
		}
	}
}

// open steps into the object at which the scanner stands.
func (in *v2Request) open() error {
	if in.sc.peek() != '{' {
		return in.sc.expected("an object")
	}
	in.sc.i++
	return nil
}

// null reads over a null.
func (in *v2Request) null() bool { return in.sc.peek() == 'n' && in.sc.literal("null") }

// str reads a string; null is an empty one.
func (in *v2Request) str() (string, error) {
	if in.null() {
		return "", nil
	}
	if in.sc.peek() != '"' {
		return "", in.sc.expected("a string")
	}
	return in.sc.str()
}

// askedOutput is an output that a request names, as it was read.
type askedOutput struct {
	name   string
	binary setting
}

// output reads output i of the request.
func (in *v2Request) output(int) error {
	if err := in.open(); err != nil {
		return err
	}
	var o askedOutput
	var keys keySet
	for n := 0; ; n++ {
		key, more, err := in.sc.newMember(&keys, n)
		if err != nil {
			return err
		}
		if !more {
			in.req.asked = append(in.req.asked, o)
			return nil
		}
		switch key {
		case "name":
			o.name, err = in.str()
		case "parameters":
			var p parameters
			p, err = in.parameters()
			o.binary = p.binary
		default:
			err = in.sc.skipKey(key, &keys, outputKeys)
		}
		if err != nil {
			return under(err, keyPath(key))
		}
	}
}

// selectOutputs sets the methods, once all parameters are known.
func (in *v2Request) selectOutputs() error {
	byDefault := in.params.binaryOutput == yes
	if len(in.req.asked) == 0 {
		in.req.wantDefault(byDefault)
		return nil
	}
	for i, o := range in.req.asked {
		binary := o.binary == yes || o.binary == unset && byDefault
		if err := in.req.selectOutput(o.name, binary, "name"); err != nil {
			return under(err, "outputs"+element(i))
		}
	}
	return nil
}

// under places an error within a part of the body. An error that is about a
// member which the part should not have keeps the part's path.
func under(err error, part string) error {
	if err == nil {
		return nil
	}
	var e *Error
	switch {
	case !errors.As(err, &e):
	case e.Path == "" || e.Path[0] == '[':
		e.Path = strings.Clone(part) + e.Path // part may be one of the body
	default:
		e.Path = part + "." + e.Path
	}
	return err
}
