package render

import (
	"path"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/intstr"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

// How the server is probed. A probe that fails once may be chance; a server that is
// not ready for two in a row gets no traffic, one that does not answer for half a
// minute is started again.
const (
	probeTimeout     = 2 * time.Second
	startupPeriod    = 2 * time.Second
	readinessPeriod  = 5 * time.Second
	readinessFailed  = 2
	livenessPeriod   = 10 * time.Second
	livenessFailed   = 3
	fetchMemoryLimit = 256 << 20
)

// server is the container that answers.
func (r *renderer) server() *corev1ac.ContainerApplyConfiguration {
	c := corev1ac.Container().WithName(serverContainer).WithImage(r.result.Image).
		WithCommand(r.profile.command...).
		WithArgs(r.profile.args...).
		WithPorts(containerPort(httpPortName, r.profile.httpPort)).
		WithResources(r.resourceRequirements()).
		WithSecurityContext(restricted()).
		WithStartupProbe(r.probe(r.profile.readyPath, startupPeriod, int32((r.startup()+startupPeriod-1)/startupPeriod))).
		WithReadinessProbe(r.probe(r.profile.readyPath, readinessPeriod, readinessFailed)).
		WithLivenessProbe(r.probe(r.profile.livePath, livenessPeriod, livenessFailed)).
		WithEnv(r.environment()...).
		WithVolumeMounts(r.mounts()...)
	if rt := r.spec.Runtime; rt != nil {
		for _, arg := range rt.Args {
			c.WithArgs(string(arg))
		}
	}
	if r.profile.grpcPort != 0 {
		c.WithPorts(containerPort(grpcPortName, r.profile.grpcPort))
	}
	if r.ownMetricsPort() {
		c.WithPorts(containerPort(metricsPortName, r.profile.metricsPort))
	}
	if len(r.spec.Config) > 0 {
		c.WithEnvFrom(r.configEnv())
	}
	if s := wholeSeconds(r.preStop()); s > 0 {
		c.WithLifecycle(corev1ac.Lifecycle().WithPreStop(corev1ac.LifecycleHandler().WithSleep(corev1ac.SleepAction().WithSeconds(s))))
	}
	return c
}

func (r *renderer) configEnv() *corev1ac.EnvFromSourceApplyConfiguration {
	return corev1ac.EnvFromSource().WithConfigMapRef(corev1ac.ConfigMapEnvSource().WithName(r.configName()))
}

func containerPort(name string, port int32) *corev1ac.ContainerPortApplyConfiguration {
	return corev1ac.ContainerPort().WithName(name).WithContainerPort(port).WithProtocol(corev1.ProtocolTCP)
}

func (r *renderer) probe(at string, period time.Duration, failures int32) *corev1ac.ProbeApplyConfiguration {
	return corev1ac.Probe().
		WithHTTPGet(corev1ac.HTTPGetAction().WithPath(at).WithPort(intstr.FromString(httpPortName))).
		WithPeriodSeconds(int32(wholeSeconds(period))).
		WithTimeoutSeconds(int32(wholeSeconds(probeTimeout))).
		WithFailureThreshold(failures)
}

// restricted is what the restricted level of pod security asks of each container, and
// a root file system that nobody writes to.
func restricted() *corev1ac.SecurityContextApplyConfiguration {
	return corev1ac.SecurityContext().
		WithAllowPrivilegeEscalation(false).
		WithReadOnlyRootFilesystem(true).
		WithCapabilities(corev1ac.Capabilities().WithDrop("ALL"))
}

// mounts of the server.
func (r *renderer) mounts() []*corev1ac.VolumeMountApplyConfiguration {
	mount := func(name, at string) *corev1ac.VolumeMountApplyConfiguration {
		return corev1ac.VolumeMount().WithName(name).WithMountPath(at)
	}
	var all []*corev1ac.VolumeMountApplyConfiguration
	if r.model.mount != nil {
		all = append(all, r.model.mount)
	}
	if r.spec.Auth != nil {
		all = append(all, mount(keysVolume, keysDir).WithReadOnly(true))
	}
	if len(r.profile.files) > 0 {
		all = append(all, mount(filesVolume, filesDir).WithReadOnly(true))
	}
	if _, beside := r.profile.files[tritonConfig]; beside {
		all = append(all, mount(filesVolume, path.Join(r.model.repository, r.Model.Name, tritonConfig)).WithSubPath(tritonConfig).WithReadOnly(true))
	}
	if dir := r.profile.scratch; dir != "" {
		all = append(all, mount(scratchVolume, dir))
	}
	if r.profile.sharedMemory {
		all = append(all, mount(sharedMemoryVolume, "/dev/shm"))
	}
	return all
}

// What mizzen fetch takes a file to be at most: as much as mizzen loads, unless this
// variable says otherwise. Other servers load what would not fit into memory here; it
// is the volume that bounds those files.
const (
	maxBytesVariable = "MIZZEN_MAX_BYTES"
	foreignMaxBytes  = "1024GiB"
)

// fetch is the init container that brings the model before the server starts. It has
// credentials of its own, which the server does not see.
func (r *renderer) fetch() *corev1ac.ContainerApplyConfiguration {
	s := &r.spec.Source
	args := []string{"fetch", s.URI, r.model.path}
	if r.unpacks() {
		args = append(args, "--unpack="+string(r.runtimeName()))
	}
	if s.Digest != "" {
		args = append(args, "--digest="+s.Digest)
	}
	if _, named := r.spec.Config[maxBytesVariable]; !r.isMizzen() && !named {
		args = append(args, "--max-bytes="+foreignMaxBytes)
	}
	c := corev1ac.Container().WithName(FetchContainer).WithImage(r.fetchImage()).
		WithArgs(args...).
		WithResources(corev1ac.ResourceRequirements().
			WithRequests(corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("100m"), corev1.ResourceMemory: resource.MustParse("64Mi")}).
			WithLimits(corev1.ResourceList{corev1.ResourceMemory: *resource.NewQuantity(fetchMemoryLimit, resource.BinarySI)})).
		WithSecurityContext(restricted()).
		WithVolumeMounts(corev1ac.VolumeMount().WithName(modelVolume).WithMountPath(modelsDir))
	if s.SecretRef != nil {
		c.WithEnvFrom(corev1ac.EnvFromSource().WithSecretRef(corev1ac.SecretEnvSource().WithName(s.SecretRef.Name)))
	}
	if len(r.spec.Config) > 0 { // the store's address may stand there; the last of the two wins
		c.WithEnvFrom(r.configEnv())
	}
	return c
}
