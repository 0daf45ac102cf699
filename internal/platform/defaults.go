package platform

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
)

// What is taken where the file says nothing.
const (
	defaultClusterDomain = "cluster.local"
	defaultInterval      = 15 * time.Second
	// As the dashboards' sidecar of Grafana's Helm chart is set up.
	defaultDashboardLabel   = "grafana_dashboard"
	defaultFolderAnnotation = "grafana_folder"
	letsEncrypt             = "https://acme-v02.api.letsencrypt.org/directory"
	// certManagerUser makes the pods that solve ACME challenges.
	certManagerUser = "system:serviceaccount:cert-manager:cert-manager"
)

// Bare returns a platform of which nothing is known.
func Bare() *Platform {
	p := &Platform{TypeMeta: metav1.TypeMeta{APIVersion: APIVersion, Kind: Kind}}
	p.Default()
	return p
}

// Default fills in what is left out.
func (p *Platform) Default() {
	setDefault(&p.ClusterDomain, defaultClusterDomain)
	if p.Prometheus != nil && p.Prometheus.Interval == nil {
		p.Prometheus.Interval = &metav1.Duration{Duration: defaultInterval}
	}
	if g := p.Grafana; g != nil {
		setDefault(&g.FolderAnnotation, defaultFolderAnnotation)
		if g.DashboardLabels == nil {
			g.DashboardLabels = map[string]string{defaultDashboardLabel: "1"}
		}
	}
	if p.Tracing != nil {
		setDefault(&p.Tracing.Protocol, v1alpha1.OTLPGRPC)
	}
	for i := range p.Gateways {
		setDefault(&p.Gateways[i].Scheme, SchemeHTTPS)
	}
	if ref := p.Defaults.IssuerRef; ref != nil {
		setDefault(&ref.Kind, "ClusterIssuer")
		setDefault(&ref.Group, "cert-manager.io")
	}
	for _, issuer := range p.Issuers {
		if issuer.ACME != nil {
			setDefault(&issuer.ACME.Server, letsEncrypt)
		}
	}
	if p.Images != nil {
		p.defaultImages()
	}
}

func (p *Platform) defaultImages() {
	if p.Images.Namespaces == nil {
		for _, ns := range p.Namespaces {
			p.Images.Namespaces = append(p.Images.Namespaces, ns.Name)
		}
	}
	if p.Images.ExemptUsers == nil {
		p.Images.ExemptUsers = []string{certManagerUser}
	}
	if p.Images.Signatures != nil {
		setDefault(&p.Images.Signatures.TransparencyLog, LogRequired)
	}
}

func setDefault[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
