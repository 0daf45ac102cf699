package render

import "mizzen.dev/api/v1alpha1"

// profile is what Mizzen knows of a server: how to start and probe it, where it
// looks for the model, and what its metrics are called.
type profile struct {
	name  v1alpha1.RuntimeName
	image string
	// Ports of the container. 0 is none; metricsPort is httpPort where both are one.
	httpPort, grpcPort, metricsPort int32
	livePath, readyPath             string
	metricsPath                     string
	metrics                         metrics
	// drains says whether the server itself finishes what is at work on SIGTERM.
	drains bool
}

// metrics of a server. A name that is "" is one that the server does not have: what
// needs it is refused, never guessed.
type metrics struct {
	// requests is a counter of answered requests, selected as predictions.
	requests series
	// errors is the part of them that failed for a reason of the server.
	errors series
	// latency is a histogram, named without _bucket, in seconds times latencyUnit.
	latency     series
	latencyUnit float64
	// buckets are the upper bounds of latency, in seconds.
	buckets []float64
	// inFlight and queue are gauges; inFlightLimit and queueLimit their bounds.
	inFlight, inFlightLimit series
	queue, queueLimit       series
	// predictions is a counter of predicted labels by class.
	predictions series
	// loads is a counter of loads that failed.
	loadFailures series
}

// series is the name of a metric and the matchers that choose the Model's part of it,
// besides namespace and pod: endpoint="predict".
type series struct {
	name     string
	matchers string
}
