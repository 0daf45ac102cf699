package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

func quantity(s string) *resource.Quantity { q := resource.MustParse(s); return &q }

func pointer[T any](v T) *T { return &v }

// kedaFor expects a ScaledObject with these triggers and, if there is one, fallback.
func kedaFor(triggers, fallback string) string {
	if fallback != "" {
		fallback = "\n  fallback: " + fallback
	}
	return `
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: iris}
  minReplicaCount: 2
  maxReplicaCount: 20` + fallback + `
  advanced:
    horizontalPodAutoscalerConfig: {name: iris}
  triggers:` + triggers
}

func hpaFor(utilization string) string {
	return `
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: iris}
  minReplicas: 2
  maxReplicas: 20
  metrics:
  - type: Resource
    resource: {name: cpu, target: {type: Utilization, averageUtilization: ` + utilization + `}}`
}

const (
	requestsTrigger = `
  - type: prometheus
    name: requestsPerSecond
    metricType: AverageValue
    metadata:
      serverAddress: http://prometheus.monitoring:9090
      query: sum(rate(inference_requests_total{namespace="ml-prod",model="iris",endpoint="predict"}[1m]))
      threshold: "50"
      ignoreNullValues: "false"`
	concurrencyTrigger = `
  - type: prometheus
    name: concurrency
    metricType: AverageValue
    metadata:
      serverAddress: http://prometheus.monitoring:9090
      query: sum(avg_over_time(inference_in_flight{namespace="ml-prod",mizzen_dev_model="iris"}[1m]))
      threshold: "0.5"
      ignoreNullValues: "false"`
	queueTrigger = `
  - type: prometheus
    name: queueLength
    metricType: AverageValue
    metadata:
      serverAddress: http://prometheus.monitoring:9090
      query: sum(avg_over_time(inference_queue_depth{namespace="ml-prod",mizzen_dev_model="iris"}[1m]))
      threshold: "3"
      ignoreNullValues: "false"`
	cpuTrigger = `
  - type: cpu
    metricType: Utilization
    metadata: {value: "70"}`
	cronTrigger = `
  - type: cron
    name: schedule-office
    metadata: {timezone: Asia/Seoul, start: 0 8 * * 1-5, end: 0 20 * * 1-5, desiredReplicas: "6"}`
	defaultFallback = "{behavior: currentReplicasIfHigher, failureThreshold: 3, replicas: 2}"
)

