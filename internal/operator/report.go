package operator

import (
	"context"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator/health"
)

// report writes the status, once, and only if it changed: what somebody waits for at
// once, and progress in a while, unless nobody would look again then.
func (r *Reconciler) report(ctx context.Context, s *state) error {
	o, err := s.observation()
	if err != nil {
		return err
	}
	o.Now = metav1.NewTime(r.Clock.Now()).Rfc3339Copy()
	s.lookAt(health.NextLook(o))
	status := statusOf(s, o)
	if equality.Semantic.DeepEqual(status, &s.model.Status) {
		r.memory.told(client.ObjectKeyFromObject(s.model))
		return nil
	}
	if !s.final && !news(&s.model.Status, status) {
		due := r.memory.untold(client.ObjectKeyFromObject(s.model), o.Now.Time).Add(progressDelay)
		if due.After(o.Now.Time) {
			s.lookAt(due)
			return nil
		}
	}
	changed := s.model.DeepCopy()
	changed.Status = *status
	err = r.Client.Status().Patch(ctx, changed, client.MergeFrom(s.model))
	if apierrors.IsNotFound(err) {
		return nil // it was deleted meanwhile
	}
	if err != nil {
		return fmt.Errorf("writing the status: %w", err)
	}
	r.memory.reported(changed)
	r.announce(s, &s.model.Status, status)
	return nil
}

// announce says what people want to know of without asking: that a Model began or
// ceased to be ready, and that it has a new revision.
func (r *Reconciler) announce(s *state, before, after *v1alpha1.ModelStatus) {
	was, is := meta.FindStatusCondition(before.Conditions, v1alpha1.ConditionReady), meta.FindStatusCondition(after.Conditions, v1alpha1.ConditionReady)
	switch {
	case is.Status == metav1.ConditionTrue && (was == nil || was.Status != metav1.ConditionTrue):
		r.Events.Eventf(s.model, nil, corev1.EventTypeNormal, "Ready", "Report", "the model answers")
	case is.Status == metav1.ConditionFalse && (was == nil || was.Status != metav1.ConditionFalse || was.Reason != is.Reason):
		r.Events.Eventf(s.model, nil, corev1.EventTypeWarning, is.Reason, "Report", "%s", firstBytes(is.Message))
	}
	if len(after.Revisions) > 0 && (len(before.Revisions) == 0 || before.Revisions[0].Name != after.Revisions[0].Name) {
		r.Events.Eventf(s.model, nil, corev1.EventTypeNormal, "RevisionMade", "Report", "revision %s of version %s runs %s",
			after.Revisions[0].Name, after.Revisions[0].Version, after.Revisions[0].Image)
	}
}

// maxNote is how long an Event's note may be.
const maxNote = 1000

func firstBytes(text string) string {
	if len(text) <= maxNote {
		return text
	}
	return text[:maxNote] + "…"
}

// observation is what the conditions are made of.
func (s *state) observation() (*health.Observation, error) {
	o := &health.Observation{Model: s.model, Offers: s.facts.platform.Offers, Failures: s.failures, Pods: s.pods}
	if s.result != nil {
		o.Problems, o.Revision, o.ScaledBy = s.result.Problems, s.result.Revision, s.result.ScaledBy
	}
	for i, live := range s.live {
		if !controlledBy(live, s.model.UID) && !byScaledObject(live) {
			continue
		}
		var err error
		switch i.kind.Kind {
		case kindDeployment:
			o.Deployment, err = typed[appsv1.Deployment](live)
		case kindHPA:
			o.HPA, err = typed[autoscalingv2.HorizontalPodAutoscaler](live)
		case "Ingress":
			o.Ingress, err = typed[networkingv1.Ingress](live)
		case "PersistentVolumeClaim":
			var claim *corev1.PersistentVolumeClaim
			if claim, err = typed[corev1.PersistentVolumeClaim](live); err == nil {
				o.Claims = append(o.Claims, *claim)
			}
		case kindScaledObject:
			o.ScaledObject = live
		case "HTTPRoute", "GRPCRoute":
			o.Routes = append(o.Routes, live)
		case kindGateway:
			o.Gateways = append(o.Gateways, live)
		case "Certificate":
			o.Certificates = append(o.Certificates, live)
		case "NetworkPolicy":
			o.Isolated = true
		case "ServiceMonitor", "PrometheusRule":
			o.Monitored = true
		}
		if err != nil {
			return nil, fmt.Errorf("reading %s: %w", i, err)
		}
	}
	byName(o.Routes)
	byName(o.Gateways)
	byName(o.Certificates)
	return o, nil
}

func typed[T any](o *unstructured.Unstructured) (*T, error) {
	into := new(T)
	return into, runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, into)
}
