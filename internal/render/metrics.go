package render

import (
	"fmt"

	"mizzen.dev/api/v1alpha1"
)

// metrics of a server. A name that is "" is one that the server does not have: what
// needs it is refused, never guessed.
type metrics struct {
	// requests is a counter of answered requests for predictions.
	requests series
	// errors is the part of them that failed for a reason of the server. Where
	// errorsApart, requests does not have them in it.
	errors      series
	errorsApart bool
	// outcome is the label of requests that says how they ended: code.
	outcome string
	// latency is a histogram, named without _bucket. latencyUnit is the seconds that 1
	// stands for.
	latency     series
	latencyUnit float64
	// buckets are the upper bounds of latency, in seconds; nil where nobody knows them.
	buckets []float64
	// inFlight and queue are gauges of a pod; inFlightLimit and queueLimit their bounds.
	inFlight, inFlightLimit series
	queue, queueLimit       series
	// ready is a gauge of a pod: 1 while it answers.
	ready series
	// rejected is a counter of requests that were refused before any work was done, by
	// the label reason.
	rejected series
	// predictions is a counter of predicted labels by the label class.
	predictions series
	// loadFailures is a counter of model files that could not be loaded.
	loadFailures series
	// info is a gauge of 1 that names what is served: version, digest, class.
	info series
	// cpu is a counter of seconds, memory a gauge of bytes, of the server's process.
	cpu, memory series
}

// series is the name of a metric and the matchers that choose the Model's part of it
// within its namespace: model="iris",endpoint="predict".
type series struct {
	name     string
	matchers string
}

// Labels of the targets, which Prometheus adds to every metric of a pod: those that
// the Prometheus operator sets for each ServiceMonitor, and what its targetLabels and
// podTargetLabels make of the labels of the Service and of the pods.
const (
	targetNamespace = "namespace"
	targetPod       = "pod"
	targetModel     = "mizzen_dev_model"
	targetRevision  = "mizzen_dev_revision"
	targetVersion   = "app_kubernetes_io_version"
)

// ofTarget chooses the metrics of a Model's pods that have no label of their own for
// the model.
func ofTarget(model string) string { return fmt.Sprintf("%s=%q", targetModel, model) }

// mizzenMetrics are those of mizzen serve, as docs/operations.md lists them.
func mizzenMetrics(model string) metrics {
	ofModel, ofPod := fmt.Sprintf("model=%q", model), ofTarget(model)
	predict := ofModel + `,endpoint="predict"`
	return metrics{
		requests:    series{"inference_requests_total", predict},
		errors:      series{"inference_requests_total", predict + `,code=~"5.."`},
		outcome:     "code",
		latency:     series{"inference_latency_seconds", predict},
		latencyUnit: 1,
		buckets: []float64{
			0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5,
		},
		inFlight:      series{"inference_in_flight", ofPod},
		inFlightLimit: series{"inference_in_flight_limit", ofPod},
		queue:         series{"inference_queue_depth", ofPod},
		queueLimit:    series{"inference_queue_limit", ofPod},
		ready:         series{"inference_ready", ofPod},
		rejected:      series{"inference_rejected_total", ofPod},
		predictions:   series{"inference_predictions_total", ofModel},
		loadFailures:  series{"inference_model_loads_total", ofModel + `,result="failure"`},
		info:          series{"inference_model_info", ofModel},
		cpu:           series{"process_cpu_seconds_total", ofPod},
		memory:        series{"process_resident_memory_bytes", ofPod},
	}
}

// customMetrics are those that the spec names. What they measure is all that the pods
// do: a pod serves one model.
func customMetrics(model string, c *v1alpha1.CustomMetrics) metrics {
	if c == nil {
		return metrics{}
	}
	named := func(name string) series {
		if name == "" {
			return series{}
		}
		return series{name, ofTarget(model)}
	}
	return metrics{
		requests: named(c.Requests), errors: named(c.Errors),
		latency: named(c.LatencySeconds), latencyUnit: 1,
		inFlight: named(c.InFlight), queue: named(c.Queue),
	}
}
