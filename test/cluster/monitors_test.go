//go:build linux

package cluster

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

const monitorList = `{"items": [{
  "metadata": {"name": "iris", "namespace": "ml"},
  "spec": {
    "jobLabel": "app.kubernetes.io/name", "targetLabels": ["mizzen.dev/model"], "podTargetLabels": ["mizzen.dev/revision"],
    "selector": {"matchLabels": {"mizzen.dev/model": "iris"}},
    "endpoints": [{"port": "http", "path": "/metrics", "interval": "15s", "relabelings": [{"action": "labeldrop", "regex": "endpoint"}]}]
  }}]}`

func TestScrapeConfig(t *testing.T) {
	monitors, err := parseMonitors([]byte(monitorList))
	if err != nil {
		t.Fatal(err)
	}
	config, err := scrapeConfig(monitors, "")
	if err != nil {
		t.Fatal(err)
	}
	var parsed struct {
		Jobs []struct {
			Name     string           `json:"job_name"`
			Path     string           `json:"metrics_path"`
			Interval string           `json:"scrape_interval"`
			Relabel  []map[string]any `json:"relabel_configs"`
		} `json:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(config), &parsed); err != nil {
		t.Fatal(err)
	}
	job := parsed.Jobs[1]
	if job.Name != "serviceMonitor/ml/iris/0" || job.Path != "/metrics" || job.Interval != "15s" {
		t.Errorf("the job is %s, %s, %s", job.Name, job.Path, job.Interval)
	}
	last := []map[string]any{
		{"source_labels": []any{"__meta_kubernetes_service_label_mizzen_dev_model"}, "regex": "(.+)", "target_label": "mizzen_dev_model"},
		{"source_labels": []any{"__meta_kubernetes_pod_label_mizzen_dev_revision"}, "regex": "(.+)", "target_label": "mizzen_dev_revision"},
		{"source_labels": []any{"__meta_kubernetes_service_name"}, "target_label": "job"},
		{"source_labels": []any{"__meta_kubernetes_service_label_app_kubernetes_io_name"}, "regex": "(.+)", "target_label": "job"},
		{"target_label": "endpoint", "replacement": "http"},
		{"action": "labeldrop", "regex": "endpoint"},
	}
	if diff := cmp.Diff(last, job.Relabel[len(job.Relabel)-len(last):]); diff != "" {
		t.Errorf("labels (-want +got):\n%s", diff)
	}
}

func TestMonitorThatIsNotUnderstood(t *testing.T) {
	_, err := parseMonitors([]byte(strings.Replace(monitorList, `"jobLabel"`, `"attachMetadata"`, 1)))
	if err == nil || !strings.Contains(err.Error(), "ml/iris") || !strings.Contains(err.Error(), "attachMetadata") {
		t.Errorf("a field that is not understood gives %v", err)
	}
}
