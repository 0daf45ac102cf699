package wire

import (
	"strings"

	"mizzen.dev/internal/nearest"
	"mizzen.dev/model/frame"
)

// Native is the codec of POST /predict: {"inputs":[…], "outputs":[…]} in, the
// answers by name out.
type Native struct{}

// prediction is the name of predict's answer in the native API.
const prediction = "prediction"

var nativeKeys = []string{"inputs", "outputs"}

// Decode implements [Codec].
func (Native) Decode(req *Request, body []byte) error {
	sc := req.newScanner(body)
	if sc.peek() != '{' {
		return sc.expected(`an object such as {"inputs":[…]}`)
	}
	sc.i++
	req.wantPrediction()
	var inputs, outputs bool
	for n := 0; ; n++ {
		key, more, err := sc.member(n)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		twice := false
		switch key {
		case "inputs":
			twice, inputs = inputs, true
			if !twice {
				err = req.readRows(sc, "inputs")
			}
		case "outputs":
			twice, outputs = outputs, true
			if !twice {
				err = req.readOutputs(sc)
			}
		default:
			return at(unknownKey(key, nativeKeys), keyPath(key))
		}
		if twice {
			return invalid("", "the key %q is there twice", key)
		}
		if err != nil {
			return err
		}
	}
	if !inputs {
		return invalid("", `no "inputs": send {"inputs":[…]}`)
	}
	if err := sc.end(); err != nil {
		return err
	}
	req.finish()
	return nil
}

// unknownKey explains a key that the protocol does not have. Its path is the key.
func unknownKey(key string, known []string) error {
	return invalid("", "unknown key%s", orElse(nearest.DidYouMean(key, known), "; known are "+strings.Join(known, ", ")))
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// wantPrediction asks for what is answered unasked.
func (r *Request) wantPrediction() {
	m := r.Schema.Signature.Default()
	name := m.String()
	if m == frame.Predict {
		name = prediction
	}
	r.want(name, m, -1, false)
}

// readOutputs reads the list of methods whose answers are to be added.
func (r *Request) readOutputs(sc *scanner) error {
	if sc.peek() != '[' {
		return at(sc.expected(`a list of outputs such as ["predict_proba"]`), "outputs")
	}
	sc.i++
	asked := [frame.NumMethods]bool{}
	for n := 0; ; n++ {
		more, err := sc.element(n)
		if err != nil || !more {
			return at(err, "outputs")
		}
		path := "outputs"
		if sc.peek() != '"' {
			return at(sc.expected("the name of an output"), path+element(n))
		}
		name, err := sc.str()
		if err != nil {
			return at(err, path+element(n))
		}
		m, ok := frame.ParseMethod(name)
		if ok {
			_, ok = r.Schema.Signature.Output(m)
		}
		if !ok {
			return r.Schema.noOutput(path+element(n), name, r.Schema.methodNames())
		}
		if asked[m] {
			return invalid(path+element(n), "%q is asked for twice", name)
		}
		asked[m] = true
		if m != r.Schema.Signature.Default() || m == frame.Predict {
			r.want(m.String(), m, -1, false)
		}
	}
}

// noOutput explains an output that the model lacks.
func (s *Schema) noOutput(path, name string, known []string) error {
	return invalid(path, "the model has no output %q; it has %s%s", clip(name), strings.Join(known, ", "), nearest.DidYouMean(name, known))
}

// Encode implements [Codec].
func (Native) Encode(dst []byte, req *Request, out []frame.Array) ([]byte, error) {
	if err := req.checkAnswer(out); err != nil {
		return dst, err
	}
	req.Answer = Answer{ContentType: typeJSON}
	dst = append(dst, '{')
	for i, w := range req.wanted {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, '"')
		dst = append(dst, w.name...) // a method's name needs no escapes
		dst = append(dst, '"', ':')
		dst = req.Schema.appendArray(dst, &out[w.method])
	}
	return append(dst, '}'), nil
}

// AppendError implements [Codec].
func (Native) AppendError(dst []byte, err error) []byte { return appendError(dst, err) }

// appendError appends {"error":"…"}, as the native API, KServe and Triton do.
func appendError(dst []byte, err error) []byte {
	dst = append(dst, `{"error":`...)
	dst = appendString(dst, err.Error())
	return append(dst, '}')
}
