package operator_test

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/test/cluster/audit"
)

const ingress = "expose: {host: iris.example.com, ingress: {className: nginx}}"

// TestApply holds for what is made of a Model: all of it is owned by it, and so goes
// with it.
func TestApply(t *testing.T) {
	b := newBed(t, server.Get(t))
	b.operate(nil)
	m := b.model("iris", spec("replicas: 2", "config: {MIZZEN_LOG_LEVEL: debug}", ingress))
	b.reconciled("iris")

	objects := b.owned("iris")
	for name, o := range objects {
		c := metav1.GetControllerOf(&o)
		if c == nil || c.UID != m.UID || c.Kind != "Model" {
			t.Errorf("%s is controlled by %+v", name, c)
		}
	}
	kinds := map[string]bool{}
	for name := range objects {
		kinds[strings.Fields(name)[0]] = true
	}
	want := []string{"ConfigMap", "Deployment", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "PrometheusRule", "Service", "ServiceAccount", "ServiceMonitor"}
	if diff := cmp.Diff(want, slices.Sorted(maps.Keys(kinds))); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	writes, err := audit.Writes(b.server.AuditLog(), operatorUser, m.CreationTimestamp.Time)
	if err != nil {
		t.Fatal(err)
	}
	times := map[string]int{}
	for _, w := range writes {
		if w.Object.Namespace == b.namespace && w.Object.Group != "events.k8s.io" {
			times[w.Object.Resource+"/"+w.Object.Name]++
		}
	}
	for object, n := range times {
		if n > 2 {
			t.Errorf("%s was written %d times", object, n)
		}
	}
	if len(times) < len(objects) {
		t.Errorf("the audit log has writes of %d objects, expected at least %d", len(times), len(objects))
	}
}

// TestIdle holds for an operator that has nothing to do: in the API server's own log it
// has written nothing, whatever has been looked at.
func TestIdle(t *testing.T) {
	b := newBed(t, server.Get(t))
	op := b.operate(nil)
	b.model("iris", spec("scale: {minReplicas: 2, maxReplicas: 5, target: {cpuUtilization: 60}}", "config: {MIZZEN_LOG_LEVEL: debug}", ingress,
		"telemetry: {tracing: {endpoint: \"http://otel:4317\"}}", "isolation: {from: [{podSelector: {}}]}",
		"resources: {requests: {cpu: \"0.5\", memory: 1000Mi}, limits: {memory: 1Gi}}"))
	b.reconciled("iris")
	op.resync("iris")
	start := time.Now()
	for range 10 {
		op.resync("iris")
	}
	op.stop()
	restarted := b.operate(nil)
	b.model("mark", spec())
	b.reconciled("mark") // so it knows the platform, and works
	restarted.resync("iris")
	b.noWritesSince(start, "mark")
}

// noWritesSince waits until the audit log has what comes now, and wants no write of the
// operator in between but those for one Model.
func (b *bed) noWritesSince(start time.Time, but string) {
	b.Helper()
	mark := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "mark-", Namespace: b.namespace}}
	if err := b.Create(b.Context(), mark); err != nil {
		b.Fatal(err)
	}
	b.eventually("the mark is in the audit log", func() bool {
		all, err := audit.Read(b.server.AuditLog())
		if err != nil {
			b.Fatal(err)
		}
		return slices.ContainsFunc(all, func(e audit.Event) bool {
			return e.Object.Name == mark.Name || e.Object.Namespace == b.namespace && e.Verb == "create" && e.Object.Resource == "configmaps"
		})
	})
	writes, err := audit.Writes(b.server.AuditLog(), operatorUser, start)
	if err != nil {
		b.Fatal(err)
	}
	marked := false
	for _, w := range writes {
		if strings.HasPrefix(w.Object.Name, but) {
			marked = true
			continue
		}
		b.Errorf("the operator wrote: %s", w)
	}
	if !marked {
		b.Errorf("the audit log has no writes for %s either", but)
	}
}

// TestDrift holds for what people change in a hurry: it is put back, an Event says what
// and by whom, and what others add beside is let be.
func TestDrift(t *testing.T) {
	b := newBed(t, server.Get(t))
	op := b.operate(nil)
	b.model("iris", spec("replicas: 2"))
	b.reconciled("iris")
	d := &appsv1.Deployment{}
	b.read(d, "iris")
	image := d.Spec.Template.Spec.Containers[0].Image

	// As kubectl set image does.
	patch := client.RawPatch("application/strategic-merge-patch+json", []byte(`{"metadata":{"annotations":{"note":"mine"}},"spec":{"template":{"spec":{"containers":[{"name":"server","image":"other:1"}]}}}}`))
	if err := b.Patch(t.Context(), d, patch, client.FieldOwner("kubectl-set")); err != nil {
		t.Fatal(err)
	}
	b.eventually("the image is put back", func() bool {
		b.read(d, "iris")
		return d.Spec.Template.Spec.Containers[0].Image == image
	})
	if d.Annotations["note"] != "mine" {
		t.Error("an annotation of somebody else was removed")
	}
	b.eventually("an Event says so", func() bool {
		return slices.ContainsFunc(b.events("iris", "DriftCorrected"), func(note string) bool {
			return strings.Contains(note, `spec.template.spec.containers[name="server"].image`) && strings.Contains(note, "kubectl-set")
		})
	})

	// As kubectl delete does.
	if err := b.Delete(t.Context(), &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "iris", Namespace: b.namespace}}); err != nil {
		t.Fatal(err)
	}
	b.eventually("the Service is made again", func() bool { return b.there(&corev1.Service{}, "iris") })

	// As an autoscaler of somebody else's does under a fixed number.
	d.Spec.Replicas = new(int32(7))
	if err := b.Update(t.Context(), d, client.FieldOwner("kubectl-scale")); err != nil {
		t.Fatal(err)
	}
	b.eventually("the number of pods is put back", func() bool {
		b.read(d, "iris")
		return *d.Spec.Replicas == 2
	})
	op.stop()
}

