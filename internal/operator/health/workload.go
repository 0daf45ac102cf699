package health

import (
	"fmt"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
	"mizzen.dev/internal/termination"
)

// workloadChecks ask whether the pods run and answer. What keeps a pod from starting
// stands before what it does once it runs.
func workloadChecks() []check {
	checks := []check{noDeployment}
	for _, c := range []check{podsNotCreated, unschedulable, imagePull, configMissing, evicted, modelRefused,
		outOfMemory, crashing, probesFail, deadlineExceeded} {
		checks = append(checks, spared(c, ReasonAvailable))
	}
	return append(checks, progressing, available)
}

// spared is a check for what is wrong with single pods. While as many answer as the
// autoscaler may go down to, those that it adds are told of, and the Model is no less
// ready for them.
func spared(c check, reason string) check {
	return func(o *Observation) *finding {
		f := c(o)
		if f == nil || o.Model.Spec.Scale == nil || o.Deployment == nil || progressing(o) != nil {
			return f
		}
		message := fmt.Sprintf("%d pods answer, and there should be %d: %s", o.Deployment.Status.AvailableReplicas, wanted(o.Deployment), f.message)
		return &finding{status: metav1.ConditionTrue, reason: reason, message: message, ends: f.ends}
	}
}

func noDeployment(o *Observation) *finding {
	if o.Deployment == nil {
		return unknown(ReasonPending, "the Deployment is not there yet")
	}
	return nil
}

// podsNotCreated finds pods that the API server refuses.
func podsNotCreated(o *Observation) *finding {
	c := deploymentCondition(o.Deployment, appsv1.DeploymentReplicaFailure)
	if c == nil || c.Status != corev1.ConditionTrue {
		return nil
	}
	switch {
	case strings.Contains(c.Message, "exceeded quota"):
		return no(ReasonQuotaExceeded, "the namespace's quota is used up; ask for less in resources, remove other pods, or raise the quota: "+c.Message)
	case strings.Contains(c.Message, "violates PodSecurity"):
		return no(ReasonPodSecurity, "the namespace's pod security does not allow these pods: "+c.Message)
	}
	return no(ReasonPodsNotCreated, "pods cannot be created: "+c.Message)
}

// unschedulable finds pods for which there is no node.
func unschedulable(o *Observation) *finding {
	for _, p := range current(o) {
		c := podCondition(&p, corev1.PodScheduled)
		if c == nil || c.Status != corev1.ConditionFalse || c.Reason != corev1.PodReasonUnschedulable {
			continue
		}
		gpu := o.Model.Spec.GPU
		switch {
		case gpu != nil && strings.Contains(c.Message, "Insufficient "+gpu.ResourceName):
			return no(ReasonGPUUnavailable, fmt.Sprintf("pod %s: no node has %d free %s: add such nodes, wait, or check that the device plugin runs on them (%s)", p.Name, gpu.Count, gpu.ResourceName, c.Message))
		case aboutVolumes(c.Message):
			message := fmt.Sprintf("pod %s waits for a volume: %s", p.Name, c.Message)
			return o.until(p.CreationTimestamp.Add(volumePatience), unknown(ReasonVolumeUnavailable, message), no(ReasonVolumeUnavailable, message))
		}
		return no(ReasonUnschedulable, fmt.Sprintf("pod %s fits no node: add nodes, ask for less in resources, or widen placement (%s)", p.Name, c.Message))
	}
	return nil
}

// aboutVolumes says that the scheduler lacks a volume, or what would make one.
func aboutVolumes(message string) bool {
	message = strings.ToLower(message)
	return strings.Contains(message, "persistentvolumeclaim") || strings.Contains(message, "persistent volume") || strings.Contains(message, "storageclass")
}

// waiting finds a container of the current pods that waits for one of the reasons.
func waiting(o *Observation, reasons ...string) (pod, container string, state *corev1.ContainerStateWaiting) {
	for _, p := range current(o) {
		for _, s := range containers(&p) {
			w := s.State.Waiting
			if w == nil {
				continue
			}
			for _, r := range reasons {
				if w.Reason == r {
					return p.Name, s.Name, w
				}
			}
		}
	}
	return "", "", nil
}

func imagePull(o *Observation) *finding {
	pod, container, w := waiting(o, "ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull", "ImageInspectError",
		"RegistryUnavailable", "SignatureValidationFailed")
	if w == nil {
		return nil
	}
	return no(ReasonImagePullFailed, fmt.Sprintf("pod %s, container %s: %s: %s. Check the image's name and tag, imagePullSecrets, and that nodes reach the registry", pod, container, w.Reason, w.Message))
}

func configMissing(o *Observation) *finding {
	pod, container, w := waiting(o, "CreateContainerConfigError", "CreateContainerError", "RunContainerError")
	if w == nil {
		return nil
	}
	reason := ReasonConfigMissing
	if w.Reason != "CreateContainerConfigError" {
		reason = ReasonContainerNotStarted
	}
	return no(reason, fmt.Sprintf("pod %s, container %s cannot start: %s", pod, container, w.Message))
}

func evicted(o *Observation) *finding {
	for _, p := range made(o) {
		if p.Status.Phase == corev1.PodFailed && p.Status.Reason == "Evicted" && len(current(o)) == 0 {
			return no(ReasonEvicted, fmt.Sprintf("pod %s was evicted: %s", p.Name, p.Status.Message))
		}
	}
	return nil
}

// modelRefused finds a server that does not take the file, in the loader's own words.
func modelRefused(o *Observation) *finding {
	for _, p := range current(o) {
		for _, s := range containers(&p) {
			report, ended := lastEnd(o, s)
			if !ended || s.Ready {
				continue
			}
			switch report.Reason {
			case termination.ModelRefused, termination.ModelMalformed, termination.ModelTooLarge, termination.ConfigInvalid:
				return no(string(report.Reason), fmt.Sprintf("pod %s: %s", p.Name, orDefault(report.Message, "the container said no more than its exit code")))
			}
		}
	}
	return nil
}

