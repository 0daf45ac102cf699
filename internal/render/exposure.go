package render

import (
	"slices"
	"strings"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

// Reasons under which Exposed is not as it was asked for.
const (
	reasonGatewayAPIMissing  = "GatewayAPIMissing"
	reasonCertManagerMissing = "CertManagerMissing"
	reasonNoDefaultGateway   = "NoDefaultGateway"
	reasonUnknownClass       = "IngressClassUnknown"
	reasonNotSupported       = "ExposureUnsupported"
	reasonRounded            = "TimeoutRounded"
	reasonOverridden         = "AnnotationOverridden"
	reasonAffinityInside     = "SessionAffinityInside"
)

// wayIn is what expose asks for, once what cannot be had has been refused.
type wayIn struct {
	*v1alpha1.Expose
	// path is "/" where nothing is taken away.
	path string
	// http and grpc are the protocols that are let through.
	http, grpc bool
	// tls is nil where calls are in plain text, or TLS is the platform's.
	tls *tlsSource
	// sticky is nil where each call may go to another pod.
	sticky *v1alpha1.StickySessions
}

// tlsSource is where a certificate comes from.
type tlsSource struct {
	secret string
	// issuer makes the secret; nil if it is there already.
	issuer *v1alpha1.IssuerRef
}

// exposure is the way in from outside: the routes to a Gateway of the platform, a
// Gateway of the Model's own with its routes, or Ingresses. Where TLS is asked for and
// cannot be had there is no way in at all, rather than one in plain text.
func (r *renderer) exposure() {
	if r.spec.Expose == nil {
		return
	}
	w, ok := r.wayIn()
	if ok {
		switch {
		case w.Gateway != nil:
			ok = r.exposeByGateway(w)
		case w.Ingress != nil:
			ok = r.exposeByIngress(w)
		}
	}
	if ok {
		r.result.URL = r.scheme(w) + "://" + w.Host + strings.TrimSuffix(w.path, "/")
	}
}

// wayIn works out what any means has to do.
func (r *renderer) wayIn() (*wayIn, bool) {
	e := r.spec.Expose
	w := &wayIn{
		Expose: e,
		path:   e.Path,
		http:   len(e.Protocols) == 0 || slices.Contains(e.Protocols, v1alpha1.ProtocolHTTP),
		grpc:   slices.Contains(e.Protocols, v1alpha1.ProtocolGRPC),
		sticky: e.StickySessions,
	}
	if w.path == "" {
		w.path = "/"
	}
	if w.grpc && r.profile.grpcPort == 0 {
		r.refuse("spec.expose.protocols", conditionExposed, reasonNotSupported, "the runtime %s does not speak gRPC: remove GRPC", r.profile.name)
		w.grpc = false
	}
	if g := r.spec.GPU; g != nil && g.SessionAffinity == v1alpha1.SessionAffinityClientIP && w.sticky == nil {
		r.warn("spec.gpu.sessionAffinity", conditionExposed, reasonAffinityInside,
			"the way in calls pods itself, whoever the client is: set expose.stickySessions as well")
	}
	tls, ok := r.tlsSource()
	w.tls = tls
	return w, ok && (w.http || w.grpc)
}

// tlsSource is the certificate of the Model, or that of the platform's default issuer.
func (r *renderer) tlsSource() (*tlsSource, bool) {
	e := r.spec.Expose
	if e.Gateway != nil && e.Gateway.ParentRef != nil {
		return nil, true
	}
	issuer, path := r.Platform.Defaults.IssuerRef, "spec.expose"
	if e.TLS != nil {
		if e.TLS.SecretName != "" {
			return &tlsSource{secret: e.TLS.SecretName}, true
		}
		issuer, path = e.TLS.IssuerRef, "spec.expose.tls.issuerRef"
	}
	if issuer == nil {
		return nil, true
	}
	if !r.Platform.Offers.Has(platform.CertManager) {
		r.refuse(path, conditionExposed, reasonCertManagerMissing,
			"the issuer %s needs cert-manager, which the platform does not offer: install it and add CertManager to offers, or name a certificate in expose.tls.secretName", issuer.Name)
		return nil, false
	}
	return &tlsSource{secret: r.name("tls"), issuer: issuer}, true
}

// certificate asks cert-manager for the Secret, if an issuer makes it. Challenges over
// HTTP-01 are solved through the Model's own way in, whichever one the issuer names:
// that is what answers for the host.
func (r *renderer) certificate(w *wayIn, solver map[string]string) {
	if w.tls == nil || w.tls.issuer == nil {
		return
	}
	ref := map[string]any{"name": w.tls.issuer.Name, "kind": "ClusterIssuer"}
	if w.tls.issuer.Kind != "" {
		ref["kind"] = w.tls.issuer.Kind
	}
	if group := w.tls.issuer.Group; group != "" && group != "cert-manager.io" {
		ref["group"] = group
	}
	meta := r.metaNamed(w.tls.secret)
	meta.Annotations = solver
	r.add(&object{APIVersion: "cert-manager.io/v1", Kind: "Certificate", Metadata: meta, Spec: map[string]any{
		"secretName": w.tls.secret,
		// By its labels the Secret is found when the Model is deleted.
		"secretTemplate": map[string]any{"labels": r.labels()},
		"dnsNames":       []string{w.Host},
		"issuerRef":      ref,
		"privateKey":     map[string]any{"algorithm": "ECDSA", "rotationPolicy": "Always"},
	}})
}

// scheme of the addresses behind the way in.
func (r *renderer) scheme(w *wayIn) string {
	if w.Gateway != nil && w.Gateway.ParentRef != nil {
		return r.schemeBehind(r.parentRef(w))
	}
	if w.tls != nil {
		return "https"
	}
	return "http"
}

// schemeBehind a Gateway of the platform, or one of its listeners: https where nothing else is
// known.
func (r *renderer) schemeBehind(ref v1alpha1.GatewayRef) string {
	scheme := platform.SchemeHTTPS
	for _, g := range r.Platform.Gateways {
		if g.Name != ref.Name || g.Namespace != ref.Namespace {
			continue
		}
		if g.SectionName == ref.SectionName { // the listener itself, if one is meant
			return strings.ToLower(string(g.Scheme))
		}
		if g.SectionName == "" {
			scheme = g.Scheme
		}
	}
	return strings.ToLower(string(scheme))
}

// checkLimits refuses bounds that neither the way in nor the server enforces. mizzen
// enforces all of them; of the others some do.
func (r *renderer) checkLimits(w *wayIn, by string, timeouts bool) {
	runtime := r.runtimeName()
	const advice = "remove it, use the runtime mizzen, or an Ingress of nginx"
	if w.BodySize != nil && !slices.Contains([]v1alpha1.RuntimeName{v1alpha1.RuntimeMizzen, v1alpha1.RuntimeTriton, v1alpha1.RuntimeTorchServe}, runtime) {
		r.refuse("spec.expose.bodySize", conditionExposed, "BodySizeUnsupported", "neither %s nor the runtime %s bounds the size of bodies: %s", by, runtime, advice)
	}
	if w.RateLimit != nil && runtime != v1alpha1.RuntimeMizzen {
		r.refuse("spec.expose.rateLimit", conditionExposed, "RateLimitUnsupported", "neither %s nor the runtime %s bounds the rate of calls: %s", by, runtime, advice)
	}
	if w.Timeouts != nil && !timeouts && runtime != v1alpha1.RuntimeMizzen && runtime != v1alpha1.RuntimeTFServing {
		r.refuse("spec.expose.timeouts", conditionExposed, "TimeoutsUnsupported", "neither %s nor the runtime %s ends calls that take too long: %s", by, runtime, advice)
	}
}

// metaNamed is that of an object which has a name of its own.
func (r *renderer) metaNamed(name string) objectMeta {
	m := r.meta(nil)
	m.Name = name
	return m
}
