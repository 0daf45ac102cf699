package health

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// probePatience is how long a server may go without an answer to its readiness probe
// before that is called a failure: one that has just started, or is busy for a moment,
// is none.
const probePatience = 30 * time.Second

// failingAt is when a container that runs and does not answer its readiness probe is to
// be called failing; zero if it answers, or has yet to start.
func failingAt(o *Observation, p *corev1.Pod, s corev1.ContainerStatus) time.Time {
	if s.Ready || s.State.Running == nil || s.Started == nil || !*s.Started {
		return time.Time{}
	}
	started := s.State.Running.StartedAt.Time
	if c := podCondition(p, corev1.PodReady); c != nil && c.LastTransitionTime.After(started) {
		return c.LastTransitionTime.Add(probePatience) // it has answered before
	}
	// Nobody says when its startup probe got an answer: at the latest when it had to.
	return started.Add(startupBudget(o, s.Name) + probePatience)
}

// startupBudget is how long the startup probe lets a container take.
func startupBudget(o *Observation, container string) time.Duration {
	if o.Deployment == nil {
		return 0
	}
	for _, c := range o.Deployment.Spec.Template.Spec.Containers {
		if p := c.StartupProbe; p != nil && c.Name == container {
			return time.Duration(p.InitialDelaySeconds+p.PeriodSeconds*p.FailureThreshold) * time.Second
		}
	}
	return 0
}

// NextLook is when the conditions may change without anything in the cluster changing;
// zero if they do not.
func NextLook(o *Observation) time.Time {
	var next time.Time
	for _, p := range current(o) {
		for _, s := range p.Status.ContainerStatuses {
			at := failingAt(o, &p, s)
			if at.After(o.Now.Time) && (next.IsZero() || at.Before(next)) {
				next = at
			}
		}
	}
	return next
}
