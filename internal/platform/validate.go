package platform

import (
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/nearest"
)

// validator collects what is wrong.
type validator struct{ errors FieldErrors }

func (v *validator) fail(path, format string, args ...any) {
	v.errors = append(v.errors, &FieldError{Path: path, Message: fmt.Sprintf(format, args...)})
}

// Validate returns what is wrong with a platform that has its defaults.
func (p *Platform) Validate() FieldErrors {
	v := &validator{}
	if p.APIVersion != APIVersion {
		v.fail("apiVersion", "must be %s", APIVersion)
	}
	if p.Kind != Kind {
		v.fail("kind", "must be %s", Kind)
	}
	v.subdomain("clusterDomain", p.ClusterDomain)
	if p.Image != "" {
		v.image("image", p.Image)
	}
	p.validateFacts(v)
	v.peers("peers.ingress", p.Peers.Ingress)
	v.peers("peers.scraper", p.Peers.Scraper)
	v.peers("peers.dns", p.Peers.DNS)
	v.peers("peers.collector", p.Peers.Collector)
	v.peers("peers.stores", p.Peers.Stores)
	p.validateDefaults(v)
	p.validateOwned(v)
	return v.errors
}

func (p *Platform) validateFacts(v *validator) {
	known := make([]string, 0, len(AllOffers()))
	for _, o := range AllOffers() {
		known = append(known, string(o))
	}
	for i, o := range p.Offers {
		if !slices.Contains(known, string(o)) {
			v.fail(fmt.Sprintf("offers[%d]", i), "%q is nothing that Mizzen knows%s; it knows %s", o, nearest.DidYouMean(string(o), known), strings.Join(known, ", "))
		}
	}
	seen := map[string]bool{}
	for i, c := range p.IngressClasses {
		path := fmt.Sprintf("ingressClasses[%d]", i)
		v.subdomain(path+".name", c.Name)
		v.unique(path+".name", c.Name, seen)
		if c.Controller == "" || !strings.Contains(c.Controller, "/") {
			v.fail(path+".controller", "must be as in the spec of the IngressClass, such as %s", ControllerNginx)
		}
	}
	seen = map[string]bool{}
	for i, g := range p.Gateways {
		path := fmt.Sprintf("gateways[%d]", i)
		v.subdomain(path+".name", g.Name)
		v.label(path+".namespace", g.Namespace)
		if g.SectionName != "" {
			v.subdomain(path+".sectionName", g.SectionName)
		}
		v.unique(path+".name", strings.TrimSuffix(g.Namespace+"/"+g.Name+"/"+g.SectionName, "/"), seen)
		v.oneOf(path+".scheme", string(g.Scheme), string(SchemeHTTPS), string(SchemeHTTP))
	}
	if m := p.Prometheus; m != nil {
		if m.Address != "" {
			v.url("prometheus.address", m.Address)
		}
		v.labels("prometheus.monitorLabels", m.MonitorLabels)
		v.labels("prometheus.ruleLabels", m.RuleLabels)
		if m.Interval.Duration <= 0 {
			v.fail("prometheus.interval", "must be above 0, such as 15s")
		}
	}
	if g := p.Grafana; g != nil {
		v.labels("grafana.dashboardLabels", g.DashboardLabels)
		v.qualifiedName("grafana.folderAnnotation", g.FolderAnnotation)
	}
	if t := p.Tracing; t != nil {
		v.url("tracing.endpoint", t.Endpoint)
		v.oneOf("tracing.protocol", string(t.Protocol), string(v1alpha1.OTLPGRPC), string(v1alpha1.OTLPHTTP))
	}
}

func (p *Platform) validateDefaults(v *validator) {
	d := p.Defaults
	if d.IssuerRef != nil {
		v.subdomain("defaults.issuerRef.name", d.IssuerRef.Name)
		if !p.Offers.Has(CertManager) && len(p.Offers) > 0 {
			v.fail("defaults.issuerRef", "needs cert-manager: add CertManager to offers, or remove it")
		}
	}
	if d.Gateway != nil {
		v.gatewayRef("defaults.gateway", d.Gateway)
	}
	for i, s := range d.ImagePullSecrets {
		v.subdomain(fmt.Sprintf("defaults.imagePullSecrets[%d].name", i), s.Name)
	}
}

