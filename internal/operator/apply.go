package operator

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator/health"
	"mizzen.dev/internal/operator/ownership"
	"mizzen.dev/internal/render"
)

// apply writes what differs, in order. What pods need comes before them: if some of it
// fails, the pods stay as they are. What comes after them does not depend on each other.
func (r *Reconciler) apply(ctx context.Context, s *state) error {
	var errs []error
	ready := true
	for _, desired := range s.desired {
		if desired.GetKind() == kindDeployment && !ready {
			continue
		}
		if err := r.applyOne(ctx, s, desired); err != nil {
			ready = false
			k, _ := kindOf(desired)
			s.fail(k.Condition, err)
			errs = append(errs, fmt.Errorf("applying %s: %w", idOf(desired), err))
		}
	}
	return errors.Join(errs...)
}

func (s *state) fail(condition string, err error) {
	s.failures = append(s.failures, health.Failure{Condition: condition, Reason: failureReason(err), Message: err.Error()})
}

// failureReason is the reason of a condition for a write that failed.
func failureReason(err error) string {
	var taken *TakenError
	switch {
	case errors.As(err, &taken):
		return health.ReasonNameTaken
	case meta.IsNoMatchError(err), kindGone(err):
		return health.ReasonKindMissing
	case apierrors.IsForbidden(err):
		return health.ReasonForbidden
	case apierrors.IsInvalid(err), apierrors.IsBadRequest(err):
		return health.ReasonRejected
	}
	return health.ReasonApplyFailed
}

// kindGone says whether the API server does not know the resource (any more), rather
// than one object of it.
func kindGone(err error) bool {
	var status apierrors.APIStatus
	if !apierrors.IsNotFound(err) || !errors.As(err, &status) {
		return false
	}
	d := status.Status().Details
	return d != nil && slices.ContainsFunc(d.Causes, func(c metav1.StatusCause) bool { return c.Type == metav1.CauseTypeUnexpectedServerResponse })
}

// applyOne writes an object if something of it would change.
func (r *Reconciler) applyOne(ctx context.Context, s *state, desired *unstructured.Unstructured) error {
	k, known := kindOf(desired)
	if !known {
		return fmt.Errorf("%s is no kind that the operator may write", desired.GroupVersionKind())
	}
	if !s.facts.has(k) {
		return &meta.NoKindMatchError{GroupKind: k.GroupVersionKind.GroupKind(), SearchedVersions: []string{k.Version}}
	}
	i := idOf(desired)
	live, err := r.present(ctx, s, desired)
	if err != nil {
		return err
	}
	var found []ownership.Difference
	last, remembered := r.memory.get(client.ObjectKeyFromObject(s.model), i)
	if live != nil {
		if err := MayTake(live, s.model); err != nil {
			return err
		}
		if live.GetDeletionTimestamp() != nil {
			return nil // it is made anew when it is gone
		}
		if remembered && last.behind(live) {
			return nil // the cache will tell of our own write, and then we look again
		}
		if found, err = ownership.Compare(desired, live, FieldManager); err != nil {
			return err
		}
		if found = last.unsettled(live, desired, found); len(found) == 0 {
			return nil
		}
		if err := r.keepReplicas(ctx, desired, live); err != nil {
			return err
		}
	}
	loggerFrom(ctx).V(1).Info("applying", "object", i.String(), "new", live == nil, "differs", fieldsOf(found))
	answer := desired.DeepCopy()
	err = r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(answer), client.FieldOwner(FieldManager), client.ForceOwnership)
	if err != nil {
		return err
	}
	r.Metrics.applied(k.Kind)
	s.live[i] = answer
	if drift := drifted(found, remembered && last.desired == hashOf(desired)); len(drift) > 0 {
		r.Metrics.drifted(k.Kind)
		r.Events.Eventf(s.model, live, corev1.EventTypeWarning, "DriftCorrected", "Apply", "%s", driftNote(i, drift))
	}
	return r.memory.wrote(client.ObjectKeyFromObject(s.model), desired, answer)
}

// present returns the object of that name; nil if there is none. The caches know those
// with the label of a Model: before one is made, the API server is asked whether
// somebody else has the name.
func (r *Reconciler) present(ctx context.Context, s *state, desired *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	if live, ok := s.live[idOf(desired)]; ok {
		return live, nil
	}
	live := &unstructured.Unstructured{}
	live.SetGroupVersionKind(desired.GroupVersionKind())
	err := r.Reader.Get(ctx, client.ObjectKeyFromObject(desired), live)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return live, nil
}

// MayTake says whether an object that is there is the Model's, or nobody's and made for
// it: what mizzenctl render wrote and somebody applied is taken over. Else it returns a
// *TakenError.
func MayTake(live *unstructured.Unstructured, m *v1alpha1.Model) error {
	object := live.GetKind() + " " + live.GetName()
	if c := metav1.GetControllerOf(live); c != nil {
		if c.UID == m.UID {
			return nil
		}
		return &TakenError{Object: object, Owner: c.Kind + " " + c.Name}
	}
	if live.GetLabels()[render.ModelLabel] != m.Name {
		return &TakenError{Object: object}
	}
	return nil
}

// keepReplicas hands the number of pods to another field manager if the apply that
// follows gives it up.
func (r *Reconciler) keepReplicas(ctx context.Context, desired, live *unstructured.Unstructured) error {
	n, gives := givesUpReplicas(desired, live)
	if !gives {
		return nil
	}
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(desired.GroupVersionKind())
	o.SetNamespace(desired.GetNamespace())
	o.SetName(desired.GetName())
	o.SetResourceVersion(live.GetResourceVersion()) // of this number, not of one that was
	if err := unstructured.SetNestedField(o.Object, n, "spec", "replicas"); err != nil {
		return err
	}
	if err := r.Client.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner(handoverManager), client.ForceOwnership); err != nil {
		return fmt.Errorf("handing over the number of pods: %w", err)
	}
	return nil
}

// drifted are the differences that somebody else made. If the same was applied before,
// that is all of them; if it is not known, those that somebody else owns now.
func drifted(found []ownership.Difference, appliedBefore bool) []ownership.Difference {
	var drift []ownership.Difference
	for _, d := range found {
		byOther := d.By != "" && d.By != handoverManager && d.Kind != ownership.Extra
		if byOther || appliedBefore && d.Kind != ownership.Extra {
			drift = append(drift, d)
		}
	}
	return drift
}

// maxDriftFields bounds what an Event names.
const maxDriftFields = 5

func driftNote(i id, drift []ownership.Difference) string {
	return fmt.Sprintf("%s was put back to what the Model says: %s", i, strings.Join(fieldsOf(drift), ", "))
}

// fieldsOf names the fields that differ, as far as people read.
func fieldsOf(found []ownership.Difference) []string {
	var fields []string
	for n, d := range found {
		if n == maxDriftFields {
			return append(fields, fmt.Sprintf("and %d more", len(found)-n))
		}
		text := d.Path
		if d.By != "" {
			text += " (changed by " + d.By + ")"
		}
		fields = append(fields, text)
	}
	return fields
}
