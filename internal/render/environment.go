package render

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"mizzen.dev/api/v1alpha1"
)

// environment of the server: what it needs, what the Model's secrets and its runtime
// add. Variables of config come with their ConfigMap, below all of these.
func (r *renderer) environment() []*corev1ac.EnvVarApplyConfiguration {
	var env []*corev1ac.EnvVarApplyConfiguration
	add := func(v *corev1ac.EnvVarApplyConfiguration) { env = append(env, v) }
	for _, v := range r.profile.env {
		add(corev1ac.EnvVar().WithName(v.name).WithValue(v.value))
	}
	for _, v := range r.tracingEnv() {
		add(v)
	}
	ours := map[string]bool{}
	for _, v := range env {
		ours[*v.Name] = true
	}
	if r.isMizzen() {
		for _, name := range reservedByMizzen() {
			ours[name] = true
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.spec.Config)) {
		if r.checkName(ours, name, "spec.config."+name) {
			ours[name] = true
		}
	}
	for i, s := range r.spec.Secrets {
		if r.checkName(ours, s.Name, fmt.Sprintf("spec.secrets[%d].name", i)) {
			ours[s.Name] = true
			add(corev1ac.EnvVar().WithName(s.Name).WithValueFrom(corev1ac.EnvVarSource().WithSecretKeyRef(
				corev1ac.SecretKeySelector().WithName(s.SecretRef.Name).WithKey(s.SecretRef.Key))))
		}
	}
	if rt := r.spec.Runtime; rt != nil {
		for i, v := range rt.Env {
			if r.checkName(ours, v.Name, fmt.Sprintf("spec.runtime.env[%d].name", i)) {
				add(corev1ac.EnvVar().WithName(v.Name).WithValue(v.Value))
			}
		}
	}
	return env
}

// checkName refuses a variable that has its value from elsewhere.
func (r *renderer) checkName(taken map[string]bool, name, path string) bool {
	if !taken[name] {
		return true
	}
	advice := "remove it"
	if field := fieldOf(name); field != "" {
		advice = "use " + field + " for it"
	}
	r.refuse(path, conditionWorkload, "EnvironmentConflict", "the variable %s is set already, by another field or by Mizzen itself: %s", name, advice)
	return false
}

// reservedByMizzen are variables of mizzen that would make it another server than the
// one that the rest of the pod expects.
func reservedByMizzen() []string {
	return []string{
		"PORT", "GRPC_PORT", "MIZZEN_ADDRESS", "MIZZEN_TLS_CERT", "MIZZEN_TLS_KEY", "MIZZEN_GRPC",
		"MODEL_NAME", "MODEL_VERSION", "MODEL_PATH", "MODEL_URL", "MODEL_DIGEST",
		"DRAIN_DELAY", "MIZZEN_SHUTDOWN_TIMEOUT",
	}
}

// fieldOf names the field of the spec that a variable comes from; "" if none does.
func fieldOf(name string) string {
	switch name {
	case "MODEL_VERSION":
		return "version"
	case "MODEL_URL", "MODEL_PATH":
		return "source"
	case "MODEL_DIGEST":
		return "source.digest"
	case "DRAIN_DELAY":
		return "placement.preStop"
	case "MIZZEN_SHUTDOWN_TIMEOUT":
		return "placement.drain"
	case "API_KEY_FILE":
		return "auth.apiKeys"
	case "MIZZEN_MAX_BODY":
		return "expose.bodySize"
	case "MIZZEN_RATE_LIMIT", "MIZZEN_RATE_BURST":
		return "expose.rateLimit"
	case "MIZZEN_REQUEST_TIMEOUT", "MIZZEN_WRITE_TIMEOUT", "MIZZEN_READ_TIMEOUT":
		return "expose.timeouts"
	}
	if strings.HasPrefix(name, "OTEL_") {
		return "telemetry.tracing"
	}
	return ""
}

// collector of traces.
type collector struct {
	endpoint string
	protocol v1alpha1.OTLPProtocol
	ratio    float64
	sampling string
}

// collector returns where spans go: to the Model's endpoint, or else the platform's,
// which knows its own protocol. ok is false if the Model asks for no traces, or if
// nobody says where to.
func (r *renderer) collector() (c collector, ok bool) {
	if r.spec.Telemetry == nil || r.spec.Telemetry.Tracing == nil {
		return c, false
	}
	t := r.spec.Telemetry.Tracing
	c = collector{endpoint: t.Endpoint, protocol: t.Protocol, sampling: t.SamplingRatio}
	if p := r.Platform.Tracing; c.endpoint == "" && p != nil {
		c.endpoint = p.Endpoint
		if p.Protocol != "" {
			c.protocol = p.Protocol
		}
	}
	ratio, err := strconv.ParseFloat(c.sampling, 64)
	if err != nil { // the schema has a pattern and a default for it
		return c, false
	}
	c.ratio = ratio
	return c, c.endpoint != ""
}

// tracingEnv is OpenTelemetry's own configuration, with what the pod knows of itself.
// A server that has another way to be told gets none.
func (r *renderer) tracingEnv() []*corev1ac.EnvVarApplyConfiguration {
	if r.spec.Telemetry == nil || r.spec.Telemetry.Tracing == nil {
		return nil
	}
	c, ok := r.collector()
	if !ok {
		r.refuse("spec.telemetry.tracing.endpoint", conditionObserved, "CollectorUnknown", "neither the Model nor the platform says where traces go: set endpoint, or tracing in the platform file")
		return nil
	}
	switch r.profile.name {
	case v1alpha1.RuntimeTriton: // it is told by arguments
		return nil
	case v1alpha1.RuntimeTorchServe, v1alpha1.RuntimeTFServing:
		r.refuse("spec.telemetry.tracing", conditionObserved, "TracingUnsupported", "the runtime %s sends no traces: remove tracing", r.profile.name)
		return nil
	}
	protocol := "grpc"
	if c.protocol == v1alpha1.OTLPHTTP {
		protocol = "http/protobuf"
	}
	fromPod := func(name, field string) *corev1ac.EnvVarApplyConfiguration {
		return corev1ac.EnvVar().WithName(name).WithValueFrom(corev1ac.EnvVarSource().WithFieldRef(corev1ac.ObjectFieldSelector().WithFieldPath(field)))
	}
	plain := func(name, value string) *corev1ac.EnvVarApplyConfiguration {
		return corev1ac.EnvVar().WithName(name).WithValue(value)
	}
	attributes := []string{
		"service.namespace=" + r.Model.Namespace,
		"service.version=" + r.spec.Version,
		"service.instance.id=$(POD_UID)",
		"k8s.namespace.name=" + r.Model.Namespace,
		"k8s.deployment.name=" + r.Model.Name,
		"k8s.pod.name=$(POD_NAME)",
		"k8s.pod.uid=$(POD_UID)",
		"k8s.node.name=$(NODE_NAME)",
		"k8s.container.name=" + serverContainer,
	}
	return []*corev1ac.EnvVarApplyConfiguration{
		fromPod("POD_NAME", "metadata.name"),
		fromPod("POD_UID", "metadata.uid"),
		fromPod("NODE_NAME", "spec.nodeName"),
		plain("OTEL_SERVICE_NAME", r.Model.Name),
		plain("OTEL_RESOURCE_ATTRIBUTES", strings.Join(attributes, ",")),
		plain("OTEL_EXPORTER_OTLP_ENDPOINT", c.endpoint),
		plain("OTEL_EXPORTER_OTLP_PROTOCOL", protocol),
		plain("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
		plain("OTEL_TRACES_SAMPLER_ARG", c.sampling),
	}
}
