package render

import (
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gatewayv1 "sigs.k8s.io/gateway-api/apis/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

const gatewayAPI = "gateway.networking.k8s.io/v1"

// Listeners of a Model's own Gateway.
const (
	listenerHTTP      = "http"
	listenerHTTPS     = "https"
	listenerHTTPPort  = 80
	listenerHTTPSPort = 443
)

// exposeByGateway attaches routes to a Gateway of the platform, or to one of the
// Model's own.
func (r *renderer) exposeByGateway(w *wayIn) bool {
	if !r.Platform.Offers.Has(platform.GatewayAPI) {
		r.refuse("spec.expose.gateway", conditionExposed, reasonGatewayAPIMissing,
			"the platform offers no Gateway API: install its CustomResourceDefinitions (v1, standard channel) and a controller and add GatewayAPI to offers, or use expose.ingress")
		return false
	}
	if !w.http && !r.Platform.Offers.Has(platform.GRPCRoute) {
		r.refuse("spec.expose.protocols", conditionExposed, reasonGatewayAPIMissing,
			"the platform's Gateway API has no GRPCRoute: install v1.1 or later of it and add GRPCRoute to offers, or add HTTP to protocols")
		return false
	}
	r.checkLimits(w, "the Gateway API", w.http)
	if w.sticky != nil && !r.Platform.Offers.Has(platform.SessionPersistence) {
		r.refuse("spec.expose.stickySessions", conditionExposed, reasonNotSupported,
			"the platform's Gateway API has no session persistence, which is in its experimental channel alone: remove stickySessions, use expose.ingress with nginx, or add SessionPersistence to offers")
		w.sticky = nil
	}
	parent, ok := r.parent(w)
	if !ok {
		return false
	}
	if w.http {
		r.httpRoute(w, parent)
	} else {
		r.grpcRoute(w, parent)
	}
	return true
}

// parentRef is the platform's Gateway, with its namespace filled in.
func (r *renderer) parentRef(w *wayIn) v1alpha1.GatewayRef {
	ref := *w.Gateway.ParentRef
	if d := r.Platform.Defaults.Gateway; ref.Name == "" && d != nil {
		ref.Name, ref.Namespace = d.Name, d.Namespace
		if ref.SectionName == "" {
			ref.SectionName = d.SectionName
		}
	}
	if ref.Namespace == "" {
		ref.Namespace = r.Model.Namespace
	}
	return ref
}

// parent is what the routes attach to. A Gateway of the Model's own is made for it.
func (r *renderer) parent(w *wayIn) (gatewayv1.ParentReference, bool) {
	if w.Gateway.ParentRef == nil {
		return r.gateway(w), true
	}
	ref := r.parentRef(w)
	if ref.Name == "" {
		r.refuse("spec.expose.gateway.parentRef.name", conditionExposed, reasonNoDefaultGateway,
			"the platform has no default Gateway: name one, or set defaults.gateway in the platform file")
		return gatewayv1.ParentReference{}, false
	}
	parent := gatewayv1.ParentReference{Name: gatewayv1.ObjectName(ref.Name)}
	if ref.Namespace != r.Model.Namespace {
		parent.Namespace = ptr(gatewayv1.Namespace(ref.Namespace))
	}
	if ref.SectionName != "" {
		parent.SectionName = ptr(gatewayv1.SectionName(ref.SectionName))
	}
	return parent, true
}

// gateway is one of the Model's own: by default it lets in routes of its namespace
// alone. With TLS its plain listener sends callers to the other one, but for ACME
// challenges, whose routes name their whole path and so come before.
func (r *renderer) gateway(w *wayIn) gatewayv1.ParentReference {
	host := gatewayv1.Hostname(w.Host)
	listeners := []gatewayv1.Listener{{Name: listenerHTTP, Hostname: &host, Port: listenerHTTPPort, Protocol: gatewayv1.HTTPProtocolType}}
	own := gatewayv1.ParentReference{Name: gatewayv1.ObjectName(r.Model.Name), SectionName: ptr(gatewayv1.SectionName(listenerHTTP))}
	if w.tls != nil {
		r.certificate(w, map[string]string{
			"acme.cert-manager.io/http01-parentrefkind": "Gateway",
			"acme.cert-manager.io/http01-parentrefname": r.Model.Name,
		})
		listeners = append(listeners, gatewayv1.Listener{
			Name: listenerHTTPS, Hostname: &host, Port: listenerHTTPSPort, Protocol: gatewayv1.HTTPSProtocolType,
			TLS: &gatewayv1.ListenerTLSConfig{CertificateRefs: []gatewayv1.SecretObjectReference{{Name: gatewayv1.ObjectName(w.tls.secret)}}},
		})
	}
	r.add(&object{APIVersion: gatewayAPI, Kind: "Gateway", Metadata: r.metaNamed(r.Model.Name), Spec: &gatewayv1.GatewaySpec{
		GatewayClassName: gatewayv1.ObjectName(w.Gateway.ClassName),
		Listeners:        listeners,
	}})
	if w.tls == nil {
		return own
	}
	r.add(&object{APIVersion: gatewayAPI, Kind: "HTTPRoute", Metadata: r.metaNamed(r.name("redirect")), Spec: &gatewayv1.HTTPRouteSpec{
		CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{own}},
		Hostnames:       []gatewayv1.Hostname{host},
		Rules: []gatewayv1.HTTPRouteRule{{Filters: []gatewayv1.HTTPRouteFilter{{
			Type:            gatewayv1.HTTPRouteFilterRequestRedirect,
			RequestRedirect: &gatewayv1.HTTPRequestRedirectFilter{Scheme: ptr("https"), StatusCode: ptr(301)},
		}}}},
	}})
	own.SectionName = ptr(gatewayv1.SectionName(listenerHTTPS))
	return own
}

