package wire

import (
	"encoding/json"
	"math"
	"math/big"
	"math/rand/v2"
	"strconv"
	"testing"
)

// The fast ways must give what strconv, which is exact, gives.
func TestScanNumberIsExact(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	check := func(text string) {
		t.Helper()
		want, err := strconv.ParseFloat(text, 64)
		got, next, state := scanNumber([]byte(text+","), 0)
		if err != nil {
			if state != hugeNumber {
				t.Fatalf("scanNumber(%s): state %d, want %d", text, state, hugeNumber)
			}
			return
		}
		if next != len(text) || state != whole && state != fraction || math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("scanNumber(%s) = %v, %d, %d; want %v, %d", text, got, next, state, want, len(text))
		}
	}
	for range 200_000 {
		f := math.Float64frombits(rng.Uint64())
		if f-f != 0 {
			continue
		}
		check(strconv.FormatFloat(f, 'e', -1, 64))
		check(strconv.FormatFloat(f, 'e', rng.IntN(25), 64))
	}
	for range 200_000 { // as programs write data
		f := rng.NormFloat64() * math.Pow10(rng.IntN(12)-6)
		check(strconv.FormatFloat(f, 'f', -1, 64))
		check(strconv.FormatFloat(f, 'f', rng.IntN(20), 64))
	}
	for range 100_000 { // digits and exponents of any kind
		check(strconv.FormatUint(rng.Uint64()>>rng.IntN(64), 10) + "e" + strconv.Itoa(rng.IntN(180)-90))
	}
	for range 20_000 { // halfway between two floats, and beside it
		f := math.Abs(math.Ldexp(1+rng.Float64(), rng.IntN(120)-60))
		half := new(big.Float).SetPrec(200).Add(big.NewFloat(f), big.NewFloat(math.Nextafter(f, math.Inf(1))))
		half.Quo(half, big.NewFloat(2))
		for _, digits := range []int{17, 18, 19, 20, 40} {
			check(half.Text('e', digits))
		}
	}
}

func TestPowers(t *testing.T) {
	for i, p := range powers {
		// 10^e / 2^k is within one unit of the last bit below the fraction.
		exact := new(big.Float).SetPrec(600).SetInt(new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(i+minPower, -(i+minPower)))), nil))
		if i+minPower < 0 {
			exact.Quo(big.NewFloat(1).SetPrec(600), exact)
		}
		got := new(big.Int).Lsh(new(big.Int).SetUint64(p.hi), 64)
		got.Or(got, new(big.Int).SetUint64(p.lo))
		exact.SetMantExp(exact, 128-exact.MantExp(nil))
		want, _ := exact.Int(nil)
		if p.hi>>63 != 1 || got.Cmp(want) != 0 {
			t.Errorf("10^%d: %x, want %x", i+minPower, got, want)
		}
	}
}

func TestFloat16(t *testing.T) {
	for h := range 1 << 16 {
		f := float64(float16(uint16(h)))
		if f != f {
			continue
		}
		if g := roundFloat16(f); g != f {
			t.Fatalf("half %#x is %v, but rounds to %v", h, f, g)
		}
	}
	for f, want := range map[float64]float64{
		1: 1, 0.1: 0.0999755859375, 65504: 65504, 65519.99: 65504, 65520: math.Inf(1), -1e9: math.Inf(-1),
		1.0 / (1 << 25): 0, 1.5 / (1 << 24): 2.0 / (1 << 24), 1 + 1.0/2048: 1, 1 + 3.0/2048: 1 + 2.0/1024, 0: 0,
	} {
		if got := roundFloat16(f); got != want {
			t.Errorf("roundFloat16(%v) = %v, want %v", f, got, want)
		}
	}
	for f, want := range map[float64]float64{1: 1, 0.1: 0.10009765625, 1e39: math.Inf(1), 1 + 1.0/256: 1, 1 + 3.0/256: 1 + 2.0/128} {
		if got := roundBfloat16(f); got != want {
			t.Errorf("roundBfloat16(%v) = %v, want %v", f, got, want)
		}
	}
}

// FuzzScanner: what encoding/json takes for a number is the same number here,
// what it refuses is refused, and the same holds for whole values.
func FuzzScanner(f *testing.F) {
	for _, seed := range []string{
		"0", "-0", "1.5", "-1e-7", "123456789012345678901234567890", "1e999", "1e-999", "007", "1.", ".5", "+1", "0x1", "1e", "-",
		"NaN", "-Infinity", "Infinity", "true", "null", `"a\u00e9\n"`, `"\ud83d\ude00"`, `"\ud83d"`, "\"\xff\"",
		`[1,[2,{"a":null}],"b"]`, `{"a":1,"a":2}`, `{"a":{"b":[]}}`, "[[[[[[[[[[[[", "[1,]", `{"a":1,}`, " [ 1 , 2 ] ", "9007199254740993",
		"2.2250738585072011e-308", "5e-324", "0.30000000000000004", "179769313486231580793728971405301e276",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		if number, next, state := scanNumber(body, 0); state == whole || state == fraction {
			want, err := strconv.ParseFloat(string(body[:next]), 64)
			if err != nil || math.Float64bits(number) != math.Float64bits(want) {
				t.Errorf("scanNumber(%q) = %v; strconv has %v, %v", body, number, want, err)
			}
			if !json.Valid(body[:next]) {
				t.Errorf("scanNumber(%q) took %q, which is no JSON number", body, body[:next])
			}
		} else if next > len(body) {
			t.Errorf("scanNumber(%q) stands at %d", body, next)
		}

		s := NewSchema("m", "", numeric(1), Limits{Depth: 20})
		req := NewRequest()
		req.Schema = s
		sc := req.newScanner(body)
		err := sc.skip()
		if err == nil {
			err = sc.end()
		}
		if sc.i > len(body) {
			t.Errorf("the scanner of %q stands at %d", body, sc.i)
		}
		if err == nil && !json.Valid(body) && !pythonOnly(body) {
			t.Errorf("%q is taken, but is no JSON", body)
		}
		// What is JSON is refused only for a reason that encoding/json does not have.
		if err != nil && json.Valid(body) && !stricter(err) {
			t.Errorf("%q is JSON, but: %v", body, err)
		}

		sc = req.newScanner(body)
		if sc.peek() != '"' {
			return
		}
		got, err := sc.str()
		var want string
		if err == nil && (json.Unmarshal(body[:sc.i], &want) != nil && sc.b[0] == '"' || sc.b[0] == '"' && got != want) {
			t.Errorf("str(%q) = %q, want %q", body, got, want)
		}
	})
}
