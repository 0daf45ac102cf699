package platform

import (
	corev1 "k8s.io/api/core/v1"

	"mizzen.dev/api/v1alpha1"
)

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
	// ExemptUsers are whose pods may run any image; cert-manager's ServiceAccount without
	// it, whose solvers of ACME challenges have a tag and no digest.
	ExemptUsers []string `json:"exemptUsers,omitempty"`
	// Signatures that images must have, checked by Kyverno.
	Signatures *Signatures `json:"signatures,omitempty"`
}

// Signatures of cosign that images must have: by exactly one of PublicKey and Keyless.
type Signatures struct {
	// Images are the patterns of the images that must be signed: registry.example.com/*.
	Images []string `json:"images"`
	// PublicKey (PEM) of cosign.
	PublicKey string `json:"publicKey,omitempty"`
	// TransparencyLog says whether a signature must stand in Sigstore's public log:
	// Required, or Ignored for signatures by a key that were never uploaded.
	TransparencyLog TransparencyLog `json:"transparencyLog,omitempty"`
	// Keyless is an identity in Sigstore's public instance.
	Keyless *Keyless `json:"keyless,omitempty"`
}

// TransparencyLog says what is asked of the log.
type TransparencyLog string

// What is asked of the log.
const (
	LogRequired TransparencyLog = "Required"
	LogIgnored  TransparencyLog = "Ignored"
)

// Keyless is who must have signed.
type Keyless struct {
	Issuer  string `json:"issuer"`
	Subject string `json:"subject"`
}

// Access lets people or programs work with Models in a namespace.
type Access struct {
	Namespace string `json:"namespace"`
	// Role is View, Edit or Admin.
	Role Role `json:"role"`
	// Groups and Users who have it.
	Groups []string `json:"groups,omitempty"`
	Users  []string `json:"users,omitempty"`
}

// Role is what somebody may do.
type Role string

// The roles: View reads Models and what they made, but no Secrets; Edit writes Models,
// too; Admin also keeps the Secrets that Models name, and gives others View and Edit.
const (
	RoleView  Role = "View"
	RoleEdit  Role = "Edit"
	RoleAdmin Role = "Admin"
)
