package status

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
)

// ingressAt is one with the address that a load balancer gave it.
func ingressAt(lb networkingv1.IngressLoadBalancerIngress) []networkingv1.Ingress {
	in := networkingv1.Ingress{}
	in.Spec.Rules = []networkingv1.IngressRule{{Host: "ml.example.com", IngressRuleValue: networkingv1.IngressRuleValue{
		HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{Path: "/"}}}}}}
	in.Spec.TLS = []networkingv1.IngressTLS{{}}
	in.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{lb}
	return []networkingv1.Ingress{in}
}

// routeThrough is a route and a Gateway with an address of a kind.
func routeThrough(kind, value string) *Objects {
	route := map[string]any{"spec": map[string]any{"hostnames": []any{"ml.example.com"}}}
	gateway := map[string]any{"status": map[string]any{"addresses": []any{map[string]any{"type": kind, "value": value}}}}
	return &Objects{HTTPRoutes: []unstructured.Unstructured{{Object: route}}, Gateways: []unstructured.Unstructured{{Object: gateway}}}
}

func TestCall(t *testing.T) {
	const ask = "https://ml.example.com/v2/models/iris"
	service := corev1.Service{}
	service.Name = "iris"
	keys := &v1alpha1.Model{}
	keys.Spec.Auth = &v1alpha1.Auth{APIKeys: v1alpha1.SecretKey{Name: "iris-keys", Key: "keys"}}
	tests := map[string]struct {
		objects *Objects
		want    *Call
	}{
		"nothing": {&Objects{}, nil},
		"a load balancer with an address": {&Objects{Ingresses: ingressAt(networkingv1.IngressLoadBalancerIngress{IP: "192.0.2.7"})},
			&Call{Command: "curl --resolve ml.example.com:443:192.0.2.7 " + ask}},
		"a load balancer with a name": {&Objects{Ingresses: ingressAt(networkingv1.IngressLoadBalancerIngress{Hostname: "lb-7.example.net"})},
			&Call{Command: "curl --connect-to ml.example.com:443:lb-7.example.net:443 " + ask}},
		"a load balancer that is not there yet": {&Objects{Ingresses: ingressAt(networkingv1.IngressLoadBalancerIngress{})},
			&Call{Command: "curl " + ask}},
		"a host that name servers know": {&Objects{Ingresses: ingressAt(networkingv1.IngressLoadBalancerIngress{Hostname: "lb-7.example.net"}),
			Resolves: map[string]bool{"ml.example.com": true}}, &Call{Command: "curl " + ask}},
		"a Gateway with a name": {routeThrough("Hostname", "lb-7.example.net"),
			&Call{Command: "curl --connect-to ml.example.com:80:lb-7.example.net:80 http://ml.example.com/v2/models/iris"}},
		"a Gateway with an address of its own kind": {routeThrough("NamedAddress", "pool-7"),
			&Call{Command: "curl http://ml.example.com/v2/models/iris"}},
		"within the cluster": {&Objects{Services: []corev1.Service{service}}, &Call{
			Before:  "kubectl -n ml port-forward service/iris 8080:80",
			Command: "curl --retry 9 --retry-connrefused http://localhost:8080/v2/models/iris"}},
		"within a cluster that was chosen": {&Objects{Services: []corev1.Service{service}, Model: keys,
			KubectlFlags: []string{"--kubeconfig=/my clusters/eu", "--context=prod"}}, &Call{
			Before: "kubectl '--kubeconfig=/my clusters/eu' --context=prod -n ml port-forward service/iris 8080:80",
			Command: `curl --retry 9 --retry-connrefused -H "X-API-Key: $(kubectl '--kubeconfig=/my clusters/eu' --context=prod -n ml get secret iris-keys ` +
				`-o go-template='{{index .data "keys" | base64decode}}' | grep -m1 '^[^#]')" http://localhost:8080/v2/models/iris`}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.objects.Namespace, tt.objects.Name = "ml", "iris"
			if diff := cmp.Diff(tt.want, Of(tt.objects).Call); diff != "" {
				t.Errorf("call (-want +got):\n%s", diff)
			}
		})
	}
}
