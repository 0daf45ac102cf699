//go:build e2e

package scale_test

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"mizzen.dev/test/cluster"
)

var (
	shared     = cluster.NewShared(cluster.Options{}, prepare)
	prometheus *cluster.Prometheus
)

func prepare(ctx context.Context, c *cluster.Cluster) (err error) {
	prometheus, err = c.StartScale(ctx)
	return err
}

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

// scaledTo waits until a Deployment has so many pods that are ready.
func scaledTo(t *testing.T, c *cluster.Cluster, ns string, replicas int32) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), 500*time.Millisecond, 3*time.Minute, true, func(ctx context.Context) (bool, error) {
		d, err := c.Client().AppsV1().Deployments(ns).Get(ctx, "probe", metav1.GetOptions{})
		if err != nil {
			return false, err
		}
		last = fmt.Sprintf("%d of %d are ready", d.Status.ReadyReplicas, *d.Spec.Replicas)
		return *d.Spec.Replicas == replicas && d.Status.ReadyReplicas == replicas, nil
	})
	if err != nil {
		scalers, _ := c.Kubectl(context.Background(), "-n", ns, "get", "hpa,scaledobjects", "-o", "yaml")
		t.Fatalf("not %d pods: %s\n%s\n%s", replicas, last, scalers, c.Describe(context.Background(), "keda"))
	}
}

func start(t *testing.T, c *cluster.Cluster) (string, *cluster.Probe) {
	t.Helper()
	ns := c.Namespace(t, "scale", nil)
	probe, err := c.StartProbe(t.Context(), ns, "probe", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	return ns, probe
}

func apply(t *testing.T, c *cluster.Cluster, yaml string) {
	t.Helper()
	if err := c.Apply(t.Context(), yaml); err != nil {
		t.Fatal(err)
	}
}

// TestHPA scales by CPU, up and down again.
func TestHPA(t *testing.T) {
	c := shared.Get(t)
	ns, probe := start(t, c)
	apply(t, c, `
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: probe, namespace: `+ns+`}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: probe}
  minReplicas: 1
  maxReplicas: 3
  metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 100}}}]
  behavior: {scaleDown: {stabilizationWindowSeconds: 0}}
`)
	ctx, stop := context.WithCancel(t.Context())
	burnt := make(chan error)
	go func() { burnt <- probe.Burn(ctx) }()
	scaledTo(t, c, ns, 3)
	stop()
	if err := <-burnt; err != nil {
		t.Error(err)
	}
	scaledTo(t, c, ns, 1)
}

// TestKEDA scales by a metric of Prometheus's, up and down again, and keeps to the
// fallback when Prometheus dies.
func TestKEDA(t *testing.T) {
	c := shared.Get(t)
	ns, probe := start(t, c)
	apply(t, c, `
apiVersion: monitoring.coreos.com/v1
kind: ServiceMonitor
metadata: {name: probe, namespace: `+ns+`}
spec: {selector: {matchLabels: {app: probe}}, endpoints: [{port: http, path: /metrics, interval: 2s}]}
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: probe, namespace: `+ns+`}
spec:
  scaleTargetRef: {name: probe}
  pollingInterval: 2
  cooldownPeriod: 5
  minReplicaCount: 1
  maxReplicaCount: 5
  fallback: {failureThreshold: 2, replicas: 2}
  advanced: {horizontalPodAutoscalerConfig: {behavior: {scaleDown: {stabilizationWindowSeconds: 0}}}}
  triggers:
  - type: prometheus
    metricType: AverageValue
    metadata: {serverAddress: "`+prometheus.URL+`", query: 'sum(probe_value{namespace="`+ns+`"})', threshold: "10"}
`)
	if err := prometheus.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kubectl(t.Context(), "-n", ns, "wait", "--for=condition=Ready", "scaledobject/probe", "--timeout=60s"); err != nil {
		t.Fatal(err, c.Describe(t.Context(), "keda"))
	}
	if err := probe.Set(t.Context(), 30); err != nil {
		t.Fatal(err)
	}
	scaledTo(t, c, ns, 3)
	if err := probe.Set(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	scaledTo(t, c, ns, 1)
	if err := prometheus.SetRunning(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	scaledTo(t, c, ns, 2)
	if err := prometheus.SetRunning(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	scaledTo(t, c, ns, 1)
}

// TestContainerMetrics has the CPU and memory of pods in Prometheus.
func TestContainerMetrics(t *testing.T) {
	c := shared.Get(t)
	ns, _ := start(t, c)
	var last []cluster.Sample
	err := wait.PollUntilContextTimeout(t.Context(), time.Second, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		var err error
		last, err = prometheus.Query(ctx, `container_memory_working_set_bytes{namespace="`+ns+`",container="probe"}`)
		return len(last) == 1, err
	})
	if err != nil {
		t.Errorf("%v: %+v", err, last)
	}
}
