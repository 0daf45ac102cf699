package health

import (
	"cmp"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"mizzen.dev/internal/render"
	"mizzen.dev/internal/termination"
)

// current returns the pods of the revision that should run. Those that are being deleted
// are left out, and those that have ended as a whole, as evicted ones do: others run in
// their place, and nobody removes them.
func current(o *Observation) []corev1.Pod {
	return slices.DeleteFunc(made(o), func(p corev1.Pod) bool {
		return p.Status.Phase == corev1.PodFailed || p.Status.Phase == corev1.PodSucceeded
	})
}

// made returns the pods of the revision that should run, ended ones as well, in a stable
// order: what a condition says must not change because a list came in another one.
func made(o *Observation) []corev1.Pod {
	var pods []corev1.Pod
	for _, p := range o.Pods {
		if p.DeletionTimestamp == nil && p.Labels[render.RevisionLabel] == o.Revision {
			pods = append(pods, p)
		}
	}
	slices.SortFunc(pods, func(a, b corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return pods
}

func containers(p *corev1.Pod) []corev1.ContainerStatus {
	return slices.Concat(p.Status.InitContainerStatuses, p.Status.ContainerStatuses)
}

// lastEnd returns what a container said when it last ended with an error: now, or
// before it was started again. Exit codes have a meaning where the program is Mizzen's.
func lastEnd(o *Observation, s corev1.ContainerStatus) (termination.Report, bool) {
	for _, state := range []corev1.ContainerState{s.State, s.LastTerminationState} {
		t := state.Terminated
		if t == nil {
			continue
		}
		if t.ExitCode == 0 {
			return termination.Report{}, false
		}
		report := termination.Parse(t.Message)
		if report.Reason == "" && render.RunsMizzen(&o.Model.Spec, s.Name) {
			report.Reason = termination.ForExitCode(int(t.ExitCode))
		}
		return report, true
	}
	return termination.Report{}, false
}

// terminated returns how a container last ended.
func terminated(s corev1.ContainerStatus) *corev1.ContainerStateTerminated {
	if s.State.Terminated != nil {
		return s.State.Terminated
	}
	return s.LastTerminationState.Terminated
}

func podReady(p *corev1.Pod) bool {
	return podCondition(p, corev1.PodReady) != nil && podCondition(p, corev1.PodReady).Status == corev1.ConditionTrue
}

func podCondition(p *corev1.Pod, conditionType corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == conditionType {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}

func deploymentCondition(d *appsv1.Deployment, conditionType appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == conditionType {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}

// wanted is the number of pods that the Deployment is to have.
func wanted(d *appsv1.Deployment) int32 {
	if d.Spec.Replicas == nil {
		return 1
	}
	return *d.Spec.Replicas
}
func anyReady(pods []corev1.Pod) bool {
	for i := range pods {
		if podReady(&pods[i]) {
			return true
		}
	}
	return false
}