func outOfMemory(o *Observation) *finding {
	for _, p := range current(o) {
		for _, s := range containers(&p) {
			if t := terminated(s); t != nil && t.Reason == "OOMKilled" && !s.Ready {
				if s.Name == render.FetchContainer {
					return no(ReasonOOMKilled, fmt.Sprintf("pod %s, container %s was killed for using more memory than its limit, which no file should need: please report it as a fault of Mizzen, with the kind of source", p.Name, s.Name))
				}
				return no(ReasonOOMKilled, fmt.Sprintf("pod %s, container %s was killed for using more memory than its limit: raise resources.limits.memory (and requests), or use a smaller model", p.Name, s.Name))
			}
		}
	}
	return nil
}

// crashing finds containers that end again and again.
func crashing(o *Observation) *finding {
	for _, p := range current(o) {
		for _, s := range containers(&p) {
			report, ended := lastEnd(o, s)
			if stoppedByProbe(&p, s) {
				return no(ReasonProbeFailing, fmt.Sprintf("pod %s, container %s was stopped because its startup or liveness probe got no good answer (restarts: %d): raise placement.startupTimeout if the model takes longer to load, else look at kubectl logs --previous", p.Name, s.Name, s.RestartCount))
			}
			if !ended || s.Ready || sourceReasons()[report.Reason] {
				continue
			}
			message := orDefault(report.Message, "it left no message; see kubectl logs --previous")
			return no(ReasonCrashing, fmt.Sprintf("pod %s, container %s ended with exit code %d: %s", p.Name, s.Name, terminated(s).ExitCode, message))
		}
	}
	return nil
}

// Exit codes of processes that were killed: 128 and the signal.
const (
	exitSIGKILL = 137
	exitSIGTERM = 143
)

// stoppedByProbe says that the kubelet ended a container. It does not say why; since the
// pod itself is to stay and memory was not the reason, a probe was. A server that has
// time to stop in order ends with 0, as no server does of itself.
func stoppedByProbe(p *corev1.Pod, s corev1.ContainerStatus) bool {
	t := terminated(s)
	if t == nil || s.Ready || t.Reason == "OOMKilled" {
		return false
	}
	server := slices.ContainsFunc(p.Status.ContainerStatuses, func(c corev1.ContainerStatus) bool { return c.Name == s.Name })
	return server && (t.ExitCode == exitSIGKILL || t.ExitCode == exitSIGTERM || t.ExitCode == 0 && s.RestartCount > 0)
}

// probesFail finds servers that run and have not answered their readiness probe for a
// while.
func probesFail(o *Observation) *finding {
	for _, p := range current(o) {
		for _, s := range p.Status.ContainerStatuses {
			if failing := failingAt(o, &p, s); failing.IsZero() || o.Now.Time.Before(failing) {
				continue
			}
			return no(ReasonProbeFailing, fmt.Sprintf("pod %s, container %s has started and does not answer its readiness probe: see kubectl describe pod %s", p.Name, s.Name, p.Name))
		}
	}
	return nil
}

func deadlineExceeded(o *Observation) *finding {
	c := deploymentCondition(o.Deployment, appsv1.DeploymentProgressing)
	if c != nil && c.Status == corev1.ConditionFalse {
		return no(ReasonDeadlineExceeded, "the change makes no progress: "+c.Message)
	}
	return nil
}

// progressing finds pods that are yet to come or to go. Those that an autoscaler adds to
// the least number are more of what is there already: the Model is no less ready for them.
func progressing(o *Observation) *finding {
	d := o.Deployment
	want := wanted(d)
	if s := o.Model.Spec.Scale; s != nil {
		want = min(want, max(1, s.MinReplicas))
	}
	switch {
	case d.Status.ObservedGeneration < d.Generation && !rescaled(o):
		return unknown(ReasonProgressing, "the Deployment has just been changed")
	case d.Status.UpdatedReplicas < want:
		return unknown(ReasonProgressing, fmt.Sprintf("%d of %d pods are of this revision; %d pods answer", d.Status.UpdatedReplicas, want, d.Status.ReadyReplicas))
	case d.Status.Replicas > d.Status.UpdatedReplicas:
		return unknown(ReasonProgressing, fmt.Sprintf("%d pods of an earlier revision have yet to stop", d.Status.Replicas-d.Status.UpdatedReplicas))
	case d.Status.AvailableReplicas < want:
		return unknown(ReasonProgressing, fmt.Sprintf("%d of %d pods answer", d.Status.AvailableReplicas, want))
	}
	return nil
}

// rescaled says that the Deployment was changed by an autoscaler: the pods were as the
// Model asks for, and it has not been changed since.
func rescaled(o *Observation) bool {
	c := meta.FindStatusCondition(o.Model.Status.Conditions, v1alpha1.ConditionWorkloadReady)
	return o.Model.Spec.Scale != nil && c != nil && c.Status == metav1.ConditionTrue && c.ObservedGeneration == o.Model.Generation
}

func available(o *Observation) *finding {
	if wanted(o.Deployment) == 0 {
		return yes(ReasonScaledToZero, "there are no pods, as asked for")
	}
	d := o.Deployment
	if n := d.Status.AvailableReplicas; n < wanted(d) {
		return yes(ReasonAvailable, fmt.Sprintf("%d pods answer; the autoscaler wants %d", n, wanted(d)))
	}
	return yes(ReasonAvailable, fmt.Sprintf("%d pods answer", d.Status.AvailableReplicas))
}
