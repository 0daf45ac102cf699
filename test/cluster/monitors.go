//go:build linux

package cluster

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"
)

// monitor is what of a ServiceMonitor is understood here. Another field is an error,
// so that nothing is scraped otherwise than Prometheus's operator would have it.
type monitor struct {
	Metadata struct{ Name, Namespace string } `json:"metadata"`
	Spec     monitorSpec                      `json:"spec"`
}

type monitorSpec struct {
	JobLabel        string            `json:"jobLabel"`
	TargetLabels    []string          `json:"targetLabels"`
	PodTargetLabels []string          `json:"podTargetLabels"`
	Selector        monitorSelector   `json:"selector"`
	Endpoints       []monitorEndpoint `json:"endpoints"`
}

type monitorSelector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

type monitorEndpoint struct {
	Port              string           `json:"port"`
	Path              string           `json:"path"`
	Interval          string           `json:"interval"`
	ScrapeTimeout     string           `json:"scrapeTimeout"`
	HonorLabels       bool             `json:"honorLabels"`
	Relabelings       []map[string]any `json:"relabelings"`
	MetricRelabelings []map[string]any `json:"metricRelabelings"`
}

func parseMonitors(list []byte) ([]monitor, error) {
	var raw struct {
		Items []struct {
			Metadata json.RawMessage `json:"metadata"`
			Spec     json.RawMessage `json:"spec"`
		} `json:"items"`
	}
	if err := json.Unmarshal(list, &raw); err != nil {
		return nil, err
	}
	var monitors []monitor
	for _, item := range raw.Items {
		var m monitor
		if err := json.Unmarshal(item.Metadata, &m.Metadata); err != nil {
			return nil, err
		}
		spec := json.NewDecoder(bytes.NewReader(item.Spec))
		spec.DisallowUnknownFields()
		if err := spec.Decode(&m.Spec); err != nil {
			return nil, fmt.Errorf("the ServiceMonitor %s/%s: %w: teach the tests' Prometheus that field (test/cluster/monitors.go)", m.Metadata.Namespace, m.Metadata.Name, err)
		}
		monitors = append(monitors, m)
	}
	slices.SortFunc(monitors, func(a, b monitor) int {
		return cmp.Or(cmp.Compare(a.Metadata.Namespace, b.Metadata.Namespace), cmp.Compare(a.Metadata.Name, b.Metadata.Name))
	})
	return monitors, nil
}

// scrapeConfig returns Prometheus's configuration for the monitors, as its operator
// writes it, for the containers' resources, which kubelets know, and for a file of
// rules. Its first line and an external label name what it was made of.
func scrapeConfig(monitors []monitor, rules string) (string, error) {
	content, err := json.Marshal([]any{monitors, rules})
	if err != nil {
		return "", err
	}
	mark := fmt.Sprintf("config_%x", sha256.Sum256(content))
	jobs := []map[string]any{cadvisorJob()}
	for _, m := range monitors {
		for i, e := range m.Spec.Endpoints {
			jobs = append(jobs, m.job(i, e))
		}
	}
	out, err := yaml.Marshal(map[string]any{
		"global":         map[string]any{"scrape_interval": "5s", "evaluation_interval": "5s", "external_labels": map[string]string{"mark": mark}},
		"scrape_configs": jobs,
		"rule_files":     []string{rulesPath},
	})
	return "# " + mark + "\n" + string(out), err
}

const serviceAccountDir = "/var/run/secrets/kubernetes.io/serviceaccount/"

// cadvisorJob has the containers' CPU and memory.
func cadvisorJob() map[string]any {
	return map[string]any{
		"job_name": "cadvisor", "scheme": "https", "metrics_path": "/metrics/cadvisor", "scrape_interval": "10s",
		"authorization":         map[string]any{"credentials_file": serviceAccountDir + "token"},
		"tls_config":            map[string]any{"insecure_skip_verify": true}, // kubelets sign their own
		"kubernetes_sd_configs": []map[string]any{{"role": "node"}},
	}
}

