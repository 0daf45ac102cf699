package render

import "fmt"

// legends of lines by pod and by revision.
const (
	podLegend      = "{{" + targetPod + "}}"
	revisionLegend = "{{" + targetVersion + "}} {{" + targetRevision + "}}"
)

// rows of the dashboard, from what callers see to what pods use.
func (r *renderer) rows(objectives []objective) []row {
	return []row{
		{"At a glance", r.figures(objectives)},
		{"Requests", r.requestCharts()},
		{"Objectives", r.objectiveCharts(objectives)},
		{"Work", r.workCharts()},
		{"Model", r.modelCharts()},
		{"Pods", r.podCharts()},
	}
}

// when gives the queries where the server has all the metrics that they need.
func when(queries []shown, needed ...series) []shown {
	for _, s := range needed {
		if !s.has() {
			return nil
		}
	}
	return queries
}

func (r *renderer) figures(objectives []objective) []panel {
	m, q := r.profile.metrics, r.queries()
	panels := []panel{
		{title: "Requests", unit: perSecondUnit, queries: when([]shown{{q.requests(panelWindow), ""}}, m.requests)},
		{title: "Errors", unit: shareUnit, help: "The share of requests that failed for a reason of the server.",
			queries: when([]shown{{q.errorRatio(panelWindow), ""}}, m.requests, m.errors)},
		{title: "p95", unit: secondsUnit, queries: when([]shown{{q.quantile(0.95), ""}}, m.latency)},
		{title: "Ready pods", unit: countUnit, queries: []shown{{r.readyPods(), ""}}},
	}
	for _, o := range objectives {
		panels = append(panels, panel{title: "Budget: " + o.slo, unit: shareUnit,
			help:    fmt.Sprintf("What is left of the errors that the objective allows in %s.", promDuration(o.window)),
			queries: []shown{{r.recorded(recordBudget, o), ""}}})
	}
	for i := range panels {
		panels[i].kind = figure
	}
	return panels
}

// readyPods counts the pods that say that they answer, or else those that Prometheus
// reaches.
func (r *renderer) readyPods(by ...string) string {
	if ready := r.profile.metrics.ready; ready.has() {
		return sum(r.queries().vector(ready), by...)
	}
	return sum(r.queries().targets(r.Model.Name), by...)
}

func (r *renderer) requestCharts() []panel {
	m, q := r.profile.metrics, r.queries()
	quantiles := func(by ...string) []shown {
		return []shown{
			{q.quantile(0.5, by...), "p50"},
			{q.quantile(0.95, by...), "p95"},
			{q.quantile(0.99, by...), "p99"},
		}
	}
	panels := []panel{
		{title: "Requests by pod", unit: perSecondUnit, stacked: true,
			queries: when([]shown{{q.requests(panelWindow, targetPod), podLegend}}, m.requests)},
		{title: "Requests by revision", unit: perSecondUnit, stacked: true,
			queries: when([]shown{{q.requests(panelWindow, targetVersion, targetRevision), revisionLegend}}, m.requests)},
		{title: "Latency", unit: secondsUnit, queries: when(quantiles(), m.latency)},
		{title: "p95 by revision", unit: secondsUnit,
			queries: when([]shown{{q.quantile(0.95, targetVersion, targetRevision), revisionLegend}}, m.latency)},
		{title: "Errors", unit: shareUnit, help: "The share of requests that failed for a reason of the server.",
			queries: when([]shown{{q.errorRatio(panelWindow), "failed"}}, m.requests, m.errors)},
	}
	if m.outcome != "" {
		panels = append(panels, panel{title: "Requests by outcome", unit: perSecondUnit,
			queries: when([]shown{{q.requests(panelWindow, m.outcome) + " > 0", "{{" + m.outcome + "}}"}}, m.requests)})
	}
	return panels
}

func (r *renderer) objectiveCharts(objectives []objective) []panel {
	var panels []panel
	for _, o := range objectives {
		panels = append(panels,
			panel{title: "Budget left: " + o.slo, unit: shareUnit, belowZero: true, queries: []shown{{r.recorded(recordBudget, o), o.slo}}},
			panel{title: "Pace: " + o.slo, unit: countUnit,
				help:    "How many times faster than allowed the budget is used up, over several windows. At 1 it lasts just as long as it should.",
				queries: []shown{{r.recorded(recordRatio, o) + " / " + number(o.budget), "{{window}}"}}})
	}
	return panels
}

func (r *renderer) workCharts() []panel {
	m, q := r.profile.metrics, r.queries()
	limited := func(s, limit series) []shown {
		queries := when([]shown{{sum(q.vector(s), targetPod), podLegend}}, s)
		return append(queries, when([]shown{{fmt.Sprintf("min(%s)", q.vector(limit)), "limit of a pod"}}, s, limit)...)
	}
	return []panel{
		{title: "In flight", unit: countUnit, help: "Requests at work.", queries: limited(m.inFlight, m.inFlightLimit)},
		{title: "Queue", unit: countUnit, help: "Requests that wait for their turn.", queries: limited(m.queue, m.queueLimit)},
		{title: "Refused", unit: perSecondUnit, help: "Requests that were refused before any work was done, by reason.",
			queries: when([]shown{{sum(q.rate(m.rejected, panelWindow), "reason"), "{{reason}}"}}, m.rejected)},
	}
}

func (r *renderer) modelCharts() []panel {
	m, q := r.profile.metrics, r.queries()
	return []panel{
		{title: "Predictions by class", unit: countUnit, stacked: true, help: "Predicted labels a second.",
			queries: when([]shown{{sum(q.rate(m.predictions, panelWindow), "class"), "{{class}}"}}, m.predictions)},
		{title: "Served now", kind: list, help: "Model files that pods serve, with the number of pods.",
			queries: when([]shown{{aggregate("count", q.vector(m.info), "version", targetRevision, "digest", "class", "library", "library_version"), ""}}, m.info)},
		{title: "Loads that failed", unit: countUnit,
			queries: when([]shown{{sum(fmt.Sprintf("increase(%s[%s])", q.vector(m.loadFailures), panelWindow), targetPod), podLegend}}, m.loadFailures)},
	}
}

func (r *renderer) podCharts() []panel {
	m, q := r.profile.metrics, r.queries()
	replicas := []shown{{r.readyPods(targetVersion, targetRevision), revisionLegend}}
	if s := r.spec.Scale; s != nil {
		replicas = append(replicas,
			shown{fmt.Sprintf("vector(%d)", s.MinReplicas), "at least"},
			shown{fmt.Sprintf("vector(%d)", s.MaxReplicas), "at most"})
	}
	// What a server does not say of itself, the kubelet says of its container.
	container := r.podMatcher() + fmt.Sprintf(",container=%q", serverContainer)
	cpu, memory := m.cpu, m.memory
	if !cpu.has() {
		cpu = series{"container_cpu_usage_seconds_total", container}
	}
	if !memory.has() {
		memory = series{"container_memory_working_set_bytes", container}
	}
	return []panel{
		{title: "Ready pods", unit: countUnit, queries: replicas},
		{title: "CPU", unit: countUnit, help: "Processors in use.", queries: []shown{{sum(q.rate(cpu, panelWindow), targetPod), podLegend}}},
		{title: "Memory", unit: bytesUnit, queries: []shown{{sum(q.vector(memory), targetPod), podLegend}}},
	}
}
