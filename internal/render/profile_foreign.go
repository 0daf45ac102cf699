package render

import (
	"encoding/json"
	"fmt"
	"math"
	"path"
	"strconv"
	"strings"

	"mizzen.dev/api/v1alpha1"
)

// triton is NVIDIA's Triton Inference Server. Ports, options and metrics are those of
// its user guide (metrics.md, model_repository.md, trace.md, batcher.md). It has no
// histogram of the time that requests take, so there are no percentiles.
func (r *renderer) triton() *profile {
	ofPod := ofTarget(r.Model.Name)
	p := &profile{
		name: v1alpha1.RuntimeTriton,
		args: []string{
			"tritonserver",
			"--model-repository=" + r.model.repository,
			"--exit-timeout-secs=" + seconds(r.drain()),
		},
		scratch:      "/tmp",
		sharedMemory: true,
		httpPort:     8000,
		grpcPort:     8001,
		metricsPort:  8002,
		livePath:     "/v2/health/live",
		readyPath:    "/v2/health/ready",
		metricsPath:  "/metrics",
		drains:       true,
		metrics: metrics{
			requests:    series{"nv_inference_request_success", ofPod},
			errors:      series{"nv_inference_request_failure", ofPod},
			errorsApart: true,
			queue:       series{"nv_inference_pending_request_count", ofPod},
		},
	}
	if e := r.spec.Expose; e != nil && e.BodySize != nil {
		p.args = append(p.args, "--http-max-input-size="+fmt.Sprint(e.BodySize.Value()))
	}
	r.tritonTracing(p)
	r.tritonBatching(p)
	return p
}

// tritonTracing has Triton send spans: over HTTP alone, of one call in so many.
func (r *renderer) tritonTracing(p *profile) {
	c, ok := r.collector()
	if !ok {
		return
	}
	if c.protocol != v1alpha1.OTLPHTTP {
		r.refuse("spec.telemetry.tracing.protocol", conditionObserved, "TracingUnsupported", "Triton sends traces over HTTP alone: set protocol to HTTP, and endpoint to the collector's port for it")
		return
	}
	rate := 0
	if c.ratio > 0 {
		rate = int(math.Round(1 / c.ratio))
	}
	p.args = append(p.args,
		"--trace-config=mode=opentelemetry",
		"--trace-config=opentelemetry,url="+strings.TrimSuffix(c.endpoint, "/")+"/v1/traces",
		"--trace-config=opentelemetry,resource=service.name="+r.Model.Name,
		"--trace-config=opentelemetry,resource=service.version="+r.spec.Version,
		"--trace-config=level=TIMESTAMPS",
		"--trace-config=rate="+strconv.Itoa(rate),
	)
}

// tritonConfig is the file beside the versions of a model; Triton completes what it
// does not say from the model.
const tritonConfig = "config.pbtxt"

// tritonBatching writes the model's configuration, which has the batcher. A model that
// comes with a directory of its own has its own configuration there.
func (r *renderer) tritonBatching(p *profile) {
	b := r.batching()
	if b == nil {
		return
	}
	if !r.configuresTriton() {
		r.refuse("spec.gpu.batching", conditionWorkload, "BatchingUnsupported", "Triton reads how to batch from the model's own %s: write dynamic_batching there and remove gpu.batching", tritonConfig)
		return
	}
	p.files = map[string]string{tritonConfig: fmt.Sprintf("max_batch_size: %d\ndynamic_batching {\n  max_queue_delay_microseconds: %d\n}\n",
		b.MaxSize, b.MaxDelay.Microseconds())}
}

// configuresTriton says whether Mizzen writes the model's configuration: to batch, and
// where it is the only one to write into the pod's directory of models.
func (r *renderer) configuresTriton() bool {
	s := &r.spec.Source
	ownDirectory := s.URI != "" && !r.unpacks() && (s.Cache == nil || s.Cache.Claim == nil)
	return r.runtimeName() == v1alpha1.RuntimeTriton && r.batching() != nil && ownDirectory
}

