package wire

import (
	"strconv"

	"mizzen.dev/model/frame"
)

// Encode implements [Codec].
func (V2) Encode(dst []byte, req *Request, out []frame.Array) ([]byte, error) {
	tensors, err := req.Tensors(out)
	if err != nil {
		return dst, err
	}
	start, binary := len(dst), false
	dst = append(dst, req.Schema.headV2...)
	if req.ID != "" {
		dst = append(dst, `,"id":`...)
		dst = appendString(dst, req.ID)
	}
	dst = append(dst, `,"outputs":[`...)
	for i := range tensors {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = tensors[i].appendObject(dst)
		binary = binary || tensors[i].binary
	}
	dst = append(dst, `]}`...)
	req.Answer = Answer{ContentType: typeJSON}
	if !binary {
		return dst, nil
	}
	req.Answer = Answer{ContentType: typeBinary, JSONLength: len(dst) - start}
	for i := range tensors {
		if tensors[i].binary {
			dst = tensors[i].AppendRaw(dst)
		}
	}
	return dst, nil
}

// appendObject appends the tensor as an output of a JSON answer.
func (t *OutputTensor) appendObject(dst []byte) []byte {
	dst = append(dst, `{"name":"`...)
	dst = append(dst, t.Name...) // one of the model's own: it needs no escapes
	dst = append(dst, `","shape":[`...)
	for i, d := range t.Shape {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = strconv.AppendInt(dst, d, 10)
	}
	dst = append(dst, `],"datatype":"`...)
	dst = append(dst, t.Datatype.String()...)
	if t.binary {
		dst = append(dst, `","parameters":{"binary_data_size":`...)
		dst = strconv.AppendInt(dst, int64(t.RawSize()), 10)
		return append(dst, `}}`...)
	}
	dst = append(dst, `","data":[`...)
	dst = t.appendJSON(dst)
	return append(dst, `]}`...)
}
