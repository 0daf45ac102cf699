package tree

import "testing"

// The wanted sums are numpy's (2.4.6); adding one after the other differs in the
// last bit from 16 elements on.
func TestPairwiseSumIsNumpys(t *testing.T) {
	for n, want := range map[int]float64{
		0: 0, 3: 0.30500000000000005, 7: 2.1910000000000003, 8: 2.9400000000000004, 9: 3.8040000000000003,
		15: 11.514999999999999, 16: 13.240000000000002, 100: 823.3500000000001, 128: 1503.6800000000003,
		129: 1532.8639999999998, 137: 1779.356, 300: 13440.05, 1000: 382783.5,
	} {
		a := make([]float64, n)
		for i := range a {
			x := float64(i)
			a[i] = float64(0.1*x) + float64(float64(1e-3*x)*x) // conversions keep the compiler from fusing
		}
		if got := pairwiseSum(a); got != want {
			t.Errorf("the sum of %d elements is %v, numpy's is %v", n, got, want)
		}
	}
}
