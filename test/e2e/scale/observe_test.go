//go:build e2e

package scale

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/cluster"
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

// fromKubeStateMetrics are the alerts about what only kube-state-metrics knows, which is
// not in this cluster. promtool's tests have them fire.
var fromKubeStateMetrics = []string{"MizzenOutOfMemory", "MizzenCrashLoop", "MizzenAutoscalerAtMaximum", "MizzenAutoscalerBlind"}

// TestRules has Prometheus evaluate the rules of a Model, and find every series that
// they are about. Nothing is wrong with the Model, and no alert fires.
func TestRules(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "rules")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", quick(1, 2, "target: {cpuUtilization: 90}")+"telemetry: {alerts: {slo: {latency: {threshold: 1s}}}}\n"))
	b.Ready(t, ns, "iris")
	if err := prometheus.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	load := bed.StartLoad(b.ServiceURL(t, ns, "iris"))
	defer load.Stop()
	var rules []cluster.Rule
	bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
		all, err := prometheus.Rules(ctx)
		if err != nil {
			return false, err.Error()
		}
		rules = slices.DeleteFunc(all, func(r cluster.Rule) bool { return r.Labels["namespace"] != ns })
		i := slices.IndexFunc(rules, func(r cluster.Rule) bool { return r.Health != "ok" })
		if i >= 0 {
			return false, fmt.Sprintf("%+v", rules[i])
		}
		return len(rules) > 0, "no rules"
	})
	seen := map[string]bool{}
	for _, r := range rules {
		seen[r.Name] = true
		if r.State == "firing" {
			t.Errorf("%s fires: %+v", r.Name, r)
		}
		if slices.Contains(fromKubeStateMetrics, r.Name) {
			continue
		}
		for _, selector := range selectors(t, r.Query) {
			bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
				samples, err := prometheus.Query(ctx, selector)
				return err == nil && len(samples) > 0, fmt.Sprintf("%s is about %s, of which there is nothing (%v)", r.Name, selector, err)
			})
		}
	}
	for _, name := range append(fromKubeStateMetrics, "MizzenNoData", "MizzenErrorBudgetBurn", "MizzenLatencyBudgetBurn", "MizzenSaturated", "MizzenModelLoadFailed") {
		if !seen[name] {
			t.Errorf("there is no rule %s", name)
		}
	}
}

// selectors are the series that an expression is about, each as an expression that has
// those of the present.
func selectors(t *testing.T, expr string) []string {
	t.Helper()
	parsed, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	parser.Inspect(parsed, func(n parser.Node, _ []parser.Node) error {
		if v, ok := n.(*parser.VectorSelector); ok {
			found = append(found, v.String())
		}
		return nil
	})
	return found
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
