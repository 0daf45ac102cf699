package base

import "fmt"

// MaxFeatures bounds n_features_in_ where no array of that length stands behind
// the number: a few bytes of a file cannot make a signature of gigabytes.
const MaxFeatures = 1 << 16

// Since reports whether scikit-learn major.minor or a later version fitted the
// estimator. It is true if the file does not tell.
func (r *Reader) Since(major, minor int) bool {
	var have [2]int
	if n, _ := fmt.Sscanf(r.StringOr("_sklearn_version", ""), "%d.%d", &have[0], &have[1]); n < 2 {
		return true
	}
	return have[0] > major || have[0] == major && have[1] >= minor
}

// Width returns the number of features. n is what an array of the estimator
// says, and n_features_in_ must not contradict it; if n is negative,
// n_features_in_ decides alone and is at most [MaxFeatures].
func (r *Reader) Width(n int) int {
	if n < 0 {
		w := r.Int("n_features_in_")
		if w < 0 || w > MaxFeatures {
			r.Errorf("n_features_in_ is %d; at most %d features are supported here", w, MaxFeatures)
			return 0
		}
		return w
	}
	if w := r.IntOr("n_features_in_", n); w != n {
		r.Errorf("n_features_in_ is %d, but the fitted arrays are of %d features", w, n)
	}
	return n
}
