package base

import "fmt"

// Bounds where no array of that length stands behind a number: a few bytes of a
// file cannot make a signature, or an answer, of gigabytes.
const (
	// MaxFeatures bounds n_features_in_.
	MaxFeatures = 1 << 16
	// MaxAllFeatures bounds the features of all estimators of a file together, as
	// far as they are taken from a number or from another estimator.
	MaxAllFeatures = 1 << 19
	// MaxAllColumns bounds the columns of what all compositions of a file answer
	// together.
	MaxAllColumns = 1 << 20
)

// TakeFeatures counts n features towards [MaxAllFeatures].
func (r *Reader) TakeFeatures(n int) {
	r.take(&r.builder.features, n, MaxAllFeatures, "features")
}

// TakeColumns counts n columns towards [MaxAllColumns].
func (r *Reader) TakeColumns(n int) {
	r.take(&r.builder.columns, n, MaxAllColumns, "columns")
}

func (r *Reader) take(taken *int, n, limit int, what string) {
	if n = max(n, 0); n > limit-*taken {
		r.Errorf("with it there are more than %d %s in the estimators of the file, which is more than is supported", limit, what)
		return
	}
	*taken += n
}

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
		r.TakeFeatures(w)
		return w
	}
	if w := r.IntOr("n_features_in_", n); w != n {
		r.Errorf("n_features_in_ is %d, but the fitted arrays are of %d features", w, n)
	}
	return n
}
