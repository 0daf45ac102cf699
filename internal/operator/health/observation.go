// Package health says what of a Model works and what does not, and what to do: from
// what was observed in the cluster to the conditions of the Model's status. It reads
// nothing and changes nothing; the same observation gives the same conditions.
package health

import (
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// Observation is all that the conditions depend on. What is nil is not there.
type Observation struct {
	// Now is when it was observed.
	Now    metav1.Time
	Model  *v1alpha1.Model
	Offers platform.Offers
	// Problems that rendering has with the spec, and Failures to carry out the rest.
	Problems []render.Problem
	Failures []Failure

	// Revision is what should run.
	Revision   string
	Deployment *appsv1.Deployment
	Pods       []corev1.Pod
	Claims     []corev1.PersistentVolumeClaim

	// ScaledBy is the autoscaler that was chosen.
	ScaledBy     v1alpha1.ScaleVia
	HPA          *autoscalingv2.HorizontalPodAutoscaler
	ScaledObject *unstructured.Unstructured

	Ingress      *networkingv1.Ingress
	Routes       []*unstructured.Unstructured
	Gateways     []*unstructured.Unstructured
	Certificates []*unstructured.Unstructured

	// Isolated says that there are NetworkPolicies, Monitored that there is something
	// that lets a Prometheus, Grafana or both know of the Model.
	Isolated  bool
	Monitored bool
}

// Failure is something that could not be done in the cluster.
type Failure struct {
	Condition string
	Reason    string
	Message   string
	// Unknown says that it is not done yet, rather than that it cannot be done.
	Unknown bool
}

// finding is what a check has to say.
type finding struct {
	status  metav1.ConditionStatus
	reason  string
	message string
	// ends is when patience ends, and something else is said; zero if it does not.
	ends time.Time
}

// check looks for one thing. It returns nil if it has nothing to say, and the next
// check is asked.
type check func(*Observation) *finding

// maxMessage bounds what is written into a status, which people read in a terminal.
const maxMessage = 2048

// Conditions returns the conditions of the Model, with the times at which they
// changed kept from the Model's present status where they did not.
func Conditions(o *Observation) []metav1.Condition {
	previous := o.Model.Status.Conditions
	var conditions []metav1.Condition
	add := func(conditionType string, f *finding) {
		if f == nil {
			return
		}
		c := metav1.Condition{Type: conditionType, Status: f.status, Reason: f.reason, Message: truncate(f.message),
			ObservedGeneration: o.Model.Generation, LastTransitionTime: o.Now}
		if p := meta.FindStatusCondition(previous, conditionType); p != nil && p.Status == f.status {
			c.LastTransitionTime = p.LastTransitionTime
		}
		conditions = append(conditions, c)
	}
	for _, p := range parts() {
		add(p.conditionType, verdict(o, p.conditionType, p.checks))
	}
	add(v1alpha1.ConditionReady, ready(o, conditions))
	// Ready stands first: it is what people look for.
	return append(conditions[len(conditions)-1:], conditions[:len(conditions)-1]...)
}

// part is a condition, and the checks that it comes from.
type part struct {
	conditionType string
	checks        []check
}

// parts are all that Ready sums up, in the order in which a Model comes up.
func parts() []part {
	return []part{
		{v1alpha1.ConditionSourceReady, sourceChecks()},
		{v1alpha1.ConditionWorkloadReady, workloadChecks()},
		{v1alpha1.ConditionScaledBy, scaleChecks()},
		{v1alpha1.ConditionExposed, exposeChecks()},
		{v1alpha1.ConditionIsolated, isolationChecks()},
		{v1alpha1.ConditionObserved, telemetryChecks()},
	}
}

// verdict asks what could not be done at all, then the checks in order. What was done
// but not as asked colours a good verdict only.
func verdict(o *Observation, conditionType string, checks []check) *finding {
	if f := failed(o, conditionType); f != nil {
		return f
	}
	for _, c := range checks {
		f := c(o)
		if f == nil {
			continue
		}
		if f.status == metav1.ConditionTrue {
			if w := warned(o, conditionType); w != nil {
				return w
			}
		}
		return f
	}
	return nil
}

func failed(o *Observation, conditionType string) *finding {
	for _, p := range o.Problems {
		if p.Condition == conditionType && p.Severity == render.Refused {
			return no(p.Reason, p.Error())
		}
	}
	for _, f := range o.Failures {
		if f.Condition != conditionType {
			continue
		}
		if f.Unknown {
			return unknown(f.Reason, f.Message)
		}
		return no(f.Reason, f.Message)
	}
	return nil
}

func warned(o *Observation, conditionType string) *finding {
	for _, p := range o.Problems {
		if p.Condition == conditionType && p.Severity == render.Warning {
			return yes(p.Reason, p.Error())
		}
	}
	return nil
}

func no(reason, message string) *finding {
	return &finding{status: metav1.ConditionFalse, reason: reason, message: message}
}

func yes(reason, message string) *finding {
	return &finding{status: metav1.ConditionTrue, reason: reason, message: message}
}

func unknown(reason, message string) *finding {
	return &finding{status: metav1.ConditionUnknown, reason: reason, message: message}
}

func truncate(text string) string {
	if len(text) <= maxMessage {
		return text
	}
	runes := []rune(text[:maxMessage-len("…")])
	return string(runes[:len(runes)-1]) + "…" // the last one may be cut in two
}
