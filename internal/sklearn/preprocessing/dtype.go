package preprocessing

import (
	"math"
	"strconv"
	"strings"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// dtype is the type of answers that an encoder was asked for.
type dtype struct {
	kind      frame.Kind // Float64, Int64 or Boolean
	low, high float64    // what it can hold
}

// readDtype reads the parameter dtype: a class of numpy or Python, a dtype, or
// the name of one.
func readDtype(r *base.Reader) dtype {
	var name string
	switch v := r.Value("dtype").(type) {
	case pickle.Global:
		name = v.Name
	case *npy.Dtype:
		name = map[byte]string{'f': "float", 'i': "int", 'u': "uint", 'b': "bool"}[v.Kind] + strconv.Itoa(8*v.Size)
	case string:
		name = v
	default:
		r.Errorf("attribute dtype is %s, expected a numeric type", pickle.TypeName(v))
		return dtype{}
	}
	word := strings.TrimRight(name, "0123456789_")
	switch word {
	case "float", "double", "single", "half", "longdouble":
		return dtype{frame.Float64, math.Inf(-1), math.Inf(1)}
	case "bool":
		return dtype{frame.Boolean, 0, 1}
	case "int", "uint":
		bits, err := strconv.Atoi(strings.Trim(name[len(word):], "_"))
		if err != nil {
			bits = 64 // plain int
		}
		if word == "uint" {
			return dtype{frame.Int64, 0, math.Ldexp(1, bits) - 1}
		}
		return dtype{frame.Int64, -math.Ldexp(1, bits-1), math.Ldexp(1, bits-1) - 1}
	}
	r.Errorf("dtype %s is not supported; float, int, uint and bool of any size are", name)
	return dtype{}
}

// holds reports whether every value has a place in the type; numpy would wrap
// the others around or fail.
func (d dtype) holds(values ...float64) bool {
	for _, v := range values {
		if d.kind == frame.Float64 {
			continue
		}
		if !(v >= d.low && v <= d.high) {
			return false
		}
	}
	return true
}
