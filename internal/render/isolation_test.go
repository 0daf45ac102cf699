package render

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"

	"mizzen.dev/internal/platform"
)

// endpoint is a pod, by its namespace and labels, or an address outside.
type endpoint struct {
	namespace string
	labels    labels.Set
	address   string
}

func podIn(namespace string) endpoint {
	return endpoint{namespace: namespace, labels: labels.Set{"app": "other"}}
}
func addressOf(address string) endpoint      { return endpoint{address: address} }
func (e endpoint) String() string            { return e.namespace + e.address }
func namespaceLabels(name string) labels.Set { return labels.Set{"kubernetes.io/metadata.name": name} }

// network decides as a network plugin does, by the policies of the Model's namespace.
type network struct {
	t        *testing.T
	policies []*networkingv1.NetworkPolicy
}

func networkOf(t *testing.T, name string) *network {
	t.Helper()
	_, objects := ways[name].rendered(t, "ml")
	n := &network{t: t}
	for _, o := range objects {
		if o.GetKind() == "NetworkPolicy" {
			p := &networkingv1.NetworkPolicy{}
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, p); err != nil {
				t.Fatal(err)
			}
			n.policies = append(n.policies, p)
		}
	}
	return n
}

func (n *network) selects(s *metav1.LabelSelector, l labels.Set) bool {
	selector, err := metav1.LabelSelectorAsSelector(s)
	if err != nil {
		n.t.Fatal(err)
	}
	return selector.Matches(l)
}

func (n *network) peer(p networkingv1.NetworkPolicyPeer, e endpoint) bool {
	if p.IPBlock != nil {
		if e.address == "" {
			return false
		}
		a := netip.MustParseAddr(e.address)
		for _, except := range p.IPBlock.Except {
			if netip.MustParsePrefix(except).Contains(a) {
				return false
			}
		}
		return netip.MustParsePrefix(p.IPBlock.CIDR).Contains(a)
	}
	if e.address != "" {
		return false
	}
	if p.NamespaceSelector == nil {
		return e.namespace == "ml" && n.selects(p.PodSelector, e.labels)
	}
	return n.selects(p.NamespaceSelector, namespaceLabels(e.namespace)) && (p.PodSelector == nil || n.selects(p.PodSelector, e.labels))
}

func (n *network) allowed(peers []networkingv1.NetworkPolicyPeer, ports []networkingv1.NetworkPolicyPort, e endpoint, protocol corev1.Protocol, port int32) bool {
	matches := len(peers) == 0
	for _, p := range peers {
		matches = matches || n.peer(p, e)
	}
	open := len(ports) == 0
	for _, p := range ports {
		open = open || *p.Protocol == protocol && p.Port.IntVal == port
	}
	return matches && open
}

// in says whether e reaches a pod of the Model; out whether a pod reaches e.
func (n *network) in(e endpoint, port int32) bool {
	isolated, allowed := false, false
	for _, p := range n.policies {
		for _, r := range p.Spec.Ingress {
			allowed = allowed || n.allowed(r.From, r.Ports, e, corev1.ProtocolTCP, port)
		}
		isolated = isolated || p.Spec.PolicyTypes[0] == networkingv1.PolicyTypeIngress
	}
	return !isolated || allowed
}

func (n *network) out(e endpoint, protocol corev1.Protocol, port int32) bool {
	isolated, allowed := false, false
	for _, p := range n.policies {
		for _, r := range p.Spec.Egress {
			allowed = allowed || n.allowed(r.To, r.Ports, e, protocol, port)
		}
		isolated = isolated || p.Spec.PolicyTypes[0] == networkingv1.PolicyTypeEgress
	}
	return !isolated || allowed
}

