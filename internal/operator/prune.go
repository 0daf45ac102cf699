package operator

import (
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// retire deletes what goes before others come.
func (r *Reconciler) retire(ctx context.Context, s *state) error {
	for _, o := range s.retired {
		if err := r.remove(ctx, s, o); err != nil {
			s.fail(conditionOf(o), err)
			return err
		}
	}
	return nil
}

func conditionOf(o *unstructured.Unstructured) string {
	k, _ := kindOf(o)
	return k.Condition
}

// prune deletes what the Model no longer asks for.
func (r *Reconciler) prune(ctx context.Context, s *state) error {
	var errs []error
	for _, o := range s.superfluous {
		if err := r.remove(ctx, s, o); err != nil {
			s.fail(conditionOf(o), err)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
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
