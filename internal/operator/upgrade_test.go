package operator_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/internal/operator"
)

const fleet = 20

// TestUpgradeRestartsNothing holds for an operator that would render the pods of twenty
// Models otherwise than the one before it: they stay. A Model that asks for something
// else gets what is new.
func TestUpgradeRestartsNothing(t *testing.T) {
	b := newBed(t, server.Get(t))
	old := b.operate(nil)
	names := make([]string, fleet)
	for i := range names {
		names[i] = fmt.Sprintf("model-%d", i)
		b.model(names[i], spec("config: {MIZZEN_LOG_LEVEL: debug}", fmt.Sprintf("replicas: %d", 1+i%3)))
	}
	before := map[string]appsv1.Deployment{}
	for _, name := range names {
		b.reconciled(name)
		d := appsv1.Deployment{}
		b.read(&d, name)
		before[name] = d
	}
	old.stop()

	next := b.operate(func(o *operator.Options) {
		o.PlatformPath = b.platform("image: registry.example.com/mizzen:2.0.0", "defaults: {imagePullSecrets: [{name: registry}]}")
	})
	for _, name := range names {
		next.resync(name)
		d := appsv1.Deployment{}
		b.read(&d, name)
		if diff := cmp.Diff(before[name].Spec.Template, d.Spec.Template); diff != "" {
			t.Errorf("the pods of %s (-before +after):\n%s", name, diff)
		}
		if d.Generation != before[name].Generation {
			t.Errorf("the Deployment %s has generation %d after %d", name, d.Generation, before[name].Generation)
		}
	}

	// Drift is put back to what ran, not to what is new.
	drifting := before["model-0"]
	patch := client.RawPatch("application/strategic-merge-patch+json", []byte(`{"spec":{"template":{"spec":{"containers":[{"name":"server","image":"other:1"}]}}}}`))
	if err := b.Patch(t.Context(), drifting.DeepCopy(), patch, client.FieldOwner("kubectl-set")); err != nil {
		t.Fatal(err)
	}
	d := &appsv1.Deployment{}
	b.eventually("the image is put back", func() bool {
		b.read(d, "model-0")
		return d.Spec.Template.Spec.Containers[0].Image != "other:1"
	})
	if diff := cmp.Diff(before["model-0"].Spec.Template, d.Spec.Template); diff != "" {
		t.Errorf("the pods after drift (-before +after):\n%s", diff)
	}

	// What does not reach pods does not restart them; what does, takes all that is new,
	// but the image of a revision is its own.
	b.respec("model-1", spec("config: {MIZZEN_LOG_LEVEL: debug}", "replicas: 5"))
	b.respec("model-2", spec("config: {MIZZEN_LOG_LEVEL: debug}", "resources: {requests: {cpu: 50m}}"))
	b.respec("model-3", spec("config: {MIZZEN_LOG_LEVEL: warn}"))
	images, secrets := map[string]string{}, map[string]int{}
	for _, name := range []string{"model-1", "model-2", "model-3"} {
		b.reconciled(name)
		b.read(d, name)
		images[name], secrets[name] = d.Spec.Template.Spec.Containers[0].Image, len(d.Spec.Template.Spec.ImagePullSecrets)
	}
	if diff := cmp.Diff(map[string]string{"model-1": "registry.example.com/mizzen:1.0.0", "model-2": "registry.example.com/mizzen:1.0.0",
		"model-3": "registry.example.com/mizzen:2.0.0"}, images); diff != "" {
		t.Errorf("images (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{"model-1": 0, "model-2": 1, "model-3": 1}, secrets); diff != "" {
		t.Errorf("pull secrets (-want +got):\n%s", diff)
	}

	// Who goes back gets the very image that ran.
	b.respec("model-3", spec("config: {MIZZEN_LOG_LEVEL: debug}"))
	b.reconciled("model-3")
	b.read(d, "model-3")
	if got := d.Spec.Template.Spec.Containers[0].Image; got != "registry.example.com/mizzen:1.0.0" {
		t.Errorf("after going back the image is %s", got)
	}
}
