package tree

import "mizzen.dev/internal/sklearn/base"

// TakesMissing reports whether predict of this tree takes NaN. It is not a
// question of what was in the training data: a tree that has never seen NaN
// sends it to where most samples went. It is _support_missing_values of
// sklearn/tree/_classes.py, which widened from version to version.
func TakesMissing(r *base.Reader) bool {
	if !r.Since(1, 3) {
		return false
	}
	splitter := r.StringOr("splitter", "")
	extra := isExtra(r.Class)
	if r.Since(1, 9) {
		return !extra || splitter == "random"
	}
	if r.Has("monotonic_cst") {
		return false
	}
	switch r.StringOr("criterion", "") {
	case "gini", "log_loss", "entropy":
		if !isClassifier(r.Class) {
			return false
		}
	case "squared_error", "friedman_mse", "poisson":
		if isClassifier(r.Class) {
			return false
		}
	default:
		return false
	}
	switch {
	case !r.Since(1, 6):
		return splitter == "best"
	case extra && isClassifier(r.Class):
		// ExtraTreeRegressor means to ask the same, but 1.6 to 1.8 lose the answer.
		return splitter == "random"
	}
	return splitter == "best" || splitter == "random"
}
