package forest

import "math"

// A row is walked as keys: integers in the order of the numbers, because Go
// makes no branch of an integer comparison and the walk is bound by branches.
//
// Key 0 is below all others: leaves compare against it, and stay where they
// are. The features follow in order. Where NaN is a value they follow twice: NaN
// is above all numbers the first time and below them the second time. A node
// that sends NaN right looks at the first, one that sends it left at the second,
// and so a missing value costs nothing.

const (
	below = math.MinInt32
	above = math.MaxInt32
	slot0 = 1 // the first feature's key
)

// strideOf returns the number of keys of a row.
func strideOf(s Shape) int {
	if s.Missing {
		return slot0 + 2*s.Features
	}
	return slot0 + s.Features
}

// slot returns which key a node looks at.
func (s Shape) slot(feature int64, missingLeft bool) int {
	if s.Missing && missingLeft {
		return slot0 + s.Features + int(feature)
	}
	return slot0 + int(feature)
}

// order returns an integer such that order(a) < order(b) if a < b. It tells -0
// from 0, and puts it just below.
func order(f float32) int32 {
	b := int32(math.Float32bits(f))
	return b ^ int32(uint32(b>>31)>>1)
}

// threshold returns the key k such that order(x) <= k if and only if x <= t,
// for every finite float32 x: that of the largest float32 which is at most t.
func threshold(t float64) int32 {
	f := float32(t)
	switch {
	case t != t:
		return below // no number is at most NaN
	case f == 0 && t >= 0:
		return order(0) // 0 and -0 are equal, and -0 is below in the order
	case f == 0:
		return order(-math.SmallestNonzeroFloat32)
	}
	key := order(f)
	if float64(f) > t { // rounded up: half of all thresholds, so no branch must come of it
		key--
	}
	return key
}

// keys fills dst, which has the forest's stride, with the keys of row x.
func (f *Forest) keys(dst []int32, x []float64) {
	dst[0] = below
	first := dst[slot0 : slot0+len(x)]
	for i, v := range x {
		first[i] = order(float32(v))
	}
	if !f.shape.Missing {
		return
	}
	second := dst[slot0+len(x):][:len(x)]
	copy(second, first)
	for i, v := range x {
		if v != v {
			first[i], second[i] = above, below
		}
	}
}
