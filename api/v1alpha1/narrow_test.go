package v1alpha1_test

import (
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestKubernetesTypes holds for what stands in Kubernetes's own types: what the API
// server would refuse of the HorizontalPodAutoscaler, the Deployment or the
// NetworkPolicy, it refuses of the Model.
func TestKubernetesTypes(t *testing.T) {
	policy := func(of string) string {
		return "scale: {minReplicas: 1, maxReplicas: 2, behavior: {scaleUp: {policies: [" + of + "]}}}"
	}
	down := func(of string) string {
		return "scale: {minReplicas: 1, maxReplicas: 2, behavior: {scaleDown: {" + of + "}}}"
	}
	placed := func(of string) string { return "placement: {tolerations: [{key: a, " + of + "}]}" }
	onGPU := func(of string) string {
		return "{runtime: {name: tfserving}, gpu: {count: 1, tolerations: [{key: a, " + of + "}]}}"
	}
	egress := func(of string) string { return "isolation: {egress: [{ports: [{" + of + "}]}]}" }
	tests := map[string]struct{ refused, accepted, path string }{
		"type of a policy":   {policy("{type: Pod, value: 1, periodSeconds: 15}"), policy("{type: Pods, value: 1, periodSeconds: 15}"), "policies[0].type"},
		"value of a policy":  {policy("{type: Percent, value: 0, periodSeconds: 15}"), policy("{type: Percent, value: 1, periodSeconds: 15}"), "policies[0].value"},
		"no period":          {policy("{type: Pods, value: 1, periodSeconds: 0}"), policy("{type: Pods, value: 1, periodSeconds: 1}"), "policies[0].periodSeconds"},
		"long period":        {policy("{type: Pods, value: 1, periodSeconds: 1801}"), policy("{type: Pods, value: 1, periodSeconds: 1800}"), "policies[0].periodSeconds"},
		"window below 0":     {down("stabilizationWindowSeconds: -1"), down("stabilizationWindowSeconds: 0"), "stabilizationWindowSeconds"},
		"long window":        {down("stabilizationWindowSeconds: 3601"), down("stabilizationWindowSeconds: 3600"), "stabilizationWindowSeconds"},
		"no policy":          {down("policies: []"), down("policies: [{type: Pods, value: 1, periodSeconds: 15}]"), "policies"},
		"tolerance below 0":  {down("tolerance: \"-0.1\""), down("tolerance: \"0.1\""), "tolerance"},
		"choice of policies": {down("selectPolicy: Most"), down("selectPolicy: Disabled"), "selectPolicy"},
		"operator":           {placed("operator: Is"), placed("operator: Exists"), "tolerations[0].operator"},
		"effect":             {placed("effect: Never"), placed("effect: PreferNoSchedule"), "tolerations[0].effect"},
		"operator of GPU":    {onGPU("operator: Is"), onGPU("operator: Equal"), "tolerations[0].operator"},
		"effect of GPU":      {onGPU("effect: Never"), onGPU("effect: NoExecute"), "tolerations[0].effect"},
		"protocol":           {egress("protocol: ICMP, port: 1"), egress("protocol: SCTP, port: 1"), "ports[0].protocol"},
		"port":               {egress("port: 0"), egress("port: 65535"), "ports[0].port"},
		"end of a range":     {egress("port: 1, endPort: 65536"), egress("port: 1, endPort: 65535"), "ports[0].endPort"},
	}
	j := newJudges(t)
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if said := j.create(t, over(t, specOf(t, test.refused))); !strings.Contains(said, test.path) {
				t.Errorf("said %q, want a word on %s", said, test.path)
			}
			if said := j.create(t, over(t, specOf(t, test.accepted))); said != "" {
				t.Errorf("refused the good one: %s", said)
			}
		})
	}
}

func specOf(t *testing.T, text string) map[string]any {
	t.Helper()
	var spec map[string]any
	if err := yaml.Unmarshal([]byte(text), &spec); err != nil {
		t.Fatal(err)
	}
	return map[string]any{"spec": spec}
}
