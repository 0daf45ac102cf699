// Package platform is what a cluster's owners say of it once, for all Models: the
// facts that rendering needs (where Prometheus is, who may call, what is installed),
// and what belongs to the cluster and not to a Model (namespaces, issuers, policies).
package platform

import (
	"slices"

	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
)

// Kind of the platform file. It is read by mizzenctl and is not a resource of the
// cluster.
const Kind = "Platform"

// Platform is the platform file. Its zero value is a bare cluster.
type Platform struct {
	metav1.TypeMeta `json:",inline"`
	// Image of mizzen that pods run where a Model names none.
	Image string `json:"image,omitempty"`
	// ClusterDomain is the suffix of the names of Services; cluster.local without it.
	ClusterDomain string `json:"clusterDomain,omitempty"`
	// Offers is what is installed in the cluster.
	Offers Offers `json:"offers,omitempty"`
	// IngressClasses of the cluster, and whose they are. Without it a class with nginx or
	// traefik in its name is theirs.
	IngressClasses []IngressClass `json:"ingressClasses,omitempty"`
	// Gateways of the platform that Models attach to.
	Gateways []Gateway `json:"gateways,omitempty"`
	// Prometheus collects metrics and answers queries.
	Prometheus *Prometheus `json:"prometheus,omitempty"`
	// Grafana shows dashboards that a sidecar finds in labelled ConfigMaps.
	Grafana *Grafana `json:"grafana,omitempty"`
	// Tracing is the collector for Models that ask for tracing and name none.
	Tracing *Tracing `json:"tracing,omitempty"`
	// Peers are the pods with which isolated Models talk.
	Peers Peers `json:"peers,omitzero"`
	// Defaults for Models that say nothing.
	Defaults Defaults `json:"defaults,omitzero"`

	// Namespaces for Models: restricted, and closed but for what Models open.
	Namespaces []Namespace `json:"namespaces,omitempty"`
	// Issuers of certificates.
	Issuers []Issuer `json:"issuers,omitempty"`
	// GatewayClass for the Gateways of Models.
	GatewayClass *GatewayClass `json:"gatewayClass,omitempty"`
	// Images is which images pods may run.
	Images *Images `json:"images,omitempty"`
	// Access is who may work with Models.
	Access []Access `json:"access,omitempty"`
}

// Offer is something that a cluster may have.
type Offer string

// What a cluster may have.
const (
	GatewayAPI Offer = "GatewayAPI"
	GRPCRoute  Offer = "GRPCRoute"
	// SessionPersistence is that of HTTPRoutes, in the experimental channel alone.
	SessionPersistence Offer = "SessionPersistence"
	CertManager        Offer = "CertManager"
	PrometheusOperator Offer = "PrometheusOperator"
	MetricsServer      Offer = "MetricsServer"
	KEDA               Offer = "KEDA"
	ImageVolumes       Offer = "ImageVolumes"
)

// AllOffers returns everything that a cluster may have, as far as Mizzen knows.
func AllOffers() Offers {
	return Offers{GatewayAPI, GRPCRoute, SessionPersistence, CertManager, PrometheusOperator, MetricsServer, KEDA, ImageVolumes}
}

// Offers is a set.
type Offers []Offer

// Has says whether o is among them.
func (s Offers) Has(o Offer) bool {
	return slices.Contains(s, o)
}

// The controllers of ingress classes that Mizzen knows the annotations of, as an
// IngressClass names them.
const (
	ControllerNginx   = "k8s.io/ingress-nginx"
	ControllerTraefik = "traefik.io/ingress-controller"
)

// IngressClass says whose a class of Ingresses is.
type IngressClass struct {
	Name string `json:"name"`
	// Controller is as in the spec of the IngressClass: k8s.io/ingress-nginx.
	Controller string `json:"controller"`
}

// Gateway of the platform.
type Gateway struct {
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	// SectionName is the listener that is meant, if not all of them are.
	SectionName string `json:"sectionName,omitempty"`
	// Scheme of the addresses behind it: HTTPS, unless its listeners are in plain text.
	Scheme Scheme `json:"scheme,omitempty"`
}

// Scheme of an address.
type Scheme string

// The schemes.
const (
	SchemeHTTPS Scheme = "HTTPS"
	SchemeHTTP  Scheme = "HTTP"
)

// Prometheus collects metrics and answers queries.
type Prometheus struct {
	// Address at which KEDA queries it: http://prometheus.monitoring:9090.
	Address string `json:"address,omitempty"`
	// MonitorLabels are what it selects ServiceMonitors by, RuleLabels PrometheusRules.
	MonitorLabels map[string]string `json:"monitorLabels,omitempty"`
	RuleLabels    map[string]string `json:"ruleLabels,omitempty"`
	// Interval between two scrapes; 15s without it.
	Interval *metav1.Duration `json:"interval,omitempty"`
}

// Grafana shows dashboards.
type Grafana struct {
	// DashboardLabels are what its sidecar selects ConfigMaps by.
	DashboardLabels map[string]string `json:"dashboardLabels,omitempty"`
	// FolderAnnotation is the annotation in which the sidecar looks for the folder.
	FolderAnnotation string `json:"folderAnnotation,omitempty"`
	Folder           string `json:"folder,omitempty"`
}

// Tracing is a collector that takes OTLP.
type Tracing struct {
	Endpoint string                `json:"endpoint"`
	Protocol v1alpha1.OTLPProtocol `json:"protocol,omitempty"`
}

// Peers are the pods with which isolated Models talk, as a NetworkPolicy names them.
type Peers struct {
	// Ingress are the pods of Gateways and ingress controllers.
	Ingress []networkingv1.NetworkPolicyPeer `json:"ingress,omitempty"`
	// Scraper are the pods of Prometheus.
	Scraper []networkingv1.NetworkPolicyPeer `json:"scraper,omitempty"`
	// DNS are the name servers; all pods and addresses, on ports 53 and 5353, without it.
	DNS []networkingv1.NetworkPolicyPeer `json:"dns,omitempty"`
	// Collector are the pods of the collector of traces.
	Collector []networkingv1.NetworkPolicyPeer `json:"collector,omitempty"`
	// Stores are where model files are fetched from; any address without it.
	Stores []networkingv1.NetworkPolicyPeer `json:"stores,omitempty"`
}

// Defaults for Models that say nothing.
type Defaults struct {
	// IssuerRef of certificates for exposed Models without tls.
	IssuerRef *v1alpha1.IssuerRef `json:"issuerRef,omitempty"`
	// Gateway is the parent of the routes of Models whose gateway.parentRef has no name.
	Gateway *v1alpha1.GatewayRef `json:"gateway,omitempty"`
	// ImagePullSecrets of all Models.
	ImagePullSecrets []v1alpha1.SecretName `json:"imagePullSecrets,omitempty"`
}
