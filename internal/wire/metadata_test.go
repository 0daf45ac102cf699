package wire

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

func TestMetadata(t *testing.T) {
	regressor := numeric(3)
	regressor.Outputs = []frame.Output{{Method: frame.Predict, Kind: frame.Float64, Cols: 2}}
	regressor.Format = ""
	tests := map[string]struct {
		model *model.Signature
		want  string
	}{
		"numeric": {numeric(4), `{"name":"m","versions":["1"],"platform":"scikit-learn_joblib",
			"inputs":[{"name":"input-0","datatype":"FP64","shape":[-1,4]}],
			"outputs":[{"name":"predict","datatype":"INT64","shape":[-1]},{"name":"predict_proba","datatype":"FP64","shape":[-1,3]},
				{"name":"predict_log_proba","datatype":"FP64","shape":[-1,3]},{"name":"decision_function","datatype":"FP64","shape":[-1,3]}]}`},
		"numeric, trained on a DataFrame": {flowers(), `{"name":"m","versions":["1"],"platform":"scikit-learn_joblib",
			"inputs":[{"name":"input-0","datatype":"FP64","shape":[-1,4]}],
			"outputs":[{"name":"predict","datatype":"INT64","shape":[-1]},{"name":"predict_proba","datatype":"FP64","shape":[-1,3]},
				{"name":"predict_log_proba","datatype":"FP64","shape":[-1,3]},{"name":"decision_function","datatype":"FP64","shape":[-1,3]}]}`},
		"mixed": {people(), `{"name":"m","versions":["1"],"platform":"scikit-learn_pickle",
			"inputs":[{"name":"age","datatype":"FP64","shape":[-1]},{"name":"city","datatype":"BYTES","shape":[-1]},
				{"name":"grade","datatype":"BYTES","shape":[-1]},{"name":"note","datatype":"BYTES","shape":[-1]}],
			"outputs":[{"name":"predict","datatype":"BYTES","shape":[-1]},{"name":"predict_proba","datatype":"FP64","shape":[-1,2]},
				{"name":"predict_log_proba","datatype":"FP64","shape":[-1,2]},{"name":"decision_function","datatype":"FP64","shape":[-1,2]}]}`},
		"mixed without names": {unnamed(), `{"name":"m","versions":["1"],"platform":"scikit-learn",
			"inputs":[{"name":"input-0","datatype":"BYTES","shape":[-1]},{"name":"input-1","datatype":"FP64","shape":[-1]}],
			"outputs":[{"name":"transform","datatype":"FP64","shape":[-1,5]}]}`},
		"one value a sample": {labelEncoder(), `{"name":"m","versions":["1"],"platform":"scikit-learn",
			"inputs":[{"name":"input-0","datatype":"BYTES","shape":[-1]}],
			"outputs":[{"name":"transform","datatype":"INT64","shape":[-1]}]}`},
		"one number a sample": {numberEncoder(), `{"name":"m","versions":["1"],"platform":"scikit-learn",
			"inputs":[{"name":"input-0","datatype":"FP64","shape":[-1]}],
			"outputs":[{"name":"transform","datatype":"INT64","shape":[-1]}]}`},
		"any width": {anyWidth(), `{"name":"m","versions":["1"],"platform":"scikit-learn",
			"inputs":[{"name":"input-0","datatype":"FP64","shape":[-1,-1]}],
			"outputs":[{"name":"transform","datatype":"FP64","shape":[-1,-1]}]}`},
		"any width of cells": {anyCells(), `{"name":"m","versions":["1"],"platform":"scikit-learn",
			"inputs":[{"name":"input-0","datatype":"BYTES","shape":[-1,-1]}],
			"outputs":[{"name":"transform","datatype":"BYTES","shape":[-1,-1]}]}`},
		"regression of targets": {regressor, `{"name":"m","versions":["1"],"platform":"scikit-learn",
			"inputs":[{"name":"input-0","datatype":"FP64","shape":[-1,3]}],
			"outputs":[{"name":"predict","datatype":"FP64","shape":[-1,2]}]}`},
		"multi-output": {twoTargets(), `{"name":"m","versions":["1"],"platform":"scikit-learn_joblib",
			"inputs":[{"name":"input-0","datatype":"FP64","shape":[-1,2]}],
			"outputs":[{"name":"predict","datatype":"BYTES","shape":[-1,2]},{"name":"predict_proba_0","datatype":"FP64","shape":[-1,2]},
				{"name":"predict_proba_1","datatype":"FP64","shape":[-1,3]}]}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := NewSchema("m", "1", test.model, Limits{})
			if diff := cmp.Diff(parsed(t, test.want), parsed(t, string(s.AppendMetadataV2(nil)))); diff != "" {
				t.Errorf("metadata (-want +got):\n%s", diff)
			}
		})
	}
}

// The metadata's own inputs and outputs are accepted by infer.
func TestMetadataIsTaken(t *testing.T) {
	data := map[string]string{"FP64": "1", "BYTES": `"a"`}
	for name, sig := range map[string]*model.Signature{
		"numeric": numeric(4), "named": flowers(), "mixed": people(), "unnamed": unnamed(), "samples": labelEncoder(),
		"numbers": numberEncoder(), "any": anyWidth(), "cells": anyCells(), "targets": twoTargets(),
	} {
		t.Run(name, func(t *testing.T) {
			m := NewSchema("m", "", sig, Limits{}).Metadata()
			body := `{"inputs":[`
			for i, in := range m.Inputs {
				shape, values := "[1]", data[in.Datatype]
				if len(in.Shape) == 2 {
					shape = "[1,1]"
				}
				for j := int64(1); len(in.Shape) == 2 && j < in.Shape[1]; j++ {
					values += "," + data[in.Datatype]
				}
				if len(in.Shape) == 2 && in.Shape[1] > 0 {
					shape = "[1," + string(rune('0'+in.Shape[1])) + "]"
				}
				if i > 0 {
					body += ","
				}
				body += tensor(in.Name, shape, in.Datatype, "["+values+"]")
			}
			body += `],"outputs":[`
			for i, out := range m.Outputs {
				if i > 0 {
					body += ","
				}
				body += `{"name":"` + out.Name + `"}`
			}
			if _, err := decode(t, V2{}, sig, Header{}, body+"]}"); err != nil {
				t.Errorf("Decode(%s): %v", body, err)
			}
		})
	}
}

func parsed(t *testing.T, text string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return v
}

func TestServerMetadata(t *testing.T) {
	tests := map[string]struct{ got, want string }{
		"server":    {string(AppendServerMetadata(nil, "1.2.3")), `{"name":"mizzen","version":"1.2.3","extensions":["binary_tensor_data","model_repository"]}`},
		"models":    {string(AppendModels(nil, []string{"a", `b"`})), `{"models":["a","b\""]}`},
		"no models": {string(AppendModels(nil, nil)), `{"models":[]}`},
		"ready":     {string(AppendReadyV1(nil, "a", true)), `{"name":"a","ready":true}`},
		"not ready": {string(AppendReadyV1(nil, "a", false)), `{"name":"a","ready":false}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.got != test.want {
				t.Errorf("got %s, want %s", test.got, test.want)
			}
		})
	}
}
