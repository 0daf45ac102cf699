package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// Model runs a trained model as a service: pods, probes, autoscaling, a way in,
// isolation, dashboards and alerts. A Model of ten lines is a good one; what is left
// out is chosen as a careful team would.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:subresource:scale:specpath=.spec.replicas,statuspath=.status.replicas,selectorpath=.status.selector
// +kubebuilder:resource:path=models,singular=model,shortName=mz,categories={all,mizzen}
// +kubebuilder:printcolumn:name="Version",type=string,JSONPath=`.spec.version`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="Traffic",type=string,JSONPath=`.status.traffic`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:validation:XValidation:rule="self.metadata.name.size() <= 40 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')",message="metadata.name becomes the name of a Service and the start of other names: use at most 40 lower-case letters, digits and hyphens, with a letter first and no hyphen last"
type Model struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitzero"`

	// spec is what should run.
	// +required
	Spec ModelSpec `json:"spec"`
	// status is what does run, as the operator last saw it.
	// +optional
	Status ModelStatus `json:"status,omitzero"`
}

// ModelList is a list of Models.
//
// +kubebuilder:object:root=true
type ModelList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitzero"`
	Items           []Model `json:"items"`
}

// ModelSpec is what should run. Only version and source are required.
//
// +kubebuilder:validation:XValidation:rule="!has(self.replicas) || !has(self.scale)",message="set replicas for a fixed number of pods or scale for an autoscaler, not both"
// +kubebuilder:validation:XValidation:rule="!has(self.runtime) || self.runtime.name != 'custom' || has(self.runtime.image) || has(self.source.image)",message="a custom runtime needs an image: set runtime.image, or source.image with the model inside of it"
// +kubebuilder:validation:XValidation:rule="!has(self.source.image) || !has(self.runtime) || !has(self.runtime.image)",message="source.image is the image that the pods run: remove runtime.image"
// +kubebuilder:validation:XValidation:rule="!has(self.source.cache) || !has(self.source.cache.claim) || self.source.cache.claim.accessMode != 'ReadWriteOnce' || (!has(self.scale) && (!has(self.replicas) || self.replicas <= 1) && has(self.rollout) && self.rollout.strategy == 'Recreate')",message="a ReadWriteOnce claim can be mounted by one pod at a time: use accessMode ReadWriteMany, or one replica, no scale and rollout.strategy Recreate"
// +kubebuilder:validation:XValidation:rule="!has(self.gpu) || (has(self.runtime) && self.runtime.name != 'mizzen')",message="the runtime mizzen computes on CPUs alone: remove gpu, or choose a runtime that uses one"
// +kubebuilder:validation:XValidation:rule="!has(self.gpu) || !has(self.resources) || !(has(self.resources.requests) && self.gpu.resourceName in self.resources.requests || has(self.resources.limits) && self.gpu.resourceName in self.resources.limits)",message="gpu.count says how many accelerators a pod has: remove them from resources"
// +kubebuilder:validation:XValidation:rule="!has(self.auth) || !has(self.runtime) || self.runtime.name == 'mizzen'",message="only the runtime mizzen checks API keys: remove auth, or authenticate callers in front of the Service"
// +kubebuilder:validation:XValidation:rule="!has(self.gpu) || !has(self.gpu.batching) || self.runtime.name in ['triton', 'torchserve', 'tfserving']",message="gpu.batching needs a runtime that batches requests: triton, torchserve or tfserving"
// +kubebuilder:validation:XValidation:rule="!has(self.source.image) || !has(self.runtime) || self.runtime.name in ['mizzen', 'custom']",message="source.image needs the runtime mizzen or custom: the others take the model from a volume"
type ModelSpec struct {
	// version of the model, such as 0.1.0. It becomes a label of the pods and of the
	// metrics, and what people see in kubectl get.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`
	Version string `json:"version"`

	// source is where the model file comes from.
	// +required
	Source Source `json:"source"`

	// runtime is the server that the pods run; mizzen unless said otherwise.
	// +optional
	Runtime *Runtime `json:"runtime,omitempty"`

	// config is the environment of the server, for what is not secret; for mizzen the
	// names are those of its configuration, such as MIZZEN_LOG_LEVEL. What fetches the
	// model has it, too: AWS_ENDPOINT_URL. It is kept in a ConfigMap; a change rolls the pods.
	// +optional
	// +mapType=granular
	// +kubebuilder:validation:MaxProperties=64
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[A-Za-z_][A-Za-z0-9_]{0,254}$'))",message="names in config become environment variables: use letters, digits and underscores, no digit first"
	Config map[string]ConfigValue `json:"config,omitempty"`

	// secrets are environment variables whose values stand in Secrets.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Secrets []SecretVariable `json:"secrets,omitempty"`

	// auth is who may call the model; without it everybody whom isolation lets through.
	// +optional
	Auth *Auth `json:"auth,omitempty"`

	// serviceAccountName is an existing ServiceAccount, for workload identity. Without it
	// the Model has one of its own, which has no token and no rights.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// imagePullSecrets are Secrets with credentials for the registries of the images.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=8
	ImagePullSecrets []SecretName `json:"imagePullSecrets,omitempty"`

	// podMetadata is added to the pods.
	// +optional
	PodMetadata *PodMetadata `json:"podMetadata,omitempty"`

	// resources of the server's container. Without them it asks for what a small model
	// needs: 100m of CPU, 128Mi of memory, and at most 512Mi; under triton, torchserve and
	// tfserving one CPU, 2Gi, and at most 4Gi.
	// +optional
	Resources *Resources `json:"resources,omitempty"`

	// gpu asks for accelerators.
	// +optional
	GPU *GPU `json:"gpu,omitempty"`

	// replicas is a fixed number of pods. Leave it out where scale is set, or where
	// something else scales the Deployment.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=10000
	Replicas *int32 `json:"replicas,omitempty"`

	// scale lets an autoscaler choose the number of pods.
	// +optional
	Scale *Scale `json:"scale,omitempty"`

	// expose makes the model reachable from outside of the cluster.
	// +optional
	Expose *Expose `json:"expose,omitempty"`

	// isolation is who may reach the pods, and whom they may reach. Restricted unless
	// said otherwise.
	// +optional
	Isolation *Isolation `json:"isolation,omitempty"`

	// telemetry is how the model is observed: metrics, dashboard, alerts, traces.
	// +optional
	Telemetry *Telemetry `json:"telemetry,omitempty"`

	// rollout is how a new version takes over. Rolling unless said otherwise.
	// +optional
	Rollout *Rollout `json:"rollout,omitempty"`

	// placement is where pods run, and how they start and stop.
	// +optional
	Placement *Placement `json:"placement,omitempty"`
}

