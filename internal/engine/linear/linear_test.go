package linear_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"mizzen.dev/internal/engine/linear"
)

func TestApply(t *testing.T) {
	d := linear.Dense{In: 5, Out: 2, Weights: []float64{1, 2, 3, 4, 5, -1, 0, 1, 0, -1}, Bias: []float64{0.5, -2}}
	got := make([]float64, 4)
	d.Apply(got, []float64{1, 1, 1, 1, 1, 2, 0, 0, 0, 10}, 2)
	if diff := cmp.Diff([]float64{15.5, -3, 52.5, -14}, got); diff != "" {
		t.Error(diff)
	}
}

func TestSoftmax(t *testing.T) {
	for name, c := range map[string]struct{ scores, want []float64 }{
		"equal":       {[]float64{3, 3}, []float64{0.5, 0.5}},
		"far apart":   {[]float64{-1000, 1000}, []float64{0, 1}},
		"three":       {[]float64{0, math.Log(2), math.Log(5)}, []float64{0.125, 0.25, 0.625}},
		"one":         {[]float64{-7}, []float64{1}},
		"none":        {nil, nil},
		"not a score": {[]float64{1, math.NaN()}, []float64{math.NaN(), math.NaN()}},
	} {
		t.Run(name, func(t *testing.T) {
			linear.Softmax(c.scores)
			if diff := cmp.Diff(c.want, c.scores, cmpopts.EquateApprox(0, 1e-15), cmpopts.EquateNaNs()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestArgMax(t *testing.T) {
	nan := math.NaN()
	for name, c := range map[string]struct {
		row  []float64
		want int
	}{
		"last":              {[]float64{1, 2, 3}, 2},
		"first of equals":   {[]float64{1, 3, 3}, 1},
		"NaN wins":          {[]float64{1, nan, 3}, 1},
		"NaN first":         {[]float64{nan, 3}, 0},
		"negative infinity": {[]float64{math.Inf(-1), math.Inf(-1)}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := linear.ArgMax(c.row); got != c.want {
				t.Errorf("ArgMax(%v) = %d, want %d", c.row, got, c.want)
			}
		})
	}
}

// The values are scipy.special.expit's. Where 1-p is tiny it must be SciPy's bit
// for bit, for its logarithm is an answer too.
func TestExpit(t *testing.T) {
	for x, want := range map[float64]float64{0: 0.5, 20: 0.9999999979388463, 30: 0.9999999999999065, 36: 0.9999999999999998, 40: 1, -800: 0, 800: 1} {
		if got := linear.Expit(x); got != want {
			t.Errorf("Expit(%v) = %v, want %v", x, got, want)
		}
	}
}

func TestLog(t *testing.T) {
	for x, want := range map[float64]float64{
		0x1p-1022: -708.3964185322641, 1.30720254e-316: -727.3489999964951, 0x1p-1074: -744.4400719213812,
		1: 0, math.E: 1, 0: math.Inf(-1),
	} {
		if got := linear.Log(x); got != want && !(math.Abs(got-want) < 1e-12) {
			t.Errorf("Log(%v) = %v, want %v", x, got, want)
		}
	}
}

// go test -bench Apply ./internal/engine/linear
func BenchmarkApply(b *testing.B) {
	for _, in := range []int{4, 50, 1000} {
		b.Run(fmt.Sprintf("features=%d", in), func(b *testing.B) {
			d := linear.Dense{In: in, Out: 3, Weights: make([]float64, 3*in), Bias: make([]float64, 3)}
			x, dst := make([]float64, 64*in), make([]float64, 64*3)
			b.ReportAllocs()
			for b.Loop() {
				d.Apply(dst, x, 64)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/64, "ns/row")
		})
	}
}
