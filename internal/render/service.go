package render

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"mizzen.dev/api/v1alpha1"
)

// Names of ports, of the container and of the Service.
const (
	httpPortName    = "http"
	grpcPortName    = "grpc"
	metricsPortName = "metrics"
)

// Ports of the Service: as callers expect them, whatever the runtime.
const (
	serviceHTTPPort    = 80
	serviceGRPCPort    = 9000
	serviceMetricsPort = 9090
)

// service gives the pods one name.
func (r *renderer) service() {
	spec := corev1ac.ServiceSpec().WithSelector(r.selector()).
		WithPorts(servicePort(httpPortName, serviceHTTPPort).WithAppProtocol("http"))
	if r.profile.grpcPort != 0 {
		// Cleartext HTTP/2, by the name that gateways and meshes know.
		spec.WithPorts(servicePort(grpcPortName, serviceGRPCPort).WithAppProtocol("kubernetes.io/h2c"))
	}
	if r.ownMetricsPort() {
		spec.WithPorts(servicePort(metricsPortName, serviceMetricsPort).WithAppProtocol("http"))
	}
	if g := r.spec.GPU; g != nil && g.SessionAffinity == v1alpha1.SessionAffinityClientIP {
		spec.WithSessionAffinity(corev1.ServiceAffinityClientIP)
	}
	r.add(corev1ac.Service(r.Model.Name, r.Model.Namespace).WithLabels(r.labels()).WithAnnotations(r.serviceAnnotations()).WithSpec(spec))
}

func servicePort(name string, port int32) *corev1ac.ServicePortApplyConfiguration {
	return corev1ac.ServicePort().WithName(name).WithPort(port).WithProtocol(corev1.ProtocolTCP).WithTargetPort(intstr.FromString(name))
}

// ownMetricsPort says whether metrics are on a port that nothing else is on.
func (r *renderer) ownMetricsPort() bool {
	return r.profile.metricsPort != 0 && r.profile.metricsPort != r.profile.httpPort
}

// scrapePort is the name of the port where Prometheus finds metrics.
func (r *renderer) scrapePort() string {
	if r.ownMetricsPort() {
		return metricsPortName
	}
	return httpPortName
}
