package status

import (
	"cmp"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// shownEvents is how many events there are on the screen.
const shownEvents = 10

// Event is something that happened to the Model or one of its objects.
type Event struct {
	At      time.Time `json:"at"`
	Type    string    `json:"type"`
	Reason  string    `json:"reason"`
	Object  string    `json:"object"`
	Message string    `json:"message"`
	Count   int32     `json:"count,omitempty"`
}

// events returns the newest events of the Model's objects, the newest first.
func events(o *Objects) []Event {
	ours := map[types.UID]bool{}
	add := func(uid types.UID) { ours[uid] = uid != "" }
	if o.Model != nil {
		add(o.Model.UID)
	}
	for i := range o.Deployments {
		add(o.Deployments[i].UID)
	}
	for i := range o.ReplicaSets {
		add(o.ReplicaSets[i].UID)
	}
	for i := range o.Pods {
		add(o.Pods[i].UID)
	}
	for i := range o.HPAs {
		add(o.HPAs[i].UID)
	}
	for i := range o.Ingresses {
		add(o.Ingresses[i].UID)
	}
	for _, list := range [][]unstructured.Unstructured{o.ScaledObjects, o.HTTPRoutes, o.Others} {
		for i := range list {
			add(list[i].GetUID())
		}
	}
	for i := range o.Gateways {
		if g := &o.Gateways[i]; g.GetLabels()[render.ModelLabel] == o.Name { // else it is the platform's
			add(g.GetUID())
		}
	}
	found := []Event{}
	for i := range o.Events {
		e := &o.Events[i]
		if ours[e.InvolvedObject.UID] && !premature(o, e) {
			found = append(found, Event{At: lastSeen(e), Type: e.Type, Reason: e.Reason, Message: e.Message, Count: count(e),
				Object: e.InvolvedObject.Kind + "/" + e.InvolvedObject.Name})
		}
	}
	slices.SortStableFunc(found, func(a, b Event) int {
		return cmp.Or(b.At.Compare(a.At), cmp.Compare(a.Object, b.Object), cmp.Compare(a.Reason, b.Reason))
	})
	return found[:min(len(found), shownEvents)]
}

// premature says whether an event is the warning of an autoscaler that pods which have
// just started were not measured yet. The operator says so where it is more than that.
func premature(o *Objects, e *corev1.Event) bool {
	if o.Model == nil || e.InvolvedObject.Kind != "HorizontalPodAutoscaler" ||
		!strings.HasPrefix(e.Reason, "FailedGet") && e.Reason != "FailedComputeMetricsReplicas" {
		return false
	}
	return !meta.IsStatusConditionFalse(o.Model.Status.Conditions, v1alpha1.ConditionScaledBy)
}

// lastSeen looks in all the places where events have had their time.
func lastSeen(e *corev1.Event) time.Time {
	switch {
	case e.Series != nil && !e.Series.LastObservedTime.IsZero():
		return e.Series.LastObservedTime.Time
	case !e.LastTimestamp.IsZero():
		return e.LastTimestamp.Time
	case !e.EventTime.IsZero():
		return e.EventTime.Time
	}
	return e.CreationTimestamp.Time
}

func count(e *corev1.Event) int32 {
	if e.Series != nil {
		return e.Series.Count
	}
	return e.Count
}
