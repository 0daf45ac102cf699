//go:build e2e

package core

import (
	"context"
	"fmt"
	"regexp"
	"strconv"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/cluster/audit"
	"mizzen.dev/test/e2e/bed"
)

const (
	// resyncs of settled Models, in which nothing may be written, and how often they are.
	resyncs        = 10
	resyncInterval = 2 * time.Second
	// mostWrites of an object while a Model comes up.
	mostWrites = 2
	// mostNews of a Model's status: that it was seen, what its autoscaler lacks, that it is
	// ready, and what the autoscaler lacks then. Besides progress is told, once in
	// progressInterval.
	mostNews, progressInterval = 4, 10 * time.Second
	// quiet is how long nothing must have been written for Models to be settled.
	quiet = 5 * time.Second
)

// TestWrites holds the operator to the API server's own log: it writes an object at most
// twice while a Model comes up, its status when there is news or progress, and nothing at
// all once it is settled, however often it looks.
func TestWrites(t *testing.T) {
	b := shared.Get(t)
	b.NeedsOwn(t, "the API server's audit log")
	noModels(t, b)
	resyncOften(t, b)
	ns := b.RestrictedNamespace(t, "writes")
	start := time.Now()
	b.MustApply(t, b.Iris(t, ns, "fixed", "0.1.0", "replicas: 2"))
	b.MustApply(t, b.Iris(t, ns, "scaled", "0.1.0", "scale: {minReplicas: 1, maxReplicas: 3, target: {cpuUtilization: 60}}"))
	b.Ready(t, ns, "fixed")
	b.Ready(t, ns, "scaled")
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
		writes := written(t, b, time.Now().Add(-quiet))
		return time.Since(start) > quiet && len(writes) == 0, fmt.Sprint(writes)
	})

	times := map[string]int{}
	total := 0
	for _, w := range written(t, b, start) {
		if w.Object.Group == "events.k8s.io" {
			continue
		}
		total++
		object, most := w.Object.Resource+"/"+w.Object.Name, mostWrites
		if w.Object.Resource == "models" {
			most = mostNews + int(w.Received.Sub(start)/progressInterval)
			t.Logf("%s was told after %s", object, w.Received.Sub(start))
		}
		if times[object]++; times[object] > most {
			t.Errorf("a Model came up with %d writes of %s: %s", times[object], object, w)
		}
	}
	if total > mostWrites*len(times) || len(times) == 0 {
		t.Errorf("two Models came up with %d writes of %d objects: %v", total, len(times), times)
	}
	t.Logf("two Models came up with %d writes of %d objects: %v", total, len(times), times)

	settled := time.Now()
	before := looks(t, b)
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
		n := looks(t, b) - before
		return n >= 2*resyncs, fmt.Sprintf("two Models were looked at %.0f times", n)
	})
	for _, w := range written(t, b, settled) {
		t.Errorf("nothing had changed, and the operator wrote: %s", w)
	}
}

// noModels waits until those of other tests are gone, which are deleted with their
// namespaces.
func noModels(t *testing.T, b *bed.Bed) {
	t.Helper()
	bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
		var list v1alpha1.ModelList
		if err := b.Objects.List(ctx, &list); err != nil {
			return false, err.Error()
		}
		return len(list.Items) == 0, fmt.Sprintf("there are %d Models", len(list.Items))
	})
}

// written is what the operator asked to change since then.
func written(t *testing.T, b *bed.Bed, since time.Time) []audit.Event {
	t.Helper()
	path, err := b.AuditLog()
	if err != nil {
		t.Fatal(err)
	}
	writes, err := audit.Writes(path, bed.OperatorUser, since)
	if err != nil {
		t.Fatal(err)
	}
	return writes
}

// resyncOften has the operator look at all Models every few seconds, until the test ends.
func resyncOften(t *testing.T, b *bed.Bed) {
	t.Helper()
	var d appsv1.Deployment
	if err := b.Objects.Get(t.Context(), client.ObjectKey{Namespace: bed.SystemNamespace, Name: "mizzen-operator"}, &d); err != nil {
		t.Fatal(err)
	}
	last := len(d.Spec.Template.Spec.Containers[0].Args)
	patch := func(ctx context.Context, operation string) error {
		text := fmt.Sprintf(operation, last)
		if err := b.Objects.Patch(ctx, d.DeepCopy(), client.RawPatch(types.JSONPatchType, []byte(text))); err != nil {
			return err
		}
		_, err := b.Kubectl(ctx, "-n", bed.SystemNamespace, "rollout", "status", "deployment/mizzen-operator", "--timeout=2m")
		return err
	}
	const path = `"path": "/spec/template/spec/containers/0/args/%d"`
	if err := patch(t.Context(), `[{"op": "add", `+path+`, "value": "--resync=`+resyncInterval.String()+`"}]`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := patch(context.Background(), `[{"op": "remove", `+path+`}]`); err != nil {
			t.Error(err)
		}
	})
}

var reconciles = regexp.MustCompile(`(?m)^controller_runtime_reconcile_total\{.*\} (\S+)$`)

// looks is how often the operator has looked at a Model, by its own metrics.
func looks(t *testing.T, b *bed.Bed) float64 {
	t.Helper()
	pods, err := b.Client().CoreV1().Pods(bed.SystemNamespace).List(t.Context(), metav1.ListOptions{FieldSelector: "status.phase=" + string(corev1.PodRunning)})
	if err != nil {
		t.Fatal(err)
	}
	total := 0.0
	for _, p := range pods.Items {
		if p.DeletionTimestamp != nil {
			continue
		}
		text, err := b.Kubectl(t.Context(), "get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", p.Namespace, p.Name))
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range reconciles.FindAllStringSubmatch(text, -1) {
			n, err := strconv.ParseFloat(m[1], 64)
			if err != nil {
				t.Fatal(err)
			}
			total += n
		}
	}
	return total
}
