//go:build e2e

package core

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/e2e/bed"
)

// TestModel has a Model of a few lines run, in a restricted namespace, from an image
// that is pulled by its digest, with a model from S3, and answer through its Service.
func TestModel(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "model")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", "replicas: 2"))
	m := b.Ready(t, ns, "iris")
	b.Condition(t, ns, "iris", v1alpha1.ConditionSourceReady, metav1.ConditionTrue, "")

	probe, err := b.StartProbe(t.Context(), ns, "caller", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	reply, err := probe.Get(t.Context(), m.Status.URL+"/v1/models/iris")
	if err != nil || reply.Status != http.StatusOK {
		t.Errorf("through %s: %+v, %v", m.Status.URL, reply, err)
	}
	pods, err := b.Pods(t.Context(), ns, "iris")
	if err != nil || len(pods) != 2 {
		t.Fatalf("%d pods, %v", len(pods), err)
	}
	for _, pod := range pods {
		for _, c := range append(pod.Spec.InitContainers, pod.Spec.Containers...) {
			if c.Image != b.Image {
				t.Errorf("%s runs %s, not %s", c.Name, c.Image, b.Image)
			}
		}
	}
	if len(m.Status.Revisions) != 1 || m.Status.Revisions[0].Version != "0.1.0" || m.Status.Replicas != 2 || m.Status.Traffic == "" {
		t.Errorf("status %+v", m.Status)
	}
	for _, args := range [][]string{{"get", "-n", ns}, {"status", "iris", "-n", ns}, {"logs", "iris", "-n", ns}} {
		out, err := b.Mizzenctl(t.Context(), args...)
		if err != nil {
			t.Error(err)
			continue
		}
		t.Logf("mizzenctl %s\n%s", strings.Join(args, " "), out)
	}
	out, err := b.Mizzenctl(t.Context(), "status", "iris", "-n", ns)
	if err != nil || !strings.Contains(out, m.Status.URL) || !strings.Contains(out, "curl") {
		t.Errorf("status does not say how to call it: %v\n%s", err, out)
	}
}

// TestDigestMismatch and TestRefusedPickle end in words that say what to do.
func TestDigestMismatch(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "digest")
	wrong := "sha256:" + strings.Repeat("0", 64)
	yaml := bed.DigestPattern.ReplaceAllString(b.Iris(t, ns, "iris", "0.1.0", ""), wrong)
	b.MustApply(t, yaml)
	c := b.Condition(t, ns, "iris", v1alpha1.ConditionSourceReady, metav1.ConditionFalse, "DigestMismatch")
	if !strings.Contains(c.Message, wrong) {
		t.Errorf("the message does not name what was asked for: %s", c.Message)
	}
	b.Condition(t, ns, "iris", v1alpha1.ConditionReady, metav1.ConditionFalse, "")
}

func TestRefusedPickle(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "evil")
	yaml := b.Iris(t, ns, "evil", "0.1.0", "")
	yaml = strings.ReplaceAll(yaml, "iris/0.1.0/model.pkl", "evil/model.pkl")
	yaml = bed.DigestPattern.ReplaceAllString(yaml, "")
	yaml = strings.ReplaceAll(yaml, "    digest: \n", "")
	b.MustApply(t, yaml)
	c := b.Condition(t, ns, "evil", v1alpha1.ConditionWorkloadReady, metav1.ConditionFalse, "ModelRefused")
	if !strings.Contains(c.Message, "posix.system") {
		t.Errorf("the message does not name what was refused: %s", c.Message)
	}
	b.Condition(t, ns, "evil", v1alpha1.ConditionSourceReady, metav1.ConditionTrue, "NotPinned")
}

// TestDrift has an image that somebody set put back, and told of.
func TestDrift(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "drift")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", "replicas: 1"))
	b.Ready(t, ns, "iris")
	if _, err := b.Kubectl(t.Context(), "-n", ns, "set", "image", "deployment/iris", "server=example.com/other:1"); err != nil {
		t.Fatal(err)
	}
	bed.Eventually(t, time.Minute, func(ctx context.Context) (bool, string) {
		var d appsv1.Deployment
		if err := b.Objects.Get(ctx, client.ObjectKey{Namespace: ns, Name: "iris"}, &d); err != nil {
			return false, err.Error()
		}
		image := d.Spec.Template.Spec.Containers[0].Image
		return image == b.Image, image
	})
	bed.Eventually(t, time.Minute, func(ctx context.Context) (bool, string) {
		var list eventsv1.EventList
		if err := b.Objects.List(ctx, &list, client.InNamespace(ns)); err != nil {
			return false, err.Error()
		}
		for _, e := range list.Items {
			if e.Regarding.Kind == v1alpha1.Kind && strings.Contains(e.Note, "image") {
				return true, ""
			}
		}
		return false, fmt.Sprintf("no Event tells of it among %d", len(list.Items))
	})
	b.Ready(t, ns, "iris")
}