// ConfigValue is the value of an environment variable.
//
// +kubebuilder:validation:MaxLength=4096
type ConfigValue string

// SecretVariable is an environment variable whose value stands in a Secret.
type SecretVariable struct {
	// name of the environment variable.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	Name string `json:"name"`
	// secretRef is where its value is.
	// +required
	SecretRef SecretKey `json:"secretRef"`
}

// SecretKey is one entry of a Secret in the namespace of the Model.
type SecretKey struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
	// key in it.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[-._a-zA-Z0-9]+$`
	Key string `json:"key"`
}

// SecretName names a Secret in the namespace of the Model.
type SecretName struct {
	// name of the Secret.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	Name string `json:"name"`
}

// Auth is who may call the model.
type Auth struct {
	// apiKeys is an entry of a Secret with the keys of which callers need one, one a
	// line. It is mounted and read again when it changes: keys rotate without a restart.
	// +required
	APIKeys SecretKey `json:"apiKeys"`
}

// PodMetadata is added to the pods. Labels and annotations of Mizzen itself win.
type PodMetadata struct {
	// labels of the pods. Those under mizzen.dev/ and app.kubernetes.io/ are Mizzen's own.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="names of labels are such as team or example.com/team: letters, digits, hyphens, underscores and dots, with at most one prefix"
	// +kubebuilder:validation:XValidation:rule="self.all(name, !name.startsWith('mizzen.dev/') && !name.startsWith('app.kubernetes.io/'))",message="labels under mizzen.dev/ and app.kubernetes.io/ are set by Mizzen: choose other names"
	Labels map[string]LabelValue `json:"labels,omitempty"`
	// annotations of the pods.
	// +optional
	// +kubebuilder:validation:MaxProperties=32
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="names of annotations are such as team or example.com/team: letters, digits, hyphens, underscores and dots, with at most one prefix"
	// +kubebuilder:validation:XValidation:rule="self.all(name, !name.startsWith('mizzen.dev/'))",message="annotations under mizzen.dev/ are set by Mizzen: choose other names"
	Annotations map[string]AnnotationValue `json:"annotations,omitempty"`
}

