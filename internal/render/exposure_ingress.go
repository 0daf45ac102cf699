package render

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/nearest"
	"mizzen.dev/internal/platform"
)

// exposeByIngress writes what any controller understands, and what nginx and Traefik
// understand besides.
func (r *renderer) exposeByIngress(w *wayIn) bool {
	class := w.Ingress.ClassName
	r.checkClass(class)
	switch r.controller(class) {
	case platform.ControllerNginx:
		return r.exposeByNginx(w)
	case platform.ControllerTraefik:
		return r.exposeByTraefik(w)
	}
	r.checkLimits(w, "an Ingress of class "+class, false)
	if w.sticky != nil {
		r.refuse("spec.expose.stickySessions", conditionExposed, reasonNotSupported,
			"Mizzen does not know how an Ingress of class %s sends a client to one pod: remove stickySessions, or use nginx or Traefik", class)
	}
	return r.plainIngress(w, nil)
}

// plainIngress is one of HTTP, without rewriting: what all controllers do alike.
func (r *renderer) plainIngress(w *wayIn, ours map[string]string) bool {
	class := w.Ingress.ClassName
	if w.grpc {
		r.refuse("spec.expose.protocols", conditionExposed, reasonNotSupported,
			"an Ingress of class %s cannot be told that a backend speaks gRPC: remove GRPC, use expose.gateway, or nginx", class)
	}
	if !w.http {
		return false
	}
	if w.path != "/" && !r.rewritten(w) {
		r.refuse("spec.expose.path", conditionExposed, reasonNotSupported,
			"an Ingress of class %s cannot take the path away before the server sees it: remove path and use a host of its own, or use expose.gateway, or nginx", class)
		return false
	}
	r.ingressCertificate(w)
	r.ingress(w, r.Model.Name, ours, networkingv1.PathTypePrefix, httpPortName, w.path)
	return true
}

// controller of an ingress class: as the platform says, or as its name does.
func (r *renderer) controller(class string) string {
	for _, c := range r.Platform.IngressClasses {
		if c.Name == class {
			return c.Controller
		}
	}
	switch {
	case strings.Contains(class, "nginx"):
		return platform.ControllerNginx
	case strings.Contains(class, "traefik"):
		return platform.ControllerTraefik
	}
	return ""
}

// checkClass warns of a class that is not among those of the platform.
func (r *renderer) checkClass(class string) {
	var known []string
	for _, c := range r.Platform.IngressClasses {
		known = append(known, c.Name)
	}
	if len(known) > 0 && !slices.Contains(known, class) {
		r.warn("spec.expose.ingress.className", conditionExposed, reasonUnknownClass,
			"the platform has no ingress class %s%s; it has %s", class, nearest.DidYouMean(class, known), strings.Join(known, ", "))
	}
}

func (r *renderer) ingressCertificate(w *wayIn) {
	r.certificate(w, map[string]string{"acme.cert-manager.io/http01-override-ingress-ingressclassname": w.Ingress.ClassName})
}

// ingress sends paths of the host to a port of the Service.
func (r *renderer) ingress(w *wayIn, name string, ours map[string]string, pathType networkingv1.PathType, port string, paths ...string) {
	metadata := r.metaNamed(name)
	annotations := map[string]string{}
	for k, v := range w.Ingress.Annotations {
		annotations[k] = string(v)
	}
	for _, k := range slices.Sorted(maps.Keys(ours)) {
		if theirs, ok := annotations[k]; ok && theirs != ours[k] {
			r.warnOnce("spec.expose.ingress.annotations["+k+"]", conditionExposed, reasonOverridden,
				"it is %q here, as the fields of expose have it: set those, and remove the annotation", ours[k])
		}
	}
	maps.Copy(annotations, ours)
	if len(annotations) > 0 {
		metadata.Annotations = annotations
	}
	rules := &networkingv1.HTTPIngressRuleValue{}
	for _, path := range paths {
		rules.Paths = append(rules.Paths, networkingv1.HTTPIngressPath{
			Path: path, PathType: &pathType,
			Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
				Name: r.Model.Name, Port: networkingv1.ServiceBackendPort{Name: port},
			}},
		})
	}
	spec := networkingv1.IngressSpec{
		IngressClassName: ptr(w.Ingress.ClassName),
		Rules:            []networkingv1.IngressRule{{Host: w.Host, IngressRuleValue: networkingv1.IngressRuleValue{HTTP: rules}}},
	}
	if w.tls != nil {
		spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{w.Host}, SecretName: w.tls.secret}}
	}
	r.add(&object{APIVersion: networkingAPI, Kind: "Ingress", Metadata: metadata, Spec: &spec})
}

// Annotations of Traefik.
const (
	traefikPrefix      = "traefik.ingress.kubernetes.io/"
	traefikMiddlewares = traefikPrefix + "router.middlewares"
)

// rewritten says whether the Model itself names a middleware of Traefik, which may take
// the path away: it is a resource of Traefik's own that Mizzen does not make.
func (r *renderer) rewritten(w *wayIn) bool {
	_, ok := w.Ingress.Annotations[traefikMiddlewares]
	return ok && r.controller(w.Ingress.ClassName) == platform.ControllerTraefik
}

// exposeByTraefik: with TLS its router takes no calls in plain text. Cookies are an
// annotation of the Service, see serviceAnnotations.
func (r *renderer) exposeByTraefik(w *wayIn) bool {
	r.checkLimits(w, "Traefik, by annotations,", false)
	ours := map[string]string{}
	if w.tls != nil {
		ours[traefikPrefix+"router.tls"] = "true"
	}
	return r.plainIngress(w, ours)
}

// serviceAnnotations are what an ingress controller reads from the Service and not
// from the Ingress.
func (r *renderer) serviceAnnotations() map[string]string {
	e := r.spec.Expose
	if e == nil || e.Ingress == nil || e.StickySessions == nil || r.controller(e.Ingress.ClassName) != platform.ControllerTraefik {
		return nil
	}
	const cookie = traefikPrefix + "service.sticky.cookie"
	annotations := map[string]string{cookie: "true", cookie + ".name": e.StickySessions.CookieName, cookie + ".httponly": "true"}
	if e.TLS != nil || r.Platform.Defaults.IssuerRef != nil {
		annotations[cookie+".secure"] = "true"
	}
	if l := e.StickySessions.Lifetime; l != nil {
		annotations[cookie+".maxage"] = seconds(l.Duration)
	}
	return annotations
}

// grpcServices are the services of a runtime, by which a controller tells gRPC from
// HTTP on one host; nil if Mizzen does not know them.
func grpcServices(runtime v1alpha1.RuntimeName) []string {
	switch runtime {
	case v1alpha1.RuntimeMizzen, v1alpha1.RuntimeTriton:
		return []string{"inference.GRPCInferenceService", "grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection", "grpc.reflection.v1alpha.ServerReflection"}
	case v1alpha1.RuntimeTorchServe:
		return []string{"org.pytorch.serve.grpc.inference.InferenceAPIsService"}
	case v1alpha1.RuntimeTFServing:
		return []string{"tensorflow.serving.PredictionService", "tensorflow.serving.ModelService"}
	}
	return nil
}

// grpcPaths are the paths of all calls of the runtime's services.
func grpcPaths(runtime v1alpha1.RuntimeName) []string {
	var paths []string
	for _, s := range grpcServices(runtime) {
		paths = append(paths, "/"+s+"/")
	}
	return slices.Clip(paths)
}

// captured is a path for nginx that captures what comes after the prefix.
func captured(path string) string { return regexp.QuoteMeta(path) + "(/|$)(.*)" }