// TestPrune holds for what a spec no longer asks for, and for what looks like it and
// is somebody else's.
func TestPrune(t *testing.T) {
	b := newBed(t, server.Get(t))
	b.operate(nil)
	b.model("iris", spec("replicas: 2"))
	b.reconciled("iris")
	if !b.there(&policyv1.PodDisruptionBudget{}, "iris") {
		t.Fatal("there is no PodDisruptionBudget to remove")
	}
	theirs := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "theirs", Namespace: b.namespace, Labels: map[string]string{"mizzen.dev/model": "iris"}}}
	if err := b.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	b.respec("iris", spec("replicas: 1"))
	b.eventually("the budget is gone", func() bool { return !b.there(&policyv1.PodDisruptionBudget{}, "iris") })
	if !b.there(&corev1.ConfigMap{}, "theirs") {
		t.Error("an object of somebody else was removed")
	}
}

// TestRefusedIsKept holds for a mistake in the spec: what works is not taken down.
func TestRefusedIsKept(t *testing.T) {
	b := newBed(t, server.Get(t))
	b.operate(nil)
	b.model("iris", spec("scale: {minReplicas: 2, maxReplicas: 5, via: HPA}"))
	b.reconciled("iris")
	b.respec("iris", spec("scale: {minReplicas: 2, maxReplicas: 5, via: KEDA, target: {requestsPerSecond: 5}}"))
	m := b.reconciled("iris")
	c := condition(m.Status.Conditions, "ScaledBy")
	if c == nil || c.Status != metav1.ConditionFalse || c.Reason != "KEDAMissing" {
		t.Fatalf("ScaledBy is %+v", c)
	}
	if !b.there(&autoscalingv2.HorizontalPodAutoscaler{}, "iris") {
		t.Error("the autoscaler is gone")
	}
}

// TestNameTaken holds for an object of the name that is needed which is somebody else's.
func TestNameTaken(t *testing.T) {
	b := newBed(t, server.Get(t))
	b.operate(nil)
	theirs := &corev1.Service{ObjectMeta: metav1.ObjectMeta{Name: "iris", Namespace: b.namespace},
		Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 81}}}}
	if err := b.Create(t.Context(), theirs); err != nil {
		t.Fatal(err)
	}
	b.model("iris", spec())
	m := b.reconciled("iris")
	c := condition(m.Status.Conditions, "WorkloadReady")
	if c == nil || c.Reason != "NameTaken" || !strings.Contains(c.Message, "Service iris") {
		t.Errorf("WorkloadReady is %+v", c)
	}
	b.read(theirs, "iris")
	if theirs.Spec.Ports[0].Port != 81 || len(theirs.OwnerReferences) != 0 {
		t.Error("the Service of somebody else was changed")
	}
	if b.there(&appsv1.Deployment{}, "iris") {
		t.Error("pods were made although what they need is not there")
	}
}

// TestAdopt holds for files of mizzenctl render that somebody applied before there was
// an operator.
func TestAdopt(t *testing.T) {
	b := newBed(t, server.Get(t))
	op := b.operate(nil)
	b.model("iris", spec())
	b.reconciled("iris")
	op.stop()
	s := &corev1.Service{}
	b.read(s, "iris")
	files := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service",
		"metadata": map[string]any{"name": "iris", "namespace": b.namespace, "labels": map[string]any{"mizzen.dev/model": "iris"}},
		"spec":     map[string]any{"selector": map[string]any{"mizzen.dev/model": "iris"}, "ports": []any{map[string]any{"name": "http", "port": int64(80)}}}}}
	if err := b.Delete(t.Context(), s); err != nil {
		t.Fatal(err)
	}
	b.apply(files, "kubectl")
	b.operate(nil)
	b.eventually("the Service is owned", func() bool {
		b.read(s, "iris")
		return metav1.GetControllerOf(s) != nil
	})
}

func condition(all []metav1.Condition, conditionType string) *metav1.Condition {
	i := slices.IndexFunc(all, func(c metav1.Condition) bool { return c.Type == conditionType })
	if i < 0 {
		return nil
	}
	return &all[i]
}