func TestScaling(t *testing.T) {
	requests := &v1alpha1.ScaleTarget{RequestsPerSecond: quantity("50")}
	office := []v1alpha1.ScheduledReplicas{{Name: "office", Start: "0 8 * * 1-5", End: "0 20 * * 1-5", Timezone: "Asia/Seoul", Replicas: 6}}
	tests := map[string]struct {
		scale    func(*v1alpha1.Scale)
		model    func(*v1alpha1.ModelSpec)
		platform func(*platform.Platform)
		hpa      string // the spec, or "" for none
		keda     string
		problems []string
	}{
		"no target": {hpa: hpaFor("70")},
		"CPU": {
			scale: func(s *v1alpha1.Scale) { s.Target = &v1alpha1.ScaleTarget{CPUUtilization: pointer[int32](55)} },
			hpa:   hpaFor("55"),
		},
		"behavior of an HPA": {
			scale: func(s *v1alpha1.Scale) {
				s.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleDown: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: pointer[int32](60)}}
			},
			hpa: hpaFor("70") + "\n  behavior: {scaleDown: {stabilizationWindowSeconds: 60}}",
		},
		"requests": {
			scale: func(s *v1alpha1.Scale) { s.Target = requests },
			keda:  kedaFor(requestsTrigger, defaultFallback),
		},
		"all targets and a schedule": {
			scale: func(s *v1alpha1.Scale) {
				s.Target = &v1alpha1.ScaleTarget{CPUUtilization: pointer[int32](70), RequestsPerSecond: quantity("50"), Concurrency: quantity("500m"), QueueLength: quantity("3")}
				s.Schedule = office
			},
			keda: kedaFor(requestsTrigger+concurrencyTrigger+queueTrigger+cpuTrigger+cronTrigger, defaultFallback),
		},
		"a fallback of its own": {
			scale: func(s *v1alpha1.Scale) {
				s.Target, s.Fallback = requests, &v1alpha1.ScaleFallback{Replicas: 8, FailureThreshold: 5}
			},
			keda: kedaFor(requestsTrigger, "{behavior: currentReplicasIfHigher, failureThreshold: 5, replicas: 8}"),
		},
		"a schedule alone goes by CPU as well, and cannot fall back": {
			scale: func(s *v1alpha1.Scale) { s.Schedule, s.Fallback = office, &v1alpha1.ScaleFallback{Replicas: 8} },
			keda:  kedaFor(cpuTrigger+cronTrigger, ""),
			problems: []string{
				"spec.scale.fallback: FallbackUnused",
			},
		},
		"behavior of KEDA's HPA": {
			scale: func(s *v1alpha1.Scale) {
				s.Target = requests
				s.Behavior = &autoscalingv2.HorizontalPodAutoscalerBehavior{ScaleDown: &autoscalingv2.HPAScalingRules{StabilizationWindowSeconds: pointer[int32](60)}}
			},
			keda: `
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: iris}
  minReplicaCount: 2
  maxReplicaCount: 20
  fallback: ` + defaultFallback + `
  advanced:
    horizontalPodAutoscalerConfig: {name: iris, behavior: {scaleDown: {stabilizationWindowSeconds: 60}}}
  triggers:` + requestsTrigger,
		},
		"KEDA for CPU": {
			scale: func(s *v1alpha1.Scale) { s.Via = v1alpha1.ScaleViaKEDA },
			keda:  kedaFor(cpuTrigger, ""),
		},
		"without KEDA, CPU decides": {
			scale:    func(s *v1alpha1.Scale) { s.Target, s.Schedule = requests, office },
			platform: func(p *platform.Platform) { p.Offers = platform.Offers{platform.MetricsServer} },
			hpa:      hpaFor("70"),
			problems: []string{"spec.scale.target.requestsPerSecond: MetricUnavailable"},
		},
		"KEDA where there is none": {
			scale:    func(s *v1alpha1.Scale) { s.Target, s.Via = requests, v1alpha1.ScaleViaKEDA },
			platform: func(p *platform.Platform) { p.Offers = platform.Offers{platform.MetricsServer} },
			problems: []string{"spec.scale.via: KEDAMissing (refused)"},
		},
		"without Prometheus, CPU decides": {
			scale:    func(s *v1alpha1.Scale) { s.Target = requests },
			platform: func(p *platform.Platform) { p.Prometheus = nil },
			hpa:      hpaFor("70"),
			problems: []string{"spec.scale.target.requestsPerSecond: MetricUnavailable"},
		},
		"KEDA without Prometheus": {
			scale:    func(s *v1alpha1.Scale) { s.Target, s.Schedule, s.Via = requests, office, v1alpha1.ScaleViaKEDA },
			platform: func(p *platform.Platform) { p.Prometheus.Address = "" },
			keda:     kedaFor(cpuTrigger+cronTrigger, ""),
			problems: []string{"spec.scale.target.requestsPerSecond: MetricUnavailable (refused)"},
		},
		"a runtime without a queue to look at": {
			scale: func(s *v1alpha1.Scale) { s.Target = &v1alpha1.ScaleTarget{QueueLength: quantity("3")} },
			model: func(s *v1alpha1.ModelSpec) {
				s.Runtime = &v1alpha1.Runtime{Name: v1alpha1.RuntimeTorchServe}
				s.Source = v1alpha1.Source{Claim: &v1alpha1.ClaimSource{Name: "models", Path: "iris.mar"}}
			},
			hpa:      hpaFor("70"),
			problems: []string{"spec.scale.target.queueLength: MetricUnavailable (refused)"},
		},
		"no metrics-server": {
			platform: func(p *platform.Platform) { p.Offers = nil },
			hpa:      hpaFor("70"),
			problems: []string{"spec.scale: MetricsServerAbsent"},
		},
		"no CPU request to compare with": {
			model: func(s *v1alpha1.ModelSpec) {
				s.Resources = &v1alpha1.Resources{Requests: corev1.ResourceList{corev1.ResourceMemory: resource.MustParse("1Gi")}}
			},
			problems: []string{"spec.resources.requests: NoCPURequest (refused)"},
		},
		"more than the maximum, less than can be counted": {
			scale: func(s *v1alpha1.Scale) {
				s.MaxReplicas, s.Schedule = 4, office
				s.Target = &v1alpha1.ScaleTarget{RequestsPerSecond: quantity("10u")}
				s.Fallback = &v1alpha1.ScaleFallback{Replicas: 5}
			},
			keda: `
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: iris}
  minReplicaCount: 2
  maxReplicaCount: 4
  advanced:
    horizontalPodAutoscalerConfig: {name: iris}
  triggers:` + cpuTrigger + cronTrigger,
			problems: []string{
				"spec.scale.schedule[0].replicas: BeyondMaximum",
				"spec.scale.fallback.replicas: BeyondMaximum",
				"spec.scale.target.requestsPerSecond: TargetTooSmall (refused)",
				"spec.scale.fallback: FallbackUnused",
			},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m := observedModel(tt.model)
			m.Spec.Scale = &v1alpha1.Scale{MinReplicas: 2, MaxReplicas: 20, Via: v1alpha1.ScaleViaAuto}
			if tt.scale != nil {
				tt.scale(m.Spec.Scale)
			}
			p := fullPlatform(t)
			if tt.platform != nil {
				tt.platform(p)
			}
			res := renderedOn(t, m, p)

			if diff := cmp.Diff(specOf(t, tt.hpa), rendering(res, "HorizontalPodAutoscaler")); diff != "" {
				t.Errorf("HorizontalPodAutoscaler (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(specOf(t, tt.keda), rendering(res, "ScaledObject")); diff != "" {
				t.Errorf("ScaledObject (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.problems, reasons(res, v1alpha1.ConditionScaledBy)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			via := map[bool]v1alpha1.ScaleVia{tt.hpa != "": v1alpha1.ScaleViaHPA, tt.keda != "": v1alpha1.ScaleViaKEDA}[true]
			if res.ScaledBy != via {
				t.Errorf("ScaledBy = %q, want %q", res.ScaledBy, via)
			}
		})
	}
}

