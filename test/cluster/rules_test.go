//go:build linux

package cluster

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

func TestRuleFile(t *testing.T) {
	const list = `{"items": [
	  {"metadata": {"name": "iris", "namespace": "ml"}, "spec": {"groups": [
	    {"name": "slo", "interval": "5m", "rules": [{"record": "a", "expr": "b"}]},
	    {"name": "health", "rules": [{"alert": "c", "expr": "d", "for": "1m"}]}]}},
	  {"metadata": {"name": "iris", "namespace": "other"}, "spec": {"groups": [{"name": "slo", "interval": "1s", "rules": []}]}}]}`
	text, err := ruleFile([]byte(list))
	if err != nil {
		t.Fatal(err)
	}
	var got any
	if err := yaml.Unmarshal([]byte(text), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"groups": []any{
		map[string]any{"name": "ml/iris/slo", "interval": "5s", "rules": []any{map[string]any{"record": "a", "expr": "b"}}},
		map[string]any{"name": "ml/iris/health", "rules": []any{map[string]any{"alert": "c", "expr": "d", "for": "1m"}}},
		map[string]any{"name": "other/iris/slo", "interval": "1s", "rules": []any{}},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the file (-want +got):\n%s", diff)
	}
}
