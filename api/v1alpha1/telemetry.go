package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Mode is whether something is done. Auto does it where the platform can.
//
// +kubebuilder:validation:Enum=Auto;Enabled;Disabled
type Mode string

// The modes.
const (
	ModeAuto     Mode = "Auto"
	ModeEnabled  Mode = "Enabled"
	ModeDisabled Mode = "Disabled"
)

// Telemetry is how the model is observed.
type Telemetry struct {
	// scrape lets Prometheus collect the metrics.
	// +optional
	Scrape *Scrape `json:"scrape,omitempty"`
	// dashboard is a dashboard for Grafana.
	// +optional
	Dashboard *Dashboard `json:"dashboard,omitempty"`
	// alerts are rules for Prometheus: on the budget of the objectives, on saturation and
	// on pods that fail.
	// +optional
	Alerts *Alerts `json:"alerts,omitempty"`
	// tracing sends a span of each call to a collector.
	// +optional
	Tracing *Tracing `json:"tracing,omitempty"`
}

// Scrape lets Prometheus collect the metrics.
type Scrape struct {
	// mode is Auto, for a ServiceMonitor where the Prometheus operator is; Enabled, where its
	// absence is an error; or Disabled.
	// +optional
	// +default="Auto"
	Mode Mode `json:"mode,omitempty"`
	// interval between two scrapes; the platform's without it.
	// +optional
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('10m')",message="interval must be between 1s and 10m"
	Interval *metav1.Duration `json:"interval,omitempty"`
}

// Dashboard is a dashboard for Grafana, in a ConfigMap that its sidecar finds.
type Dashboard struct {
	// mode is Auto, for a dashboard where the platform has Grafana; Enabled; or Disabled.
	// +optional
	// +default="Auto"
	Mode Mode `json:"mode,omitempty"`
	// folder in which Grafana shows it; the platform's without it.
	// +optional
	// +kubebuilder:validation:MaxLength=128
	Folder string `json:"folder,omitempty"`
}

// Alerts are rules for Prometheus.
type Alerts struct {
	// mode is Auto, for rules where the Prometheus operator is; Enabled; or Disabled.
	// +optional
	// +default="Auto"
	Mode Mode `json:"mode,omitempty"`
	// slo is what callers may expect.
	// +optional
	SLO *SLO `json:"slo,omitempty"`
	// labels of the alerts, by which they find the people on call.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[a-zA-Z_][a-zA-Z0-9_]*$') && !name.startsWith('__'))",message="names of labels of alerts have letters, digits and underscores, no digit and no two underscores first"
	// +kubebuilder:validation:XValidation:rule="self.all(name, !(name in ['alertname', 'namespace', 'model', 'slo', 'window']))",message="the labels alertname, namespace, model, slo and window say what an alert is about: choose other names"
	Labels map[string]LabelValue `json:"labels,omitempty"`
	// runbookURL is where the people on call read what to do.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^https?://\S+$`
	RunbookURL string `json:"runbookURL,omitempty"`
}

// SLO is what callers may expect.
type SLO struct {
	// availability is the percentage of calls that are answered without an error of the
	// server, such as "99.9".
	// +optional
	// +default="99.9"
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^[1-9][0-9](\.[0-9]{1,4})?$`
	Availability string `json:"availability,omitempty"`
	// latency is how fast calls are answered.
	// +optional
	Latency *LatencySLO `json:"latency,omitempty"`
	// window over which the budget of errors is counted.
	// +optional
	// +default="720h"
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('24h') && duration(self) <= duration('2160h')",message="window must be between 24h and 2160h (90 days)"
	Window *metav1.Duration `json:"window,omitempty"`
}

// LatencySLO is how fast calls are answered.
type LatencySLO struct {
	// threshold is the time within which a call should be answered. It is rounded up to
	// a bound of the server's histogram.
	// +required
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) > duration('0s') && duration(self) <= duration('1h')",message="threshold must be above 0s and at most 1h"
	Threshold metav1.Duration `json:"threshold"`
	// target is the percentage of calls that are answered within it.
	// +optional
	// +default="99"
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^[1-9][0-9](\.[0-9]{1,4})?$`
	Target string `json:"target,omitempty"`
}

