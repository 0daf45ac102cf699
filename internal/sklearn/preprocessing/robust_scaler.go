package preprocessing

import "mizzen.dev/internal/sklearn/base"

// RobustScaler builds (x - median) / interquartile range. unit_variance is in
// scale_ already.
func RobustScaler(r *base.Reader) (base.Estimator, error) {
	return newScaler(r, "with_centering", "center_", "with_scaling", "scale_")
}
