//go:build e2e

package core

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
	"mizzen.dev/test/e2e/bed"
)

// page is what a server's metrics are: the labels of each sample, and its value.
type page map[string][]sample

type sample struct {
	labels map[string]string
	value  float64
}

// metricsURL is where the ServiceMonitor of a Model has Prometheus look.
func metricsURL(t *testing.T, b *bed.Bed, ns string, m *v1alpha1.Model) string {
	t.Helper()
	var s corev1.Service
	if err := b.Objects.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: m.Name}, &s); err != nil {
		t.Fatal(err)
	}
	for _, o := range watched(t, m).Objects {
		if o.GetKind() != "ServiceMonitor" {
			continue
		}
		var spec struct {
			Endpoints []struct{ Port, Path string }
		}
		convert(t, o.Object["spec"], &spec)
		for _, p := range s.Spec.Ports {
			if p.Name == spec.Endpoints[0].Port {
				return fmt.Sprintf("http://%s:%d%s", s.Spec.ClusterIP, p.Port, spec.Endpoints[0].Path)
			}
		}
	}
	t.Fatal("there is no ServiceMonitor with a port of the Service")
	return ""
}

func convert(t *testing.T, from, into any) {
	t.Helper()
	text, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(text, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// scrape reads a page as Prometheus does.
func scrape(t *testing.T, url string) page {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s", url, res.Status)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	families, err := parser.TextToMetricFamilies(res.Body)
	if err != nil {
		t.Fatalf("%s: %v", url, err)
	}
	all := page{}
	for _, family := range families {
		vector, err := expfmt.ExtractSamples(&expfmt.DecodeOptions{}, family)
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range vector {
			its := map[string]string{}
			for name, value := range s.Metric {
				its[string(name)] = string(value)
			}
			name := its[model.MetricNameLabel]
			all[name] = append(all[name], sample{its, float64(s.Value)})
		}
	}
	return all
}

// ofOthers says whether a metric is not the server's own, but the cluster's.
func ofOthers(name string) bool {
	return name == "up" || strings.HasPrefix(name, "kube_") || strings.HasPrefix(name, "container_")
}

// ofTarget are the labels that Prometheus adds.
func ofTarget(label string) bool {
	return slices.Contains([]string{model.MetricNameLabel, "namespace", "pod", "mizzen_dev_model", "mizzen_dev_revision", "app_kubernetes_io_version"}, label)
}

// has says whether a selector would find something, or would when calls fail: the
// metric with all labels that are asked for, and with the very bound of a histogram.
func (p page) has(s *parser.VectorSelector) bool {
	if ofOthers(s.Name) {
		return true
	}
	return slices.ContainsFunc(p[s.Name], func(is sample) bool {
		return !slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool {
			value, ok := is.labels[m.Name]
			return !ofTarget(m.Name) && (!ok || m.Name == model.BucketLabel && !m.Matches(value))
		})
	})
}

// counted adds up all that the selectors of a query find.
func (p page) counted(t *testing.T, query string) float64 {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Fatalf("%q: %v", query, err)
	}
	total := 0.0
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		s, ok := n.(*parser.VectorSelector)
		if !ok {
			return nil
		}
		for _, is := range p[s.Name] {
			if !slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool { return !ofTarget(m.Name) && !m.Matches(is.labels[m.Name]) }) {
				total += is.value
			}
		}
		return nil
	})
	return total
}

// watched is what a Model is made into where there are autoscalers, and people who watch.
func watched(t *testing.T, m *v1alpha1.Model, loads ...string) *render.Result {
	t.Helper()
	p, err := platform.Read(strings.NewReader(`
apiVersion: mizzen.dev/v1alpha1
kind: Platform
image: example.com/mizzen:1
offers: [PrometheusOperator, KEDA, MetricsServer]
prometheus: {address: "http://prometheus.example.com"}
grafana: {folder: Models}
`), "platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m = m.DeepCopy()
	m.Spec.Replicas = nil
	target := &v1alpha1.ScaleTarget{}
	ten := resource.MustParse("10")
	for _, l := range loads {
		switch l {
		case "requestsPerSecond":
			target.RequestsPerSecond = &ten
		case "queueLength":
			target.QueueLength = &ten
		}
	}
	m.Spec.Scale = &v1alpha1.Scale{MinReplicas: 1, MaxReplicas: 2, Target: target}
	result, err := render.Render(render.Input{Model: m, Platform: p})
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// queries are all that Prometheus is asked about a Model, by where they stand.
func (f foreign) queries(t *testing.T, m *v1alpha1.Model) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, o := range watched(t, m, f.loads...).Objects {
		switch o.GetKind() {
		case "ScaledObject":
			var spec struct {
				Triggers []struct {
					Name     string
					Metadata struct{ Query string }
				}
			}
			convert(t, o.Object["spec"], &spec)
			for i, trigger := range spec.Triggers {
				all["scaler "+f.loads[i]] = trigger.Metadata.Query
			}
		case "PrometheusRule":
			var spec struct {
				Groups []struct {
					Rules []struct{ Alert, Record, Expr string }
				}
			}
			convert(t, o.Object["spec"], &spec)
			for _, g := range spec.Groups {
				for i, r := range g.Rules {
					all[fmt.Sprintf("rule %s%s %d", r.Alert, r.Record, i)] = r.Expr
				}
			}
		case "ConfigMap":
			var data map[string]string
			convert(t, o.Object["data"], &data)
			for name, text := range data {
				if strings.HasSuffix(name, ".json") {
					panels(t, text, all)
				}
			}
		}
	}
	return all
}

// panels adds the queries of a dashboard, with what Grafana fills in.
func panels(t *testing.T, text string, all map[string]string) {
	t.Helper()
	var dashboard struct {
		Panels []struct {
			Title   string
			Targets []struct{ Expr, RefID string }
		}
	}
	if err := json.Unmarshal([]byte(text), &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		for i, target := range p.Targets {
			all[fmt.Sprintf("panel %s %d", p.Title, i)] = strings.ReplaceAll(target.Expr, "$__rate_interval", "1m")
		}
	}
}
