package v1alpha1

import (
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Expose makes the model reachable from outside of the cluster, through exactly one
// of gateway and ingress.
//
// +kubebuilder:validation:XValidation:rule="has(self.gateway) != has(self.ingress)",message="set exactly one of gateway and ingress"
// +kubebuilder:validation:XValidation:rule="!has(self.tls) || !has(self.gateway) || !has(self.gateway.parentRef)",message="the Gateway of gateway.parentRef belongs to the platform and so does its TLS: remove tls, or use gateway.className for a Gateway of this Model's own"
// +kubebuilder:validation:XValidation:rule="!('GRPC' in self.protocols) || !has(self.path) || self.path == '/'",message="gRPC has paths of its own and cannot be served below a path: remove path, or GRPC from protocols"
type Expose struct {
	// host name under which the model is reached.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$`
	Host string `json:"host"`
	// path is a prefix, such as /iris, that is taken away before the server sees the
	// request: several models can share a host.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^/([A-Za-z0-9._~-]+(/[A-Za-z0-9._~-]+)*)?$`
	Path string `json:"path,omitempty"`
	// protocols that are let through.
	// +optional
	// +default=["HTTP"]
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Protocols []Protocol `json:"protocols,omitempty"`
	// gateway exposes by the Gateway API.
	// +optional
	Gateway *GatewayExposure `json:"gateway,omitempty"`
	// ingress exposes by an Ingress.
	// +optional
	Ingress *IngressExposure `json:"ingress,omitempty"`
	// tls is where the certificate comes from. Without it, and where the platform has no
	// default issuer, calls are in plain text.
	// +optional
	TLS *TLS `json:"tls,omitempty"`
	// bodySize is how large the body of a request may be. The server enforces it, and
	// nginx as well. Without it the server's own 10Mi.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="bodySize must be above 0"
	BodySize *resource.Quantity `json:"bodySize,omitempty"`
	// rateLimit is how many calls a second one caller may make. The server enforces it, and
	// nginx as well. The server knows a caller by API key, where auth asks for one, and else
	// by the address that calls it, which behind a Gateway or an Ingress is the proxy's: all
	// who come through one proxy pod are then one caller.
	// +optional
	RateLimit *RateLimit `json:"rateLimit,omitempty"`
	// timeouts of a call.
	// +optional
	Timeouts *Timeouts `json:"timeouts,omitempty"`
	// stickySessions sends the calls of one client to one pod, by a cookie.
	// +optional
	StickySessions *StickySessions `json:"stickySessions,omitempty"`
}

// Protocol is what callers speak.
//
// +kubebuilder:validation:Enum=HTTP;GRPC
type Protocol string

// The protocols.
const (
	ProtocolHTTP Protocol = "HTTP"
	ProtocolGRPC Protocol = "GRPC"
)

// GatewayExposure exposes by the Gateway API: exactly one of parentRef and className.
//
// +kubebuilder:validation:XValidation:rule="has(self.parentRef) != has(self.className)",message="set exactly one of parentRef, for the platform's Gateway, and className, for a Gateway of this Model's own"
type GatewayExposure struct {
	// parentRef is the platform's Gateway that the routes attach to. TLS is its own.
	// +optional
	ParentRef *GatewayRef `json:"parentRef,omitempty"`
	// className of a Gateway that is made for this Model, with a listener and, with tls, a
	// certificate.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	ClassName string `json:"className,omitempty"`
}

// GatewayRef names a Gateway.
//
// +kubebuilder:validation:XValidation:rule="has(self.name) || !has(self.__namespace__)",message="namespace is that of the Gateway in name: set name, or remove namespace for the platform's default Gateway"
type GatewayRef struct {
	// name of the Gateway; the platform's default Gateway without it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name,omitempty"`
	// namespace of the Gateway; the Model's own without it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9]*[a-z0-9])?$`
	Namespace string `json:"namespace,omitempty"`
	// sectionName is the listener of the Gateway; all without it.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	SectionName string `json:"sectionName,omitempty"`
}

// IngressExposure exposes by an Ingress.
type IngressExposure struct {
	// className of the Ingress, such as nginx or traefik.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	ClassName string `json:"className"`
	// annotations for the controller. What Mizzen sets itself wins.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="names of annotations are such as team or example.com/team: letters, digits, hyphens, underscores and dots, with at most one prefix"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`
}

// TLS is where the certificate comes from: exactly one of issuerRef and secretName.
//
// +kubebuilder:validation:XValidation:rule="has(self.issuerRef) != has(self.secretName)",message="set exactly one of issuerRef, for cert-manager, and secretName, for a certificate that is there"
type TLS struct {
	// issuerRef is who issues the certificate, through cert-manager.
	// +optional
	IssuerRef *IssuerRef `json:"issuerRef,omitempty"`
	// secretName is a Secret with tls.crt and tls.key in the namespace of the Model.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	SecretName string `json:"secretName,omitempty"`
}

// IssuerRef names an issuer of cert-manager.
type IssuerRef struct {
	// name of the issuer.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
	// kind of the issuer: ClusterIssuer, Issuer, or one of another group.
	// +optional
	// +default="ClusterIssuer"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Z][A-Za-z0-9]*$`
	Kind string `json:"kind,omitempty"`
	// group of the issuer.
	// +optional
	// +default="cert-manager.io"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Group string `json:"group,omitempty"`
}

// RateLimit is how many calls one caller may make.
type RateLimit struct {
	// requestsPerSecond that a caller may make for long.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	RequestsPerSecond int32 `json:"requestsPerSecond"`
	// burst is how many at once; as many as in a second without it.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000000
	Burst int32 `json:"burst,omitempty"`
}

// Timeouts of a call.
//
// +kubebuilder:validation:XValidation:rule="!has(self.request) || !has(self.backend) || duration(self.backend) <= duration(self.request)",message="backend is a part of request: it must not be above it"
type Timeouts struct {
	// request is how long a whole call may take.
	// +optional
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="request must be between 1s and 1h"
	Request *metav1.Duration `json:"request,omitempty"`
	// backend is how long the server may take, where the way in tells the two apart.
	// +optional
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="backend must be between 1s and 1h"
	Backend *metav1.Duration `json:"backend,omitempty"`
}

// StickySessions sends the calls of one client to one pod.
type StickySessions struct {
	// cookieName is how the cookie is called.
	// +optional
	// +default="mizzen"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_-]+$`
	CookieName string `json:"cookieName,omitempty"`
	// lifetime of the cookie; that of the browser's session without it.
	// +optional
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('8760h')",message="lifetime must be between 1s and 8760h (a year)"
	Lifetime *metav1.Duration `json:"lifetime,omitempty"`
}

// Isolation is who may reach the pods, and whom they may reach.
//
// +kubebuilder:validation:XValidation:rule="self.mode == 'Restricted' || (!has(self.from) && !has(self.egress))",message="from and egress are exceptions from Restricted: remove them, or set mode to Restricted"
type Isolation struct {
	// mode is Restricted, where the pods can be reached from their namespace, by the
	// scraper and by the way in of expose, and reach name servers and what they must; or
	// Disabled, where Mizzen makes no NetworkPolicy.
	// +optional
	// +default="Restricted"
	Mode IsolationMode `json:"mode,omitempty"`
	// from are further callers.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule="self.all(p, has(p.ipBlock) ? !has(p.podSelector) && !has(p.namespaceSelector) && p.ipBlock.cidr.matches('^[0-9a-fA-F.:]+/[0-9]{1,3}$') : has(p.podSelector) || has(p.namespaceSelector))",message="a peer is either an ipBlock with a cidr such as 10.0.0.0/8, or a podSelector, a namespaceSelector or both"
	From []networkingv1.NetworkPolicyPeer `json:"from,omitempty"`
	// egress is what the pods may reach besides.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=32
	// +kubebuilder:validation:XValidation:rule="self.all(e, !has(e.to) || e.to.all(p, has(p.ipBlock) ? !has(p.podSelector) && !has(p.namespaceSelector) && p.ipBlock.cidr.matches('^[0-9a-fA-F.:]+/[0-9]{1,3}$') : has(p.podSelector) || has(p.namespaceSelector)))",message="a peer is either an ipBlock with a cidr such as 10.0.0.0/8, or a podSelector, a namespaceSelector or both"
	Egress []networkingv1.NetworkPolicyEgressRule `json:"egress,omitempty"`
}

// IsolationMode is whether the pods are isolated.
//
// +kubebuilder:validation:Enum=Restricted;Disabled
type IsolationMode string

// The modes of isolation.
const (
	IsolationRestricted IsolationMode = "Restricted"
	IsolationDisabled   IsolationMode = "Disabled"
)