// torchServe is PyTorch's TorchServe. Ports, options and metrics are those of its
// documentation (configuration.md, metrics.md, batch_inference_with_ts.md). Its
// metrics have no histogram and no gauge of what waits.
func (r *renderer) torchServe() *profile {
	const scratch = "/tmp"
	p := &profile{
		name:    v1alpha1.RuntimeTorchServe,
		command: []string{"torchserve"},
		args:    []string{"--start", "--foreground", "--no-config-snapshots", "--disable-token-auth"},
		env: []variable{
			{"TS_CONFIG_FILE", filesDir + "/config.properties"},
			{"LOG_LOCATION", scratch + "/logs"},
			{"METRICS_LOCATION", scratch + "/logs"},
			{"TEMP", scratch}, // where archives are unpacked
			{"HOME", scratch},
		},
		scratch:     scratch,
		httpPort:    8080,
		grpcPort:    7070,
		metricsPort: 8082,
		livePath:    "/ping",
		readyPath:   "/ping",
		metricsPath: "/metrics",
		metrics: metrics{
			requests: series{"ts_inference_requests_total", ofTarget(r.Model.Name)},
			errors:   series{"Requests5XX", ofTarget(r.Model.Name)},
		},
	}
	archive := path.Base(r.model.path)
	lines := []string{
		"inference_address=http://0.0.0.0:8080",
		"management_address=http://127.0.0.1:8081",
		"metrics_address=http://0.0.0.0:8082",
		"grpc_inference_address=0.0.0.0",
		"grpc_inference_port=7070",
		"grpc_management_address=127.0.0.1",
		"metrics_mode=prometheus",
		"model_store=" + path.Dir(r.model.path),
		"load_models=" + r.Model.Name + "=" + archive,
	}
	if e := r.spec.Expose; e != nil && e.BodySize != nil {
		lines = append(lines, "max_request_size="+fmt.Sprint(e.BodySize.Value()))
	}
	if b := r.batching(); b != nil {
		settings, err := json.Marshal(map[string]map[string]any{r.Model.Name: {r.spec.Version: map[string]any{
			"defaultVersion": true, "marName": archive, "batchSize": b.MaxSize, "maxBatchDelay": b.MaxDelay.Milliseconds(),
		}}})
		if err == nil { // maps of strings and numbers always marshal
			lines = append(lines, "models="+string(settings))
		}
	}
	p.files = map[string]string{"config.properties": strings.Join(lines, "\n") + "\n"}
	return p
}

// tfServing is TensorFlow Serving. Ports and options are those of tensorflow_model_server
// --help and of its guide (serving_config.md); the bounds of its histogram are those of
// servables/tensorflow/util.cc. On SIGTERM it ends at once.
func (r *renderer) tfServing() *profile {
	const metricsPath = "/monitoring/prometheus/metrics"
	ofPod := ofTarget(r.Model.Name)
	status := "/v1/models/" + r.Model.Name
	p := &profile{
		name:    v1alpha1.RuntimeTFServing,
		command: []string{"tensorflow_model_server"},
		args: []string{
			"--port=8500",
			"--rest_api_port=8501",
			"--model_name=" + r.Model.Name,
			"--model_base_path=" + path.Join(r.model.repository, r.Model.Name),
			"--monitoring_config_file=" + filesDir + "/monitoring.config",
		},
		files:       map[string]string{"monitoring.config": fmt.Sprintf("prometheus_config {\n  enable: true\n  path: %q\n}\n", metricsPath)},
		scratch:     "/tmp",
		httpPort:    8501,
		grpcPort:    8500,
		metricsPort: 8501,
		livePath:    status,
		readyPath:   status + "/metadata", // it is there when the version is loaded
		metricsPath: metricsPath,
		metrics: metrics{
			requests:     series{":tensorflow:serving:request_count", ofPod},
			errors:       series{":tensorflow:serving:request_count", ofPod + `,status=~"ABORTED|DATA_LOSS|DEADLINE_EXCEEDED|INTERNAL|RESOURCE_EXHAUSTED|UNAVAILABLE|UNKNOWN"`},
			latency:      series{":tensorflow:serving:request_latency", ofPod},
			latencyUnit:  1e-6,
			buckets:      exponential(10e-6, 1.8, 33),
			loadFailures: series{":tensorflow:cc:saved_model:load_attempt_count", ofPod + `,status!="success"`},
		},
	}
	if d := serverTimeout(r.spec.Expose); d > 0 {
		p.args = append(p.args, "--rest_api_timeout_in_ms="+fmt.Sprint(d.Milliseconds()))
	}
	if b := r.batching(); b != nil {
		p.args = append(p.args, "--enable_batching", "--batching_parameters_file="+filesDir+"/batching.config")
		p.files["batching.config"] = fmt.Sprintf("max_batch_size { value: %d }\nbatch_timeout_micros { value: %d }\n", b.MaxSize, b.MaxDelay.Microseconds())
	}
	return p
}

// exponential returns n bounds, each growth times its predecessor.
func exponential(first, growth float64, n int) []float64 {
	bounds := make([]float64, n)
	for i := range bounds {
		bounds[i], first = first, first*growth
	}
	return bounds
}

// batching of requests, if the Model asks for it.
func (r *renderer) batching() *v1alpha1.Batching {
	if r.spec.GPU == nil {
		return nil
	}
	return r.spec.GPU.Batching
}

// custom is a server that the Model describes. It is not known to drain, and no
// bounds are known of its histogram.
func (r *renderer) custom() *profile {
	c := r.spec.Runtime.Custom
	p := &profile{
		name:        v1alpha1.RuntimeCustom,
		env:         []variable{{"MODEL_NAME", r.Model.Name}, {"MODEL_VERSION", r.spec.Version}, {"PORT", fmt.Sprint(c.Port)}},
		scratch:     "/tmp",
		httpPort:    c.Port,
		grpcPort:    c.GRPCPort,
		metricsPort: c.Port,
		livePath:    c.LivePath,
		readyPath:   c.ReadyPath,
	}
	if r.model.path != "" {
		p.env = append(p.env, variable{"MODEL_PATH", r.model.path})
	}
	m := c.Metrics
	if m == nil {
		p.metricsPort = 0
		return p
	}
	if m.Port != 0 {
		p.metricsPort = m.Port
	}
	p.metricsPath = m.Path
	p.metrics = customMetrics(r.Model.Name, m)
	return p
}
