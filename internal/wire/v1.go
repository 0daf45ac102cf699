package wire

import "mizzen.dev/model/frame"

// V1 is the codec of the V1 protocol of TensorFlow Serving and KServe:
// {"instances":[…]} in, {"predictions":[…]} out. As in KServe's scikit-learn
// server the rows may also be called inputs, and a record may be a data frame.
type V1 struct{}

// v1Keys are those that the protocol has: signature_name chooses between the
// entry points of a TensorFlow model, of which there is one here. Other keys are
// ignored, as elsewhere, unless they are a known one misspelt.
var v1Keys = []string{"instances", "inputs", "signature_name", "parameters"}

// Decode implements [Codec].
func (V1) Decode(req *Request, body []byte) error {
	sc := req.newScanner(body)
	if sc.peek() != '{' {
		return sc.expected(`an object such as {"instances":[…]}`)
	}
	sc.i++
	req.frames = true
	req.wantDefault(false)
	var keys keySet
	for n := 0; ; n++ {
		key, more, err := sc.newMember(&keys, n)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch key {
		case "instances", "inputs":
			if req.source.root != "" {
				return invalid("", "both instances and inputs: send one of them")
			}
			root := "instances" // not key, which is a part of the body
			if key == "inputs" {
				root = "inputs"
			}
			err = req.readRows(sc, root)
		case "signature_name", "parameters":
			err = sc.skip()
		default:
			err = sc.skipKey(key, &keys, v1Keys)
		}
		if err != nil {
			return at(err, keyPath(key))
		}
	}
	if req.source.root == "" {
		return invalid("", `no "instances": send {"instances":[…]}`)
	}
	if err := sc.end(); err != nil {
		return err
	}
	req.finish()
	return nil
}

// Encode implements [Codec].
func (V1) Encode(dst []byte, req *Request, out []frame.Array) ([]byte, error) {
	return encodePredictions(dst, req, out)
}

// AppendError implements [Codec].
func (V1) AppendError(dst []byte, err error) []byte { return appendError(dst, err) }

// encodePredictions appends {"predictions":[…]}.
func encodePredictions(dst []byte, req *Request, out []frame.Array) ([]byte, error) {
	if err := req.checkAnswer(out); err != nil {
		return dst, err
	}
	req.Answer = Answer{ContentType: typeJSON}
	dst = append(dst, `{"predictions":`...)
	dst = req.Schema.appendArray(dst, &out[req.wanted[0].method])
	return append(dst, '}'), nil
}
