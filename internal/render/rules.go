package render

import (
	"fmt"
	"maps"
	"slices"
	"time"
)

// prometheusRuleSpec is the part of the Prometheus operator's PrometheusRule
// (monitoring.coreos.com/v1) that is used here; a file of rules has the same groups.
type prometheusRuleSpec struct {
	Groups []ruleGroup `json:"groups"`
}

type ruleGroup struct {
	Name     string `json:"name"`
	Interval string `json:"interval,omitempty"`
	Rules    []rule `json:"rules"`
}

type rule struct {
	Record      string            `json:"record,omitempty"`
	Alert       string            `json:"alert,omitempty"`
	Expr        string            `json:"expr"`
	For         string            `json:"for,omitempty"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
}

// alert is a rule before the labels and annotations that all of them have.
type alert struct {
	name, severity, expr string
	lasts                time.Duration
	summary, description string
	labels               map[string]string // besides those of every alert
}

// Of the groups of rules.
const (
	leastRuleInterval = 30 * time.Second
	// budgetInterval is longer: what is left of a month's budget does not change in
	// seconds, and each evaluation reads the month.
	budgetInterval = 5 * time.Minute
)

// rules renders the PrometheusRule.
func (r *renderer) rules(objectives []objective) {
	var groups []ruleGroup
	group := func(name string, interval time.Duration, rules []rule) {
		if len(rules) > 0 {
			groups = append(groups, ruleGroup{Name: r.name(name), Interval: promDuration(interval), Rules: rules})
		}
	}
	var recording, budgets, alerts []rule
	for _, o := range objectives {
		recording = append(recording, r.recordingRules(o)...)
		budgets = append(budgets, r.budgetRule(o))
		alerts = append(alerts, r.burnAlerts(o)...)
	}
	every := max(leastRuleInterval, r.scrapeInterval())
	group("slo", every, append(recording, alerts...))
	group("budget", budgetInterval, budgets)
	group("health", every, slices.Concat(r.dataAlerts(), r.loadAlerts(), r.podAlerts(), r.scalerAlerts()))
	var labels map[string]string
	if p := r.Platform.Prometheus; p != nil {
		labels = p.RuleLabels
	}
	r.add(&object{
		APIVersion: "monitoring.coreos.com/v1", Kind: "PrometheusRule", Metadata: r.meta(labels),
		Spec: &prometheusRuleSpec{Groups: groups},
	})
}

// alert gives a rule its labels, those of the spec before all, and its annotations.
func (r *renderer) alert(a alert) rule {
	labels := map[string]string{"severity": a.severity}
	spec := r.observed().Alerts
	for name, value := range spec.Labels {
		labels[name] = string(value)
	}
	maps.Copy(labels, a.labels)
	labels["namespace"], labels["model"] = r.Model.Namespace, r.Model.Name
	annotations := map[string]string{"summary": a.summary, "description": a.description}
	if spec.RunbookURL != "" {
		annotations["runbook_url"] = spec.RunbookURL
	}
	out := rule{Alert: a.name, Expr: a.expr, Labels: labels, Annotations: annotations}
	if a.lasts > 0 {
		out.For = promDuration(a.lasts)
	}
	return out
}

// dataAlerts tell that nothing is known. A Model that should have no pods has no data.
func (r *renderer) dataAlerts() []rule {
	if n := r.spec.Replicas; n != nil && *n == 0 || r.profile.metricsPath == "" {
		return nil
	}
	return []rule{r.alert(alert{
		name: "MizzenNoData", severity: "critical", lasts: 5 * time.Minute,
		expr:        fmt.Sprintf("absent(%s == 1)", r.queries().targets(r.Model.Name)),
		summary:     fmt.Sprintf("Prometheus reaches no pod of %s", r.Model.Name),
		description: fmt.Sprintf("Either no pod runs, or Prometheus cannot reach them; until it does, no other alert about the model can be trusted. See mizzenctl status %s -n %s; if its pods are ready, look at the targets in Prometheus and at the scraper that the platform file names.", r.Model.Name, r.Model.Namespace),
	})}
}

// loadAlerts tell that pods are at their limits, or cannot load a model.
func (r *renderer) loadAlerts() []rule {
	m, q := r.profile.metrics, r.queries()
	var alerts []rule
	if m.inFlight.has() && m.inFlightLimit.has() {
		alerts = append(alerts, r.alert(alert{
			name: "MizzenSaturated", severity: "warning", lasts: 10 * time.Minute,
			expr:        q.fullness(m.inFlight, m.inFlightLimit) + " > 0.9",
			summary:     fmt.Sprintf("A pod of %s works at its limit", r.Model.Name),
			description: "{{ $labels.pod }} has had {{ $value | humanizePercentage }} of the requests at work that it takes at a time, for 10 minutes. Allow more pods (scale.maxReplicas, replicas) or more CPU for each.",
		}))
	}
	if m.queue.has() && m.queueLimit.has() {
		alerts = append(alerts, r.alert(alert{
			name: "MizzenQueueFilling", severity: "warning", lasts: 2 * time.Minute,
			expr:        q.fullness(m.queue, m.queueLimit) + " > 0.5",
			summary:     fmt.Sprintf("Requests to %s wait in line", r.Model.Name),
			description: "The queue of {{ $labels.pod }} is {{ $value | humanizePercentage }} full; once it is full, requests are refused with 503. Allow more pods (scale.maxReplicas, replicas) or more CPU for each.",
		}))
	}
	if m.loadFailures.has() {
		alerts = append(alerts, r.alert(alert{
			name: "MizzenModelLoadFailed", severity: "warning",
			expr:        sum(fmt.Sprintf("increase(%s[15m])", q.vector(m.loadFailures)), targetPod) + " > 0",
			summary:     fmt.Sprintf("A pod could not load a model file of %s", r.Model.Name),
			description: fmt.Sprintf("{{ $labels.pod }} goes on with the model that it had. Why the new file was refused stands in its log: kubectl -n %s logs {{ $labels.pod }}.", r.Model.Namespace),
		}))
	}
	return alerts
}

// podAlerts go by what kube-state-metrics says of the pods of the Deployment.
func (r *renderer) podAlerts() []rule {
	q, pods := r.queries(), r.podMatcher()
	restarts := fmt.Sprintf("increase(%s[15m])", q.vector(series{"kube_pod_container_status_restarts_total", pods}))
	killed := q.vector(series{"kube_pod_container_status_last_terminated_reason", pods + `,reason="OOMKilled"`})
	loops := func(name string) string {
		return fmt.Sprintf("max_over_time(%s[5m])", q.vector(series{name, pods + `,reason="CrashLoopBackOff"`}))
	}
	waiting := loops("kube_pod_container_status_waiting_reason") + " or " + loops("kube_pod_init_container_status_waiting_reason")
	lower := ""
	if r.isMizzen() {
		lower = ", or lower what one request may bring (config: MIZZEN_MAX_ROWS, MIZZEN_MAX_BODY)"
	}
	return []rule{
		r.alert(alert{
			name: "MizzenOutOfMemory", severity: "warning",
			expr: fmt.Sprintf("%s > 0 and on (pod, container) %s == 1",
				sum(restarts, targetPod, "container"), aggregate("max", killed, targetPod, "container")),
			summary:     fmt.Sprintf("A pod of %s needed more memory than it may have", r.Model.Name),
			description: "{{ $labels.container }} in {{ $labels.pod }} was killed for its memory and started again. Raise resources.limits.memory" + lower + ".",
		}),
		r.alert(alert{
			name: "MizzenCrashLoop", severity: "warning", lasts: 10 * time.Minute,
			expr:        aggregate("max", waiting, targetPod, "container") + " >= 1",
			summary:     fmt.Sprintf("A pod of %s ends again and again", r.Model.Name),
			description: fmt.Sprintf("{{ $labels.container }} in {{ $labels.pod }} does not stay up. Its last words are in the status: mizzenctl status %s -n %s.", r.Model.Name, r.Model.Namespace),
		}),
	}
}

// podMatcher matches the names of a Deployment's pods, and not those of another whose
// name begins the same: name, hash of the template, five letters.
func (r *renderer) podMatcher() string {
	return fmt.Sprintf(`pod=~"%s-[a-z0-9]{1,10}-[a-z0-9]{5}"`, r.name(""))
}

// scalerAlerts tell that the autoscaler can do no more, or sees nothing. KEDA's own HPA
// has the name of the Model, too.
func (r *renderer) scalerAlerts() []rule {
	s := r.spec.Scale
	if s == nil || r.result.ScaledBy == "" {
		return nil
	}
	q, named := r.queries(), fmt.Sprintf("horizontalpodautoscaler=%q", r.name(""))
	vector := func(name string) string { return q.vector(series{name, named}) }
	var alerts []rule
	if s.MinReplicas < s.MaxReplicas {
		alerts = append(alerts, r.alert(alert{
			name: "MizzenAutoscalerAtMaximum", severity: "warning", lasts: 15 * time.Minute,
			expr: fmt.Sprintf("max by (namespace) (%s) >= max by (namespace) (%s)",
				vector("kube_horizontalpodautoscaler_status_current_replicas"), vector("kube_horizontalpodautoscaler_spec_max_replicas")),
			summary:     fmt.Sprintf("%s has as many pods as it may have", r.Model.Name),
			description: "For 15 minutes the autoscaler has been at its maximum of {{ $value }} pods: more load will not bring more. Raise scale.maxReplicas, or make sure that this is all that is to be spent.",
		}))
	}
	return append(alerts, r.alert(alert{
		name: "MizzenAutoscalerBlind", severity: "warning", lasts: 10 * time.Minute,
		expr:        aggregate("max", q.vector(series{"kube_horizontalpodautoscaler_status_condition", named + `,condition="ScalingActive",status="false"`}), targetNamespace) + " == 1",
		summary:     fmt.Sprintf("The autoscaler of %s cannot measure the load", r.Model.Name),
		description: fmt.Sprintf("It leaves the pods as they are. See kubectl -n %s describe hpa %s for what it misses: metrics-server for CPU, KEDA and Prometheus for all else.", r.Model.Namespace, r.Model.Name),
	}))
}
