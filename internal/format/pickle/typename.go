package pickle

import (
	"fmt"
	"math/big"

	"mizzen.dev/internal/format/npy"
)

// TypeName names the type of a value as Python does, with its article.
func TypeName(v any) string {
	switch v := v.(type) {
	case nil:
		return "None"
	case bool:
		return "a bool"
	case int64, *big.Int:
		return "an int"
	case float64:
		return "a float"
	case string:
		return "a str"
	case Bytes:
		return "bytes"
	case *List:
		return "a list"
	case *Tuple:
		return "a tuple"
	case *Set:
		return "a set"
	case *Dict:
		return "a dict"
	case Global:
		return v.String()
	case *Object:
		return "a " + v.Class.String()
	case *npy.Dtype:
		return "a dtype"
	case *npy.Array:
		return fmt.Sprintf("an array of %s", v.Dtype)
	case *npy.Masked:
		return "a masked array"
	}
	return fmt.Sprintf("a %T", v)
}
