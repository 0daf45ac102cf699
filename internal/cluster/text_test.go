package cluster

import (
	"encoding/base64"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// TestSecretsAreMasked holds for every way in which a Secret may change: that a value
// differs is seen, and no value is.
func TestSecretsAreMasked(t *testing.T) {
	old, fresh, same := hidden("hunter2"), hidden("correct horse"), hidden("staple")
	secret := func(field string, values map[string]any) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Secret",
			"metadata": map[string]any{"name": "keys", "annotations": map[string]any{
				"kubectl.kubernetes.io/last-applied-configuration": `{"data":{"key":"` + old + `"}}`,
			}}, field: values}}
	}
	before := secret("data", map[string]any{"key": old, "other": same, "gone": old})
	after := secret("data", map[string]any{"key": fresh, "other": same, "new": fresh})
	tests := map[string]struct {
		change Change
		want   []string
	}{
		"created": {Change{Action: Create, After: plain(after)}, []string{"+  key: '***'"}},
		"deleted": {Planned(Delete, before), []string{"-  key: '***'"}},
		"changed": {Change{Action: Update, Before: plain(before), After: plain(after)},
			[]string{"-  key: '*** (before)'", "+  key: '*** (after)'", "   other: '***'", "-  gone: '***'", "+  new: '***'"}},
		"in plain text": {Change{Action: Create, After: plain(secret("stringData", map[string]any{"key": "hunter2"}))}, []string{"+  key: '***'"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.change.Kind = schema.GroupVersionKind{Version: "v1", Kind: "Secret"}
			got, err := tt.change.Diff()
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range tt.want {
				if !strings.Contains(got, want+"\n") {
					t.Errorf("the diff lacks %q:\n%s", want, got)
				}
			}
			for _, value := range []string{old, fresh, same, "hunter2"} {
				if strings.Contains(got, value) {
					t.Errorf("the diff has %q in it:\n%s", value, got)
				}
			}
		})
	}
}

func hidden(value string) string { return base64.StdEncoding.EncodeToString([]byte(value)) }
