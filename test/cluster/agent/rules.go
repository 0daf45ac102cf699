//go:build linux

package main

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
)

// state is what the cluster has of what rules depend on.
type state struct {
	pods       []*corev1.Pod
	namespaces []*corev1.Namespace
	policies   []*networkingv1.NetworkPolicy
}

// direction is one of the two that a policy speaks of.
type direction struct {
	kind networkingv1.PolicyType
	// pod and peer are which address of a packet is whose.
	pod, peer string
}

// rules returns, for nft -f, the table of a node: a chain for each of its pods that a
// policy selects, and direction, which lets through what some policy allows. What
// belongs to a connection that was let through is let through. Between a pod and its
// own node all is, as Kubernetes wants it for probes: that is not forwarded. Service
// addresses have become pods' by then. IPv4 alone.
func (s state) rules(node string) string {
	pods := slices.SortedFunc(slices.Values(s.pods), func(a, b *corev1.Pod) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	policies := slices.SortedFunc(slices.Values(s.policies), func(a, b *networkingv1.NetworkPolicy) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	sorted := state{pods: slices.DeleteFunc(pods, func(p *corev1.Pod) bool { return !onNetwork(p) }), namespaces: s.namespaces, policies: policies}

	var chains, jumps strings.Builder
	for i, pod := range sorted.pods {
		if pod.Spec.NodeName != node {
			continue
		}
		for _, d := range []direction{
			{networkingv1.PolicyTypeIngress, "daddr", "saddr"},
			{networkingv1.PolicyTypeEgress, "saddr", "daddr"},
		} {
			allowed, selected := sorted.allowed(pod, d)
			if !selected {
				continue
			}
			chain := fmt.Sprintf("%s-%d", strings.ToLower(string(d.kind)), i)
			fmt.Fprintf(&chains, "\tchain %s { # %s/%s\n", chain, pod.Namespace, pod.Name)
			for _, match := range allowed {
				fmt.Fprintf(&chains, "\t\t%sreturn\n", match)
			}
			fmt.Fprintf(&chains, "\t\tcounter drop\n\t}\n")
			fmt.Fprintf(&jumps, "\t\tip %s %s jump %s\n", d.pod, pod.Status.PodIP, chain)
		}
	}
	// Adding the table makes deleting it succeed; all of it is one transaction.
	return "table ip netpol\ndelete table ip netpol\ntable ip netpol {\n" + chains.String() +
		"\tchain forward {\n\t\ttype filter hook forward priority -10; policy accept;\n\t\tct state established,related accept\n" +
		jumps.String() + "\t}\n}\n"
}

// onNetwork says whether the pod has an address of its own.
func onNetwork(p *corev1.Pod) bool {
	return p.Status.PodIP != "" && !p.Spec.HostNetwork && p.Status.Phase != corev1.PodFailed && p.Status.Phase != corev1.PodSucceeded
}

// allowed returns what may pass in one direction, as nft's matches; and whether any
// policy speaks of the pod in that direction, without which all may.
func (s state) allowed(pod *corev1.Pod, d direction) (matches []string, selected bool) {
	for _, policy := range s.policies {
		if policy.Namespace != pod.Namespace || !selects(&policy.Spec.PodSelector, pod.Labels) || !slices.Contains(policy.Spec.PolicyTypes, d.kind) {
			continue
		}
		selected = true
		if d.kind == networkingv1.PolicyTypeIngress {
			for _, rule := range policy.Spec.Ingress {
				for _, peer := range s.peers(policy.Namespace, rule.From) {
					matches = append(matches, product(d, peer, rule.Ports, pod)...)
				}
			}
			continue
		}
		for _, rule := range policy.Spec.Egress {
			for _, peer := range s.peers(policy.Namespace, rule.To) {
				matches = append(matches, product(d, peer, rule.Ports, peer.pod)...)
			}
		}
	}
	return matches, selected
}

// peer is a block of addresses or one pod.
type peer struct {
	block *networkingv1.IPBlock
	pod   *corev1.Pod
}

// peers returns who a rule speaks of; one that is neither block nor pod is everybody.
func (s state) peers(namespace string, of []networkingv1.NetworkPolicyPeer) []peer {
	if len(of) == 0 {
		return []peer{{}}
	}
	var found []peer
	for _, p := range of {
		if p.IPBlock != nil {
			if prefix, err := netip.ParsePrefix(p.IPBlock.CIDR); err == nil && prefix.Addr().Is4() {
				found = append(found, peer{block: p.IPBlock})
			}
			continue
		}
		for _, pod := range s.pods {
			if s.isPeer(pod, namespace, p) {
				found = append(found, peer{pod: pod})
			}
		}
	}
	return found
}

func (s state) isPeer(pod *corev1.Pod, namespace string, p networkingv1.NetworkPolicyPeer) bool {
	if p.PodSelector != nil && !selects(p.PodSelector, pod.Labels) {
		return false
	}
	if p.NamespaceSelector == nil {
		return pod.Namespace == namespace
	}
	i := slices.IndexFunc(s.namespaces, func(n *corev1.Namespace) bool { return n.Name == pod.Namespace })
	return i >= 0 && selects(p.NamespaceSelector, s.namespaces[i].Labels)
}

// product returns the matches of a peer with each of the ports. Names of ports are
// those of the pod that is called; a block has none.
func product(d direction, p peer, ports []networkingv1.NetworkPolicyPort, called *corev1.Pod) []string {
	address := ""
	switch {
	case p.pod != nil:
		address = fmt.Sprintf("ip %s %s ", d.peer, p.pod.Status.PodIP)
	case p.block != nil:
		address = fmt.Sprintf("ip %s %s ", d.peer, p.block.CIDR)
		if len(p.block.Except) > 0 {
			address += fmt.Sprintf("ip %s != { %s } ", d.peer, strings.Join(p.block.Except, ", "))
		}
	}
	if len(ports) == 0 {
		return []string{address}
	}
	var matches []string
	for _, port := range ports {
		for _, match := range portMatches(port, called) {
			matches = append(matches, address+match)
		}
	}
	return matches
}

func portMatches(port networkingv1.NetworkPolicyPort, called *corev1.Pod) []string {
	protocol := corev1.ProtocolTCP
	if port.Protocol != nil {
		protocol = *port.Protocol
	}
	name := strings.ToLower(string(protocol))
	switch {
	case port.Port == nil:
		return []string{"meta l4proto " + name + " "}
	case port.EndPort != nil:
		return []string{fmt.Sprintf("%s dport %d-%d ", name, port.Port.IntVal, *port.EndPort)}
	case port.Port.StrVal == "":
		return []string{fmt.Sprintf("%s dport %d ", name, port.Port.IntVal)}
	case called == nil:
		return nil
	}
	var matches []string
	for _, container := range slices.Concat(called.Spec.InitContainers, called.Spec.Containers) {
		for _, p := range container.Ports {
			if p.Name == port.Port.StrVal && cmp.Or(p.Protocol, corev1.ProtocolTCP) == protocol {
				matches = append(matches, fmt.Sprintf("%s dport %d ", name, p.ContainerPort))
			}
		}
	}
	return matches
}

func selects(selector *metav1.LabelSelector, set map[string]string) bool {
	s, err := metav1.LabelSelectorAsSelector(selector)
	return err == nil && s.Matches(labels.Set(set))
}
