package render

import (
	"fmt"
	"slices"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

// Reasons under which Isolated is not as one would expect.
const (
	// ReasonIngressPeersUnknown is of a way in whose calls isolation does not let through.
	ReasonIngressPeersUnknown = "IngressPeersUnknown"
	reasonScraperPeersUnknown = "ScraperPeersUnknown"
)

const networkingAPI = "networking.k8s.io/v1"

// isolation lets in who may call, and lets out to what the pods need. The policies
// select the Model's own pods and nobody else's. They hold for the init container as
// for the server: docs/decisions/0010-egress-to-stores.md.
func (r *renderer) isolation() {
	var i v1alpha1.Isolation
	if r.spec.Isolation != nil {
		i = *r.spec.Isolation
	}
	if i.Mode == v1alpha1.IsolationDisabled {
		if r.Platform.Closes(r.Model.Namespace) {
			r.warn("spec.isolation.mode", conditionIsolated, "NamespaceCloses",
				"the platform closes the namespace %s with the NetworkPolicy %s, and without policies of its own nobody reaches the Model, and it reaches nobody: set mode to Restricted, with from and egress for exceptions, or write NetworkPolicies for it, or remove the namespace from the platform file and that policy from the namespace", r.Model.Namespace, platform.DefaultDeny)
		}
		return
	}
	pods := metav1.LabelSelector{MatchLabels: r.selector()}
	r.add(&object{APIVersion: networkingAPI, Kind: "NetworkPolicy", Metadata: r.metaNamed(r.name("ingress")), Spec: &networkingv1.NetworkPolicySpec{
		PodSelector: pods,
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
		Ingress:     r.callers(i.From),
	}})
	r.add(&object{APIVersion: networkingAPI, Kind: "NetworkPolicy", Metadata: r.metaNamed(r.name("egress")), Spec: &networkingv1.NetworkPolicySpec{
		PodSelector: pods,
		PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeEgress},
		Egress:      append(r.needs(), i.Egress...),
	}})
}

// callers are the Model's own namespace, the way in of expose, Prometheus, and whom
// the Model names. The kubelet's probes need no rule.
func (r *renderer) callers(from []networkingv1.NetworkPolicyPeer) []networkingv1.NetworkPolicyIngressRule {
	serving := ports(r.profile.httpPort)
	if r.profile.grpcPort != 0 {
		serving = ports(r.profile.httpPort, r.profile.grpcPort)
	}
	rules := []networkingv1.NetworkPolicyIngressRule{{
		From:  append([]networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}, from...),
		Ports: serving,
	}}
	if e := r.spec.Expose; e != nil {
		if peers := r.Platform.Peers.Ingress; len(peers) > 0 {
			rules = append(rules, networkingv1.NetworkPolicyIngressRule{From: peers, Ports: serving})
		} else {
			effect := "do not get through"
			if len(from) > 0 {
				effect = "get through only if isolation.from names them"
			}
			r.warn("spec.expose", conditionIsolated, ReasonIngressPeersUnknown,
				"the platform does not say which pods %s consists of, so that their calls %s: name them in peers.ingress of the platform file, or in isolation.from", meansOf(e), effect)
		}
	}
	if !r.scraped() {
		return rules
	}
	if peers := r.Platform.Peers.Scraper; len(peers) > 0 {
		return append(rules, networkingv1.NetworkPolicyIngressRule{From: peers, Ports: ports(r.profile.metricsPort)})
	}
	// Who may call may also read the metrics, where both have one port.
	advice := "name them in peers.scraper of the platform file, or in isolation.from"
	if r.profile.metricsPort != r.profile.httpPort {
		advice = fmt.Sprintf("name them in peers.scraper of the platform file (isolation.from opens the ports of predictions, and metrics are on %d)", r.profile.metricsPort)
	}
	r.warn("spec.telemetry.scrape", conditionIsolated, reasonScraperPeersUnknown,
		"the platform does not say which pods Prometheus consists of, so that it cannot scrape: %s", advice)
	return rules
}

func meansOf(e *v1alpha1.Expose) string {
	if e.Gateway != nil {
		return "the Gateway"
	}
	return "the ingress controller"
}

// scraped says whether Prometheus collects the metrics: over a ServiceMonitor, or in
// a way that the platform sees to.
func (r *renderer) scraped() bool {
	if r.profile.metricsPort == 0 {
		return false
	}
	mode := v1alpha1.ModeAuto
	if t := r.spec.Telemetry; t != nil && t.Scrape != nil && t.Scrape.Mode != "" {
		mode = t.Scrape.Mode
	}
	if mode == v1alpha1.ModeAuto {
		return r.Platform.Prometheus != nil || r.Platform.Offers.Has(platform.PrometheusOperator)
	}
	return mode == v1alpha1.ModeEnabled
}

