package preprocessing

import "mizzen.dev/internal/sklearn/base"

// StandardScaler builds (x - mean) / standard deviation.
func StandardScaler(r *base.Reader) (base.Estimator, error) {
	return newScaler(r, "with_mean", "mean_", "with_std", "scale_")
}
