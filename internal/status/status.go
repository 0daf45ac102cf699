// Package status is what a person wants to know of a Model that runs: a pure function
// from the objects of a cluster to one screen. It knows Models that the operator runs,
// and Models whose rendered objects were applied as files, of which the cluster has
// the objects alone.
package status

import (
	"cmp"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
)

// Objects is what was read of one Model. Any of it may be absent.
type Objects struct {
	Namespace, Name string
	// Model is nil where the objects were applied as files.
	Model         *v1alpha1.Model
	Deployments   []appsv1.Deployment
	ReplicaSets   []appsv1.ReplicaSet
	Pods          []corev1.Pod
	Services      []corev1.Service
	HPAs          []autoscalingv2.HorizontalPodAutoscaler
	ScaledObjects []unstructured.Unstructured
	Ingresses     []networkingv1.Ingress
	HTTPRoutes    []unstructured.Unstructured
	// Gateways are the Model's own and those that its routes attach to.
	Gateways []unstructured.Unstructured
	// Others of the Model's have nothing to show but their events.
	Others []unstructured.Unstructured
	// Events of the namespace; those of other objects are ignored.
	Events []corev1.Event
	// Notes say what could not be read, and why.
	Notes []string
	// KubectlFlags choose the cluster for kubectl, as they were given.
	KubectlFlags []string
	// Resolves are the hosts that the resolver of this machine knows.
	Resolves map[string]bool
}

// RunBy is who keeps the objects of a Model as they are.
type RunBy string

// Who keeps the objects.
const (
	RunByOperator RunBy = "Operator"
	RunByFiles    RunBy = "Files"
)

// Status is one screen.
type Status struct {
	Namespace string    `json:"namespace"`
	Name      string    `json:"name"`
	Version   string    `json:"version,omitempty"`
	RunBy     RunBy     `json:"runBy"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	// Deleting says that the Model is on its way out.
	Deleting bool `json:"deleting,omitempty"`
	// Stale says that the operator has not seen the newest spec yet: what follows is
	// about an older one.
	Stale      bool        `json:"stale,omitempty"`
	Replicas   Replicas    `json:"replicas"`
	Conditions []Condition `json:"conditions"`
	Traffic    string      `json:"traffic,omitempty"`
	Autoscaler *Autoscaler `json:"autoscaler,omitempty"`
	URL        string      `json:"url,omitempty"`
	Call       *Call       `json:"call,omitempty"`
	Revisions  []Revision  `json:"revisions"`
	Pods       []Pod       `json:"pods"`
	Events     []Event     `json:"events"`
	Notes      []string    `json:"notes,omitempty"`
}

// Replicas counts pods.
type Replicas struct {
	Ready   int32 `json:"ready"`
	Desired int32 `json:"desired"`
}

// Condition is one thing that holds, or does not, in words.
type Condition struct {
	Type    string                 `json:"type"`
	Status  metav1.ConditionStatus `json:"status"`
	Reason  string                 `json:"reason,omitempty"`
	Message string                 `json:"message,omitempty"`
	Since   time.Time              `json:"since,omitzero"`
}

// Revision is one state of what pods run.
type Revision struct {
	Name      string    `json:"name"`
	Version   string    `json:"version,omitempty"`
	Image     string    `json:"image,omitempty"`
	Digest    string    `json:"digest,omitempty"`
	Replicas  int32     `json:"replicas"`
	Ready     int32     `json:"ready"`
	Weight    int32     `json:"weight"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
}

// Of returns the screen of a Model.
func Of(o *Objects) *Status {
	s := &Status{
		Namespace: o.Namespace, Name: o.Name, RunBy: RunByFiles,
		Replicas:   replicas(o.Deployments),
		Autoscaler: autoscaler(o),
		Pods:       pods(o),
		Events:     events(o),
		Notes:      o.Notes,
	}
	if o.Model != nil {
		s.fromModel(o)
	} else {
		s.fromFiles(o)
	}
	way := wayIn(o)
	if s.URL == "" {
		s.URL = way.url()
	}
	s.Call = call(o, way)
	return s
}

// fromModel takes what the operator says.
func (s *Status) fromModel(o *Objects) {
	m := o.Model
	s.RunBy = RunByOperator
	s.Version = m.Spec.Version
	s.CreatedAt = m.CreationTimestamp.Time
	s.Deleting = m.DeletionTimestamp != nil
	s.Stale = m.Status.ObservedGeneration != 0 && m.Status.ObservedGeneration != m.Generation
	s.Traffic, s.URL = m.Status.Traffic, m.Status.URL
	s.Conditions = make([]Condition, 0, len(m.Status.Conditions))
	for _, c := range m.Status.Conditions {
		s.Conditions = append(s.Conditions, Condition{Type: c.Type, Status: c.Status, Reason: c.Reason,
			Message: c.Message, Since: c.LastTransitionTime.Time})
	}
	// Ready sums the others up and stands first; those keep the operator's order.
	slices.SortStableFunc(s.Conditions, func(a, b Condition) int { return cmp.Compare(rank(a), rank(b)) })
	s.Revisions = make([]Revision, 0, len(m.Status.Revisions))
	for _, r := range m.Status.Revisions {
		s.Revisions = append(s.Revisions, Revision{Name: r.Name, Version: r.Version, Image: r.Image, Digest: r.Digest,
			Replicas: r.Replicas, Ready: r.ReadyReplicas, Weight: r.Weight, CreatedAt: r.CreatedAt.Time})
	}
}

func rank(c Condition) int {
	if c.Type == v1alpha1.ConditionReady {
		return 0
	}
	return 1
}

// ReadyCondition returns the condition that sums the others up; Unknown if nobody has
// said anything yet.
func (s *Status) ReadyCondition() Condition {
	for _, c := range s.Conditions {
		if c.Type == v1alpha1.ConditionReady {
			return c
		}
	}
	return Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionUnknown, Reason: notObserved,
		Message: "the operator has not looked at this Model yet; is it running?"}
}

// replicas sums up Deployments: several while one strategy takes over from another.
func replicas(deployments []appsv1.Deployment) Replicas {
	var r Replicas
	for i := range deployments {
		r.Ready += deployments[i].Status.ReadyReplicas
		r.Desired += desired(&deployments[i])
	}
	return r
}

// desired is how many pods a Deployment wants: one unless it says something else.
func desired(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}
