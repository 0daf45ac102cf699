//go:build e2e

package core

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
	"mizzen.dev/test/e2e/bed"
)

// TestConditions has what goes wrong in a cluster said in a condition, in words that say
// what to do.
func TestConditions(t *testing.T) {
	b := shared.Get(t)
	hog := "runtime: {name: custom, image: " + b.Standin(t) + ", args: [hog], custom: {port: 8080, livePath: /, readyPath: /}}\n"
	tests := map[string]struct {
		more string
		// from, if not "", becomes to.
		from, to                string
		condition, reason, says string
	}{
		"claim": {
			from: "secretRef: {name: store}", to: "secretRef: {name: store}\n    cache: {claim: {size: 1Gi, storageClassName: no-such-class}}",
			condition: v1alpha1.ConditionSourceReady, reason: "ClaimPending", says: "kubectl describe pvc iris-cache",
		},
		"image": {
			more:      "runtime: {image: " + b.Registry + "/no-such-image:1}\n",
			condition: v1alpha1.ConditionWorkloadReady, reason: "ImagePullFailed", says: b.Registry + "/no-such-image:1",
		},
		"memory":         {more: hog, condition: v1alpha1.ConditionWorkloadReady, reason: "OOMKilled", says: "resources.limits.memory"},
		"metrics-server": {more: "scale: {minReplicas: 1, maxReplicas: 2}\n", condition: v1alpha1.ConditionScaledBy, reason: "MetricsServerAbsent", says: "install metrics-server"},
		"secret":         {from: "{name: store}", to: "{name: no-such-secret}", condition: v1alpha1.ConditionWorkloadReady, reason: "ConfigMissing", says: "no-such-secret"},
		"model":          {from: "iris/0.1.0/model.pkl", to: "iris/9.9.9/model.pkl", condition: v1alpha1.ConditionSourceReady, reason: "SourceNotFound", says: "9.9.9"},
		"node":           {more: "placement: {nodeSelector: {no: such}}\n", condition: v1alpha1.ConditionWorkloadReady, reason: "Unschedulable", says: "placement"},
		"image volume": {
			from: source(t, b), to: "imageVolume: {reference: " + b.Image + ", path: model.pkl}",
			condition: v1alpha1.ConditionSourceReady, reason: "ImageVolumesMissing", says: "source.uri",
		},
	}
	found, err := platform.FromCluster(t.Context(), b.Client().Discovery())
	if err != nil {
		t.Fatal(err)
	}
	// What is not there in one cluster is in another, and goes well there.
	offered := map[string]platform.Offer{"metrics-server": platform.MetricsServer, "image volume": platform.ImageVolumes}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if o, ok := offered[name]; ok && found.Offers.Has(o) {
				b.NeedsOwn(t, "what it is like without "+string(o))
				t.Fatalf("this cluster is to have no %s", o)
			}
			t.Parallel() // most of it is waiting
			ns := b.RestrictedNamespace(t, strings.ReplaceAll(name, " ", "-"))
			yaml := b.Iris(t, ns, "iris", "0.1.0", test.more)
			if !strings.Contains(yaml, test.from) {
				t.Fatalf("no %q in:\n%s", test.from, yaml)
			}
			b.MustApply(t, strings.Replace(yaml, test.from, test.to, 1))
			c := b.Condition(t, ns, "iris", test.condition, metav1.ConditionFalse, test.reason)
			t.Logf("%s: %s: %s", c.Type, c.Reason, c.Message)
			if !strings.Contains(c.Message, test.says) {
				t.Errorf("the message of %s does not speak of %q: %s", c.Reason, test.says, c.Message)
			}
		})
	}
}

// source is that of b.Iris, as its YAML has it.
func source(t *testing.T, b *bed.Bed) string {
	t.Helper()
	_, rest, ok := strings.Cut(b.Iris(t, "ns", "iris", "0.1.0", ""), "source:\n    ")
	text, _, found := strings.Cut(rest, "\n  config:")
	if !ok || !found {
		t.Fatal("the Model has no source")
	}
	return text
}
