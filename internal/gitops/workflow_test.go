package gitops_test

import (
	"testing"

	"mizzen.dev/internal/gitops"
)

func TestCheckName(t *testing.T) {
	for _, good := range []string{"model.pkl", "smoke/rows.csv", "Modèle_v1.2-rc+3.joblib", "epoch=3,loss@0.1.onnx", "../model.yaml"} {
		if err := gitops.CheckName(good); err != nil {
			t.Error(err)
		}
	}
	for _, bad := range []string{"my model.pkl", "model$(id).pkl", "a;b.pkl", "model's.pkl", "-o.pkl", "~.pkl", "a*.pkl", "a#b.pkl", "a\\b.pkl", "a\nb.pkl", ""} {
		if gitops.CheckName(bad) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}
