//go:build e2e

package scale

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/e2e/bed"
)

// TestCPU scales by an HPA, up and down again.
func TestCPU(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "cpu")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", quick(1, 3, "target: {cpuUtilization: 50}")))
	b.Condition(t, ns, "iris", v1alpha1.ConditionScaledBy, metav1.ConditionTrue, "")
	load := bed.StartLoad(b.ServiceURL(t, ns, "iris"))
	scaledTo(t, b, ns, 3)
	if total, failed, errors := load.Stop(); failed != 0 {
		t.Errorf("%d of %d calls failed while pods were added: %v", failed, total, errors)
	}
	scaledTo(t, b, ns, 1)
}

// requestRate scales by KEDA on the request rate from Prometheus, up and down
// again; keeps what runs when Prometheus dies; and has the fallback where less runs.
func requestRate(t *testing.T) {
	b := shared.Get(t)
	startKEDA(t, b)
	ns := b.RestrictedNamespace(t, "rate")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", quick(1, 4, "target: {requestsPerSecond: 50}\n  fallback: {replicas: 2, failureThreshold: 2}")))
	b.Condition(t, ns, "iris", v1alpha1.ConditionWorkloadReady, metav1.ConditionTrue, "")
	if err := prometheus.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	b.Condition(t, ns, "iris", v1alpha1.ConditionScaledBy, metav1.ConditionTrue, "")
	load := bed.StartLoad(b.ServiceURL(t, ns, "iris"))
	scaledTo(t, b, ns, 4)
	if !b.Own() {
		if total, failed, errors := load.Stop(); failed != 0 {
			t.Errorf("%d of %d calls failed: %v", failed, total, errors)
		}
		scaledTo(t, b, ns, 1)
	}
	b.NeedsOwn(t, "a Prometheus that may die")

	if err := prometheus.SetRunning(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	fallback(t, b, ns, true)
	if total, failed, errors := load.Stop(); failed != 0 {
		t.Errorf("%d of %d calls failed: %v", failed, total, errors)
	}
	if r, w, err := ready(t.Context(), b, ns); err != nil || r != 4 || w != 4 {
		t.Errorf("without Prometheus %d of %d pods are ready, %v; 4 ran", r, w, err)
	}

	if err := prometheus.SetRunning(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	scaledTo(t, b, ns, 1)
	if err := prometheus.SetRunning(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	scaledTo(t, b, ns, 2) // the fallback is above what runs
	if err := prometheus.SetRunning(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	scaledTo(t, b, ns, 1)
}

// fallback waits until the Model says whether its load is measured.
func fallback(t *testing.T, b *bed.Bed, ns string, want bool) {
	t.Helper()
	bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
		m, err := b.Model(ctx, ns, "iris")
		if err != nil {
			return false, err.Error()
		}
		c := meta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionScaledBy)
		return c != nil && (c.Reason == "FallbackActive") == want, fmt.Sprintf("%+v", c)
	})
}

// handover goes from a fixed number of pods to an HPA, to KEDA and back, under load:
// there are never fewer ready pods than the smaller of before and after, no call fails,
// and there is never a second autoscaler.
func handover(t *testing.T) {
	b := shared.Get(t)
	startKEDA(t, b)
	ns := b.RestrictedNamespace(t, "handover")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", fixed(3)))
	b.Ready(t, ns, "iris")
	scaledTo(t, b, ns, 3)
	load := bed.StartLoad(b.ServiceURL(t, ns, "iris"))
	least := watchReady(t, b, ns)
	watchScalers(t, b, ns)
	// The autoscaler that does the work belongs to the Model, or to KEDA's ScaledObject.
	steps := []struct{ name, spec, owner string }{
		{"replicas to HPA", quick(3, 4, "target: {cpuUtilization: 90}\n  via: HPA"), v1alpha1.Kind},
		{"HPA to KEDA", quick(3, 4, "target: {requestsPerSecond: 1000}"), "ScaledObject"},
		{"KEDA to HPA", quick(3, 4, "target: {cpuUtilization: 90}\n  via: HPA"), v1alpha1.Kind},
		{"HPA to replicas", fixed(3), ""},
		{"replicas to KEDA", quick(3, 4, "target: {requestsPerSecond: 1000}"), "ScaledObject"},
		{"KEDA to replicas", fixed(3), ""},
	}
	for _, step := range steps {
		b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", step.spec))
		b.Condition(t, ns, "iris", v1alpha1.ConditionWorkloadReady, metav1.ConditionTrue, "")
		settled(t, b, ns, step.name, step.owner)
		if n := least(); n < 3 {
			t.Errorf("%s: there were %d ready pods", step.name, n)
		}
	}
	if total, failed, errors := load.Stop(); failed != 0 {
		t.Errorf("%d of %d calls failed: %v", failed, total, errors)
	}
}

// settled waits until a Model has the autoscaler that it asks for, and no other.
func settled(t *testing.T, b *bed.Bed, ns, step, owner string) {
	t.Helper()
	bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
		m, err := b.Model(ctx, ns, "iris")
		if err != nil {
			return false, err.Error()
		}
		var scalers autoscalingv2.HorizontalPodAutoscalerList
		if err := b.Objects.List(ctx, &scalers, client.InNamespace(ns)); err != nil {
			return false, err.Error()
		}
		c := meta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionScaledBy)
		var ok bool
		if owner == "" {
			ok = len(scalers.Items) == 0 && (c == nil || c.ObservedGeneration == m.Generation)
		} else {
			ok = len(scalers.Items) == 1 && c != nil && c.ObservedGeneration == m.Generation && c.Status != metav1.ConditionUnknown
			if ok {
				by := metav1.GetControllerOf(&scalers.Items[0])
				ok = by != nil && by.Kind == owner
			}
		}
		return ok, fmt.Sprintf("%s: %d HPAs, %+v", step, len(scalers.Items), c)
	})
}

// watchScalers fails the test if there ever is a second autoscaler until it ends.
func watchScalers(t *testing.T, b *bed.Bed, ns string) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = wait.PollUntilContextCancel(t.Context(), 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			if errors.Is(noSecond(ctx, b, ns), errSecond) {
				t.Error(errSecond)
				return true, nil
			}
			return false, nil
		})
	}()
	t.Cleanup(func() { <-done })
}

// watchReady looks at the ready pods until the test ends, and returns the least number
// since it was last asked.
func watchReady(t *testing.T, b *bed.Bed, ns string) func() int32 {
	var mu sync.Mutex
	least := int32(1 << 30)
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = wait.PollUntilContextCancel(t.Context(), 50*time.Millisecond, true, func(ctx context.Context) (bool, error) {
			if r, _, err := ready(ctx, b, ns); err == nil {
				mu.Lock()
				least = min(least, r)
				mu.Unlock()
			}
			return false, nil
		})
	}()
	t.Cleanup(func() { <-done })
	return func() int32 {
		mu.Lock()
		defer mu.Unlock()
		n := least
		least = 1 << 30
		return n
	}
}
