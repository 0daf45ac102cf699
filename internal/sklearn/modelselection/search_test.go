package modelselection_test

import (
	"strings"
	"testing"

	"mizzen.dev/internal/sklearn"
	"mizzen.dev/internal/sklearn/base/basetest"
	"mizzen.dev/model/frame"
)

func TestSearch(t *testing.T) {
	best := basetest.Object("sklearn.linear_model._ridge.Ridge", basetest.Attrs{
		"coef_": basetest.Floats(2, 3), "intercept_": 1.0, "n_features_in_": int64(2), "_sklearn_version": "1.9.1",
	})
	search := basetest.Object("sklearn.model_selection._search.GridSearchCV", basetest.Attrs{"best_estimator_": best, "refit": true})
	est, node, err := sklearn.Build(search, nil)
	if err != nil {
		t.Fatal(err)
	}
	got, err := basetest.Ask(est, basetest.Numbers([]float64{10, 100}), frame.Predict)
	if err != nil {
		t.Fatal(err)
	}
	if got.Floats[0] != 321 {
		t.Errorf("predict is %v, want 321", got.Floats[0])
	}
	if len(node.Children) != 1 || node.Children[0].Class != "Ridge" {
		t.Errorf("the node has children %v, want the Ridge", node.Children)
	}
}

func TestSearchWithoutRefit(t *testing.T) {
	search := basetest.Object("sklearn.model_selection._search.RandomizedSearchCV", basetest.Attrs{"refit": false})
	_, _, err := sklearn.Build(search, nil)
	if err == nil || !strings.Contains(err.Error(), "RandomizedSearchCV: holds no best_estimator_: it was made with refit=False") {
		t.Errorf("error %v", err)
	}
}
