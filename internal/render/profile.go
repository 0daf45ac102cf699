package render

import (
	"mizzen.dev/api/v1alpha1"
)

// profile is what Mizzen knows of a server: how to start and probe it, where it
// looks for the model, and what its metrics are called.
type profile struct {
	name v1alpha1.RuntimeName
	// command replaces the entry point of the image, args follow it and stand before
	// those of the Model.
	command, args []string
	// env that the server needs.
	env []variable
	// files of configuration, by name, below filesDir.
	files map[string]string
	// scratch is a directory that the server writes to, if it does; its root is read-only.
	scratch string
	// sharedMemory asks for a larger /dev/shm than the 64 MiB of container runtimes.
	sharedMemory bool
	// Ports of the container. 0 is none; metricsPort is httpPort where both are one.
	httpPort, grpcPort, metricsPort int32
	livePath, readyPath             string
	metricsPath                     string
	metrics                         metrics
	// drains says whether the server itself finishes what is at work on SIGTERM. The
	// pods of one that does not are left alone for that time before they get it.
	drains bool
}

// variable is an environment variable of the server.
type variable struct{ name, value string }

// filesDir is where the server finds its files of configuration.
const filesDir = "/etc/mizzen/runtime"

// newProfile returns what Mizzen knows of the Model's runtime.
func (r *renderer) newProfile() *profile {
	switch r.runtimeName() {
	case v1alpha1.RuntimeTriton:
		return r.triton()
	case v1alpha1.RuntimeTorchServe:
		return r.torchServe()
	case v1alpha1.RuntimeTFServing:
		return r.tfServing()
	case v1alpha1.RuntimeCustom:
		return r.custom()
	}
	return r.mizzen()
}

// vendorImage is the image of a runtime where the Model names none; "" if there is
// no such thing.
func vendorImage(name v1alpha1.RuntimeName, gpu bool) string {
	switch name {
	case v1alpha1.RuntimeTriton:
		return "nvcr.io/nvidia/tritonserver:25.11-py3"
	case v1alpha1.RuntimeTorchServe:
		if gpu {
			return "docker.io/pytorch/torchserve:0.12.0-gpu"
		}
		return "docker.io/pytorch/torchserve:0.12.0-cpu"
	case v1alpha1.RuntimeTFServing:
		if gpu {
			return "docker.io/tensorflow/serving:2.19.0-gpu"
		}
		return "docker.io/tensorflow/serving:2.19.0"
	}
	return ""
}
