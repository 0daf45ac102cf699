package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ModelStatus is what runs, as the operator last saw it.
type ModelStatus struct {
	// observedGeneration is the generation of the spec that this status is about.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`
	// replicas is how many pods there are.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// readyReplicas is how many of them answer.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas,omitempty"`
	// selector of the pods, for kubectl scale and autoscalers.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Selector string `json:"selector,omitempty"`
	// revisions that have pods or can be gone back to; the newest first.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Revisions []Revision `json:"revisions,omitempty"`
	// traffic says which versions answer, for people: "0.1.0", or "0.1.0 90%, 0.2.0 10%".
	// +optional
	// +kubebuilder:validation:MaxLength=256
	Traffic string `json:"traffic,omitempty"`
	// url at which the model is reached: from outside if it is exposed, else in the cluster.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	URL string `json:"url,omitempty"`
	// conditions of the Model. Their types and reasons are listed in docs/conditions.md.
	// +optional
	// +listType=map
	// +listMapKey=type
	// +kubebuilder:validation:MaxItems=16
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// Revision is one state of what the pods run: source, image and config. Changes of
// anything else do not make a new one.
type Revision struct {
	// name is the hash of what the pods run.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	Name string `json:"name"`
	// version of the model.
	// +optional
	// +kubebuilder:validation:MaxLength=63
	Version string `json:"version,omitempty"`
	// image that the pods run, as it was resolved when the revision was made.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	Image string `json:"image,omitempty"`
	// source of the model.
	// +optional
	// +kubebuilder:validation:MaxLength=2048
	Source string `json:"source,omitempty"`
	// digest of the model file, as asked for or as the pods report it.
	// +optional
	// +kubebuilder:validation:MaxLength=71
	Digest string `json:"digest,omitempty"`
	// replicas is how many pods run it.
	// +optional
	Replicas int32 `json:"replicas,omitempty"`
	// readyReplicas is how many of them answer.
	// +optional
	ReadyReplicas int32 `json:"readyReplicas,omitempty"`
	// weight is the share of the traffic that it gets, in percent.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=100
	Weight int32 `json:"weight,omitempty"`
	// createdAt is when it was first seen.
	// +optional
	CreatedAt metav1.Time `json:"createdAt,omitzero"`
}

// The types of a Model's conditions. Ready sums the others up; each of them is absent
// where the Model does not ask for what it is about.
const (
	ConditionReady         = "Ready"
	ConditionSourceReady   = "SourceReady"
	ConditionWorkloadReady = "WorkloadReady"
	ConditionScaledBy      = "ScaledBy"
	ConditionExposed       = "Exposed"
	ConditionIsolated      = "Isolated"
	ConditionObserved      = "Observed"
)