// job is the part of an endpoint, labelled as the operator labels it.
func (m monitor) job(i int, e monitorEndpoint) map[string]any {
	var relabel []map[string]any
	add := func(r map[string]any) { relabel = append(relabel, r) }
	source := func(labels ...string) []string { return labels }
	for _, key := range slices.Sorted(maps.Keys(m.Spec.Selector.MatchLabels)) {
		add(map[string]any{"action": "keep", "source_labels": source("__meta_kubernetes_service_label_" + sanitized(key)),
			"regex": regexp.QuoteMeta(m.Spec.Selector.MatchLabels[key])})
	}
	add(map[string]any{"action": "keep", "source_labels": source("__meta_kubernetes_endpointslice_port_name"), "regex": regexp.QuoteMeta(e.Port)})
	for _, label := range [][2]string{{"namespace", "namespace"}, {"service", "service_name"}, {"pod", "pod_name"}, {"container", "pod_container_name"}} {
		add(map[string]any{"source_labels": source("__meta_kubernetes_" + label[1]), "target_label": label[0]})
	}
	add(map[string]any{"source_labels": source("__meta_kubernetes_pod_phase"), "regex": "(Failed|Succeeded)", "action": "drop"})
	for _, label := range m.Spec.TargetLabels {
		add(map[string]any{"source_labels": source("__meta_kubernetes_service_label_" + sanitized(label)), "regex": "(.+)", "target_label": sanitized(label)})
	}
	for _, label := range m.Spec.PodTargetLabels {
		add(map[string]any{"source_labels": source("__meta_kubernetes_pod_label_" + sanitized(label)), "regex": "(.+)", "target_label": sanitized(label)})
	}
	add(map[string]any{"source_labels": source("__meta_kubernetes_service_name"), "target_label": "job"})
	if m.Spec.JobLabel != "" {
		add(map[string]any{"source_labels": source("__meta_kubernetes_service_label_" + sanitized(m.Spec.JobLabel)), "regex": "(.+)", "target_label": "job"})
	}
	add(map[string]any{"target_label": "endpoint", "replacement": e.Port})
	relabel = append(relabel, snakeCase(e.Relabelings)...)
	job := map[string]any{
		"job_name":              fmt.Sprintf("serviceMonitor/%s/%s/%d", m.Metadata.Namespace, m.Metadata.Name, i),
		"metrics_path":          cmp.Or(e.Path, "/metrics"),
		"scrape_interval":       cmp.Or(e.Interval, "5s"),
		"honor_labels":          e.HonorLabels,
		"kubernetes_sd_configs": []map[string]any{{"role": "endpointslice", "namespaces": map[string]any{"names": []string{m.Metadata.Namespace}}}},
		"relabel_configs":       relabel,
	}
	if e.ScrapeTimeout != "" {
		job["scrape_timeout"] = e.ScrapeTimeout
	}
	if len(e.MetricRelabelings) > 0 {
		job["metric_relabel_configs"] = snakeCase(e.MetricRelabelings)
	}
	return job
}

// sanitized is a label's name as Prometheus can have it.
func sanitized(label string) string {
	return regexp.MustCompile("[^a-zA-Z0-9_]").ReplaceAllString(label, "_")
}

// snakeCase writes the fields of relabelings as Prometheus does: sourceLabels there is
// source_labels here.
func snakeCase(relabelings []map[string]any) []map[string]any {
	upper := regexp.MustCompile("[A-Z]")
	var out []map[string]any
	for _, r := range relabelings {
		renamed := map[string]any{}
		for key, value := range r {
			renamed[upper.ReplaceAllStringFunc(key, func(s string) string { return "_" + strings.ToLower(s) })] = value
		}
		out = append(out, renamed)
	}
	return out
}
