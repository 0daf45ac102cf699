// Package linear evaluates dense linear maps and the functions that classifiers
// put behind them. Everything is float64 and scalar.
package linear

// Dense is y = W·x + b.
type Dense struct {
	In, Out int
	Weights []float64 // Out×In, row-major: one row an output
	Bias    []float64 // Out
}

// Apply computes rows outputs from rows inputs. x is rows×In, dst is rows×Out,
// both row-major.
func (d *Dense) Apply(dst, x []float64, rows int) {
	for i := range rows {
		row := x[i*d.In : (i+1)*d.In]
		out := dst[i*d.Out : (i+1)*d.Out]
		for k := range out {
			out[k] = dot(d.Weights[k*d.In:(k+1)*d.In], row) + d.Bias[k]
		}
	}
}

// dot keeps four sums, so that additions do not wait for each other.
func dot(w, x []float64) float64 {
	var s0, s1, s2, s3 float64
	for len(w) >= 4 && len(x) >= 4 {
		s0 += w[0] * x[0]
		s1 += w[1] * x[1]
		s2 += w[2] * x[2]
		s3 += w[3] * x[3]
		w, x = w[4:], x[4:]
	}
	for i, v := range w {
		s0 += v * x[i]
	}
	return (s0 + s1) + (s2 + s3)
}