// Tracing sends a span of each call to a collector.
type Tracing struct {
	// endpoint of the collector that takes OTLP; the platform's without it.
	// +optional
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^https?://[^/\s]+(/\S*)?$`
	Endpoint string `json:"endpoint,omitempty"`
	// protocol of the collector.
	// +optional
	// +default="GRPC"
	Protocol OTLPProtocol `json:"protocol,omitempty"`
	// samplingRatio is the share of calls that are traced, from "0" to "1".
	// +optional
	// +default="0.1"
	// +kubebuilder:validation:MaxLength=8
	// +kubebuilder:validation:Pattern=`^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$`
	SamplingRatio string `json:"samplingRatio,omitempty"`
}

// OTLPProtocol is what the collector speaks.
//
// +kubebuilder:validation:Enum=GRPC;HTTP
type OTLPProtocol string

// The protocols of collectors.
const (
	OTLPGRPC OTLPProtocol = "GRPC"
	OTLPHTTP OTLPProtocol = "HTTP"
)

// Placement is where pods run, and how they start and stop.
//
// +kubebuilder:validation:XValidation:rule="!has(self.gracePeriod) || duration(self.gracePeriod) >= (has(self.preStop) ? duration(self.preStop) : duration('5s')) + (has(self.drain) ? duration(self.drain) : duration('25s')) + duration('5s')",message="gracePeriod must be at least preStop (5s unless set) + drain (25s unless set) + 5s, or requests are cut off"
type Placement struct {
	// spread is over what the pods are spread, as far as that is possible. Without it
	// over nodes and zones.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=8
	Spread []TopologyKey `json:"spread,omitempty"`
	// nodeSelector chooses nodes by their labels.
	// +optional
	// +kubebuilder:validation:MaxProperties=16
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$'))",message="names of labels are such as team or example.com/team: letters, digits, hyphens, underscores and dots, with at most one prefix"
	NodeSelector map[string]LabelValue `json:"nodeSelector,omitempty"`
	// tolerations of taints.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	Tolerations []corev1.Toleration `json:"tolerations,omitempty"`
	// affinity to nodes and pods, as of a pod.
	// +optional
	Affinity *corev1.Affinity `json:"affinity,omitempty"`
	// priorityClassName of the pods.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$`
	PriorityClassName string `json:"priorityClassName,omitempty"`
	// startupTimeout is how long a pod may take to load its model before it is started
	// again. Without it 60s, or the time for its size at 16Mi a second if that is longer;
	// for the size stands the smaller of source.cache and the memory limit, or without both
	// the memory request.
	// +optional
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('5s') && duration(self) <= duration('2h')",message="startupTimeout must be between 5s and 2h"
	StartupTimeout *metav1.Duration `json:"startupTimeout,omitempty"`
	// preStop is how long a pod that stops goes on as before, until load balancers have
	// noticed. 5s unless set.
	// +optional
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('0s') && duration(self) <= duration('10m')",message="preStop must be between 0s and 10m"
	PreStop *metav1.Duration `json:"preStop,omitempty"`
	// drain is how long requests at work may take to end after that. 25s unless set.
	// +optional
	// +kubebuilder:validation:Format=duration
	// +kubebuilder:validation:XValidation:rule="duration(self) >= duration('1s') && duration(self) <= duration('1h')",message="drain must be between 1s and 1h"
	Drain *metav1.Duration `json:"drain,omitempty"`
	// gracePeriod is after what time a pod that stops is killed. Without it preStop, drain
	// and 5s together.
	// +optional
	// +kubebuilder:validation:Format=duration
	GracePeriod *metav1.Duration `json:"gracePeriod,omitempty"`
}

// TopologyKey is a label of nodes that names a failure domain.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=316
// +kubebuilder:validation:Pattern=`^([a-z0-9]([-a-z0-9.]*[a-z0-9])?/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$`
type TopologyKey string
