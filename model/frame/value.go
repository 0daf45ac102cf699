package frame

import (
	"math"
	"strconv"
)

// ValueKind is the type of one cell.
type ValueKind uint8

// The kinds of cells, as Python has them.
const (
	KindNone ValueKind = iota
	KindBool
	KindInt
	KindFloat
	KindString
)

// Value is one cell of unknown type: None, a bool, an integer, a float or a
// string. The zero Value is None, which is not NaN: scikit-learn tells the two
// apart. Values are comparable, but == is the identity of representation; use
// [Value.Key] for equality as Python has it.
type Value struct {
	kind ValueKind
	bits uint64 // bool, int64 or the bits of a float64
	str  string
}

// None returns Python's None.
func None() Value { return Value{} }

// Bool returns a boolean cell.
func Bool(b bool) Value {
	if b {
		return Value{kind: KindBool, bits: 1}
	}
	return Value{kind: KindBool}
}

// Int returns an integer cell.
func Int(i int64) Value { return Value{kind: KindInt, bits: uint64(i)} }

// Float returns a floating-point cell; NaN is a value of its own.
func Float(f float64) Value { return Value{kind: KindFloat, bits: math.Float64bits(f)} }

// String returns a string cell.
func String(s string) Value { return Value{kind: KindString, str: s} }

// Kind returns the type of v.
func (v Value) Kind() ValueKind { return v.kind }

// IsNone reports whether v is None.
func (v Value) IsNone() bool { return v.kind == KindNone }

// IsNaN reports whether v is the float NaN.
func (v Value) IsNaN() bool { return v.kind == KindFloat && math.IsNaN(math.Float64frombits(v.bits)) }

// Text returns the string that v holds.
func (v Value) Text() (string, bool) { return v.str, v.kind == KindString }

// Int64 returns the integer that v holds.
func (v Value) Int64() (int64, bool) { return int64(v.bits), v.kind == KindInt }

// Truth returns the boolean that v holds.
func (v Value) Truth() (value, ok bool) { return v.bits != 0, v.kind == KindBool }

// Float64 returns the number that v is: booleans are 0 and 1, as in Python.
// ok is false for None and strings.
func (v Value) Float64() (f float64, ok bool) {
	switch v.kind {
	case KindFloat:
		return math.Float64frombits(v.bits), true
	case KindInt:
		return float64(int64(v.bits)), true
	case KindBool:
		return float64(v.bits), true
	}
	return 0, false
}

// Key returns the canonical form of v, such that a.Key() == b.Key() when
// a == b in Python: True, 1 and 1.0 share a key. All NaNs share one key too,
// which is how scikit-learn's encoders treat them.
func (v Value) Key() Value {
	switch v.kind {
	case KindBool:
		return Float(float64(v.bits))
	case KindInt:
		i := int64(v.bits)
		if f := float64(i); f != 1<<63 && int64(f) == i {
			return Float(f)
		}
	case KindFloat:
		f := math.Float64frombits(v.bits)
		if f == 0 {
			return Float(0) // -0 == 0
		}
		if math.IsNaN(f) {
			return Float(math.NaN())
		}
	}
	return v
}

// String returns v as Python's repr would write it, but strings in double quotes.
func (v Value) String() string {
	switch v.kind {
	case KindBool:
		if v.bits != 0 {
			return "True"
		}
		return "False"
	case KindInt:
		return strconv.FormatInt(int64(v.bits), 10)
	case KindFloat:
		return FormatFloat(math.Float64frombits(v.bits))
	case KindString:
		return strconv.Quote(v.str)
	}
	return "None"
}

// FormatFloat writes f as Python's repr does: the shortest form that round-trips,
// whole numbers with ".0", exponents below 1e-4 and from 1e16.
func FormatFloat(f float64) string {
	return string(AppendFloat(nil, f))
}

// AppendFloat appends what [FormatFloat] returns; nan, inf and -inf are written
// as Python's repr writes them.
func AppendFloat(b []byte, f float64) []byte {
	switch {
	case math.IsNaN(f):
		return append(b, "nan"...)
	case math.IsInf(f, 1):
		return append(b, "inf"...)
	case math.IsInf(f, -1):
		return append(b, "-inf"...)
	}
	if a := math.Abs(f); a != 0 && (a < 1e-4 || a >= 1e16) {
		return strconv.AppendFloat(b, f, 'e', -1, 64)
	}
	n := len(b)
	b = strconv.AppendFloat(b, f, 'f', -1, 64)
	for _, c := range b[n:] {
		if c == '.' {
			return b
		}
	}
	return append(b, ".0"...)
}