// LabelValue is the value of a label.
//
// +kubebuilder:validation:MaxLength=63
// +kubebuilder:validation:Pattern=`^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$`
type LabelValue string

// AnnotationValue is the value of an annotation.
//
// +kubebuilder:validation:MaxLength=4096
type AnnotationValue string

// Resources of a container.
//
// +kubebuilder:validation:XValidation:rule="!has(self.requests) || !has(self.limits) || self.requests.all(name, !(name in self.limits) || quantity(string(self.requests[name])).compareTo(quantity(string(self.limits[name]))) <= 0)",message="a request must not be above its limit: raise the limit, or lower the request"
type Resources struct {
	// requests are what the scheduler reserves.
	// +optional
	// +kubebuilder:validation:MaxProperties=8
	// +kubebuilder:validation:XValidation:rule="self.all(name, name in ['cpu', 'memory', 'ephemeral-storage'] || name.startsWith('hugepages-') || name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'))",message="resources are cpu, memory, ephemeral-storage, hugepages-2Mi and the like, or such as vendor.com/name"
	// +kubebuilder:validation:XValidation:rule="self.all(name, quantity(string(self[name])).compareTo(quantity('0')) >= 0)",message="amounts of resources must not be below 0"
	Requests corev1.ResourceList `json:"requests,omitempty"`
	// limits are what the container may use at most. Without a memory limit, one model
	// may take the node down.
	// +optional
	// +kubebuilder:validation:MaxProperties=8
	// +kubebuilder:validation:XValidation:rule="self.all(name, name in ['cpu', 'memory', 'ephemeral-storage'] || name.startsWith('hugepages-') || name.matches('^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$'))",message="resources are cpu, memory, ephemeral-storage, hugepages-2Mi and the like, or such as vendor.com/name"
	// +kubebuilder:validation:XValidation:rule="self.all(name, quantity(string(self[name])).compareTo(quantity('0')) >= 0)",message="amounts of resources must not be below 0"
	Limits corev1.ResourceList `json:"limits,omitempty"`
}

