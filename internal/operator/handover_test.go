package operator_test

import (
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv1 "k8s.io/api/autoscaling/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/internal/operator"
)

// counts are all numbers of pods that a Deployment was ever told to have.
type counts struct {
	mu  sync.Mutex
	all []int32
}

func (c *counts) least() int32 {
	c.mu.Lock()
	defer c.mu.Unlock()
	least := c.all[0]
	for _, n := range c.all {
		least = min(least, n)
	}
	return least
}

func (b *bed) count(name string) *counts {
	b.Helper()
	cs, err := kubernetes.NewForConfig(b.server.Config)
	if err != nil {
		b.Fatal(err)
	}
	w, err := cs.AppsV1().Deployments(b.namespace).Watch(b.Context(), metav1.SingleObject(metav1.ObjectMeta{Name: name}))
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.Stop)
	d := &appsv1.Deployment{}
	b.read(d, name)
	c := &counts{all: []int32{*d.Spec.Replicas}}
	go func() {
		for e := range w.ResultChan() {
			if d, ok := e.Object.(*appsv1.Deployment); ok {
				c.mu.Lock()
				c.all = append(c.all, *d.Spec.Replicas)
				c.mu.Unlock()
			}
		}
	}()
	return c
}

// scaleTo is what an autoscaler does.
func (b *bed) scaleTo(name string, n int32) {
	b.Helper()
	d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: b.namespace}}
	s := &autoscalingv1.Scale{Spec: autoscalingv1.ScaleSpec{Replicas: n}}
	if err := b.SubResource("scale").Update(b.Context(), d, client.WithSubResourceBody(s), client.FieldOwner("kube-controller-manager")); err != nil {
		b.Fatal(err)
	}
}

func (b *bed) replicas(name string) int32 {
	b.Helper()
	d := &appsv1.Deployment{}
	b.read(d, name)
	return *d.Spec.Replicas
}

// TestReplicasToScaleAndBack holds for the number of pods while it goes from hand to
// hand: nothing in between sets a smaller one.
func TestReplicasToScaleAndBack(t *testing.T) {
	b := newBed(t, server.Get(t))
	op := b.operate(nil)
	b.model("iris", spec("replicas: 3"))
	b.reconciled("iris")
	seen := b.count("iris")

	b.respec("iris", spec("scale: {minReplicas: 2, maxReplicas: 9}"))
	b.reconciled("iris")
	op.resync("iris")
	if got := b.replicas("iris"); got != 3 {
		t.Errorf("under an autoscaler that has done nothing there are %d pods, expected 3", got)
	}
	b.scaleTo("iris", 6)
	op.resync("iris")
	if got := b.replicas("iris"); got != 6 {
		t.Errorf("the operator made %d of the autoscaler's 6", got)
	}

	b.respec("iris", spec("replicas: 4"))
	b.eventually("the autoscaler is gone", func() bool { return !b.there(&autoscalingv2.HorizontalPodAutoscaler{}, "iris") })
	b.eventually("the number is the spec's", func() bool { return b.replicas("iris") == 4 })
	op.resync("iris")
	if least := seen.least(); least != 3 {
		t.Errorf("on the way there were %d pods", least)
	}

	// And with neither, whoever scales the Deployment scales it.
	b.respec("iris", spec())
	b.reconciled("iris")
	b.scaleTo("iris", 5)
	op.resync("iris")
	if got := b.replicas("iris"); got != 5 {
		t.Errorf("with neither replicas nor scale there are %d pods, expected 5", got)
	}
}

// TestHPAToKEDAAndBack holds for autoscalers that take over from each other.
func TestHPAToKEDAAndBack(t *testing.T) {
	b := newBed(t, server.Get(t))
	b.offer("external.metrics.k8s.io")
	op := b.operate(func(o *operator.Options) {
		o.PlatformPath = b.platform("image: registry.example.com/mizzen:1.0.0", "prometheus: {address: \"http://prometheus.monitoring:9090\"}")
	})
	const cpu, rate = "scale: {minReplicas: 2, maxReplicas: 9, via: HPA}", "scale: {minReplicas: 2, maxReplicas: 9, target: {requestsPerSecond: 10}}"
	b.model("iris", spec(cpu))
	b.reconciled("iris")
	b.scaleTo("iris", 5)
	seen := b.count("iris")
	hpa := &autoscalingv2.HorizontalPodAutoscaler{}
	b.read(hpa, "iris")
	uid := hpa.UID

	b.respec("iris", spec(rate))
	m := b.reconciled("iris")
	if c := condition(m.Status.Conditions, "ScaledBy"); c == nil || c.Reason != "KEDANotAnswering" {
		t.Errorf("before KEDA has answered, ScaledBy is %+v", c)
	}
	so := &unstructured.Unstructured{}
	so.SetAPIVersion("keda.sh/v1alpha1")
	so.SetKind("ScaledObject")
	b.read(so, "iris")
	// As KEDA takes an HPA over: it writes the whole object anew.
	hpa.OwnerReferences = []metav1.OwnerReference{{APIVersion: "keda.sh/v1alpha1", Kind: "ScaledObject", Name: "iris", UID: so.GetUID(),
		Controller: ptr.To(true), BlockOwnerDeletion: ptr.To(true)}}
	hpa.ManagedFields = nil
	hpa.Spec.MinReplicas = ptr.To(int32(2))
	hpa.Labels["app.kubernetes.io/managed-by"] = "keda-operator"
	if err := b.Update(t.Context(), hpa, client.FieldOwner("keda")); err != nil {
		t.Fatal(err)
	}
	op.resync("iris")
	b.read(hpa, "iris")
	if hpa.UID != uid || hpa.DeletionTimestamp != nil || hpa.Labels["app.kubernetes.io/managed-by"] != "keda-operator" {
		t.Error("the operator touched KEDA's autoscaler")
	}

	b.respec("iris", spec(cpu))
	b.eventually("the ScaledObject is gone", func() bool { return !b.there(so, "iris") })
	b.reconciled("iris")
	op.resync("iris")
	b.read(hpa, "iris")
	if hpa.UID != uid {
		t.Error("KEDA's autoscaler was removed by the operator")
	}
	// As the garbage collector does now.
	if err := b.Delete(t.Context(), hpa); err != nil {
		t.Fatal(err)
	}
	b.eventually("the operator's own autoscaler is there", func() bool {
		return b.there(hpa, "iris") && metav1.GetControllerOf(hpa) != nil && metav1.GetControllerOf(hpa).Kind == "Model"
	})
	op.resync("iris")
	if least := seen.least(); least != 5 {
		t.Errorf("on the way there were %d pods, expected never less than 5", least)
	}
}
