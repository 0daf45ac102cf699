package operator

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
)

// progressDelay is how long progress waits to be written. While a Model comes up, its
// counts and messages change with every step of every pod; most of what is said within
// that time is over before somebody has read it.
const progressDelay = 10 * time.Second

// news says whether a status has something that people or scripts wait for, and is
// written at once. All else is progress: numbers of pods, messages, and how far a Model
// is that is neither ready nor in trouble.
func news(before, after *v1alpha1.ModelStatus) bool {
	if before.ObservedGeneration != after.ObservedGeneration || before.URL != after.URL || presentRevision(before) != presentRevision(after) {
		return true
	}
	was, is := readiness(before), readiness(after)
	if was != is {
		return true
	}
	for i := range after.Conditions {
		c := &after.Conditions[i]
		p := meta.FindStatusCondition(before.Conditions, c.Type)
		same := p != nil && p.Status == c.Status && p.Reason == c.Reason
		if !same && (is != metav1.ConditionUnknown || c.Status == metav1.ConditionFalse) {
			return true
		}
	}
	return false
}

func readiness(s *v1alpha1.ModelStatus) metav1.ConditionStatus {
	if c := meta.FindStatusCondition(s.Conditions, v1alpha1.ConditionReady); c != nil {
		return c.Status
	}
	return ""
}

func presentRevision(s *v1alpha1.ModelStatus) string {
	if len(s.Revisions) == 0 {
		return ""
	}
	return s.Revisions[0].Name
}