// GPU asks for accelerators.
type GPU struct {
	// count of accelerators for each pod.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=64
	Count int32 `json:"count"`
	// resourceName is what the device plugin of the nodes offers, such as
	// nvidia.com/gpu, nvidia.com/mig-1g.10gb or amd.com/gpu.
	// +optional
	// +default="nvidia.com/gpu"
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?$`
	ResourceName string `json:"resourceName,omitempty"`
	// nodeSelector chooses nodes by their labels, such as nvidia.com/gpu.product.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="names of labels are such as team or example.com/team: letters, digits, hyphens, underscores and dots, with at most one prefix"
	NodeSelector map[string]LabelValue `json:"nodeSelector,omitempty"`
	// tolerations of the taints of the nodes with accelerators. Without them the taint
	// that GPU operators set, resourceName with the effect NoSchedule, is tolerated; for
	// parts of NVIDIA's, nvidia.com/gpu as well.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// batching joins requests that wait into one call of the accelerator.
	// +optional
	Batching *Batching `json:"batching,omitempty"`
	// sessionAffinity sends the calls of one client to one pod, for models that keep a
	// state between calls.
	// +optional
	SessionAffinity SessionAffinity `json:"sessionAffinity,omitempty"`
}

// Batching joins requests into one call.
type Batching struct {
	// maxSize is the most requests of one call.
	// +required
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=4096
	MaxSize int32 `json:"maxSize"`
	// maxDelay is how long a request may wait for others.
	// +required
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1ms') && duration(self) <= duration('10s')",message="maxDelay must be between 1ms and 10s"
	MaxDelay metav1.Duration `json:"maxDelay"`
}

// SessionAffinity is how calls find the pod of their predecessors.
//
// +kubebuilder:validation:Enum=None;ClientIP
type SessionAffinity string

// The kinds of session affinity.
const (
	SessionAffinityNone     SessionAffinity = "None"
	SessionAffinityClientIP SessionAffinity = "ClientIP"
)

// Rollout is how a new version takes over.
//
// +kubebuilder:validation:XValidation:rule="!has(self.progressDeadline) || !has(self.rolling) || !has(self.rolling.minReady) || duration(self.progressDeadline) > duration(self.rolling.minReady)",message="progressDeadline must be above rolling.minReady, or no change could succeed"
// +kubebuilder:validation:XValidation:rule="!has(self.rolling) || self.strategy == 'Rolling'",message="rolling has the settings of strategy Rolling: remove it, or set strategy to Rolling"
type Rollout struct {
	// strategy is Rolling, where new pods are ready before old ones stop, or Recreate,
	// where old pods stop first: for a volume that one pod at a time can mount.
	// +optional
	// +default="Rolling"
	Strategy RolloutStrategy `json:"strategy,omitempty"`
	// rolling has the settings of the strategy Rolling.
	// +optional
	Rolling *RollingRollout `json:"rolling,omitempty"`
	// progressDeadline is how long a change may go without progress before it is
	// reported as failed. Without it: 10m, or the time that a pod may take to start and
	// 2m more if that is longer.
	// +optional
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('10s') && duration(self) <= duration('24h')",message="progressDeadline must be between 10s and 24h"
	ProgressDeadline *metav1.Duration `json:"progressDeadline,omitempty"`
	// revisionHistoryLimit is how many earlier revisions are kept to go back to.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=50
	RevisionHistoryLimit *int32 `json:"revisionHistoryLimit,omitempty"`
}

// RolloutStrategy names a way to bring out a new version.
//
// +kubebuilder:validation:Enum=Rolling;Recreate
type RolloutStrategy string

// The strategies.
const (
	RolloutRolling  RolloutStrategy = "Rolling"
	RolloutRecreate RolloutStrategy = "Recreate"
)

// RollingRollout has the settings of the strategy Rolling. No ready pod stops before
// another one takes its place.
type RollingRollout struct {
	// maxSurge is how many pods more than wanted there may be: a number, or a percentage
	// of those wanted. Without it 25%.
	// +optional
	// +kubebuilder:validation:XIntOrString
	// +kubebuilder:validation:XValidation:rule="type(self) == int ? self > 0 && self <= 10000 : self.matches('^[1-9][0-9]{0,2}%$')",message="maxSurge must be a number from 1 to 10000 or a percentage such as 25%: no pod may stop before another is ready"
	MaxSurge *intstr.IntOrString `json:"maxSurge,omitempty"`
	// minReady is how long a new pod must have been ready before it counts.
	// +optional
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) <= duration('1h')",message="minReady must be at most 1h"
	MinReady *metav1.Duration `json:"minReady,omitempty"`
}
