package health

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// ready sums the conditions up. A Model is ready when what its spec says runs, answers
// and is reachable and isolated as it asks. An autoscaler or a monitor that does not
// work is said, but it takes nothing from the answers; nor does a way in that isolation
// keeps out: callers within the cluster may be all that was meant.
func ready(o *Observation, conditions []metav1.Condition) *finding {
	blocking := map[string]bool{v1alpha1.ConditionSourceReady: true, v1alpha1.ConditionWorkloadReady: true,
		v1alpha1.ConditionExposed: true, v1alpha1.ConditionIsolated: true}
	for _, status := range []metav1.ConditionStatus{metav1.ConditionFalse, metav1.ConditionUnknown} {
		for _, c := range conditions {
			if blocking[c.Type] && c.Status == status && c.Reason != ReasonAddressPending {
				return &finding{status: status, reason: c.Reason, message: c.Type + ": " + c.Message}
			}
		}
	}
	for _, c := range conditions {
		if c.Status != metav1.ConditionTrue || c.Type == v1alpha1.ConditionIsolated && wayInShut(o) {
			return yes(ReasonServingWithProblems, c.Type+": "+c.Reason+": "+c.Message)
		}
	}
	return yes(ReasonServing, "the model answers")
}

// wayInShut says whether nobody lets the calls of the way in through: not the platform,
// and not isolation.from, which may name them.
func wayInShut(o *Observation) bool {
	if i := o.Model.Spec.Isolation; i != nil && len(i.From) > 0 {
		return false
	}
	return slices.ContainsFunc(o.Problems, func(p render.Problem) bool { return p.Reason == render.ReasonIngressPeersUnknown })
}
