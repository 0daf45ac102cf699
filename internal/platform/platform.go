// Package platform is what a cluster's owners say of it once, for all Models: the
// facts that rendering needs (where Prometheus is, who may call, what is installed),
// and what belongs to the cluster and not to a Model (namespaces, issuers, policies).
package platform

import (
	corev1 "k8s.io/api/core/v1"
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
	GatewayAPI         Offer = "GatewayAPI"
	GRPCRoute          Offer = "GRPCRoute"
	CertManager        Offer = "CertManager"
	PrometheusOperator Offer = "PrometheusOperator"
	MetricsServer      Offer = "MetricsServer"
	KEDA               Offer = "KEDA"
	ImageVolumes       Offer = "ImageVolumes"
)

// Offers is a set.
type Offers []Offer

// Has says whether o is among them.
func (s Offers) Has(o Offer) bool {
	for _, have := range s {
		if have == o {
			return true
		}
	}
	return false
}

// Prometheus collects metrics and answers queries.
type Prometheus struct {
	// Address at which KEDA and gates query it: http://prometheus.monitoring:9090.
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
	// DNS are the name servers; all pods and addresses, on port 53, without it.
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
	// Gateway is the parent of the routes of Models whose expose names neither gateway
	// nor ingress.
	Gateway *v1alpha1.GatewayRef `json:"gateway,omitempty"`
	// ImagePullSecrets of all Models.
	ImagePullSecrets []v1alpha1.SecretName `json:"imagePullSecrets,omitempty"`
}

// Namespace for Models.
type Namespace struct {
	Name string `json:"name"`
	// Labels besides those of pod security.
	Labels map[string]string `json:"labels,omitempty"`
	// Quota of the whole namespace.
	Quota corev1.ResourceList `json:"quota,omitempty"`
}

// Issuer of certificates: exactly one of ACME, CASecretName and SelfSigned.
type Issuer struct {
	Name string `json:"name"`
	ACME *ACME  `json:"acme,omitempty"`
	// CASecretName is a Secret of cert-manager's own namespace with the CA's tls.crt and
	// tls.key.
	CASecretName string      `json:"caSecretName,omitempty"`
	SelfSigned   *SelfSigned `json:"selfSigned,omitempty"`
}

// SelfSigned has no settings.
type SelfSigned struct{}

// ACME is an authority that proves the control of a host over HTTP-01: through
// exactly one of IngressClassName and Gateway.
type ACME struct {
	// Server is the URL of the directory; Let's Encrypt's without it.
	Server string `json:"server,omitempty"`
	Email  string `json:"email,omitempty"`
	// CABundle (PEM, base64) to trust the server by, where it is a private one.
	CABundle         []byte               `json:"caBundle,omitempty"`
	IngressClassName string               `json:"ingressClassName,omitempty"`
	Gateway          *v1alpha1.GatewayRef `json:"gateway,omitempty"`
}

// GatewayClass for the Gateways of Models.
type GatewayClass struct {
	Name           string `json:"name"`
	ControllerName string `json:"controllerName"`
}

// Images is which images pods may run.
type Images struct {
	// AllowedRegistries are prefixes of images, such as registry.example.com/models/.
	AllowedRegistries []string `json:"allowedRegistries,omitempty"`
	// Namespaces in which that holds; those of Namespaces without it.
	Namespaces []string `json:"namespaces,omitempty"`
	// Signatures that images must have, checked by Kyverno.
	Signatures *Signatures `json:"signatures,omitempty"`
}

// Signatures of cosign that images must have: by exactly one of PublicKey and Keyless.
type Signatures struct {
	// Images are the patterns of the images that must be signed: registry.example.com/*.
	Images []string `json:"images"`
	// PublicKey (PEM) of cosign.
	PublicKey string `json:"publicKey,omitempty"`
	// Keyless is an identity in Sigstore's public instance.
	Keyless *Keyless `json:"keyless,omitempty"`
}

// Keyless is who must have signed.
type Keyless struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

// Access lets people or programs work with Models in a namespace.
type Access struct {
	Namespace string `json:"namespace"`
	// Role is View, Edit or Admin.
	Role string `json:"role"`
	// Groups and Users who have it.
	Groups []string `json:"groups,omitempty"`
	Users  []string `json:"users,omitempty"`
}
