package render

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

// TestTelemetry is which objects there are, and what is said where there are none.
func TestTelemetry(t *testing.T) {
	tests := map[string]struct {
		model     func(*v1alpha1.ModelSpec)
		telemetry v1alpha1.Telemetry
		platform  func(*platform.Platform)
		objects   []string
		problems  []string
	}{
		"all that the platform offers": {
			objects: []string{"ServiceMonitor/iris", "PrometheusRule/iris", "ConfigMap/iris-dashboard"},
		},
		"a bare platform": {
			platform: func(p *platform.Platform) { *p = platform.Platform{Image: p.Image} },
		},
		"asked for in vain": {
			telemetry: v1alpha1.Telemetry{
				Scrape:    &v1alpha1.Scrape{Mode: v1alpha1.ModeEnabled},
				Alerts:    &v1alpha1.Alerts{Mode: v1alpha1.ModeEnabled},
				Dashboard: &v1alpha1.Dashboard{Mode: v1alpha1.ModeEnabled},
			},
			platform: func(p *platform.Platform) { *p = platform.Platform{Image: p.Image} },
			problems: []string{
				"spec.telemetry.scrape.mode: PrometheusOperatorMissing (refused)",
				"spec.telemetry.alerts.mode: PrometheusOperatorMissing (refused)",
				"spec.telemetry.dashboard.mode: GrafanaMissing (refused)",
			},
		},
		"switched off": {
			telemetry: v1alpha1.Telemetry{
				Scrape:    &v1alpha1.Scrape{Mode: v1alpha1.ModeDisabled},
				Alerts:    &v1alpha1.Alerts{Mode: v1alpha1.ModeDisabled},
				Dashboard: &v1alpha1.Dashboard{Mode: v1alpha1.ModeDisabled},
			},
		},
		"a runtime of which nothing is known": {
			model:   func(s *v1alpha1.ModelSpec) { *s = runtimes()["bare"].Spec; s.Scale, s.Telemetry = nil, nil },
			objects: []string{"PrometheusRule/iris", "ConfigMap/iris-dashboard"},
			problems: []string{
				"spec.telemetry.scrape: MetricUnavailable",
				"spec.telemetry.alerts.slo: MetricUnavailable",
			},
		},
		"a histogram that the runtime does not have": {
			model:   func(s *v1alpha1.ModelSpec) { *s = runtimes()["triton"].Spec; s.Scale, s.Telemetry = nil, nil },
			objects: []string{"ServiceMonitor/iris", "PrometheusRule/iris", "ConfigMap/iris-dashboard"},
			telemetry: v1alpha1.Telemetry{Alerts: &v1alpha1.Alerts{
				SLO: &v1alpha1.SLO{Latency: &v1alpha1.LatencySLO{Threshold: metav1.Duration{Duration: time.Second}}},
			}},
			problems: []string{"spec.telemetry.alerts.slo.latency: MetricUnavailable (refused)"},
		},
		"a histogram whose bounds nobody knows": {
			model:   func(s *v1alpha1.ModelSpec) { *s = runtimes()["custom"].Spec; s.Scale, s.Telemetry = nil, nil },
			objects: []string{"ServiceMonitor/iris", "PrometheusRule/iris", "ConfigMap/iris-dashboard"},
			telemetry: v1alpha1.Telemetry{Alerts: &v1alpha1.Alerts{
				SLO: &v1alpha1.SLO{Latency: &v1alpha1.LatencySLO{Threshold: metav1.Duration{Duration: time.Second}}},
			}},
			problems: []string{"spec.telemetry.alerts.slo.latency.threshold: BeyondHistogram"},
		},
		"slower than the histogram counts": {
			objects: []string{"ServiceMonitor/iris", "PrometheusRule/iris", "ConfigMap/iris-dashboard"},
			telemetry: v1alpha1.Telemetry{Alerts: &v1alpha1.Alerts{
				SLO: &v1alpha1.SLO{Latency: &v1alpha1.LatencySLO{Threshold: metav1.Duration{Duration: 10 * time.Second}}},
			}},
			problems: []string{"spec.telemetry.alerts.slo.latency.threshold: BeyondHistogram (refused)"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			m, p := observedModel(tt.model), fullPlatform(t)
			m.Spec.Telemetry = &tt.telemetry
			if tt.platform != nil {
				tt.platform(p)
			}
			res := renderedOn(t, m, p)
			var objects []string
			for _, o := range res.Objects {
				switch o.GetKind() {
				case "ServiceMonitor", "PrometheusRule":
				case "ConfigMap":
					if o.GetName() != "iris-dashboard" {
						continue
					}
				default:
					continue
				}
				objects = append(objects, o.GetKind()+"/"+o.GetName())
			}
			if diff := cmp.Diff(tt.objects, objects); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.problems, reasons(res, v1alpha1.ConditionObserved)); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestServiceMonitor is how Prometheus finds the pods, and what it calls them.
func TestServiceMonitor(t *testing.T) {
	tests := map[string]struct {
		model  *v1alpha1.Model
		change func(*v1alpha1.ModelSpec, *platform.Platform)
		want   string
	}{
		"mizzen": {model: observedModel(nil), want: "{port: http, path: /metrics, interval: 15s"},
		"the platform's interval": {
			model:  observedModel(nil),
			change: func(_ *v1alpha1.ModelSpec, p *platform.Platform) { p.Prometheus.Interval = every(30 * time.Second) },
			want:   "{port: http, path: /metrics, interval: 30s",
		},
		"the Model's interval": {
			model: observedModel(nil),
			change: func(s *v1alpha1.ModelSpec, p *platform.Platform) {
				p.Prometheus.Interval = every(30 * time.Second)
				s.Telemetry = &v1alpha1.Telemetry{Scrape: &v1alpha1.Scrape{Interval: every(90 * time.Second)}}
			},
			want: "{port: http, path: /metrics, interval: 1m30s",
		},
		"a port of its own":  {model: runtimes()["triton"], want: "{port: metrics, path: /metrics, interval: 15s"},
		"a path of its own":  {model: runtimes()["tfserving"], want: "{port: http, path: /monitoring/prometheus/metrics, interval: 15s"},
		"as the Model says ": {model: runtimes()["custom"], want: "{port: http, path: /metrics, interval: 15s"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := fullPlatform(t)
			if tt.change != nil {
				tt.change(&tt.model.Spec, p)
			}
			res := renderedOn(t, tt.model, p)
			want := `
  jobLabel: app.kubernetes.io/name
  targetLabels: [mizzen.dev/model]
  podTargetLabels: [app.kubernetes.io/version, mizzen.dev/revision]
  selector: {matchLabels: {mizzen.dev/model: iris}}
  endpoints: [` + tt.want + `, relabelings: [{action: labeldrop, regex: endpoint}]}]`
			if diff := cmp.Diff(specOf(t, want), rendering(res, "ServiceMonitor")); diff != "" {
				t.Errorf("ServiceMonitor (-want +got):\n%s", diff)
			}
			if got := objectOf(res, "ServiceMonitor", "iris").GetLabels()["release"]; got != "prometheus" {
				t.Errorf("release = %q: Prometheus would not select it", got)
			}
			service := objectOf(res, "Service", "iris")
			if service.GetLabels()[ModelLabel] != "iris" {
				t.Errorf("the ServiceMonitor does not select the Service: %v", service.GetLabels())
			}
			if !hasPort(service, objectOf(res, "ServiceMonitor", "iris")) {
				t.Error("the Service has no port of the ServiceMonitor's name")
			}
		})
	}
}

func every(d time.Duration) *metav1.Duration { return &metav1.Duration{Duration: d} }

func hasPort(service, monitor *unstructured.Unstructured) bool {
	endpoints, _, _ := unstructured.NestedSlice(monitor.Object, "spec", "endpoints")
	ports, _, _ := unstructured.NestedSlice(service.Object, "spec", "ports")
	for _, p := range ports {
		if p.(map[string]any)["name"] == endpoints[0].(map[string]any)["port"] {
			return true
		}
	}
	return false
}

// TestBurns holds the windows of objectives: the same share of each budget.
func TestBurns(t *testing.T) {
	type pair struct {
		Long, Short string
		Factor      float64
	}
	tests := map[string]struct {
		window, rate time.Duration
		want         []pair
	}{
		"30 days": {30 * 24 * time.Hour, time.Minute, []pair{{"1h", "5m", 14.4}, {"6h", "30m", 6}, {"1d", "2h", 3}, {"3d", "6h", 1}}},
		"90 days": {90 * 24 * time.Hour, time.Minute, []pair{{"3h", "15m", 14.4}, {"18h", "1h30m", 6}, {"3d", "6h", 3}, {"9d", "18h", 1}}},
		"7 days":  {7 * 24 * time.Hour, time.Minute, []pair{{"14m", "2m", 14.4}, {"1h24m", "7m", 6}, {"5h36m", "28m", 3}, {"16h48m", "1h24m", 1}}},
		"a day":   {24 * time.Hour, time.Minute, []pair{{"10m", "2m", 14.4}, {"12m", "2m", 6}, {"48m", "4m", 3}, {"2h24m", "12m", 1}}},
		"a day, scraped every 5 minutes": {24 * time.Hour, 20 * time.Minute,
			[]pair{{"40m", "40m", 14.4}, {"40m", "40m", 6}, {"48m", "40m", 3}, {"2h24m", "40m", 1}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var got []pair
			for _, b := range burns(tt.window, tt.rate) {
				got = append(got, pair{promDuration(b.long), promDuration(b.short), b.factor})
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// TestThreshold holds that an alert can fire, whatever the objective: the share of bad
// requests is never more than 1.
func TestThreshold(t *testing.T) {
	tests := map[string]struct {
		objective string
		want      []string
	}{
		"three nines":    {"99.9", []string{"0.0144", "0.006", "0.003", "0.001"}},
		"six nines":      {"99.9999", []string{"1.44e-05", "6e-06", "3e-06", "1e-06"}},
		"two nines":      {"99", []string{"0.144", "0.06", "0.03", "0.01"}},
		"nine of ten":    {"90", []string{"0.9", "0.6", "0.3", "0.1"}},
		"one of ten":     {"10", []string{"0.9", "0.9", "0.9", "0.9"}},
		"half and a bit": {"50.5", []string{"0.505", "0.505", "0.505", "0.495"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			budget, err := budgetOf(tt.objective)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, b := range budgetBurns {
				got = append(got, number(objective{budget: budget}.threshold(b)))
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	for _, wrong := range []string{"", "100", "0", "-1", "many", "NaN"} {
		if _, err := budgetOf(wrong); err == nil {
			t.Errorf("%q is taken for an objective", wrong)
		}
	}
}

// TestBoundMatcher holds how servers and versions of Prometheus write bounds.
func TestBoundMatcher(t *testing.T) {
	tests := map[float64]string{
		0.00005:         `le="5e-05"`,
		0.1:             `le="0.1"`,
		1:               `le=~"1(\\.0)?"`,
		188.95680000001: `le="188.957"`,
		1239480:         `le="1.23948e+06"`,
	}
	for bound, want := range tests {
		if got := boundMatcher(bound); got != want {
			t.Errorf("boundMatcher(%v) = %s, want %s", bound, got, want)
		}
	}
}
