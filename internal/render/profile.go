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