// needs are name servers, the collector of traces, the store while pods fetch from
// it, and what workload identity asks.
func (r *renderer) needs() []networkingv1.NetworkPolicyEgressRule {
	rules := []networkingv1.NetworkPolicyEgressRule{{
		To:    orAnybody(r.Platform.Peers.DNS),
		Ports: append(portsOf(corev1.ProtocolUDP, dnsPort, dnsPodPort), portsOf(corev1.ProtocolTCP, dnsPort, dnsPodPort)...),
	}}
	if c, ok := r.collector(); ok {
		port := int32(otlpGRPCPort)
		if c.protocol == v1alpha1.OTLPHTTP {
			port = otlpHTTPPort
		}
		rules = append(rules, networkingv1.NetworkPolicyEgressRule{
			To: orAnybody(r.Platform.Peers.Collector), Ports: ports(portOf(c.endpoint, port)),
		})
	}
	stores := r.storePorts()
	if len(stores) > 0 {
		rules = append(rules, networkingv1.NetworkPolicyEgressRule{To: orAnybody(r.Platform.Peers.Stores), Ports: ports(stores...)})
	}
	if r.spec.ServiceAccountName != "" {
		rules = append(rules, r.identityRules(stores)...)
	}
	return rules
}

// orAnybody is peers, or all pods and addresses but those of the cloud's metadata.
// Pods are named beside addresses: not every network plugin counts them as such.
func orAnybody(peers []networkingv1.NetworkPolicyPeer) []networkingv1.NetworkPolicyPeer {
	if len(peers) > 0 {
		return peers
	}
	return append([]networkingv1.NetworkPolicyPeer{{NamespaceSelector: &metav1.LabelSelector{}}}, anyAddress()...)
}

func anyAddress() []networkingv1.NetworkPolicyPeer {
	return []networkingv1.NetworkPolicyPeer{
		{IPBlock: &networkingv1.IPBlock{CIDR: "0.0.0.0/0", Except: metadataIPv4()}},
		{IPBlock: &networkingv1.IPBlock{CIDR: "::/0", Except: metadataIPv6()}},
	}
}

// metadataIPv4 are where clouds hand out the credentials of the node, and of pods
// with workload identity: all clouds, and GKE's, ECS's, EKS's agents, and Alibaba's.
func metadataIPv4() []string {
	return []string{"169.254.169.254/32", "169.254.169.252/32", "169.254.170.2/32", "169.254.170.23/32", "100.100.100.200/32"}
}

// metadataIPv6 are AWS's, its agent's, and Google's.
func metadataIPv6() []string {
	return []string{"fd00:ec2::254/128", "fd00:ec2::23/128", "fd20:ce::254/128"}
}

// Ports of what pods talk to.
const (
	dnsPort      = 53
	dnsPodPort   = 5353 // of name servers in pods without privileges, OpenShift's: policies see a pod's port, not its Service's
	otlpGRPCPort = 4317
	otlpHTTPPort = 4318
	httpsPort    = 443
	httpPort     = 80
	// gkeMetadataPort is where GKE's metadata server gets what pods send to port 80.
	gkeMetadataPort = 988
)

// identityRules let a pod exchange its token: at the cloud's metadata address, or over
// HTTPS at its token service, which may be anywhere; the latter where the pod has a
// store to fetch from, unless the rule for the store lets it out there already.
func (r *renderer) identityRules(stores []int32) []networkingv1.NetworkPolicyEgressRule {
	var peers []networkingv1.NetworkPolicyPeer
	for _, address := range append(metadataIPv4(), metadataIPv6()...) {
		peers = append(peers, networkingv1.NetworkPolicyPeer{IPBlock: &networkingv1.IPBlock{CIDR: address}})
	}
	rules := []networkingv1.NetworkPolicyEgressRule{{To: peers, Ports: ports(httpPort, gkeMetadataPort)}}
	open := len(r.Platform.Peers.Stores) == 0 && slices.Contains(stores, httpsPort)
	if len(stores) > 0 && !open {
		rules = append(rules, networkingv1.NetworkPolicyEgressRule{To: anyAddress(), Ports: ports(httpsPort)})
	}
	return rules
}

func ports(numbers ...int32) []networkingv1.NetworkPolicyPort {
	return portsOf(corev1.ProtocolTCP, numbers...)
}

func portsOf(protocol corev1.Protocol, numbers ...int32) []networkingv1.NetworkPolicyPort {
	var all []networkingv1.NetworkPolicyPort
	for _, n := range numbers {
		all = append(all, networkingv1.NetworkPolicyPort{Protocol: ptr(protocol), Port: ptr(intstr.FromInt32(n))})
	}
	return all
}
