package frame

import (
	"math"
	"testing"
)

func TestKeyIsEqualityAsPythonHasIt(t *testing.T) {
	nan := math.NaN()
	cases := map[string]struct {
		a, b Value
		want bool
	}{
		"True == 1":              {Bool(true), Int(1), true},
		"1 == 1.0":               {Int(1), Float(1), true},
		"0.0 == -0.0":            {Float(0), Float(math.Copysign(0, -1)), true},
		"None is not NaN":        {None(), Float(nan), false},
		"NaN is one category":    {Float(nan), Float(-nan), true},
		"'1' is not 1":           {String("1"), Int(1), false},
		"2**53+1 is not a float": {Int(1<<53 + 1), Float(1 << 53), false},
		"the largest int64":      {Int(math.MaxInt64), Float(math.MaxInt64), false},
		"empty string, None":     {String(""), None(), false},
	}
	for name, c := range cases {
		if got := c.a.Key() == c.b.Key(); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestFormatFloatIsPythonsRepr(t *testing.T) {
	cases := map[float64]string{
		0: "0.0", 1: "1.0", -1.5: "-1.5", 0.1: "0.1", 1e-4: "0.0001", 1e-5: "1e-05", 123456789: "123456789.0",
		1e15: "1000000000000000.0", 1e16: "1e+16", 1.5e300: "1.5e+300", 5e-324: "5e-324",
		math.Inf(1): "inf", math.Inf(-1): "-inf",
	}
	for f, want := range cases {
		if got := FormatFloat(f); got != want {
			t.Errorf("%v: got %s, want %s", f, got, want)
		}
	}
}
