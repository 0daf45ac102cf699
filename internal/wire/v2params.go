package wire

import "math"

// parameters are those of a V2 request, input or output that mean something
// here. Others are ignored, as the protocol asks for.
type parameters struct {
	binaryOutput setting // binary_data_output: all outputs are binary
	binary       setting // binary_data: this output is
	size         int     // binary_data_size of this input; -1 if it is not there
}

// setting is a boolean that may not be set.
type setting uint8

const (
	unset setting = iota
	no
	yes
)

// parameters reads an object of parameters; null is an empty one.
func (in *v2Request) parameters() (parameters, error) {
	p := parameters{size: -1}
	if in.null() {
		return p, nil
	}
	if err := in.open(); err != nil {
		return p, err
	}
	var keys keySet
	for n := 0; ; n++ {
		key, more, err := in.sc.newMember(&keys, n)
		if err != nil || !more {
			return p, err
		}
		switch key {
		case "binary_data_output":
			p.binaryOutput, err = in.setting()
		case "binary_data":
			p.binary, err = in.setting()
		case "binary_data_size":
			var size int64
			size, err = in.integer(math.MaxInt32)
			p.size = int(size)
		case "content_type":
			err = in.contentType()
		case "shared_memory_region":
			err = invalid("", "shared memory is not served: send the data in the body")
		case "classification":
			err = invalid("", "the classification extension is not served: ask for the output predict or predict_proba")
		default:
			err = in.sc.skip()
		}
		if err != nil {
			return p, under(err, keyPath(key))
		}
	}
}

func (in *v2Request) setting() (setting, error) {
	in.sc.peek()
	switch {
	case in.sc.literal("true"):
		return yes, nil
	case in.sc.literal("false"):
		return no, nil
	}
	return unset, in.sc.expected("true or false")
}

// integer reads a whole number from 0 to limit.
func (in *v2Request) integer(limit int64) (int64, error) {
	sc := in.sc
	if c := sc.peek(); c != '-' && c-'0' > 9 {
		return 0, sc.expected("a whole number")
	}
	v, err := sc.cell()
	if err != nil {
		return 0, err
	}
	i, ok := v.Int64()
	if !ok || i < 0 || i > limit {
		return 0, invalid("", "expected a whole number from 0 to %d, found %s", limit, quoteCell(v))
	}
	return i, nil
}

// contentType reads how MLServer's clients say what a tensor stands for. Numbers,
// strings and columns of frames need no decoding; what does is refused, lest
// encoded text be taken for a category.
func (in *v2Request) contentType() error {
	name, err := in.str()
	if err != nil {
		return err
	}
	if name == "base64" || name == "datetime" {
		return invalid("", "the content type %q is not served: send numbers or strings as they are", name)
	}
	return nil
}
