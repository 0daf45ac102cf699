package render

// serviceMonitorSpec is the part of the Prometheus operator's ServiceMonitor
// (monitoring.coreos.com/v1) that is used here.
type serviceMonitorSpec struct {
	JobLabel        string            `json:"jobLabel"`
	TargetLabels    []string          `json:"targetLabels"`
	PodTargetLabels []string          `json:"podTargetLabels"`
	Selector        labelSelector     `json:"selector"`
	Endpoints       []monitorEndpoint `json:"endpoints"`
}

type labelSelector struct {
	MatchLabels map[string]string `json:"matchLabels"`
}

type monitorEndpoint struct {
	Port        string       `json:"port"`
	Path        string       `json:"path"`
	Interval    string       `json:"interval"`
	Relabelings []relabeling `json:"relabelings"`
}

type relabeling struct {
	Action string `json:"action"`
	Regex  string `json:"regex"`
}

// nameLabel of the Service becomes the label job.
const nameLabel = "app.kubernetes.io/name"

// monitor renders the ServiceMonitor. Metrics do not overrule the labels of their
// target, or a pod could speak for another one.
func (r *renderer) monitor() {
	if r.profile.metricsPath == "" {
		r.lacks(r.observed().Scrape.Mode, "spec.telemetry.scrape", "Prometheus to collect")
		return
	}
	var labels map[string]string
	if p := r.Platform.Prometheus; p != nil {
		labels = p.MonitorLabels
	}
	r.add(&object{
		APIVersion: "monitoring.coreos.com/v1", Kind: "ServiceMonitor", Metadata: r.meta(labels),
		Spec: &serviceMonitorSpec{
			JobLabel:        nameLabel,
			TargetLabels:    []string{ModelLabel},
			PodTargetLabels: []string{versionLabel, RevisionLabel},
			Selector:        labelSelector{MatchLabels: r.selector()},
			Endpoints: []monitorEndpoint{{
				Port:     r.scrapePort(),
				Path:     r.profile.metricsPath,
				Interval: promDuration(r.scrapeInterval()),
				// The operator labels targets with the name of their port, as endpoint. The
				// metrics of predictions have a label of that name, which must keep it.
				Relabelings: []relabeling{{Action: "labeldrop", Regex: "endpoint"}},
			}},
		},
	})
}
