package render

import (
	"encoding/json"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"

	"mizzen.dev/api/v1alpha1"
)

// userID is the user and the group of the pods, as of mizzen's image.
const userID = 10001

// Names of volumes besides that of the model.
const (
	filesVolume        = "runtime"
	scratchVolume      = "scratch"
	sharedMemoryVolume = "shared-memory"
)

// sharedMemorySize is what Triton's documentation runs with (--shm-size=1g).
const sharedMemorySize = 1 << 30

// readable lets the group of the pods read the files of a Secret, and nobody else.
const readable = 0o440

// podTemplate is the pods of the Deployment.
func (r *renderer) podTemplate() *corev1ac.PodTemplateSpecApplyConfiguration {
	t := corev1ac.PodTemplateSpec().WithLabels(r.podLabels()).WithSpec(r.podSpec())
	if m := r.spec.PodMetadata; m != nil && len(m.Annotations) > 0 {
		annotations := make(map[string]string, len(m.Annotations))
		for name, value := range m.Annotations {
			annotations[name] = string(value)
		}
		t.WithAnnotations(annotations)
	}
	return t
}

func (r *renderer) podSpec() *corev1ac.PodSpecApplyConfiguration {
	spec := corev1ac.PodSpec().
		WithServiceAccountName(r.serviceAccount()).
		// No pod calls the API server. Identities of clouds bring tokens of their own.
		WithAutomountServiceAccountToken(false).
		WithEnableServiceLinks(false).
		WithSecurityContext(corev1ac.PodSecurityContext().
			WithRunAsNonRoot(true).WithRunAsUser(userID).WithRunAsGroup(userID).
			WithFSGroup(userID).WithFSGroupChangePolicy(corev1.FSGroupChangeOnRootMismatch).
			WithSeccompProfile(corev1ac.SeccompProfile().WithType(corev1.SeccompProfileTypeRuntimeDefault))).
		WithTerminationGracePeriodSeconds(wholeSeconds(r.gracePeriod())).
		WithContainers(r.server()).
		WithVolumes(r.volumes()...)
	if r.spec.Source.URI != "" {
		spec.WithInitContainers(r.fetch())
	}
	for _, s := range r.pullSecrets() {
		spec.WithImagePullSecrets(corev1ac.LocalObjectReference().WithName(s.Name))
	}
	r.placed(spec)
	return spec
}

// pullSecrets are the Model's, and then the platform's.
func (r *renderer) pullSecrets() []v1alpha1.SecretName {
	var all []v1alpha1.SecretName
	seen := map[string]bool{}
	for _, list := range [][]v1alpha1.SecretName{r.spec.ImagePullSecrets, r.Platform.Defaults.ImagePullSecrets} {
		for _, s := range list {
			if !seen[s.Name] {
				seen[s.Name] = true
				all = append(all, s)
			}
		}
	}
	return all
}

// placed says where the pods run.
func (r *renderer) placed(spec *corev1ac.PodSpecApplyConfiguration) {
	p := r.placement()
	for _, key := range r.spread() {
		// Without the hash of the template, the pods of the former revision would count,
		// and a roll would end lopsided.
		spec.WithTopologySpreadConstraints(corev1ac.TopologySpreadConstraint().
			WithMaxSkew(1).WithTopologyKey(key).WithWhenUnsatisfiable(corev1.ScheduleAnyway).
			WithLabelSelector(metav1ac.LabelSelector().WithMatchLabels(r.selector())).
			WithMatchLabelKeys("pod-template-hash"))
	}
	selector := map[string]string{}
	tolerations := p.Tolerations
	for name, value := range p.NodeSelector {
		selector[name] = string(value)
	}
	if g := r.spec.GPU; g != nil {
		for name, value := range g.NodeSelector {
			selector[name] = string(value)
		}
		tolerations = append(append([]corev1.Toleration{}, tolerations...), gpuTolerations(g)...)
	}
	if len(selector) > 0 {
		spec.WithNodeSelector(selector)
	}
	for _, t := range tolerations {
		spec.WithTolerations(applied[corev1ac.TolerationApplyConfiguration](r, t))
	}
	if p.Affinity != nil {
		spec.WithAffinity(applied[corev1ac.AffinityApplyConfiguration](r, p.Affinity))
	}
	if p.PriorityClassName != "" {
		spec.WithPriorityClassName(p.PriorityClassName)
	}
}

// spread is over nodes and zones, unless the Model says over what.
func (r *renderer) spread() []string {
	if s := r.placement().Spread; s != nil {
		keys := make([]string, len(s))
		for i, key := range s {
			keys[i] = string(key)
		}
		return keys
	}
	return []string{corev1.LabelHostname, corev1.LabelTopologyZone}
}

const (
	nvidiaPrefix = "nvidia.com/"
	nvidiaTaint  = nvidiaPrefix + "gpu"
)

// gpuTolerations are the Model's; without them the taint that GPU operators set on
// nodes with accelerators. NVIDIA's nodes have the same taint whatever they offer:
// nvidia.com/mig-1g.10gb and nvidia.com/gpu.shared, too.
func gpuTolerations(g *v1alpha1.GPU) []corev1.Toleration {
	if g.Tolerations != nil {
		return g.Tolerations
	}
	keys := []string{g.ResourceName}
	if strings.HasPrefix(g.ResourceName, nvidiaPrefix) && g.ResourceName != nvidiaTaint {
		keys = append(keys, nvidiaTaint)
	}
	tolerations := make([]corev1.Toleration, len(keys))
	for i, key := range keys {
		tolerations[i] = corev1.Toleration{Key: key, Operator: corev1.TolerationOpExists, Effect: corev1.TaintEffectNoSchedule}
	}
	return tolerations
}

// applied turns a value of Kubernetes's types into its apply configuration, which has
// the same JSON.
func applied[A any](r *renderer, value any) *A {
	a := new(A)
	text, err := json.Marshal(value)
	if err == nil {
		err = json.Unmarshal(text, a)
	}
	if err != nil {
		r.fail(fmt.Errorf("converting %T: %w", value, err))
	}
	return a
}

// volumes of the pod.
func (r *renderer) volumes() []*corev1ac.VolumeApplyConfiguration {
	var all []*corev1ac.VolumeApplyConfiguration
	if r.model.volume != nil {
		all = append(all, r.model.volume)
	}
	if a := r.spec.Auth; a != nil {
		all = append(all, corev1ac.Volume().WithName(keysVolume).WithSecret(corev1ac.SecretVolumeSource().
			WithSecretName(a.APIKeys.Name).WithDefaultMode(readable).
			WithItems(corev1ac.KeyToPath().WithKey(a.APIKeys.Key).WithPath(keysFile))))
	}
	if len(r.profile.files) > 0 {
		all = append(all, corev1ac.Volume().WithName(filesVolume).WithConfigMap(corev1ac.ConfigMapVolumeSource().WithName(r.filesName())))
	}
	if r.profile.scratch != "" {
		all = append(all, corev1ac.Volume().WithName(scratchVolume).WithEmptyDir(corev1ac.EmptyDirVolumeSource()))
	}
	if r.profile.sharedMemory {
		all = append(all, corev1ac.Volume().WithName(sharedMemoryVolume).WithEmptyDir(corev1ac.EmptyDirVolumeSource().
			WithMedium(corev1.StorageMediumMemory).WithSizeLimit(*resource.NewQuantity(sharedMemorySize, resource.BinarySI))))
	}
	return all
}