// httpRoute carries HTTP, and gRPC beside it: a listener takes only one of an
// HTTPRoute and a GRPCRoute for the same host, so that calls of gRPC, which are HTTP/2
// after all, are told from others by their content type.
func (r *renderer) httpRoute(w *wayIn, parent gatewayv1.ParentReference) {
	timeouts := routeTimeouts(w)
	sticky := sessionPersistence(w)
	var rules []gatewayv1.HTTPRouteRule
	if w.grpc {
		rules = append(rules, gatewayv1.HTTPRouteRule{
			Matches: []gatewayv1.HTTPRouteMatch{{
				Headers: []gatewayv1.HTTPHeaderMatch{{Name: "content-type", Value: "application/grpc"}},
			}},
			BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: r.backend(serviceGRPCPort)}},
			Timeouts:    timeouts, SessionPersistence: sticky,
		})
	}
	rule := gatewayv1.HTTPRouteRule{
		BackendRefs: []gatewayv1.HTTPBackendRef{{BackendRef: r.backend(serviceHTTPPort)}},
		Timeouts:    timeouts, SessionPersistence: sticky,
	}
	if w.path != "/" {
		rule.Matches = []gatewayv1.HTTPRouteMatch{{Path: &gatewayv1.HTTPPathMatch{Type: ptr(gatewayv1.PathMatchPathPrefix), Value: ptr(w.path)}}}
		rule.Filters = []gatewayv1.HTTPRouteFilter{{
			Type: gatewayv1.HTTPRouteFilterURLRewrite,
			URLRewrite: &gatewayv1.HTTPURLRewriteFilter{Path: &gatewayv1.HTTPPathModifier{
				Type: gatewayv1.PrefixMatchHTTPPathModifier, ReplacePrefixMatch: ptr("/"),
			}},
		}}
	}
	r.add(&object{APIVersion: gatewayAPI, Kind: "HTTPRoute", Metadata: r.metaNamed(r.Model.Name), Spec: &gatewayv1.HTTPRouteSpec{
		CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{parent}},
		Hostnames:       []gatewayv1.Hostname{gatewayv1.Hostname(w.Host)},
		Rules:           append(rules, rule),
	}})
}

// grpcRoute carries gRPC alone.
func (r *renderer) grpcRoute(w *wayIn, parent gatewayv1.ParentReference) {
	if w.Timeouts != nil {
		r.refuse("spec.expose.timeouts", conditionExposed, reasonNotSupported,
			"a GRPCRoute has no timeouts: remove them, and let clients set deadlines, or add HTTP to protocols")
	}
	r.add(&object{APIVersion: gatewayAPI, Kind: "GRPCRoute", Metadata: r.metaNamed(r.Model.Name), Spec: &gatewayv1.GRPCRouteSpec{
		CommonRouteSpec: gatewayv1.CommonRouteSpec{ParentRefs: []gatewayv1.ParentReference{parent}},
		Hostnames:       []gatewayv1.Hostname{gatewayv1.Hostname(w.Host)},
		Rules: []gatewayv1.GRPCRouteRule{{
			BackendRefs:        []gatewayv1.GRPCBackendRef{{BackendRef: r.backend(serviceGRPCPort)}},
			SessionPersistence: sessionPersistence(w),
		}},
	}})
}

func (r *renderer) backend(port int32) gatewayv1.BackendRef {
	return gatewayv1.BackendRef{BackendObjectReference: gatewayv1.BackendObjectReference{
		Name: gatewayv1.ObjectName(r.Model.Name), Port: ptr(port),
	}}
}

func routeTimeouts(w *wayIn) *gatewayv1.HTTPRouteTimeouts {
	t := w.Timeouts
	if t == nil || t.Request == nil && t.Backend == nil {
		return nil
	}
	return &gatewayv1.HTTPRouteTimeouts{Request: gatewayDuration(t.Request), BackendRequest: gatewayDuration(t.Backend)}
}

// sessionPersistence is by a cookie of the Gateway's.
func sessionPersistence(w *wayIn) *gatewayv1.SessionPersistence {
	if w.sticky == nil {
		return nil
	}
	s := &gatewayv1.SessionPersistence{SessionName: ptr(w.sticky.CookieName)}
	if w.sticky.Lifetime != nil {
		s.AbsoluteTimeout = gatewayDuration(w.sticky.Lifetime)
		s.CookieConfig = &gatewayv1.CookieConfig{LifetimeType: ptr(gatewayv1.PermanentCookieLifetimeType)}
	}
	return s
}

// gatewayDuration writes a duration as the Gateway API does (GEP-2257): whole hours,
// minutes, seconds and milliseconds, up to five digits each. It is a second at least.
func gatewayDuration(d *metav1.Duration) *gatewayv1.Duration {
	if d == nil {
		return nil
	}
	rest := d.Round(time.Millisecond)
	var b strings.Builder
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if n := rest / unit.size; n > 0 {
			fmt.Fprintf(&b, "%d%s", n, unit.name)
			rest %= unit.size
		}
	}
	return ptr(gatewayv1.Duration(b.String()))
}

func ptr[T any](v T) *T { return &v }
