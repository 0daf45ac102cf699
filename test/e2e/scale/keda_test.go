//go:build e2e

package scale

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/cluster/audit"
	"mizzen.dev/test/cluster/crds"
	"mizzen.dev/test/e2e/bed"
)

// TestKEDA is in order: a cluster without KEDA, KEDA coming, and with it. The steps after
// the first one bring KEDA if they are run alone.
func TestKEDA(t *testing.T) {
	t.Run("InstalledLater", installedLater)
	t.Run("RequestRate", requestRate)
	t.Run("Handover", handover)
}

var keda struct {
	once  sync.Once
	asked bool
	err   error
}

// startKEDA has KEDA in the cluster, which is not there when the operator starts.
func startKEDA(t *testing.T, b *bed.Bed) {
	t.Helper()
	keda.once.Do(func() {
		keda.asked = true
		keda.err = b.StartKEDA(context.Background())
	})
	if keda.err != nil {
		t.Fatal(keda.err)
	}
}

// installedLater goes by CPU, and says so, until KEDA comes, and then by what was asked
// for without a restart of the operator. The definition alone is not KEDA: the HPA stays,
// until KEDA takes it over.
func installedLater(t *testing.T) {
	b := shared.Get(t)
	b.NeedsOwn(t, "a time before KEDA")
	if keda.asked {
		t.Fatal("KEDA is there already: this is to be the first test that wants it")
	}
	ns := b.RestrictedNamespace(t, "later")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", quick(2, 3, "target: {requestsPerSecond: 1000}")))
	c := b.Condition(t, ns, "iris", v1alpha1.ConditionScaledBy, metav1.ConditionTrue, "MetricUnavailable")
	if !strings.Contains(c.Message, "KEDA") {
		t.Errorf("without KEDA the message does not name it: %s", c.Message)
	}
	b.Ready(t, ns, "iris")
	uid := autoscaler(t, b, ns, v1alpha1.Kind)

	if err := b.InstallCRDs(t.Context(), crds.KEDA()); err != nil {
		t.Fatal(err)
	}
	looked(t, b)
	b.Condition(t, ns, "iris", v1alpha1.ConditionScaledBy, metav1.ConditionTrue, "MetricUnavailable")
	if got := autoscaler(t, b, ns, v1alpha1.Kind); got != uid {
		t.Error("the HPA was made anew for a definition without KEDA")
	}
	scaledTo(t, b, ns, 2)

	startKEDA(t, b)
	b.Condition(t, ns, "iris", v1alpha1.ConditionScaledBy, metav1.ConditionTrue, "KEDA")
	if got := autoscaler(t, b, ns, "ScaledObject"); got != uid {
		t.Error("KEDA has an HPA of its own, and did not take over the one that there was")
	}
}

// looked waits until the operator, which knows of ScaledObjects then, has looked for
// KEDA's metrics.
func looked(t *testing.T, b *bed.Bed) {
	t.Helper()
	path, err := b.AuditLog()
	if err != nil {
		t.Fatal(err)
	}
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
		events, err := audit.Read(path)
		if err != nil {
			return false, err.Error()
		}
		return slices.ContainsFunc(events, func(e audit.Event) bool {
			return e.User.Username == bed.OperatorUser && e.Object.Name == "v1beta1.external.metrics.k8s.io" && e.Response.Code == http.StatusNotFound
		}), "the operator has not asked for external metrics"
	})
}

// autoscaler waits until the one HPA of a namespace belongs to an object of the kind,
// and returns which it is.
func autoscaler(t *testing.T, b *bed.Bed, ns, owner string) string {
	t.Helper()
	var uid string
	bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
		var h autoscalingv2.HorizontalPodAutoscaler
		if err := b.Objects.Get(ctx, client.ObjectKey{Namespace: ns, Name: "iris"}, &h); err != nil {
			return false, err.Error()
		}
		uid = string(h.UID)
		c := metav1.GetControllerOf(&h)
		return c != nil && c.Kind == owner, "the HPA belongs to " + describeOwner(c)
	})
	if err := noSecond(t.Context(), b, ns); err != nil {
		t.Error(err)
	}
	return uid
}

func describeOwner(c *metav1.OwnerReference) string {
	if c == nil {
		return "nobody"
	}
	return c.Kind + " " + c.Name
}

var errSecond = errors.New("there is more than one autoscaler")

// noSecond says whether there are several HPAs for one Deployment.
func noSecond(ctx context.Context, b *bed.Bed, ns string) error {
	var list autoscalingv2.HorizontalPodAutoscalerList
	if err := b.Objects.List(ctx, &list, client.InNamespace(ns)); err != nil && !apierrors.IsNotFound(err) {
		return err
	}
	if len(list.Items) > 1 {
		return errSecond
	}
	return nil
}
