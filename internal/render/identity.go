package render

import corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

// identity is a ServiceAccount of the Model's own, without rights and without a
// token, unless the Model names one that is there.
func (r *renderer) identity() {
	if r.spec.ServiceAccountName != "" {
		return
	}
	r.add(corev1ac.ServiceAccount(r.Model.Name, r.Model.Namespace).
		WithLabels(r.labels()).
		WithAutomountServiceAccountToken(false))
}

func (r *renderer) serviceAccount() string {
	if r.spec.ServiceAccountName != "" {
		return r.spec.ServiceAccountName
	}
	return r.Model.Name
}
