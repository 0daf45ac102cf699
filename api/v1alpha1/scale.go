package v1alpha1

import (
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	"k8s.io/apimachinery/pkg/api/resource"
)

// Scale lets an autoscaler choose the number of pods.
//
// +kubebuilder:validation:XValidation:rule="self.minReplicas <= self.maxReplicas",message="minReplicas must not be above maxReplicas"
// +kubebuilder:validation:XValidation:rule="self.via != 'HPA' || !has(self.schedule)",message="a schedule needs KEDA: remove schedule, or set via to Auto or KEDA"
// +kubebuilder:validation:XValidation:rule="self.via != 'HPA' || !has(self.fallback)",message="a fallback needs KEDA: remove fallback, or set via to Auto or KEDA"
// +kubebuilder:validation:XValidation:rule="self.via != 'HPA' || !has(self.target) || !(has(self.target.requestsPerSecond) || has(self.target.concurrency) || has(self.target.queueLength))",message="an HPA without KEDA scales on cpuUtilization alone: remove the other targets, or set via to Auto or KEDA"
type Scale struct {
	// minReplicas is the least number of pods.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MinReplicas int32 `json:"minReplicas"`
	// maxReplicas is the most.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	MaxReplicas int32 `json:"maxReplicas"`
	// target is how much load a ready pod should have. With several, the one that wants
	// most pods counts. Without any, 70% of the CPU that the pods ask for.
	// +optional
	Target *ScaleTarget `json:"target,omitempty"`
	// schedule keeps a number of pods at certain times, whatever the load. It needs KEDA.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=16
	Schedule []ScheduledReplicas `json:"schedule,omitempty"`
	// behavior is how fast pods are added and removed, as in a HorizontalPodAutoscaler.
	// +optional
	Behavior *autoscalingv2.HorizontalPodAutoscalerBehavior `json:"behavior,omitempty"`
	// fallback is what to do when the load cannot be measured. It never removes pods that
	// run. It needs KEDA. Without it: as many pods as run, after three failures.
	// +optional
	Fallback *ScaleFallback `json:"fallback,omitempty"`
	// via is which autoscaler: Auto takes KEDA where a target needs it and the cluster has
	// it, and else an HPA on CPU.
	// +optional
	// +default="Auto"
	Via ScaleVia `json:"via,omitempty"`
}

// ScaleVia names an autoscaler.
//
// +kubebuilder:validation:Enum=Auto;HPA;KEDA
type ScaleVia string

// The autoscalers.
const (
	ScaleViaAuto ScaleVia = "Auto"
	ScaleViaHPA  ScaleVia = "HPA"
	ScaleViaKEDA ScaleVia = "KEDA"
)

// ScaleTarget is the load that a ready pod should have.
//
// +kubebuilder:validation:MinProperties=1
type ScaleTarget struct {
	// cpuUtilization is the CPU that a pod uses, as a percentage of what it asks for.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=1000
	CPUUtilization *int32 `json:"cpuUtilization,omitempty"`
	// requestsPerSecond is the predictions that a pod answers in a second.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="requestsPerSecond must be above 0"
	RequestsPerSecond *resource.Quantity `json:"requestsPerSecond,omitempty"`
	// concurrency is the requests that a pod works on at a time.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="concurrency must be above 0"
	Concurrency *resource.Quantity `json:"concurrency,omitempty"`
	// queueLength is the requests that wait in a pod's own queue.
	// +optional
	// +kubebuilder:validation:XValidation:rule="quantity(string(self)).isGreaterThan(quantity('0'))",message="queueLength must be above 0"
	QueueLength *resource.Quantity `json:"queueLength,omitempty"`
}

// ScheduledReplicas keeps a number of pods between two times.
type ScheduledReplicas struct {
	// name of the entry.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`
	Name string `json:"name"`
	// start is when it begins, as a cron expression: 0 8 * * 1-5.
	// +required
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^\S+( \S+){4}$`
	Start string `json:"start"`
	// end is when it ends, as a cron expression.
	// +required
	// +kubebuilder:validation:MaxLength=128
	// +kubebuilder:validation:Pattern=`^\S+( \S+){4}$`
	End string `json:"end"`
	// timezone of start and end, from the IANA database, such as Asia/Seoul.
	// +optional
	// +default="UTC"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=64
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9_+/-]+$`
	Timezone string `json:"timezone,omitempty"`
	// replicas is the least number of pods meanwhile.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Replicas int32 `json:"replicas"`
}

// ScaleFallback is what to do when the load cannot be measured.
type ScaleFallback struct {
	// replicas is the least number of pods meanwhile; more that run are kept.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=10000
	Replicas int32 `json:"replicas"`
	// failureThreshold is after how many failed measurements in a row.
	// +optional
	// +default=3
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=100
	FailureThreshold int32 `json:"failureThreshold,omitempty"`
}