// TestIsolation lets callers of the namespace in and nobody else, and the pods out to
// where they must go and nowhere else.
func TestIsolation(t *testing.T) {
	b := shared.Get(t)
	ns, elsewhere := b.RestrictedNamespace(t, "isolated"), b.RestrictedNamespace(t, "elsewhere")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", "replicas: 1"))
	m := b.Ready(t, ns, "iris")
	friend, err := b.StartProbe(t.Context(), ns, "friend", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := b.StartProbe(t.Context(), elsewhere, "stranger", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	url := m.Status.URL + "/readyz"
	if reply, err := friend.Get(t.Context(), url); err != nil || reply.Status != http.StatusOK {
		t.Errorf("a friend gets %+v, %v", reply, err)
	}
	if reply, err := stranger.Get(t.Context(), url); err != nil || reply.Status != 0 {
		t.Errorf("a stranger gets %+v, %v", reply, err)
	}
	// The stranger can come in as soon as the Model names it.
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", fmt.Sprintf("replicas: 1\nisolation: {from: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}}]}", elsewhere)))
	bed.Eventually(t, time.Minute, func(ctx context.Context) (bool, string) {
		reply, err := stranger.Get(ctx, url)
		return err == nil && reply.Status == http.StatusOK, fmt.Sprintf("%+v, %v", reply, err)
	})

	// What runs under the Model's label reaches the store, and not what others reach.
	b.MustApply(t, fmt.Sprintf(`
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: captive, namespace: %s}
spec: {podSelector: {matchLabels: {app: captive}}, policyTypes: [Ingress], ingress: [{}]}
`, ns))
	captive, err := b.StartProbe(t.Context(), ns, "captive", 1, map[string]string{"mizzen.dev/model": "iris"})
	if err != nil {
		t.Fatal(err)
	}
	outside := fmt.Sprintf("http://stranger.%s.svc/", elsewhere)
	if reply, err := friend.Get(t.Context(), outside); err != nil || reply.Status == 0 {
		t.Errorf("a friend gets out to %+v, %v", reply, err)
	}
	if reply, err := captive.Get(t.Context(), b.S3.Endpoint); err != nil || reply.Status == 0 {
		t.Errorf("the Model's pods get %+v of their store, %v", reply, err)
	}
	if reply, err := captive.Get(t.Context(), outside); err != nil || reply.Status != 0 {
		t.Errorf("the Model's pods get out to %+v, %v", reply, err)
	}
}

// open lets this machine call the pods, which their isolation would not.
const open = `
replicas: 3
isolation: {from: [{ipBlock: {cidr: 0.0.0.0/0}}]}
`

// TestRollingUpdate replaces a version under load without one failed call; and, so
// that we know that the load would notice, loses calls when pods stop without warning.
func TestRollingUpdate(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "rolling")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", open))
	b.Ready(t, ns, "iris")
	url := b.ServiceURL(t, ns, "iris")

	l := bed.StartLoad(url)
	b.Roll(t, ns, "0.2.0", open)
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
		n := l.Total.Load()
		return n >= 10_000, fmt.Sprintf("%d calls", n)
	})
	total, failed, errors := l.Stop()
	t.Logf("%d calls, %d failed", total, failed)
	if failed != 0 || total < 10_000 {
		t.Errorf("%d of %d calls failed: %v", failed, total, errors)
	}

	// Without preStop.
	abrupt := open + "placement: {preStop: 0s}\n"
	b.Roll(t, ns, "0.2.0", abrupt)
	l = bed.StartLoad(url)
	for _, version := range []string{"0.3.0", "0.1.0", "0.2.0", "0.3.0"} {
		if l.Failed.Load() > 0 {
			break
		}
		b.Roll(t, ns, version, abrupt)
	}
	total, failed, _ = l.Stop()
	t.Logf("without preStop: %d calls, %d failed", total, failed)
	if failed == 0 {
		t.Errorf("none of %d calls failed without preStop: this load would notice nothing", total)
	}
}

// TestKill has the operator die in the middle of a change, which is brought to its end
// all the same; and then all pods of the Model, which come back.
func TestKill(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "kill")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", "replicas: 2"))
	b.Ready(t, ns, "iris")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.2.0", "replicas: 2"))
	err := b.Objects.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(bed.SystemNamespace),
		client.MatchingLabels{"app.kubernetes.io/name": "mizzen-operator"}, client.GracePeriodSeconds(0))
	if err != nil {
		t.Fatal(err)
	}
	b.Roll(t, ns, "0.2.0", "replicas: 2")
	if _, err := b.Kubectl(t.Context(), "-n", ns, "delete", "pod", "-l", "mizzen.dev/model=iris", "--force", "--grace-period=0"); err != nil {
		t.Fatal(err)
	}
	b.Ready(t, ns, "iris")
}

// TestDelete leaves nothing of a Model in any kind of object of its namespace.
func TestDelete(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "delete")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", "scale: {minReplicas: 2, maxReplicas: 4}"))
	b.Condition(t, ns, "iris", v1alpha1.ConditionWorkloadReady, metav1.ConditionTrue, "")
	out, err := b.Mizzenctl(t.Context(), "delete", "iris", "-n", ns, "--yes", "--wait")
	if err != nil {
		t.Fatal(err)
	}
	for _, kind := range []string{"Model", "Deployment", "Service", "HorizontalPodAutoscaler"} {
		if !strings.Contains(out, kind) {
			t.Errorf("delete does not say that it touched a %s:\n%s", kind, out)
		}
	}
	b.NothingLeft(t, ns, "iris")
}
