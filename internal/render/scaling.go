package render

import (
	"fmt"
	"strings"

	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

// defaultCPUUtilization of pods, in percent of what they ask for, where the spec has no
// target: room for what comes while new pods start.
const defaultCPUUtilization int32 = 70

// leastTarget is the smallest target that an autoscaler can express: it counts in
// thousandths.
var leastTarget = resource.MustParse("1m")

// Reasons of problems with autoscaling.
const (
	reasonMetricUnavailable   = "MetricUnavailable"
	reasonKEDAMissing         = "KEDAMissing"
	reasonMetricsServerAbsent = "MetricsServerAbsent"
	reasonNoCPURequest        = "NoCPURequest"
	reasonFallbackUnused      = "FallbackUnused"
	reasonBeyondMaximum       = "BeyondMaximum"
	reasonTargetTooSmall      = "TargetTooSmall"
)

// load is a measure of load from Prometheus, and how much of it a pod should have.
type load struct {
	name      string
	threshold string
	query     string
}

// scaling renders one autoscaler, never two: with KEDA, CPU is one of its triggers.
func (r *renderer) scaling() {
	s := r.spec.Scale
	if s == nil || r.broken {
		return
	}
	r.checkReplicas(s)
	asked := needsKEDA(s)
	offered := r.Platform.Offers.Has(platform.KEDA)
	switch {
	case s.Via == v1alpha1.ScaleViaKEDA && !offered:
		r.refuse("spec.scale.via", conditionScaled, reasonKEDAMissing,
			"the platform does not offer KEDA: install it and add KEDA to the platform's offers, or set via to Auto or HPA")
	case s.Via == v1alpha1.ScaleViaKEDA:
		r.scaleByKEDA(s, r.loads(s))
	case s.Via == v1alpha1.ScaleViaHPA || len(asked) == 0:
		r.scaleByHPA(s)
	case !offered:
		r.warn(asked[0].path, conditionScaled, reasonMetricUnavailable,
			"%s cannot be followed without KEDA, which the platform does not offer: until it does, CPU decides, at %d%%. Install KEDA and add KEDA to the platform's offers",
			listed(asked), cpuTarget(s))
		r.scaleByHPA(s)
	default:
		loads := r.loads(s)
		if len(loads) == 0 && len(s.Schedule) == 0 {
			r.scaleByHPA(s) // a problem says why
			return
		}
		r.scaleByKEDA(s, loads)
	}
}

// wish is a field that only KEDA carries out.
type wish struct{ path, name string }

func needsKEDA(s *v1alpha1.Scale) []wish {
	var asked []wish
	if t := s.Target; t != nil {
		for _, m := range targets(t) {
			asked = append(asked, wish{"spec.scale.target." + m.name, m.name})
		}
	}
	if len(s.Schedule) > 0 {
		asked = append(asked, wish{"spec.scale.schedule", "the schedule"})
	}
	return asked
}

func listed(wishes []wish) string {
	names := make([]string, len(wishes))
	for i, w := range wishes {
		names[i] = w.name
	}
	return strings.Join(names, ", ")
}

// target is a quantity of load for a pod.
type target struct {
	name  string
	value *resource.Quantity
}

// targets returns those that are measured by Prometheus, in the order of the spec.
func targets(t *v1alpha1.ScaleTarget) []target {
	var set []target
	for _, m := range []target{
		{"requestsPerSecond", t.RequestsPerSecond},
		{"concurrency", t.Concurrency},
		{"queueLength", t.QueueLength},
	} {
		if m.value != nil {
			set = append(set, m)
		}
	}
	return set
}

// loads returns the targets that can be measured, and says why others cannot.
func (r *renderer) loads(s *v1alpha1.Scale) []load {
	if s.Target == nil {
		return nil
	}
	p := r.Platform.Prometheus
	var loads []load
	for _, t := range targets(s.Target) {
		path := "spec.scale.target." + t.name
		query, ok := r.loadQuery(t.name)
		switch {
		case !ok:
			r.refuse(path, conditionScaled, reasonMetricUnavailable,
				"%s has no metric for %s: scale on cpuUtilization, or on a target that it measures", r.runtimeName(), t.name)
		case t.value.Cmp(leastTarget) < 0:
			r.refuse(path, conditionScaled, reasonTargetTooSmall, "%s is less than the 0.001 that an autoscaler can count: use a larger target", t.value)
		case p == nil || p.Address == "":
			problem := r.warn
			if s.Via == v1alpha1.ScaleViaKEDA {
				problem = r.refuse
			}
			problem(path, conditionScaled, reasonMetricUnavailable,
				"%s is measured by Prometheus, and the platform does not say where that is: set prometheus.address in the platform file", t.name)
		default:
			loads = append(loads, load{t.name, number(t.value.AsApproximateFloat64()), query})
		}
	}
	return loads
}

// loadQuery measures all pods together: the autoscaler itself divides by the target
// and so finds how many pods are needed, ready or not.
func (r *renderer) loadQuery(name string) (string, bool) {
	q, m := r.queries(), r.profile.metrics
	window := promDuration(r.rateWindow())
	switch name {
	case "requestsPerSecond":
		return q.requests(window), m.requests.has()
	case "concurrency":
		return q.level(m.inFlight, window), m.inFlight.has()
	default:
		return q.level(m.queue, window), m.queue.has()
	}
}

// cpuTarget is the CPU utilization that pods should have.
func cpuTarget(s *v1alpha1.Scale) int32 {
	if s.Target != nil && s.Target.CPUUtilization != nil {
		return *s.Target.CPUUtilization
	}
	return defaultCPUUtilization
}

// measuresCPU says whether CPU can decide. It is a share of what pods ask for.
func (r *renderer) measuresCPU() bool {
	res := r.resources()
	_, requested := res.Requests[corev1.ResourceCPU]
	_, limited := res.Limits[corev1.ResourceCPU] // a request without a value takes the limit's
	if !requested && !limited {
		r.refuse("spec.resources.requests", conditionScaled, reasonNoCPURequest,
			"the autoscaler compares the CPU that pods use with the CPU that they ask for, and they ask for none: set resources.requests.cpu")
		return false
	}
	if !r.Platform.Offers.Has(platform.MetricsServer) {
		r.warn("spec.scale", conditionScaled, reasonMetricsServerAbsent,
			"the autoscaler learns the CPU of pods from metrics-server, which the platform does not offer: install it and add MetricsServer to the platform's offers")
	}
	return true
}

// checkReplicas says which numbers of pods the autoscaler cuts to its maximum.
func (r *renderer) checkReplicas(s *v1alpha1.Scale) {
	beyond := func(path string, replicas int32) {
		if replicas > s.MaxReplicas {
			r.warn(path, conditionScaled, reasonBeyondMaximum, "%d pods are more than maxReplicas, %d, allows: raise maxReplicas", replicas, s.MaxReplicas)
		}
	}
	for i, at := range s.Schedule {
		beyond(fmt.Sprintf("spec.scale.schedule[%d].replicas", i), at.Replicas)
	}
	if s.Fallback != nil {
		beyond("spec.scale.fallback.replicas", s.Fallback.Replicas)
	}
}

// unusedFallback says that nothing can fall back.
func (r *renderer) unusedFallback(s *v1alpha1.Scale) {
	if s.Fallback != nil {
		r.warn("spec.scale.fallback", conditionScaled, reasonFallbackUnused,
			"a fallback stands in for a measure of Prometheus, and none is used: an autoscaler that cannot see the CPU leaves the pods as they are. Remove fallback, or scale on requestsPerSecond, concurrency or queueLength")
	}
}

// scaleByHPA renders a HorizontalPodAutoscaler that goes by CPU.
func (r *renderer) scaleByHPA(s *v1alpha1.Scale) {
	r.unusedFallback(s)
	if !r.measuresCPU() {
		return
	}
	utilization := cpuTarget(s)
	r.result.ScaledBy = v1alpha1.ScaleViaHPA
	r.add(&object{
		APIVersion: "autoscaling/v2", Kind: "HorizontalPodAutoscaler", Metadata: r.meta(nil),
		Spec: &autoscalingv2.HorizontalPodAutoscalerSpec{
			ScaleTargetRef: autoscalingv2.CrossVersionObjectReference{APIVersion: "apps/v1", Kind: "Deployment", Name: r.name("")},
			MinReplicas:    &s.MinReplicas,
			MaxReplicas:    s.MaxReplicas,
			Metrics: []autoscalingv2.MetricSpec{{
				Type: autoscalingv2.ResourceMetricSourceType,
				Resource: &autoscalingv2.ResourceMetricSource{
					Name:   corev1.ResourceCPU,
					Target: autoscalingv2.MetricTarget{Type: autoscalingv2.UtilizationMetricType, AverageUtilization: &utilization},
				},
			}},
			Behavior: s.Behavior,
		},
	})
}
