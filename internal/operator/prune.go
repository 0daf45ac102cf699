package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator/health"
	"mizzen.dev/internal/render"
)

// handOver removes the autoscalers that go before the next one comes, and holds back
// what has to wait for that.
func (r *Reconciler) handOver(ctx context.Context, s *state) error {
	if s.refused()[v1alpha1.ConditionScaledBy] {
		return nil // what scales goes on
	}
	h := planHandover(s.model.UID, s.desired, s.live)
	for _, o := range h.retire {
		if err := r.remove(ctx, s, o); err != nil {
			s.fail(conditionOf(o), err)
			return err
		}
	}
	var now []*unstructured.Unstructured
	for _, o := range s.desired {
		if h.wait[idOf(o)] {
			s.waiting = append(s.waiting, o)
			s.failures = append(s.failures, health.Failure{Condition: conditionOf(o), Reason: health.ReasonHandover, Unknown: true,
				Message: "KEDA's autoscaler is being removed before the next one takes its place; the number of pods stays as it is"})
			continue
		}
		h.hold(o, s.live[idOf(o)])
		now = append(now, o)
	}
	s.desired = now
	return nil
}

func conditionOf(o *unstructured.Unstructured) string {
	k, _ := kindOf(o)
	return k.Condition
}

// prune deletes what the Model no longer asks for.
func (r *Reconciler) prune(ctx context.Context, s *state) error {
	var errs []error
	for _, o := range superfluous(s) {
		if err := r.remove(ctx, s, o); err != nil {
			s.fail(conditionOf(o), err)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// superfluous are the objects that the Model owns and does not ask for, in order.
// Kept are
//   - ConfigMaps that a pod, or the pods to come, read: a container that starts again
//     reads them again;
//   - an HPA that KEDA takes over;
//   - what was rendered for a part of the spec that is now refused: a mistake in the spec
//     must not take down what works.
func superfluous(s *state) []*unstructured.Unstructured {
	wanted := map[id]bool{}
	reads := map[string]bool{}
	for _, o := range s.desired {
		wanted[idOf(o)] = true
		if o.GetKind() == kindDeployment {
			for _, name := range newTemplateReads(o) {
				reads[name] = true
			}
		}
	}
	for _, o := range s.waiting {
		wanted[idOf(o)] = true
	}
	for i := range s.pods {
		for _, name := range configMaps(&s.pods[i].Spec) {
			reads[name] = true
		}
	}
	refused := s.refused()
	var all []*unstructured.Unstructured
	for i, o := range s.live {
		switch {
		case wanted[i], !controlledBy(o, s.model.UID), o.GetDeletionTimestamp() != nil:
		case i.kind.Kind == kindConfigMap && reads[i.name]:
		case i.kind.Kind == kindHPA && adoptedByKEDA(o, s.desired):
		case refused[conditionOf(o)]:
		default:
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b *unstructured.Unstructured) int {
		return cmp.Compare(idOf(a).String(), idOf(b).String())
	})
	return all
}

// refused are the conditions under which something of the spec was not rendered.
func (s *state) refused() map[string]bool {
	refused := map[string]bool{}
	for _, p := range s.result.Problems {
		if p.Severity == render.Refused {
			refused[p.Condition] = true
		}
	}
	return refused
}

// remove deletes an object of the Model, and that very one.
func (r *Reconciler) remove(ctx context.Context, s *state, o *unstructured.Unstructured) error {
	err := r.Client.Delete(ctx, o, client.Preconditions{UID: ptr.To(o.GetUID())}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("removing %s: %w", idOf(o), err)
	}
	r.Metrics.pruned(o.GetKind())
	r.Events.Eventf(s.model, o, corev1.EventTypeNormal, "Removed", "Prune", "%s is no longer asked for and was removed", idOf(o))
	return nil
}
