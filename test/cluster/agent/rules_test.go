//go:build linux

package main

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

func pod(namespace, name, node, ip string, set map[string]string, ports ...corev1.ContainerPort) *corev1.Pod {
	return &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: set},
		Spec:       corev1.PodSpec{NodeName: node, Containers: []corev1.Container{{Ports: ports}}},
		Status:     corev1.PodStatus{PodIP: ip, Phase: corev1.PodRunning},
	}
}

func selector(key, value string) *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchLabels: map[string]string{key: value}}
}

// fixture is two namespaces: app has a server on each of two nodes, other a client.
func fixture(spec networkingv1.NetworkPolicySpec) state {
	gone := pod("app", "gone", "n1", "10.0.1.9", map[string]string{"app": "server"})
	gone.Status.Phase = corev1.PodSucceeded
	return state{
		namespaces: []*corev1.Namespace{
			{ObjectMeta: metav1.ObjectMeta{Name: "app"}},
			{ObjectMeta: metav1.ObjectMeta{Name: "other", Labels: map[string]string{"team": "blue"}}},
		},
		pods: []*corev1.Pod{
			pod("app", "server-2", "n2", "10.0.2.2", map[string]string{"app": "server"}, corev1.ContainerPort{Name: "http", ContainerPort: 8080}),
			pod("app", "server-1", "n1", "10.0.1.2", map[string]string{"app": "server"}, corev1.ContainerPort{Name: "http", ContainerPort: 8080}),
			pod("other", "client", "n1", "10.0.1.3", map[string]string{"app": "client"}),
			pod("other", "elsewhere", "n2", "10.0.2.3", map[string]string{"app": "batch"}),
			gone,
		},
		policies: []*networkingv1.NetworkPolicy{{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "p"}, Spec: spec}},
	}
}

// TestRules has what is in the chains of the node n1, and what jumps there.
func TestRules(t *testing.T) {
	ingress, egress := networkingv1.PolicyTypeIngress, networkingv1.PolicyTypeEgress
	http, dns, high, end, udp := intstr.FromString("http"), intstr.FromInt32(53), intstr.FromInt32(8000), int32(9000), corev1.ProtocolUDP
	tests := map[string]struct {
		spec networkingv1.NetworkPolicySpec
		want []string
	}{
		"nobody is selected": {
			spec: networkingv1.NetworkPolicySpec{PodSelector: *selector("app", "none"), PolicyTypes: []networkingv1.PolicyType{ingress}},
		},
		"nothing comes in": {
			spec: networkingv1.NetworkPolicySpec{PodSelector: *selector("app", "server"), PolicyTypes: []networkingv1.PolicyType{ingress}},
			want: []string{"counter drop", "ip daddr 10.0.1.2 jump ingress-0"},
		},
		"everybody may come in at a named port": {
			spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{ingress},
				Ingress: []networkingv1.NetworkPolicyIngressRule{{Ports: []networkingv1.NetworkPolicyPort{{Port: &http}}}}},
			want: []string{"tcp dport 8080 return", "counter drop", "ip daddr 10.0.1.2 jump ingress-0"},
		},
		"the own namespace may come in": {
			spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{ingress},
				Ingress: []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}}}},
			want: []string{"ip saddr 10.0.1.2 return", "ip saddr 10.0.2.2 return", "counter drop", "ip daddr 10.0.1.2 jump ingress-0"},
		},
		"some of another namespace may come in": {
			spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{ingress},
				Ingress: []networkingv1.NetworkPolicyIngressRule{{From: []networkingv1.NetworkPolicyPeer{
					{NamespaceSelector: selector("team", "blue"), PodSelector: selector("app", "client")}}}}},
			want: []string{"ip saddr 10.0.1.3 return", "counter drop", "ip daddr 10.0.1.2 jump ingress-0"},
		},
		"out to DNS and to most addresses": {
			spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{ingress, egress},
				Egress: []networkingv1.NetworkPolicyEgressRule{
					{Ports: []networkingv1.NetworkPolicyPort{{Port: &dns, Protocol: &udp}}},
					{To: []networkingv1.NetworkPolicyPeer{
						{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0", Except: []string{"169.254.0.0/16"}}},
						{IPBlock: &networkingv1.IPBlock{CIDR: "::/0"}},
					}, Ports: []networkingv1.NetworkPolicyPort{{Port: &high, EndPort: &end}}},
				}},
			want: []string{
				"counter drop", "udp dport 53 return",
				"ip daddr 0.0.0.0/0 ip daddr != { 169.254.0.0/16 } tcp dport 8000-9000 return", "counter drop",
				"ip daddr 10.0.1.2 jump ingress-0", "ip saddr 10.0.1.2 jump egress-0",
			},
		},
		"out to a named port of who has it": {
			spec: networkingv1.NetworkPolicySpec{PolicyTypes: []networkingv1.PolicyType{egress},
				Egress: []networkingv1.NetworkPolicyEgressRule{{
					To:    []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}, {NamespaceSelector: &metav1.LabelSelector{}, PodSelector: selector("app", "client")}},
					Ports: []networkingv1.NetworkPolicyPort{{Port: &http}}}}},
			want: []string{
				"ip daddr 10.0.1.2 tcp dport 8080 return", "ip daddr 10.0.2.2 tcp dport 8080 return", "counter drop",
				"ip saddr 10.0.1.2 jump egress-0",
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var got []string
			for line := range strings.Lines(fixture(test.spec).rules("n1")) {
				line = strings.TrimSpace(line)
				if strings.HasSuffix(line, "return") || strings.HasSuffix(line, "drop") || strings.Contains(line, "jump") {
					got = append(got, line)
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("rules (-want +got):\n%s", diff)
			}
		})
	}
}
