package status

import (
	"fmt"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
)

// Autoscaler is who chooses the number of pods, and how it stands.
type Autoscaler struct {
	Kind v1alpha1.ScaleVia `json:"kind"`
	Name string            `json:"name"`
	Min  int32             `json:"min"`
	Max  int32             `json:"max"`
	// Current is how many there are, Desired how many it wants.
	Current int32 `json:"current"`
	Desired int32 `json:"desired"`
	// Metrics are what it looks at: the load of a pod now, and the load it should have.
	Metrics []Metric `json:"metrics,omitempty"`
	// Active says that it can measure; Message why it cannot, or what else is the matter.
	Active  bool   `json:"active"`
	Reason  string `json:"reason,omitempty"`
	Message string `json:"message,omitempty"`
}

// Metric is one thing that an autoscaler looks at.
type Metric struct {
	Name    string `json:"name"`
	Current string `json:"current,omitempty"`
	Target  string `json:"target"`
}

// notObserved is the reason of what nobody has looked at yet.
const notObserved = "NotObserved"

// autoscaler returns the HPA, KEDA's or a plain one; nil if there is neither.
func autoscaler(o *Objects) *Autoscaler {
	var a *Autoscaler
	if len(o.HPAs) > 0 {
		a = autoscalerOfHPA(&o.HPAs[0])
	}
	if len(o.ScaledObjects) == 0 {
		return a
	}
	return autoscalerOfKEDA(&o.ScaledObjects[0], a)
}

func autoscalerOfHPA(h *autoscalingv2.HorizontalPodAutoscaler) *Autoscaler {
	a := &Autoscaler{Kind: v1alpha1.ScaleViaHPA, Name: h.Name, Min: 1, Max: h.Spec.MaxReplicas,
		Current: h.Status.CurrentReplicas, Desired: h.Status.DesiredReplicas, Active: true}
	if h.Spec.MinReplicas != nil {
		a.Min = *h.Spec.MinReplicas
	}
	for i, spec := range h.Spec.Metrics {
		m := Metric{Name: metricName(spec)}
		m.Target = value(metricTarget(spec))
		if i < len(h.Status.CurrentMetrics) {
			m.Current = current(h.Status.CurrentMetrics[i])
		}
		a.Metrics = append(a.Metrics, m)
	}
	observed := false
	for _, c := range h.Status.Conditions {
		switch c.Type {
		case autoscalingv2.ScalingActive, autoscalingv2.AbleToScale:
			observed = true
			if c.Status == corev1.ConditionFalse && a.Active {
				a.Active, a.Reason, a.Message = false, c.Reason, c.Message
			}
		case autoscalingv2.ScalingLimited:
			if c.Status == corev1.ConditionTrue && a.Active {
				a.Reason, a.Message = c.Reason, c.Message
			}
		}
	}
	if !observed {
		a.Active, a.Reason, a.Message = false, notObserved, "the autoscaler has not measured anything yet"
	}
	return a
}

// autoscalerOfKEDA is a ScaledObject, and what the HPA that KEDA made for it says.
func autoscalerOfKEDA(so *unstructured.Unstructured, hpa *Autoscaler) *Autoscaler {
	a := &Autoscaler{}
	if hpa != nil {
		*a = *hpa
	}
	a.Kind, a.Name = v1alpha1.ScaleViaKEDA, so.GetName()
	a.Min, a.Max = 0, 100 // KEDA's own defaults
	if n, ok, _ := unstructured.NestedInt64(so.Object, "spec", "minReplicaCount"); ok {
		a.Min = int32(n)
	}
	if n, ok, _ := unstructured.NestedInt64(so.Object, "spec", "maxReplicaCount"); ok {
		a.Max = int32(n)
	}
	ready, fallback := conditionOf(so, "Ready"), conditionOf(so, "Fallback")
	switch {
	case ready.Status != metav1.ConditionTrue:
		a.Active, a.Reason, a.Message = false, ready.Reason, ready.Message
		if a.Reason == "" {
			a.Reason, a.Message = notObserved, "KEDA has not looked at the ScaledObject yet; is it running?"
		}
	case fallback.Status == metav1.ConditionTrue:
		a.Active, a.Reason, a.Message = false, "Fallback", "the load cannot be measured: KEDA keeps the replicas of the fallback"
	}
	return a
}

// condition is ScaledBy as the operator would report it.
func (a *Autoscaler) condition() Condition {
	c := Condition{Type: v1alpha1.ConditionScaledBy, Status: metav1.ConditionTrue, Reason: string(a.Kind), Message: a.Message}
	if !a.Active {
		c.Status, c.Reason = metav1.ConditionFalse, a.Reason
	}
	if a.Reason == notObserved {
		c.Status = metav1.ConditionUnknown
	}
	if c.Message == "" {
		c.Message = fmt.Sprintf("%s keeps %d to %d pods", a.Kind, a.Min, a.Max)
	}
	return c
}

// conditionOf reads a condition of an object whose type is not known here.
func conditionOf(u *unstructured.Unstructured, conditionType string) metav1.Condition {
	list, _, _ := unstructured.NestedSlice(u.Object, "status", "conditions")
	for _, item := range list {
		c, _ := item.(map[string]any)
		if c["type"] != conditionType {
			continue
		}
		text := func(key string) string { s, _ := c[key].(string); return s }
		return metav1.Condition{Type: conditionType, Status: metav1.ConditionStatus(text("status")), Reason: text("reason"),
			Message: text("message")}
	}
	return metav1.Condition{Type: conditionType, Status: metav1.ConditionUnknown}
}

func metricName(m autoscalingv2.MetricSpec) string {
	switch {
	case m.Resource != nil:
		return string(m.Resource.Name)
	case m.ContainerResource != nil:
		return string(m.ContainerResource.Name)
	case m.Pods != nil:
		return m.Pods.Metric.Name
	case m.Object != nil:
		return m.Object.Metric.Name
	case m.External != nil:
		return m.External.Metric.Name
	}
	return string(m.Type)
}

func metricTarget(m autoscalingv2.MetricSpec) autoscalingv2.MetricTarget {
	switch {
	case m.Resource != nil:
		return m.Resource.Target
	case m.ContainerResource != nil:
		return m.ContainerResource.Target
	case m.Pods != nil:
		return m.Pods.Target
	case m.Object != nil:
		return m.Object.Target
	case m.External != nil:
		return m.External.Target
	}
	return autoscalingv2.MetricTarget{}
}

func current(m autoscalingv2.MetricStatus) string {
	switch {
	case m.Resource != nil:
		return valueStatus(m.Resource.Current)
	case m.ContainerResource != nil:
		return valueStatus(m.ContainerResource.Current)
	case m.Pods != nil:
		return valueStatus(m.Pods.Current)
	case m.Object != nil:
		return valueStatus(m.Object.Current)
	case m.External != nil:
		return valueStatus(m.External.Current)
	}
	return ""
}

func value(t autoscalingv2.MetricTarget) string {
	return valueStatus(autoscalingv2.MetricValueStatus{AverageUtilization: t.AverageUtilization, AverageValue: t.AverageValue, Value: t.Value})
}

func valueStatus(v autoscalingv2.MetricValueStatus) string {
	switch {
	case v.AverageUtilization != nil:
		return fmt.Sprintf("%d%%", *v.AverageUtilization)
	case v.AverageValue != nil:
		return v.AverageValue.String()
	case v.Value != nil:
		return v.Value.String()
	}
	return ""
}
