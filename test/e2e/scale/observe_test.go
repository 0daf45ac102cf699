//go:build e2e

package scale

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/e2e/bed"
)

// TestDashboard has every panel of a Model's dashboard show something, from a real
// Prometheus that scrapes real pods.
func TestDashboard(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "dashboard")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", fixed(2)+"telemetry: {alerts: {slo: {latency: {threshold: 50ms}}}}\n"))
	b.Ready(t, ns, "iris")
	b.Condition(t, ns, "iris", v1alpha1.ConditionObserved, metav1.ConditionTrue, "")
	if err := prometheus.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	load := bed.StartLoad(b.ServiceURL(t, ns, "iris"))
	defer load.Stop()
	for _, p := range panels(t, b, ns) {
		t.Run(p.Title, func(t *testing.T) {
			for _, target := range p.Targets {
				// What Grafana puts there at the zoom of some minutes.
				expr := strings.NewReplacer("$__rate_interval", "1m", "$__range", "5m", "$__interval", "15s").Replace(target.Expr)
				bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
					samples, err := prometheus.Query(ctx, expr)
					return err == nil && len(samples) > 0, fmt.Sprintf("%s gives nothing (%v)", expr, err)
				})
			}
		})
	}
}

type panel struct {
	Title   string
	Targets []struct{ Expr string }
}

// panels of the dashboard that the operator put into a ConfigMap.
func panels(t *testing.T, b *bed.Bed, ns string) []panel {
	t.Helper()
	var c corev1.ConfigMap
	if err := b.Objects.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: "iris-dashboard"}, &c); err != nil {
		t.Fatal(err)
	}
	var out []panel
	for _, text := range c.Data {
		var d struct{ Panels []panel }
		if err := json.Unmarshal([]byte(text), &d); err != nil {
			t.Fatal(err)
		}
		for _, p := range d.Panels {
			if len(p.Targets) > 0 {
				out = append(out, p)
			}
		}
	}
	if len(out) < 10 {
		t.Fatalf("the dashboard has only %d panels", len(out))
	}
	return out
}
