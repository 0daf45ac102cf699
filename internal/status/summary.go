package status

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Summary is a Status in one row.
type Summary struct {
	Namespace string                 `json:"namespace"`
	Name      string                 `json:"name"`
	Version   string                 `json:"version,omitempty"`
	RunBy     RunBy                  `json:"runBy"`
	Ready     metav1.ConditionStatus `json:"ready"`
	// Reason is why it is not ready.
	Reason    string    `json:"reason,omitempty"`
	Replicas  Replicas  `json:"replicas"`
	ScaledBy  string    `json:"scaledBy"`
	Traffic   string    `json:"traffic,omitempty"`
	URL       string    `json:"url,omitempty"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
}

// Summary sums a Status up.
func (s *Status) Summary() Summary {
	ready := s.ReadyCondition()
	sum := Summary{Namespace: s.Namespace, Name: s.Name, Version: s.Version, RunBy: s.RunBy, Ready: ready.Status,
		Replicas: s.Replicas, ScaledBy: "Fixed", Traffic: s.Traffic, URL: s.URL, CreatedAt: s.CreatedAt}
	if ready.Status != metav1.ConditionTrue {
		sum.Reason = ready.Reason
	}
	if s.Deleting {
		sum.Ready, sum.Reason = metav1.ConditionFalse, "Deleting"
	}
	if a := s.Autoscaler; a != nil {
		sum.ScaledBy = fmt.Sprintf("%s %d–%d", a.Kind, a.Min, a.Max)
	}
	return sum
}
