package render

import (
	"encoding/json"
	"fmt"
	"maps"

	"github.com/grafana/grafana-foundation-sdk/go/dashboard"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"
)

const (
	// dataSourceVariable is the dashboard's choice of a Prometheus.
	dataSourceVariable = "datasource"
	// panelWindow is the window of rates in panels: Grafana fits it to the zoom.
	panelWindow = "$__rate_interval"
	// uidDigits of a hash stand in the uid of a dashboard, which has at most 40 characters.
	uidDigits = 24
)

// What Grafana's sidecar looks for unless the platform says otherwise.
const (
	defaultDashboardLabel   = "grafana_dashboard"
	defaultFolderAnnotation = "grafana_folder"
)

// Dashboard returns the Grafana dashboard of a Model as JSON, whether the platform has
// Grafana or not. It is what Render puts into a ConfigMap.
func Dashboard(in Input) ([]byte, error) {
	r, err := newRenderer(in)
	if err != nil {
		return nil, err
	}
	return r.dashboard(r.visibleObjectives())
}

// dashboardObject renders the ConfigMap in which Grafana's sidecar finds the dashboard.
func (r *renderer) dashboardObject(objectives []objective) {
	text, err := r.dashboard(objectives)
	if err != nil {
		r.fail(err)
		return
	}
	g := r.Platform.Grafana
	labels := maps.Clone(g.DashboardLabels)
	if len(labels) == 0 {
		labels = map[string]string{defaultDashboardLabel: "1"}
	}
	maps.Copy(labels, r.labels())
	c := corev1ac.ConfigMap(r.name("dashboard"), r.Model.Namespace).WithLabels(labels).
		// The sidecar writes the files of all namespaces into one folder.
		WithData(map[string]string{"mizzen-" + r.Model.Namespace + "-" + r.Model.Name + ".json": string(text)})
	folder := r.observed().Dashboard.Folder
	if folder == "" {
		folder = g.Folder
	}
	if folder != "" {
		annotation := g.FolderAnnotation
		if annotation == "" {
			annotation = defaultFolderAnnotation
		}
		c.WithAnnotations(map[string]string{annotation: folder})
	}
	r.add(c)
}

// dashboard is the JSON of the dashboard; the same bytes for the same Model.
func (r *renderer) dashboard(objectives []objective) ([]byte, error) {
	b := dashboard.NewDashboardBuilder(r.Model.Name+" ("+r.Model.Namespace+")").
		Uid(r.dashboardUID()).
		Description(fmt.Sprintf("The model %s in the namespace %s. Rendered by Mizzen: changes made here are lost.", r.Model.Name, r.Model.Namespace)).
		Tags([]string{"mizzen"}).
		Timezone("browser").Time("now-6h", "now").Refresh("30s").
		Tooltip(dashboard.DashboardCursorSyncCrosshair).
		WithVariable(dashboard.NewDatasourceVariableBuilder(dataSourceVariable).Label("Data source").Type("prometheus"))
	layout(b, r.rows(objectives))
	d, err := b.Build()
	if err != nil {
		return nil, fmt.Errorf("building the dashboard: %w", err)
	}
	return json.MarshalIndent(d, "", "  ")
}

// dashboardUID stays the same while the Model has its name, so that links go on working.
func (r *renderer) dashboardUID() string {
	return "mizzen-" + r.hashed("dashboard", r.Model.Namespace+"/"+r.Model.Name, uidDigits)
}
