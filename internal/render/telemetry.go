package render

import (
	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

// Reasons of problems with telemetry.
const (
	reasonPrometheusOperatorMissing = "PrometheusOperatorMissing"
	reasonGrafanaMissing            = "GrafanaMissing"
	reasonBeyondHistogram           = "BeyondHistogram"
)

// telemetry renders what lets people see the model: collection of its metrics, alerts
// and a dashboard.
func (r *renderer) telemetry() {
	if r.broken {
		return
	}
	t := r.observed()
	if r.wants(t.Scrape.Mode, "spec.telemetry.scrape.mode") {
		r.monitor()
	}
	var objectives []objective
	if r.wants(t.Alerts.Mode, "spec.telemetry.alerts.mode") {
		objectives = r.objectives()
		r.rules(objectives)
	}
	if r.wantsDashboard(t.Dashboard.Mode) {
		r.dashboardObject(objectives)
	}
}

// visibleObjectives are those that rules record.
func (r *renderer) visibleObjectives() []objective {
	if r.wants(r.observed().Alerts.Mode, "spec.telemetry.alerts.mode") {
		return r.objectives()
	}
	return nil
}

// observed is the telemetry of the spec, with what it leaves out.
func (r *renderer) observed() v1alpha1.Telemetry {
	var t v1alpha1.Telemetry
	if r.spec.Telemetry != nil {
		t = *r.spec.Telemetry
	}
	if t.Scrape == nil {
		t.Scrape = &v1alpha1.Scrape{}
	}
	if t.Alerts == nil {
		t.Alerts = &v1alpha1.Alerts{}
	}
	if t.Dashboard == nil {
		t.Dashboard = &v1alpha1.Dashboard{}
	}
	return t
}

// wants says whether an object of the Prometheus operator is to be rendered.
func (r *renderer) wants(mode v1alpha1.Mode, path string) bool {
	if mode == v1alpha1.ModeDisabled {
		return false
	}
	offered := r.Platform.Offers.Has(platform.PrometheusOperator)
	if !offered && mode == v1alpha1.ModeEnabled {
		r.refuse(path, conditionObserved, reasonPrometheusOperatorMissing,
			"the platform does not offer the Prometheus operator: install it and add PrometheusOperator to the platform's offers, or set mode to Auto")
	}
	return offered
}

func (r *renderer) wantsDashboard(mode v1alpha1.Mode) bool {
	if mode == v1alpha1.ModeDisabled {
		return false
	}
	if r.Platform.Grafana == nil && mode == v1alpha1.ModeEnabled {
		r.refuse("spec.telemetry.dashboard.mode", conditionObserved, reasonGrafanaMissing,
			"the platform does not say how Grafana finds dashboards: set grafana in the platform file, or set mode to Auto")
	}
	return r.Platform.Grafana != nil
}

// lacks reports a metric that the server does not have. Where the spec asks for what
// needs it by name it is refused; what comes by itself is left out with a warning.
func (r *renderer) lacks(mode v1alpha1.Mode, path, what string) {
	problem := r.warn
	if mode == v1alpha1.ModeEnabled {
		problem = r.refuse
	}
	problem(path, conditionObserved, reasonMetricUnavailable, "%s has no metric for %s: it is left out", r.runtimeName(), what)
}
