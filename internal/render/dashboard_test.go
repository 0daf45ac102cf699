package render

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/grafana/grafana-foundation-sdk/go/cog"
	"github.com/grafana/grafana-foundation-sdk/go/cog/variants"
	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	"github.com/grafana/grafana-foundation-sdk/go/prometheus"
	"github.com/grafana/grafana-foundation-sdk/go/stat"
	"github.com/grafana/grafana-foundation-sdk/go/table"
	"github.com/grafana/grafana-foundation-sdk/go/timeseries"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

// TestDashboardIsValid reads the dashboards of all runtimes as strictly as Grafana's own
// types do: no misspelt field, no wrong type, no grid wider than Grafana's.
func TestDashboardIsValid(t *testing.T) {
	// The kinds of panels and queries that there are: all that Grafana has take half a
	// minute to compile.
	known := cog.NewRuntime()
	for _, kind := range []variants.PanelcfgConfig{stat.VariantConfig(), table.VariantConfig(), timeseries.VariantConfig()} {
		known.RegisterPanelcfgVariant(kind)
	}
	known.RegisterDataqueryVariant(prometheus.VariantConfig())
	for name, m := range runtimes() {
		t.Run(name, func(t *testing.T) {
			text, err := Dashboard(Input{Model: m, Platform: fullPlatform(t)})
			if err != nil {
				t.Fatal(err)
			}
			var d dashboard.Dashboard
			if err := d.UnmarshalJSONStrict(text); err != nil {
				t.Error(err)
			}
			if err := d.Validate(); err != nil {
				t.Error(err)
			}
			for _, p := range d.Panels {
				if p.Panel == nil {
					continue // a row's title
				}
				if _, ok := known.ConfigForPanelcfgVariant(p.Panel.Type); !ok {
					t.Errorf("panel %q is of the kind %s, whose options were not looked at", *p.Panel.Title, p.Panel.Type)
				}
			}
			checkGrid(t, text)
		})
	}
}

// checkGrid fails on panels that lie on each other or outside of the grid, or that share
// an id.
func checkGrid(t *testing.T, text []byte) {
	t.Helper()
	var d struct {
		UID    string
		Panels []struct {
			ID      int
			Title   string
			GridPos struct{ X, Y, W, H int }
		}
	}
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	if n := len(d.UID); n == 0 || n > 40 {
		t.Errorf("uid %q has %d characters; Grafana takes 40", d.UID, n)
	}
	taken, ids := map[[2]int]string{}, map[int]bool{}
	for _, p := range d.Panels {
		g := p.GridPos
		if g.W <= 0 || g.H <= 0 || g.X+g.W > gridWidth || ids[p.ID] {
			t.Errorf("%s: %+v, id %d", p.Title, g, p.ID)
		}
		ids[p.ID] = true
		for x := g.X; x < g.X+g.W; x++ {
			for y := g.Y; y < g.Y+g.H; y++ {
				if other, ok := taken[[2]int{x, y}]; ok {
					t.Fatalf("%s lies on %s", p.Title, other)
				}
				taken[[2]int{x, y}] = p.Title
			}
		}
	}
}

// TestDashboardShows names what a dashboard must have for mizzen.
func TestDashboardShows(t *testing.T) {
	text, err := Dashboard(Input{Model: runtimes()["mizzen"], Platform: fullPlatform(t)})
	if err != nil {
		t.Fatal(err)
	}
	var d struct{ Panels []struct{ Title string } }
	if err := json.Unmarshal(text, &d); err != nil {
		t.Fatal(err)
	}
	var titles []string
	for _, p := range d.Panels {
		titles = append(titles, p.Title)
	}
	want := []string{
		"At a glance", "Requests", "Errors", "p95", "Ready pods", "Budget: availability", "Budget: latency",
		"Requests", "Requests by pod", "Requests by revision", "Latency", "p95 by revision", "Errors", "Requests by outcome",
		"Objectives", "Budget left: availability", "Pace: availability", "Budget left: latency", "Pace: latency",
		"Work", "In flight", "Queue", "Refused",
		"Model", "Predictions by class", "Served now", "Loads that failed",
		"Pods", "Ready pods", "CPU", "Memory",
	}
	if diff := cmp.Diff(want, titles); diff != "" {
		t.Errorf("panels (-want +got):\n%s", diff)
	}
}

// TestDashboardObject is what Grafana's sidecar finds.
func TestDashboardObject(t *testing.T) {
	tests := map[string]struct {
		grafana     platform.Grafana
		folder      string
		label       string
		annotations map[string]string
	}{
		"as most sidecars look": {
			label: "grafana_dashboard",
		},
		"the platform's folder": {
			grafana: platform.Grafana{DashboardLabels: map[string]string{"dashboards": "yes"}, Folder: "Models", FolderAnnotation: "k8s-sidecar-target-directory"},
			label:   "dashboards", annotations: map[string]string{"k8s-sidecar-target-directory": "Models"},
		},
		"the Model's own folder": {
			grafana: platform.Grafana{Folder: "Models"}, folder: "Flowers",
			label: "grafana_dashboard", annotations: map[string]string{"grafana_folder": "Flowers"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := fullPlatform(t)
			p.Grafana = &tt.grafana
			m := observedModel(func(s *v1alpha1.ModelSpec) {
				s.Telemetry = &v1alpha1.Telemetry{Dashboard: &v1alpha1.Dashboard{Mode: v1alpha1.ModeAuto, Folder: tt.folder}}
			})
			o := objectOf(renderedOn(t, m, p), "ConfigMap", "iris-dashboard")
			if o == nil {
				t.Fatal("no ConfigMap iris-dashboard")
			}
			if o.GetLabels()[tt.label] == "" || o.GetLabels()[ModelLabel] != "iris" {
				t.Errorf("labels = %v", o.GetLabels())
			}
			if diff := cmp.Diff(tt.annotations, o.GetAnnotations()); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
			data, _, _ := unstructured.NestedStringMap(o.Object, "data")
			plain, err := Dashboard(Input{Model: m, Platform: p})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(map[string]string{"mizzen-ml-prod-iris.json": string(plain)}, data); diff != "" {
				t.Errorf("data (-Dashboard +ConfigMap):\n%s", diff)
			}
		})
	}
}
