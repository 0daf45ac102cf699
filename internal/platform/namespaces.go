package platform

import (
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// DefaultDeny is the NetworkPolicy that closes the namespaces of the platform file.
const DefaultDeny = "default-deny"

const (
	podSecurity = "pod-security.kubernetes.io/"
	// solverLabel is on the pods of cert-manager that answer ACME challenges, and
	// solverPort is where they do.
	solverLabel = "acme.cert-manager.io/http01-solver"
	solverPort  = 8089
)

// namespace for Models: pods are restricted, and nobody talks to anybody but where a
// Model's own NetworkPolicies say so. Pods that solve ACME challenges stay reachable:
// cert-manager puts them beside the Certificate.
func (p *Platform) namespace(ns Namespace) []any {
	metadata := p.metadata(ns.Name, "")
	labels := map[string]any{}
	for _, m := range []map[string]string{ns.Labels, metadata.Labels} {
		for k, v := range m {
			labels[k] = v
		}
	}
	for _, mode := range []string{"enforce", "warn", "audit"} {
		labels[podSecurity+mode] = "restricted"
		labels[podSecurity+mode+"-version"] = "latest"
	}
	objects := []any{
		map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": ns.Name, "labels": labels}},
		p.networkPolicy(DefaultDeny, ns.Name, networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress},
		}),
	}
	if p.usesACME() {
		tcp, port := corev1.ProtocolTCP, intstr.FromInt32(solverPort)
		objects = append(objects, p.networkPolicy("acme-solvers", ns.Name, networkingv1.NetworkPolicySpec{
			PodSelector: metav1.LabelSelector{MatchLabels: map[string]string{solverLabel: "true"}},
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress: []networkingv1.NetworkPolicyIngressRule{{
				From:  p.Peers.Ingress,
				Ports: []networkingv1.NetworkPolicyPort{{Protocol: &tcp, Port: &port}},
			}},
		}))
	}
	if len(ns.Quota) > 0 {
		objects = append(objects, newObject("v1", "ResourceQuota", p.metadata("models", ns.Name), corev1.ResourceQuotaSpec{Hard: ns.Quota}))
	}
	return objects
}

// Closes says that in a namespace nobody talks to anybody where no policy says so.
func (p *Platform) Closes(namespace string) bool {
	return slices.ContainsFunc(p.Namespaces, func(ns Namespace) bool { return ns.Name == namespace })
}

func (p *Platform) networkPolicy(name, namespace string, spec networkingv1.NetworkPolicySpec) any {
	return newObject("networking.k8s.io/v1", "NetworkPolicy", p.metadata(name, namespace), spec)
}
