package health

import (
	"fmt"
	"strings"
	"time"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

// scaleChecks ask whether the autoscaler that was chosen does its work.
func scaleChecks() []check { return []check{notScaled, scaledByKEDA, scaledByHPA} }

func notScaled(o *Observation) *finding {
	if o.Model.Spec.Scale != nil && o.ScaledBy == "" {
		return unknown(ReasonPending, "no autoscaler is chosen yet")
	}
	return nil
}

func scaledByKEDA(o *Observation) *finding {
	if o.ScaledBy != v1alpha1.ScaleViaKEDA {
		return nil
	}
	if o.ScaledObject == nil {
		return unknown(ReasonPending, "the ScaledObject is not there yet")
	}
	ready := foreignCondition(o.ScaledObject, "Ready")
	paused := foreignCondition(o.ScaledObject, "Paused")
	fallback := foreignCondition(o.ScaledObject, "Fallback")
	switch {
	case ready == nil:
		return unknown(ReasonKEDASilent, "KEDA has not looked at the ScaledObject: its definition is installed; check that its operator runs")
	case ready.status == corev1.ConditionFalse:
		return no(ReasonScaledObjectNotReady, fmt.Sprintf("KEDA does not scale: %s: %s", ready.reason, ready.message))
	case ready.status != corev1.ConditionTrue:
		return unknown(ReasonKEDASilent, "KEDA has not decided about the ScaledObject yet")
	case paused != nil && paused.status == corev1.ConditionTrue:
		return no(ReasonPaused, "the ScaledObject is paused by an annotation of KEDA: "+paused.message)
	case fallback != nil && fallback.status == corev1.ConditionTrue:
		return no(ReasonFallbackActive, "the load cannot be measured, and scale.fallback is in force: check Prometheus and its address in the platform's file ("+fallback.message+")")
	}
	return yes(ReasonKEDA, "KEDA chooses the number of pods")
}

func scaledByHPA(o *Observation) *finding {
	if o.ScaledBy != v1alpha1.ScaleViaHPA {
		return nil
	}
	if o.HPA == nil {
		return unknown(ReasonPending, "the HorizontalPodAutoscaler is not there yet")
	}
	if c := hpaCondition(o.HPA, autoscalingv2.ScalingActive); c != nil && c.Status == corev1.ConditionFalse {
		switch {
		case c.Reason == "ScalingDisabled":
			return no(ReasonScalingDisabled, "the Deployment has been set to no pods, which turns the autoscaler off: kubectl scale it to one or more")
		case !o.Offers.Has(platform.MetricsServer):
			return no(ReasonMetricsServerAbsent, "nobody measures the CPU of pods in this cluster: install metrics-server. The number of pods stays as it is")
		case len(o.Pods) == 0 || !anyReady(o.Pods):
			return unknown(ReasonPending, "there is no load to measure before a pod answers")
		}
		blind := no(ReasonMetricsUnavailable, fmt.Sprintf("the autoscaler gets no metrics; the number of pods stays as it is: %s: %s", c.Reason, c.Message))
		if !strings.HasPrefix(c.Reason, "FailedGet") {
			return blind // it asks for what there cannot be
		}
		return o.until(measuredAt(o), unknown(ReasonPending, "the pods have just started, and their load has yet to be measured"), blind)
	}
	if c := hpaCondition(o.HPA, autoscalingv2.AbleToScale); c != nil && c.Status == corev1.ConditionFalse {
		return no(ReasonUnableToScale, fmt.Sprintf("the autoscaler cannot set the number of pods: %s: %s", c.Reason, c.Message))
	}
	if len(o.HPA.Status.Conditions) == 0 {
		return unknown(ReasonPending, "the autoscaler has not looked at the Deployment yet")
	}
	return yes(ReasonHPA, "a HorizontalPodAutoscaler chooses the number of pods")
}

func hpaCondition(h *autoscalingv2.HorizontalPodAutoscaler, conditionType autoscalingv2.HorizontalPodAutoscalerConditionType) *autoscalingv2.HorizontalPodAutoscalerCondition {
	for i := range h.Status.Conditions {
		if h.Status.Conditions[i].Type == conditionType {
			return &h.Status.Conditions[i]
		}
	}
	return nil
}

// statement is a condition of another project's kind.
type statement struct {
	status          corev1.ConditionStatus
	reason, message string
	// since is when the status changed; zero if nobody says.
	since time.Time
}

// foreignCondition returns a condition of another project's object; nil if it has none
// of that type.
func foreignCondition(o *unstructured.Unstructured, conditionType string) *statement {
	conditions, _, _ := unstructured.NestedSlice(o.Object, "status", "conditions")
	return findStatement(conditions, conditionType)
}

func findStatement(conditions []any, conditionType string) *statement {
	for _, c := range conditions {
		fields, ok := c.(map[string]any)
		if !ok || fields["type"] != conditionType {
			continue
		}
		status, _ := fields["status"].(string)
		reason, _ := fields["reason"].(string)
		message, _ := fields["message"].(string)
		changed, _ := fields["lastTransitionTime"].(string)
		since, _ := time.Parse(time.RFC3339, changed)
		return &statement{corev1.ConditionStatus(status), reason, message, since}
	}
	return nil
}
