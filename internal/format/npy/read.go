package npy

import (
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"

	"mizzen.dev/internal/format"
)

// Magic is what an .npy file starts with.
const Magic = "\x93NUMPY"

// maxHeader bounds the header of an .npy file; numpy's own are below 10,000 bytes.
const maxHeader = 64 << 10

// Read reads an .npy file, versions 1 to 3 (numpy/lib/format.py). The array
// aliases data; what stands behind it is ignored, as in numpy. An array of
// objects, which would be a pickle, is refused.
func Read(data []byte, lim format.Limits) (*Array, error) {
	lim = lim.WithDefaults()
	if int64(len(data)) > lim.Bytes {
		return nil, &format.LimitError{What: "bytes", Limit: lim.Bytes, Flag: "--max-bytes"}
	}
	malformed := func(at int, err error) error {
		return &format.Error{Format: ".npy file", Offset: int64(at), Reason: err.Error()}
	}
	header, start, err := header(data)
	if err != nil {
		return nil, malformed(0, err)
	}
	dtype, fortran, shape, err := parseHeader(header)
	if err != nil {
		return nil, malformed(start-len(header), err)
	}
	a, err := New(dtype, shape, fortran, data[start:])
	if err != nil {
		return nil, malformed(start, err)
	}
	return a, nil
}

// header returns the text of the header and where the elements start.
func header(data []byte) (text string, start int, err error) {
	if !strings.HasPrefix(string(data[:min(len(data), len(Magic))]), Magic) {
		return "", 0, fmt.Errorf("it does not start with numpy's magic")
	}
	rest := data[len(Magic):]
	if len(rest) < 6 {
		return "", 0, fmt.Errorf("the header is cut short")
	}
	var length int
	switch version := rest[0]; version {
	case 1:
		length, start = int(binary.LittleEndian.Uint16(rest[2:])), len(Magic)+4
	case 2, 3:
		length, start = int(binary.LittleEndian.Uint32(rest[2:])), len(Magic)+6
	default:
		return "", 0, fmt.Errorf("version %d; known are 1 to 3", version)
	}
	if length > maxHeader || length > len(data)-start {
		return "", 0, fmt.Errorf("a header of %d bytes; %d are left, and at most %d are allowed", length, len(data)-start, maxHeader)
	}
	text = string(data[start : start+length])
	if !utf8.ValidString(text) {
		return "", 0, fmt.Errorf("a header that is not valid UTF-8")
	}
	return text, start + length, nil
}

func parseHeader(text string) (dtype Dtype, fortran bool, shape []int, err error) {
	v, err := parseLiteral(text)
	if err != nil {
		return dtype, false, nil, err
	}
	dict, ok := v.(map[string]any)
	descr, ok1 := dict["descr"]
	fortran, ok2 := dict["fortran_order"].(bool)
	dims, ok3 := dict["shape"].(tuple)
	if !ok || !ok1 || !ok2 || !ok3 || len(dict) != 3 {
		return dtype, false, nil, fmt.Errorf("the header is not a dict of descr, fortran_order and shape")
	}
	if shape, err = dimensions(dims); err != nil {
		return dtype, false, nil, err
	}
	dtype, err = parseDescr(descr, 0)
	return dtype, fortran, shape, err
}

func dimensions(dims tuple) ([]int, error) {
	if len(dims) > MaxDims {
		return nil, fmt.Errorf("an array of %d dimensions; numpy has at most %d", len(dims), MaxDims)
	}
	shape := make([]int, len(dims))
	for i, d := range dims {
		n, ok := d.(int)
		if !ok {
			return nil, fmt.Errorf("a shape with %v in it", d)
		}
		shape[i] = n
	}
	return shape, nil
}

// parseDescr reads a dtype: its short name, or a list of (name, type) and
// (name, type, shape) for a packed structure.
func parseDescr(descr any, depth int) (Dtype, error) {
	if name, ok := descr.(string); ok {
		return ParseDtype(name)
	}
	list, ok := descr.([]any)
	if !ok || depth > 1 {
		return Dtype{}, fmt.Errorf("a descr that is neither a type nor a list of fields")
	}
	if len(list) > MaxFields {
		return Dtype{}, fmt.Errorf("a structure of %d fields; at most %d are supported", len(list), MaxFields)
	}
	var fields []Field
	size := 0
	for _, item := range list {
		entry, ok := item.(tuple)
		if !ok || len(entry) < 2 || len(entry) > 3 {
			return Dtype{}, fmt.Errorf("a field that is not a name and a type")
		}
		if titled, ok := entry[0].(tuple); ok && len(titled) == 2 {
			entry[0] = titled[1]
		}
		name, ok := entry[0].(string)
		if !ok {
			return Dtype{}, fmt.Errorf("a field without a name")
		}
		d, err := parseDescr(entry[1], depth+1)
		if err != nil {
			return Dtype{}, err
		}
		if len(entry) == 3 {
			if d, err = subarray(d, entry[2]); err != nil {
				return Dtype{}, err
			}
		}
		if padding := name == "" && d.Kind == 'V'; !padding {
			fields = append(fields, Field{Name: name, Dtype: d, Offset: size})
		}
		if size += d.Size; size > maxSize {
			return Dtype{}, fmt.Errorf("a structure of more than %d bytes", maxSize)
		}
	}
	return Structured(size, fields)
}

// subarray is the type of a field that holds an array: bytes without a meaning.
func subarray(d Dtype, dims any) (Dtype, error) {
	t, ok := dims.(tuple)
	if n, single := dims.(int); single {
		t, ok = tuple{n}, true
	}
	if !ok {
		return d, fmt.Errorf("a field with a shape that is no tuple")
	}
	shape, err := dimensions(t)
	if err != nil {
		return d, err
	}
	n, err := Count(shape, d.Size)
	if err != nil {
		return d, err
	}
	if n*d.Size > maxSize {
		return d, fmt.Errorf("a field of %d bytes", n*d.Size)
	}
	if d.Kind == 'O' {
		return d, fmt.Errorf("a field of objects, which is not supported")
	}
	return Dtype{Kind: 'V', Size: n * d.Size}, nil
}
