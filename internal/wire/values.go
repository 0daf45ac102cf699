package wire

import (
	"math"
	"strconv"
	"unicode/utf8"
	"unsafe"

	"mizzen.dev/model/frame"
)

// text makes a string of bytes that nobody changes while it lives.
//
//nolint:gosec // G103: a body lives, unchanged, as long as what is read of it
func text(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// appendFloat appends a number as JSON: the shortest form that reads back the
// same, as Python's json.dumps writes it; NaN is null, infinities are strings.
func appendFloat(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "null"...)
	case f > math.MaxFloat64:
		return append(dst, `"Infinity"`...)
	case f < -math.MaxFloat64:
		return append(dst, `"-Infinity"`...)
	case f == 0 && !math.Signbit(f): // most of a probability matrix
		return append(dst, "0.0"...)
	case f == 1:
		return append(dst, "1.0"...)
	}
	return frame.AppendFloat(dst, f)
}

// appendBool appends true or false.
func appendBool(dst []byte, b bool) []byte { return strconv.AppendBool(dst, b) }

// appendCell appends a cell as JSON with the type that it has.
func appendCell(dst []byte, v frame.Value) []byte {
	switch v.Kind() {
	case frame.KindBool:
		b, _ := v.Truth()
		return appendBool(dst, b)
	case frame.KindInt:
		i, _ := v.Int64()
		return strconv.AppendInt(dst, i, 10)
	case frame.KindFloat:
		f, _ := v.Float64()
		return appendFloat(dst, f)
	case frame.KindString:
		s, _ := v.Text()
		return appendString(dst, s)
	}
	return append(dst, "null"...)
}

// appendText appends a cell as an element of a BYTES tensor: what Python's str
// makes of it.
func appendText(dst []byte, v frame.Value) []byte {
	switch v.Kind() {
	case frame.KindBool:
		if b, _ := v.Truth(); b {
			return append(dst, "True"...)
		}
		return append(dst, "False"...)
	case frame.KindInt:
		i, _ := v.Int64()
		return strconv.AppendInt(dst, i, 10)
	case frame.KindFloat:
		f, _ := v.Float64()
		return frame.AppendFloat(dst, f)
	case frame.KindString:
		s, _ := v.Text()
		return append(dst, s...)
	}
	return append(dst, "None"...)
}

// textSize returns the length of what appendText appends.
func textSize(v frame.Value) int {
	if s, ok := v.Text(); ok {
		return len(s)
	}
	var scratch [32]byte
	return len(appendText(scratch[:0], v))
}

// appendQuoted appends a cell as an element of a BYTES tensor in JSON: a string,
// or null where there is none.
func appendQuoted(dst []byte, v frame.Value) []byte {
	if v.IsNone() || v.IsNaN() {
		return append(dst, "null"...)
	}
	if s, ok := v.Text(); ok {
		return appendString(dst, s)
	}
	dst = append(dst, '"')
	dst = appendText(dst, v)
	return append(dst, '"')
}

const hexDigits = "0123456789abcdef"

// appendString appends s as a JSON string.
func appendString(dst []byte, s string) []byte {
	dst = append(dst, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c >= utf8.RuneSelf:
			r, n := utf8.DecodeRuneInString(s[i:])
			if r == utf8.RuneError && n == 1 {
				dst = append(dst, s[start:i]...)
				dst = append(dst, `\ufffd`...)
				start = i + 1
			}
			i += n
			continue
		case c == '"' || c == '\\':
			dst = append(dst, s[start:i]...)
			dst = append(dst, '\\', c)
			start = i + 1
		case c < ' ':
			dst = append(dst, s[start:i]...)
			switch c {
			case '\n':
				dst = append(dst, '\\', 'n')
			case '\t':
				dst = append(dst, '\\', 't')
			case '\r':
				dst = append(dst, '\\', 'r')
			default:
				dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
			}
			start = i + 1
		}
		i++
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}
