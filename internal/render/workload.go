package render

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	appsv1ac "k8s.io/client-go/applyconfigurations/apps/v1"
	metav1ac "k8s.io/client-go/applyconfigurations/meta/v1"
	policyv1ac "k8s.io/client-go/applyconfigurations/policy/v1"

	"mizzen.dev/api/v1alpha1"
)

// workload is the Deployment and, where there is more than one pod, what keeps
// drains of nodes from taking them all.
func (r *renderer) workload() {
	r.checkServer()
	if r.broken {
		return
	}
	spec := appsv1ac.DeploymentSpec().
		WithSelector(metav1ac.LabelSelector().WithMatchLabels(r.selector())).
		WithStrategy(r.strategy()).
		WithTemplate(r.podTemplate())
	// Without replicas the number is left to the autoscaler, or to whoever scales.
	if n := r.spec.Replicas; n != nil && r.spec.Scale == nil {
		spec.WithReplicas(*n)
	}
	if d := r.progressDeadline(); d > 0 {
		spec.WithProgressDeadlineSeconds(int32(wholeSeconds(d)))
	}
	if ro := r.spec.Rollout; ro != nil {
		if ro.RevisionHistoryLimit != nil {
			spec.WithRevisionHistoryLimit(*ro.RevisionHistoryLimit)
		}
		if ro.Rolling != nil && ro.Rolling.MinReady != nil {
			spec.WithMinReadySeconds(int32(wholeSeconds(ro.Rolling.MinReady.Duration)))
		}
	}
	labels := r.labels()
	labels[versionLabel] = r.spec.Version
	r.add(appsv1ac.Deployment(r.Model.Name, r.Model.Namespace).WithLabels(labels).WithSpec(spec))
	r.disruptionBudget()
}

// strategy never stops a ready pod before another is ready, unless the Model wants
// the old ones to stop first.
func (r *renderer) strategy() *appsv1ac.DeploymentStrategyApplyConfiguration {
	ro := r.spec.Rollout
	if ro != nil && ro.Strategy == v1alpha1.RolloutRecreate {
		return appsv1ac.DeploymentStrategy().WithType(appsv1.RecreateDeploymentStrategyType)
	}
	rolling := appsv1ac.RollingUpdateDeployment().WithMaxUnavailable(intstr.FromInt32(0))
	if ro != nil && ro.Rolling != nil && ro.Rolling.MaxSurge != nil {
		rolling.WithMaxSurge(*ro.Rolling.MaxSurge)
	}
	return appsv1ac.DeploymentStrategy().WithType(appsv1.RollingUpdateDeploymentStrategyType).WithRollingUpdate(rolling)
}

// leastReplicas is how many pods there are at least.
func (r *renderer) leastReplicas() int32 {
	switch {
	case r.spec.Scale != nil:
		return r.spec.Scale.MinReplicas
	case r.spec.Replicas != nil:
		return *r.spec.Replicas
	}
	return 1
}

// disruptionBudget lets one pod go at a time. A single pod has none: its node could
// never be drained. Pods that are not ready anyway do not hold up a drain.
func (r *renderer) disruptionBudget() {
	if r.leastReplicas() < 2 {
		return
	}
	r.add(policyv1ac.PodDisruptionBudget(r.Model.Name, r.Model.Namespace).WithLabels(r.labels()).WithSpec(
		policyv1ac.PodDisruptionBudgetSpec().
			WithMaxUnavailable(intstr.FromInt32(1)).
			WithUnhealthyPodEvictionPolicy(policyv1.AlwaysAllow).
			WithSelector(metav1ac.LabelSelector().WithMatchLabels(r.selector()))))
}

// checkServer says what the server cannot do.
func (r *renderer) checkServer() {
	if r.result.Image == "" {
		r.refuse("spec.runtime.image", conditionWorkload, "ImageUnknown", "neither the Model nor the platform names an image of mizzen: set runtime.image, or image in the platform file")
		r.broken = true
	}
	if r.spec.Source.URI != "" && r.fetchImage() == "" && r.result.Image != "" {
		r.refuse("spec.source.uri", conditionSource, "ImageUnknown", "the platform names no image of mizzen, which fetches the model: set image in the platform file")
		r.broken = true
	}
	if image := r.result.Image; image != "" && !strings.Contains(image, "@") && r.Platform.Images.WantDigests(r.Model.Namespace) {
		r.warn("spec.runtime.image", conditionWorkload, "ImageNotPinned",
			"the platform lets no pod of namespace %s run an image without a digest, and %s has none: add @sha256:… to it, in the platform file or in runtime.image", r.Model.Namespace, image)
	}
}
