//go:build e2e

// Package scale has Models scaled by an HPA and by KEDA, from the CPU and from a real
// Prometheus, and looked at through their dashboards and alerts.
package scale

import (
	"context"
	"fmt"
	"os"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/test/cluster"
	"mizzen.dev/test/e2e/bed"
)

var (
	shared     = bed.NewShared(prepare)
	prometheus *cluster.Prometheus
)

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

// prepare has all but KEDA, which comes later: startKEDA.
func prepare(ctx context.Context, b *bed.Bed) (err error) {
	if err = b.StartMetricsServer(ctx); err != nil {
		return err
	}
	if prometheus, err = b.StartPrometheus(ctx); err != nil {
		return err
	}
	b.Platform = fmt.Sprintf(`
prometheus: {address: %q, interval: 2s}
grafana: {folder: Models}
peers:
  scraper: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}}]
`, prometheus.URL, prometheus.Namespace)
	return nil
}

// quick scales without waiting, so that a test sees both ways, and lets this machine
// call the pods.
func quick(min, max int, more string) string {
	return fmt.Sprintf(`
isolation: {from: [{ipBlock: {cidr: 0.0.0.0/0}}]}
scale:
  minReplicas: %d
  maxReplicas: %d
  behavior: {scaleUp: {stabilizationWindowSeconds: 0}, scaleDown: {stabilizationWindowSeconds: 0, policies: [{type: Percent, value: 100, periodSeconds: 5}]}}
%s`, min, max, indent(more))
}

func indent(line string) string { return "  " + line + "\n" }

// fixed is a number of pods without an autoscaler.
func fixed(n int) string {
	return fmt.Sprintf("\nisolation: {from: [{ipBlock: {cidr: 0.0.0.0/0}}]}\nreplicas: %d\n", n)
}

// ready is how many pods of a Model answer, and how many are wanted.
func ready(ctx context.Context, b *bed.Bed, ns string) (ready, wanted int32, err error) {
	var d appsv1.Deployment
	if err := b.Objects.Get(ctx, client.ObjectKey{Namespace: ns, Name: "iris"}, &d); err != nil {
		return 0, 0, err
	}
	return d.Status.ReadyReplicas, *d.Spec.Replicas, nil
}

// scaledTo waits until there are as many ready pods as a test wants, and no others.
func scaledTo(t *testing.T, b *bed.Bed, ns string, want int32) {
	t.Helper()
	bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
		r, w, err := ready(ctx, b, ns)
		return err == nil && r == want && w == want, fmt.Sprintf("%d of %d pods are ready, not %d (%v)", r, w, want, err)
	})
}