// specOf reads an expected spec.
func specOf(t *testing.T, text string) any {
	t.Helper()
	if text == "" {
		return nil
	}
	var o struct {
		Spec map[string]any `json:"spec"`
	}
	if err := yaml.Unmarshal([]byte("spec:"+text), &o); err != nil {
		t.Fatal(err)
	}
	return o.Spec
}

// rendering is the spec of the rendered object as JSON has it, or nil.
func rendering(res *Result, kind string) any {
	o := objectOf(res, kind, "iris")
	if o == nil {
		return nil
	}
	text, err := yaml.Marshal(o.Object["spec"])
	if err != nil {
		return err
	}
	var spec map[string]any
	if err := yaml.Unmarshal(text, &spec); err != nil {
		return err
	}
	return spec
}

// TestKEDATakesOver holds the names by which KEDA goes on with the HPA that is there.
func TestKEDATakesOver(t *testing.T) {
	m := observedModel(func(s *v1alpha1.ModelSpec) { s.Scale = &v1alpha1.Scale{MinReplicas: 1, MaxReplicas: 3} })
	hpa := objectOf(renderedOn(t, m, fullPlatform(t)), "HorizontalPodAutoscaler", "iris")
	m.Spec.Scale.Target = &v1alpha1.ScaleTarget{RequestsPerSecond: quantity("5")}
	res := renderedOn(t, m, fullPlatform(t))
	so := objectOf(res, "ScaledObject", "iris")
	if hpa == nil || so == nil || objectOf(res, "HorizontalPodAutoscaler", "iris") != nil {
		t.Fatal("one autoscaler before and one after")
	}
	if got := so.GetAnnotations()["scaledobject.keda.sh/transfer-hpa-ownership"]; got != "true" {
		t.Errorf("transfer-hpa-ownership = %q", got)
	}
	if deployment := objectOf(res, "Deployment", "iris"); deployment.Object["spec"].(map[string]any)["replicas"] != nil {
		t.Error("the Deployment has replicas beside an autoscaler")
	}
}
