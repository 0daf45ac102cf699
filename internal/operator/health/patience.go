package health

import (
	"time"

	corev1 "k8s.io/api/core/v1"
)

// What has just begun is not failing. So long is waited before it is called that.
const (
	// probePatience is how long a server may go without an answer to its readiness probe:
	// one that has just started, or is busy for a moment, may.
	probePatience = 30 * time.Second
	// metricsPatience is how long the load of pods may be unknown. metrics-server measures
	// a pod twice before it tells, every 15 seconds in most clusters, and an autoscaler
	// looks every 15 seconds.
	metricsPatience = time.Minute
	// volumePatience is how long a volume may take to be made.
	volumePatience = 30 * time.Second
	// issuePatience is how long cert-manager may take for a certificate: an order, a
	// challenge that is answered over the way in, and the certificate.
	issuePatience = 2 * time.Minute
	// gatewayPatience is how long a Gateway may take to get its address.
	gatewayPatience = time.Minute
)

// until is what is said of something before patience with it ends, and then.
func (o *Observation) until(ends time.Time, before, then *finding) *finding {
	if !o.Now.Time.Before(ends) {
		return then
	}
	before.ends = ends
	return before
}

// NextLook is when the conditions may change without anything in the cluster changing;
// zero if they do not.
func NextLook(o *Observation) time.Time {
	var next time.Time
	consider := func(at time.Time) {
		if at.After(o.Now.Time) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, p := range parts() {
		if f := verdict(o, p.conditionType, p.checks); f != nil {
			consider(f.ends)
		}
	}
	for _, p := range current(o) {
		for _, s := range p.Status.ContainerStatuses {
			consider(failingAt(o, &p, s))
		}
	}
	return next
}

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

// measuredAt is when the load must be known: a while after there is an autoscaler, and a
// pod that answers.
func measuredAt(o *Observation) time.Time {
	var answers time.Time
	for i := range o.Pods {
		c := podCondition(&o.Pods[i], corev1.PodReady)
		if c != nil && c.Status == corev1.ConditionTrue && (answers.IsZero() || c.LastTransitionTime.Time.Before(answers)) {
			answers = c.LastTransitionTime.Time
		}
	}
	if created := o.HPA.CreationTimestamp.Time; created.After(answers) {
		answers = created
	}
	return answers.Add(metricsPatience)
}
