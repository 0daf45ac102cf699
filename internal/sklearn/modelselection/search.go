// Package modelselection has the estimators of sklearn.model_selection, which
// look for the best parameters of another.
package modelselection

import (
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// search is a fitted GridSearchCV or RandomizedSearchCV: it answers what its
// best estimator answers.
type search struct {
	base.Estimator
	outputs []frame.Output
}

// Search reads the estimator that the search fitted again with the best
// parameters. The rest of a search does not matter to predictions.
func Search(r *base.Reader) (base.Estimator, error) {
	if !r.Has("best_estimator_") {
		return nil, r.Errorf("holds no best_estimator_: it was made with refit=False or was not fitted; fit it with refit=True, or save the estimator that you fit with best_params_")
	}
	best, err := r.Child("best_estimator_", "", r.Value("best_estimator_"))
	if err != nil {
		return nil, err
	}
	s := &search{Estimator: best}
	for _, o := range best.Outputs() {
		if o.Method != frame.Apply { // a search does not hand it on
			s.outputs = append(s.outputs, o)
		}
	}
	return s, nil
}

// Outputs describes what the best estimator answers.
func (s *search) Outputs() []frame.Output { return s.outputs }
