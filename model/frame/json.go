package frame

import (
	"encoding/json"
	"math"
	"strconv"
)

// MarshalJSON writes the cell as the native API does: floats keep their ".0", NaN
// is null, and infinities are the strings "Infinity" and "-Infinity".
func (v Value) MarshalJSON() ([]byte, error) { return v.AppendJSON(nil), nil }

// AppendJSON appends what [Value.MarshalJSON] returns.
func (v Value) AppendJSON(b []byte) []byte {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(b, v.bits != 0)
	case KindInt:
		return strconv.AppendInt(b, int64(v.bits), 10)
	case KindFloat:
		f := math.Float64frombits(v.bits)
		switch {
		case math.IsNaN(f):
			return append(b, "null"...)
		case math.IsInf(f, 1):
			return append(b, `"Infinity"`...)
		case math.IsInf(f, -1):
			return append(b, `"-Infinity"`...)
		}
		return AppendFloat(b, f)
	case KindString:
		if text, err := json.Marshal(v.str); err == nil { // a string has no error
			return append(b, text...)
		}
	}
	return append(b, "null"...)
}
