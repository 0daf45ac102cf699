package render

import (
	"strconv"

	autoscalingv2 "k8s.io/api/autoscaling/v2"

	"mizzen.dev/api/v1alpha1"
)

// scaledObjectSpec is the part of KEDA's ScaledObject (keda.sh/v1alpha1) that is used here.
type scaledObjectSpec struct {
	ScaleTargetRef  scaleTargetRef        `json:"scaleTargetRef"`
	MinReplicaCount int32                 `json:"minReplicaCount"`
	MaxReplicaCount int32                 `json:"maxReplicaCount"`
	Fallback        *scaledObjectFallback `json:"fallback,omitempty"`
	Advanced        scaledObjectAdvanced  `json:"advanced"`
	Triggers        []scaleTrigger        `json:"triggers"`
}

type scaleTargetRef struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Name       string `json:"name"`
}

type scaledObjectFallback struct {
	Behavior         string `json:"behavior"`
	FailureThreshold int32  `json:"failureThreshold"`
	Replicas         int32  `json:"replicas"`
}

type scaledObjectAdvanced struct {
	HPA kedaHPAConf `json:"horizontalPodAutoscalerConfig"`
}

type kedaHPAConf struct {
	Name     string                                         `json:"name"`
	Behavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"behavior,omitempty"`
}

type scaleTrigger struct {
	Type       string            `json:"type"`
	Name       string            `json:"name,omitempty"`
	MetricType string            `json:"metricType,omitempty"`
	Metadata   map[string]string `json:"metadata"`
}

// Annotations of a ScaledObject.
const (
	// kedaTransfersHPA lets KEDA go on with an HPA that is there, of the name in the spec.
	kedaTransfersHPA = "scaledobject.keda.sh/transfer-hpa-ownership"
	// kedaExcludesLabels are labels that KEDA's HPA does not take over: it is KEDA's.
	kedaExcludesLabels = "scaledobject.keda.sh/hpa-excluded-labels"
)

// keepsWhatRuns is KEDA's behaviour of a fallback that never removes pods.
const keepsWhatRuns = "currentReplicasIfHigher"

// defaultFailureThreshold is after how many failed measurements in a row the fallback
// is taken.
const defaultFailureThreshold int32 = 3

// scaleByKEDA renders a ScaledObject for the loads, the schedule, and CPU where it is
// asked for or is all that is left.
func (r *renderer) scaleByKEDA(s *v1alpha1.Scale, loads []load) {
	triggers := r.loadTriggers(loads)
	if asked := s.Target != nil && s.Target.CPUUtilization != nil; (asked || len(loads) == 0) && r.measuresCPU() {
		triggers = append(triggers, scaleTrigger{
			Type: "cpu", MetricType: "Utilization",
			Metadata: map[string]string{"value": strconv.Itoa(int(cpuTarget(s)))},
		})
	}
	for _, at := range s.Schedule {
		timezone := at.Timezone
		if timezone == "" {
			timezone = "UTC"
		}
		// KEDA wants names to differ from those of all other triggers.
		triggers = append(triggers, scaleTrigger{Type: "cron", Name: "schedule-" + at.Name, Metadata: map[string]string{
			"timezone": timezone, "start": at.Start, "end": at.End,
			"desiredReplicas": strconv.Itoa(int(at.Replicas)),
		}})
	}
	var fallback *scaledObjectFallback
	if len(loads) > 0 {
		fallback = fallbackOf(s)
	} else {
		r.unusedFallback(s) // and KEDA refuses one for CPU alone
	}
	if len(triggers) == 0 {
		return
	}
	meta := r.meta(nil)
	meta.Annotations = map[string]string{kedaTransfersHPA: "true", kedaExcludesLabels: "app.kubernetes.io/managed-by"}
	r.result.ScaledBy = v1alpha1.ScaleViaKEDA
	r.add(&object{
		APIVersion: "keda.sh/v1alpha1", Kind: "ScaledObject", Metadata: meta,
		Spec: &scaledObjectSpec{
			ScaleTargetRef:  scaleTargetRef{APIVersion: "apps/v1", Kind: "Deployment", Name: r.name("")},
			MinReplicaCount: s.MinReplicas,
			MaxReplicaCount: s.MaxReplicas,
			Fallback:        fallback,
			// Nothing is said of restoreToOriginalReplicaCount: by default the pods stay when
			// the ScaledObject goes, for the autoscaler that comes.
			Advanced: scaledObjectAdvanced{HPA: kedaHPAConf{Name: r.name(""), Behavior: s.Behavior}},
			Triggers: triggers,
		},
	})
}

func (r *renderer) loadTriggers(loads []load) []scaleTrigger {
	var triggers []scaleTrigger
	for _, l := range loads {
		triggers = append(triggers, scaleTrigger{
			Type: "prometheus", Name: l.name, MetricType: "AverageValue",
			Metadata: map[string]string{
				"serverAddress": r.Platform.Prometheus.Address,
				"query":         l.query,
				"threshold":     l.threshold,
				// By default KEDA reads a lost target as no load, and removes pods.
				"ignoreNullValues": "false",
			},
		})
	}
	return triggers
}

// fallbackOf never scales below what runs, whatever the spec says.
func fallbackOf(s *v1alpha1.Scale) *scaledObjectFallback {
	f := &scaledObjectFallback{Behavior: keepsWhatRuns, FailureThreshold: defaultFailureThreshold, Replicas: s.MinReplicas}
	if s.Fallback == nil {
		return f
	}
	f.Replicas = s.Fallback.Replicas
	if s.Fallback.FailureThreshold > 0 {
		f.FailureThreshold = s.Fallback.FailureThreshold
	}
	return f
}
