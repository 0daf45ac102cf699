package linear

import "math"

// Expit is the logistic function in the form that SciPy computes it; another
// form of it would differ where 1-Expit(x) is tiny.
func Expit(x float64) float64 { return 1 / (1 + math.Exp(-x)) }

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
