package frame

import (
	"encoding/json"
	"math"
	"strconv"
)

// MarshalJSON writes the cell as the native API does: floats keep their ".0", NaN
// is null, and infinities are the strings "Infinity" and "-Infinity".
func (v Value) MarshalJSON() ([]byte, error) {
	switch v.kind {
	case KindBool:
		return strconv.AppendBool(nil, v.bits != 0), nil
	case KindInt:
		return strconv.AppendInt(nil, int64(v.bits), 10), nil
	case KindFloat:
		f := math.Float64frombits(v.bits)
		switch {
		case math.IsNaN(f):
			return []byte("null"), nil
		case math.IsInf(f, 1):
			return []byte(`"Infinity"`), nil
		case math.IsInf(f, -1):
			return []byte(`"-Infinity"`), nil
		}
		return AppendFloat(nil, f), nil
	case KindString:
		return json.Marshal(v.str)
	}
	return []byte("null"), nil
}
