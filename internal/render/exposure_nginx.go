package render

import (
	"strconv"
	"time"

	networkingv1 "k8s.io/api/networking/v1"

	"mizzen.dev/api/v1alpha1"
)

const nginxPrefix = "nginx.ingress.kubernetes.io/"

// mizzenBody is the size of a body that mizzen takes if it is told nothing.
const mizzenBody = 10 << 20

// exposeByNginx has nginx enforce what the server enforces, too, before a request
// costs anything.
func (r *renderer) exposeByNginx(w *wayIn) bool {
	paths := []string{"/"}
	if w.grpc {
		if w.tls == nil {
			r.refuse("spec.expose.protocols", conditionExposed, reasonNotSupported,
				"nginx takes gRPC over TLS alone: set expose.tls, or remove GRPC")
			w.grpc = false
		}
		if w.http {
			paths = grpcPaths(r.runtimeName())
		}
		if w.grpc && len(paths) == 0 {
			r.refuse("spec.expose.protocols", conditionExposed, reasonNotSupported,
				"an Ingress tells gRPC from HTTP by the names of services, which Mizzen does not know of the runtime %s: leave only one of HTTP and GRPC", r.runtimeName())
			w.grpc = false
		}
	}
	if !w.http && !w.grpc {
		return false
	}
	r.ingressCertificate(w)
	if w.grpc {
		annotations := r.nginxAnnotations(w, "/")
		annotations[nginxPrefix+"backend-protocol"] = "GRPC"
		r.ingress(w, r.name("grpc"), annotations, networkingv1.PathTypePrefix, grpcPortName, paths...)
	}
	if !w.http {
		return true
	}
	annotations := r.nginxAnnotations(w, w.path)
	if w.path == "/" {
		r.ingress(w, r.Model.Name, annotations, networkingv1.PathTypePrefix, httpPortName, w.path)
		return true
	}
	annotations[nginxPrefix+"use-regex"] = "true"
	annotations[nginxPrefix+"rewrite-target"] = "/$2"
	r.ingress(w, r.Model.Name, annotations, networkingv1.PathTypeImplementationSpecific, httpPortName, captured(w.path))
	return true
}

func (r *renderer) nginxAnnotations(w *wayIn, cookiePath string) map[string]string {
	a := map[string]string{nginxPrefix + "proxy-body-size": r.nginxBodySize(w)}
	if l := w.RateLimit; l != nil {
		burst := max(l.Burst, l.RequestsPerSecond) // as many as in a second, at the least
		a[nginxPrefix+"limit-rps"] = strconv.Itoa(int(l.RequestsPerSecond))
		a[nginxPrefix+"limit-burst-multiplier"] = strconv.Itoa(int((burst + l.RequestsPerSecond - 1) / l.RequestsPerSecond))
	}
	if t := r.nginxTimeout(w); t != "" {
		a[nginxPrefix+"proxy-read-timeout"] = t
		a[nginxPrefix+"proxy-send-timeout"] = t
	}
	if s := w.sticky; s != nil {
		a[nginxPrefix+"affinity"] = "cookie"
		a[nginxPrefix+"session-cookie-name"] = s.CookieName
		a[nginxPrefix+"session-cookie-path"] = cookiePath // nginx takes none from a regular expression
		if s.Lifetime != nil {
			a[nginxPrefix+"session-cookie-max-age"] = seconds(s.Lifetime.Duration)
			a[nginxPrefix+"session-cookie-expires"] = seconds(s.Lifetime.Duration)
		}
		if w.tls != nil {
			a[nginxPrefix+"session-cookie-secure"] = "true"
		}
	}
	return a
}

// nginxBodySize is in bytes. nginx's own 1 MiB is less than what the server takes;
// where only the server knows its bound, nginx has none.
func (r *renderer) nginxBodySize(w *wayIn) string {
	if w.BodySize != nil {
		return strconv.FormatInt(w.BodySize.Value(), 10)
	}
	if _, set := r.spec.Config["MIZZEN_MAX_BODY"]; set || !r.isMizzen() {
		return "0"
	}
	return strconv.Itoa(mizzenBody)
}

// nginxTimeout is the shorter of the two: nginx knows only how long it waits for the
// server. It counts whole seconds.
func (r *renderer) nginxTimeout(w *wayIn) string {
	shortest := shortestTimeout(w.Timeouts)
	if shortest == 0 {
		return ""
	}
	if shortest%time.Second != 0 {
		r.warnOnce("spec.expose.timeouts", conditionExposed, reasonRounded,
			"nginx counts timeouts in seconds: %s becomes %ss", shortest, seconds(shortest))
	}
	return seconds(shortest)
}

func shortestTimeout(t *v1alpha1.Timeouts) time.Duration {
	var shortest time.Duration
	if t == nil {
		return 0
	}
	if t.Request != nil {
		shortest = t.Request.Duration
	}
	if t.Backend != nil && (shortest == 0 || t.Backend.Duration < shortest) {
		shortest = t.Backend.Duration
	}
	return shortest
}

// warnOnce is warn for what is looked at for more than one object.
func (r *renderer) warnOnce(path, condition, reason, format string, args ...any) {
	for _, p := range r.result.Problems {
		if p.Path == path && p.Reason == reason {
			return
		}
	}
	r.warn(path, condition, reason, format, args...)
}