// TestWhoReachesWhom says what the policies mean.
func TestWhoReachesWhom(t *testing.T) {
	outside, metadata, metadata6, agent := addressOf("203.0.113.7"), addressOf("169.254.169.254"), addressOf("fd00:ec2::254"), addressOf("169.254.170.23")
	type call struct {
		e    endpoint
		port int32
		want bool
	}
	cases := map[string]struct{ in, out []call }{
		"isolated": { // a mounted claim, not exposed, not scraped
			in: []call{{podIn("ml"), 5000, true}, {podIn("ml"), 9000, true}, {podIn("ml"), 22, false}, {podIn("ingress"), 5000, false},
				{podIn("monitoring"), 5000, false}, {podIn("other"), 5000, false}, {outside, 5000, false}},
			out: []call{{podIn("kube-system"), 53, true}, {outside, 53, true}, {metadata, 53, false}, {metadata6, 53, false},
				{outside, 443, false}, {podIn("store"), 443, false}, {podIn("ml"), 5000, false}, {metadata, 80, false}},
		},
		"no-peers":         {in: []call{{podIn("ml"), 5000, true}, {podIn("ingress"), 5000, false}, {podIn("monitoring"), 5000, false}}},
		"nginx":            {in: []call{{podIn("ingress"), 5000, true}, {podIn("ingress"), 9000, true}, {podIn("ingress"), 22, false}, {podIn("other"), 5000, false}}},
		"isolated-scraped": {in: []call{{podIn("monitoring"), 8002, true}, {podIn("monitoring"), 8000, false}, {podIn("ml"), 8000, true}, {podIn("ml"), 8002, false}}},
		"isolated-named": {
			in:  []call{{podIn("other"), 5000, false}},
			out: []call{{addressOf("10.1.2.3"), 5432, true}, {addressOf("10.1.2.4"), 5432, false}, {addressOf("10.1.2.3"), 443, false}},
		},
		"isolated-traced": {out: []call{{podIn("observability"), 4319, true}, {podIn("observability"), 4317, false}, {podIn("other"), 4319, false},
			{outside, 4319, false}, {outside, 53, false}}},
		"isolated-not": {in: []call{{outside, 5000, true}}, out: []call{{metadata, 80, true}}},
		"store-https": {out: []call{{outside, 443, true}, {podIn("store"), 443, true}, {outside, 80, false}, {metadata, 443, false}, {metadata, 80, false},
			{metadata6, 443, false}, {agent, 443, false}, {addressOf("2001:db8::1"), 443, true}}},
		"store-port":        {out: []call{{outside, 8080, true}, {outside, 443, false}, {metadata, 8080, false}}},
		"store-s3-endpoint": {out: []call{{podIn("store"), 9000, true}, {podIn("proxy"), 3128, true}, {outside, 443, false}}},
		"store-peers":       {out: []call{{addressOf("10.9.8.7"), 443, true}, {outside, 443, false}, {podIn("store"), 443, false}}},
		"store-identity":    {out: []call{{metadata, 80, true}, {metadata6, 80, true}, {agent, 80, true}, {addressOf("169.254.169.252"), 988, true}, {metadata, 443, false}, {outside, 443, true}}},
		"claim-identity":    {out: []call{{metadata, 80, true}, {outside, 443, false}, {outside, 80, false}}},
		"image-volume":      {out: []call{{outside, 443, false}, {metadata, 80, false}}},
		"image":             {out: []call{{outside, 443, false}, {metadata, 80, false}}},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			n := networkOf(t, name)
			for _, c := range test.in {
				if got := n.in(c.e, c.port); got != c.want {
					t.Errorf("from %s to port %d: %t, want %t", c.e, c.port, got, c.want)
				}
			}
			for _, c := range test.out {
				if got := n.out(c.e, corev1.ProtocolTCP, c.port); got != c.want {
					t.Errorf("to %s, port %d: %t, want %t", c.e, c.port, got, c.want)
				}
			}
			for _, p := range n.policies {
				if n.selects(&p.Spec.PodSelector, labels.Set{ModelLabel: "other"}) || !n.selects(&p.Spec.PodSelector, labels.Set{ModelLabel: "iris"}) {
					t.Errorf("%s does not select the Model's own pods alone", p.Name)
				}
			}
		})
	}
}

// TestNamespaceCloses warns where the Model has no policies and its namespace is closed.
func TestNamespaceCloses(t *testing.T) {
	disabled := "  isolation: {mode: Disabled}\n"
	for name, test := range map[string]struct {
		spec, namespace string
		want            bool
	}{
		"closed":           {disabled, "ml-prod", true},
		"somebody else's":  {disabled, "other", false},
		"closed, isolated": {"", "ml-prod", false},
	} {
		t.Run(name, func(t *testing.T) {
			p := &platform.Platform{Namespaces: []platform.Namespace{{Name: test.namespace}}}
			problems := rendered(t, Input{Model: modelOf(t, test.spec), Platform: p}).Problems
			got := slices.ContainsFunc(problems, func(p Problem) bool {
				return p.Severity == Warning && p.Condition == conditionIsolated && p.Reason == "NamespaceCloses"
			})
			if got != test.want {
				t.Errorf("a warning: %t, of %v", got, problems)
			}
		})
	}
}

func TestGatewayDuration(t *testing.T) {
	for d, want := range map[string]string{"1m30s": "1m30s", "1500ms": "1s500ms", "100h": "100h", "36h0m0.001s": "36h1ms"} {
		var parsed metav1.Duration
		if err := parsed.UnmarshalJSON(fmt.Appendf(nil, "%q", d)); err != nil {
			t.Fatal(err)
		}
		if got := *gatewayDuration(&parsed); string(got) != want {
			t.Errorf("%s: got %s, want %s", d, got, want)
		}
	}
}
