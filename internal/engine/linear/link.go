package linear

import "math"

// Expit is the logistic function in the form that SciPy computes it; another
// form of it would differ where 1-Expit(x) is tiny.
func Expit(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

// Log is the natural logarithm, of subnormal numbers too: math.Log takes all of
// these for about 2^-1023 where it is written in assembly (amd64).
func Log(x float64) float64 {
	const normal = 0x1p-1022
	if x > 0 && x < normal {
		return math.Log(x*0x1p52) - 52*math.Ln2
	}
	return math.Log(x)
}

// Softmax replaces the scores of one row by probabilities.
func Softmax(row []float64) {
	if len(row) == 0 {
		return
	}
	top := row[ArgMax(row)]
	var sum float64
	for k, v := range row {
		row[k] = math.Exp(v - top)
		sum += row[k]
	}
	for k := range row {
		row[k] /= sum
	}
}

// ArgMax returns the position of the first maximum, as numpy does: NaN is
// greater than every number.
func ArgMax(row []float64) int {
	best := 0
	for k, v := range row {
		if v > row[best] {
			best = k
		} else if math.IsNaN(v) {
			return k
		}
	}
	return best
}