func (v *validator) gatewayRef(path string, g *v1alpha1.GatewayRef) {
	v.subdomain(path+".name", g.Name)
	if g.Namespace != "" {
		v.label(path+".namespace", g.Namespace)
	}
	if g.SectionName != "" {
		v.subdomain(path+".sectionName", g.SectionName)
	}
}

func (v *validator) unique(path, value string, seen map[string]bool) {
	if seen[value] {
		v.fail(path, "%s stands here twice", value)
	}
	seen[value] = true
}

func (v *validator) oneOf(path, value string, allowed ...string) {
	if !slices.Contains(allowed, value) {
		v.fail(path, "must be %s%s", strings.Join(allowed, " or "), nearest.DidYouMean(value, allowed))
	}
}

func (v *validator) label(path, name string) {
	for _, m := range validation.IsDNS1123Label(name) {
		v.fail(path, "%q: %s", name, m)
	}
}

func (v *validator) subdomain(path, name string) {
	for _, m := range validation.IsDNS1123Subdomain(name) {
		v.fail(path, "%q: %s", name, m)
	}
}

func (v *validator) qualifiedName(path, name string) {
	for _, m := range validation.IsQualifiedName(name) {
		v.fail(path, "%q: %s", name, m)
	}
}

func (v *validator) labels(path string, labels map[string]string) {
	for name, value := range labels {
		v.qualifiedName(path, name)
		for _, m := range validation.IsValidLabelValue(value) {
			v.fail(path+"."+name, "%q: %s", value, m)
		}
	}
}

func (v *validator) url(path, raw string) {
	u, err := url.Parse(raw)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" || u.User != nil {
		v.fail(path, "must be an address such as http://host:9090, without a password")
	}
}

func (v *validator) image(path, image string) {
	if strings.ContainsAny(image, " \t\n") || len(image) > 1024 {
		v.fail(path, "%q is no image: expected REGISTRY/REPOSITORY@sha256:…", image)
	}
}

func (v *validator) peers(path string, peers []networkingv1.NetworkPolicyPeer) {
	for i, peer := range peers {
		path := fmt.Sprintf("%s[%d]", path, i)
		selects := peer.PodSelector != nil || peer.NamespaceSelector != nil
		switch {
		case peer.IPBlock != nil && selects, peer.IPBlock == nil && !selects:
			v.fail(path, "set either ipBlock, or podSelector and namespaceSelector or one of them")
		case peer.IPBlock != nil:
			v.ipBlock(path+".ipBlock", peer.IPBlock)
		case peer.NamespaceSelector == nil:
			v.fail(path, "a podSelector alone means pods of the Model's own namespace, which may call anyway: add namespaceSelector")
		}
		v.selector(path+".podSelector", peer.PodSelector)
		v.selector(path+".namespaceSelector", peer.NamespaceSelector)
	}
}

func (v *validator) selector(path string, s *metav1.LabelSelector) {
	if _, err := metav1.LabelSelectorAsSelector(s); err != nil {
		v.fail(path, "%s", err)
	}
}

func (v *validator) ipBlock(path string, b *networkingv1.IPBlock) {
	block, err := netip.ParsePrefix(b.CIDR)
	if err != nil || block != block.Masked() {
		v.fail(path+".cidr", "%q: expected a block of addresses such as 10.0.0.0/8", b.CIDR)
		return
	}
	for i, e := range b.Except {
		except, err := netip.ParsePrefix(e)
		if err != nil || except.Bits() <= block.Bits() || !block.Contains(except.Addr()) {
			v.fail(fmt.Sprintf("%s.except[%d]", path, i), "%q must be a block of addresses within %s", e, b.CIDR)
		}
	}
}
