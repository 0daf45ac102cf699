package wire

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/bits"
	"strconv"
)

// numberState says what a number of a JSON text turned out to be.
type numberState uint8

const (
	notNumber  numberState = iota
	whole                  // digits only: an integer in Python
	fraction               // with a point or an exponent: a float in Python
	hugeNumber             // larger than any float64
)

// scanNumber reads the JSON number at b[i:] to the nearest float64. next is the
// place behind it, or, for notNumber, of the byte that is at fault.
func scanNumber(b []byte, i int) (f float64, next int, state numberState) {
	start, negative := i, false
	if i < len(b) && b[i] == '-' {
		negative = true
		i++
	}
	if i >= len(b) || b[i]-'0' > 9 {
		return 0, i, notNumber
	}
	var m uint64 // the digits without the point; wraps past 19 of them
	digits := i
	if b[i] == '0' {
		i++
		if i < len(b) && b[i]-'0' <= 9 { // 007
			return 0, i, notNumber
		}
	} else {
		for i < len(b) && b[i]-'0' <= 9 {
			m = m*10 + uint64(b[i]-'0')
			i++
		}
	}
	count, exp := i-digits, 0
	state = whole
	if i < len(b) && b[i] == '.' {
		state = fraction
		i++
		point := i
		for len(b)-i >= 8 {
			v, ok := eightDigits(binary.LittleEndian.Uint64(b[i:]))
			if !ok {
				break
			}
			m = m*1e8 + v
			i += 8
		}
		for i < len(b) && b[i]-'0' <= 9 {
			m = m*10 + uint64(b[i]-'0')
			i++
		}
		if i == point {
			return 0, i, notNumber
		}
		exp = point - i
		count -= exp
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		state = fraction
		e, at, ok := scanExponent(b, i+1)
		if !ok {
			return 0, at, notNumber
		}
		exp += e
		i = at
	}
	if count <= 19 {
		if f, ok := decimal(m, exp); ok {
			if negative {
				f = -f
			}
			return f, i, state
		}
	}
	f, err := strconv.ParseFloat(text(b[start:i]), 64)
	if err != nil {
		return 0, i, hugeNumber
	}
	return f, i, state
}

// maxExponent bounds exponents while they are read: what is larger is out of
// range or zero anyway.
const maxExponent = 1 << 20

func scanExponent(b []byte, i int) (exp, next int, ok bool) {
	negative := false
	if i < len(b) && (b[i] == '+' || b[i] == '-') {
		negative = b[i] == '-'
		i++
	}
	start := i
	for i < len(b) && b[i]-'0' <= 9 {
		exp = min(exp*10+int(b[i]-'0'), maxExponent)
		i++
	}
	if negative {
		exp = -exp
	}
	return exp, i, i > start
}

// eightDigits reads eight decimal digits at once.
func eightDigits(v uint64) (uint64, bool) {
	const high, threes, six = 0xf0f0f0f0f0f0f0f0, 0x3333333333333333, 0x0606060606060606
	if v&high|((v+six)&high)>>4 != threes {
		return 0, false
	}
	const mask, mul1, mul2 = 0x000000ff000000ff, 100 + 1000000<<32, 1 + 10000<<32
	v -= 0x3030303030303030
	v = v*10 + v>>8
	return ((v&mask)*mul1 + ((v>>16)&mask)*mul2) >> 32, true
}

// exactPowers are the powers of ten that a float64 holds exactly.
var exactPowers = [...]float64{1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}

// decimal returns m × 10^exp, correctly rounded, where one of the two fast ways
// tells; ok is false where neither does.
func decimal(m uint64, exp int) (f float64, ok bool) {
	// Clinger: two exact numbers, one rounding.
	if m < 1<<53 && exp >= -22 && exp <= 22 {
		if exp < 0 {
			return float64(m) / exactPowers[-exp], true
		}
		return float64(m) * exactPowers[exp], true
	}
	if m == 0 {
		return 0, true
	}
	if exp < minPower || exp > maxPower {
		return 0, false
	}
	return eiselLemire(m, exp)
}

// The powers of ten for eiselLemire: those of numbers as programs write them.
// Others take the exact way.
const minPower, maxPower = -64, 63

// power is 10^e as a 128-bit fraction whose highest bit is set, cut off.
type power struct{ hi, lo uint64 }

var powers = func() (table [maxPower - minPower + 1]power) {
	ten, low := big.NewInt(10), new(big.Int).SetUint64(math.MaxUint64)
	for i := range table {
		e := int64(i + minPower)
		z := new(big.Int).Exp(ten, big.NewInt(max(e, -e)), nil)
		if e < 0 {
			z.Quo(new(big.Int).Lsh(big.NewInt(1), 512), z)
		} else {
			z.Lsh(z, 128)
		}
		z.Rsh(z, uint(z.BitLen()-128))
		table[i] = power{lo: new(big.Int).And(z, low).Uint64(), hi: new(big.Int).Rsh(z, 64).Uint64()}
	}
	return table
}()

// eiselLemire returns m × 10^exp, correctly rounded, or false where 128 bits do
// not tell (Lemire, "Number Parsing at a Gigabyte per Second", 2021). m is not 0.
func eiselLemire(m uint64, exp int) (float64, bool) {
	p := powers[exp-minPower]
	shift := bits.LeadingZeros64(m)
	m <<= shift
	// 217706/2^16 is log2(10): the binary exponent of 10^exp, biased.
	exp2 := uint64(217706*exp>>16+64+1023) - uint64(shift)

	hi, lo := bits.Mul64(m, p.hi)
	if hi&0x1ff == 0x1ff && lo+m < m { // the lower half of the power may matter
		carry, rest := bits.Mul64(m, p.lo)
		mergedHi, mergedLo := hi, lo+carry
		if mergedLo < lo {
			mergedHi++
		}
		if mergedHi&0x1ff == 0x1ff && mergedLo+1 == 0 && rest+m < m {
			return 0, false
		}
		hi, lo = mergedHi, mergedLo
	}
	top := hi >> 63
	mantissa := hi >> (top + 9)
	exp2 -= 1 ^ top
	if lo == 0 && hi&0x1ff == 0 && mantissa&3 == 1 { // halfway
		return 0, false
	}
	mantissa += mantissa & 1
	mantissa >>= 1
	if mantissa>>53 > 0 {
		mantissa >>= 1
		exp2++
	}
	if exp2-1 >= 0x7ff-1 { // subnormal or infinite
		return 0, false
	}
	return math.Float64frombits(exp2<<52 | mantissa&(1<<52-1)), true
}
