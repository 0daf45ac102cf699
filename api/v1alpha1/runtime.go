package v1alpha1

// Runtime is the server that the pods run.
//
// +kubebuilder:validation:XValidation:rule="(self.name == 'custom') == has(self.custom)",message="custom describes a runtime that Mizzen does not know: set it if name is custom, and only then"
type Runtime struct {
	// name of the server. Its ports, probes, layout of model files and metrics follow
	// from it.
	// +optional
	// +default="mizzen"
	Name RuntimeName `json:"name,omitempty"`
	// image that the pods run, best with its digest. Without it the platform's image for
	// mizzen, and the vendor's for the others.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +kubebuilder:validation:Pattern=`^[^\s]+$`
	Image string `json:"image,omitempty"`
	// args are added to the arguments of the server.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=64
	Args []Argument `json:"args,omitempty"`
	// env is added to the environment of the server. It stands in the pods themselves;
	// what differs between environments is better placed in config.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=64
	Env []Variable `json:"env,omitempty"`
	// custom describes a server that Mizzen does not know.
	// +optional
	Custom *CustomRuntime `json:"custom,omitempty"`
}

// RuntimeName names a model server as its program is called.
//
// +kubebuilder:validation:Enum=mizzen;triton;torchserve;tfserving;custom
type RuntimeName string

// The runtimes.
const (
	RuntimeMizzen     RuntimeName = "mizzen"
	RuntimeTriton     RuntimeName = "triton"
	RuntimeTorchServe RuntimeName = "torchserve"
	RuntimeTFServing  RuntimeName = "tfserving"
	RuntimeCustom     RuntimeName = "custom"
)

// Argument is an argument of a command line.
//
// +kubebuilder:validation:MaxLength=1024
type Argument string

// Variable is an environment variable.
type Variable struct {
	// name of the variable.
	// +required
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=255
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]*$`
	Name string `json:"name"`
	// value of the variable.
	// +optional
	// +kubebuilder:validation:MaxLength=4096
	Value string `json:"value,omitempty"`
}

// CustomRuntime describes a server that Mizzen does not know. Where the model is in its
// container stands in the variable MODEL_PATH, its port in PORT.
//
// +kubebuilder:validation:XValidation:rule="!has(self.grpcPort) || self.grpcPort != self.port",message="grpcPort must differ from port"
// +kubebuilder:validation:XValidation:rule="!has(self.grpcPort) || !has(self.metrics) || !has(self.metrics.port) || self.metrics.port != self.grpcPort",message="metrics.port must differ from grpcPort"
type CustomRuntime struct {
	// port on which it answers HTTP.
	// +required
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
	// grpcPort on which it answers gRPC, if it does.
	// +optional
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	GRPCPort int32 `json:"grpcPort,omitempty"`
	// livePath answers 200 while the process lives.
	// +optional
	// +default="/healthz"
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^/`
	LivePath string `json:"livePath,omitempty"`
	// readyPath answers 200 when the model is loaded.
	// +optional
	// +default="/readyz"
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^/`
	ReadyPath string `json:"readyPath,omitempty"`
	// metrics is where Prometheus finds its metrics and how they are called. What is not
	// named here cannot be scaled on, charted or alerted on.
	// +optional
	Metrics *CustomMetrics `json:"metrics,omitempty"`
}

// CustomMetrics are the names of a server's metrics.
type CustomMetrics struct {
	// port of the metrics, if they have one of their own.
	// +optional
	// +kubebuilder:validation:Minimum=1024
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// path of the metrics.
	// +optional
	// +default="/metrics"
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^/`
	Path string `json:"path,omitempty"`
	// requests is a counter of answered requests.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_:][a-zA-Z0-9_:]*$`
	Requests string `json:"requests,omitempty"`
	// errors is a counter of requests that failed.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_:][a-zA-Z0-9_:]*$`
	Errors string `json:"errors,omitempty"`
	// latencySeconds is a histogram of the time of a request, without _bucket.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_:][a-zA-Z0-9_:]*$`
	LatencySeconds string `json:"latencySeconds,omitempty"`
	// inFlight is a gauge of the requests at work.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_:][a-zA-Z0-9_:]*$`
	InFlight string `json:"inFlight,omitempty"`
	// queue is a gauge of the requests that wait.
	// +optional
	// +kubebuilder:validation:MaxLength=256
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_:][a-zA-Z0-9_:]*$`
	Queue string `json:"queue,omitempty"`
}
