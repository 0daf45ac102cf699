package render

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql/parser"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/config"
	"mizzen.dev/internal/serve"
)

// scaledOn is a target for everything that Prometheus can measure of a runtime.
func scaledOn(m *v1alpha1.Model, names ...string) *v1alpha1.Model {
	m = m.DeepCopy()
	m.Spec.Scale.Target = &v1alpha1.ScaleTarget{}
	for _, name := range names {
		q := quantity("50")
		switch name {
		case "requestsPerSecond":
			m.Spec.Scale.Target.RequestsPerSecond = q
		case "concurrency":
			m.Spec.Scale.Target.Concurrency = q
		case "queueLength":
			m.Spec.Scale.Target.QueueLength = q
		}
	}
	return m
}

// expressions are all that a Model has Prometheus evaluate, by where they stand.
func expressions(t *testing.T, res *Result) map[string]string {
	t.Helper()
	all := map[string]string{}
	for _, o := range res.Objects {
		switch o.GetKind() {
		case "PrometheusRule":
			groups, _, err := unstructured.NestedSlice(o.Object, "spec", "groups")
			if err != nil {
				t.Fatal(err)
			}
			collect(all, "rules", groups)
		case "ScaledObject":
			collect(all, "scaler", o.Object["spec"])
		case "ConfigMap":
			data, _, _ := unstructured.NestedStringMap(o.Object, "data")
			for name, text := range data {
				if !strings.HasSuffix(name, ".json") {
					continue
				}
				var dashboard any
				if err := json.Unmarshal([]byte(text), &dashboard); err != nil {
					t.Fatal(err)
				}
				collect(all, "dashboard", dashboard)
			}
		}
	}
	return all
}

// collect finds the fields that hold expressions: expr, and query of a trigger. What
// Grafana would fill in is filled in.
func collect(found map[string]string, path string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, value := range v {
			text, isText := value.(string)
			if isText && (key == "expr" || key == "query" && v["serverAddress"] != nil) {
				found[path] = strings.ReplaceAll(text, panelWindow, "1m")
				continue
			}
			collect(found, path+"."+key, value)
		}
	case []any:
		for i, value := range v {
			name := ""
			if m, ok := value.(map[string]any); ok {
				for _, key := range []string{"alert", "record", "title", "name", "refId"} {
					if text, ok := m[key].(string); ok {
						name = " " + text
						break
					}
				}
			}
			collect(found, path+"["+string(rune('0'+i/10))+string(rune('0'+i%10))+name+"]", value)
		}
	}
}

func parse(t *testing.T, expr string) parser.Expr {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(expr)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return e
}

// TestExpressionsParse holds for every runtime: what a server does not measure leaves
// no query behind that asks for it.
func TestExpressionsParse(t *testing.T) {
	for name, m := range runtimes() {
		t.Run(name, func(t *testing.T) {
			res := renderedOn(t, scaledOn(m, "requestsPerSecond", "concurrency", "queueLength"), fullPlatform(t))
			found := expressions(t, res)
			if len(found) < 8 {
				t.Fatalf("only %d expressions: %v", len(found), found)
			}
			for where, expr := range found {
				parser.Inspect(parse(t, expr), func(n parser.Node, _ []parser.Node) error {
					s, ok := n.(*parser.VectorSelector)
					if ok && !slices.ContainsFunc(s.LabelMatchers, func(m *labels.Matcher) bool { return m.Name == "namespace" && m.Value == "ml-prod" }) {
						t.Errorf("%s: %s is not bound to the namespace", where, s)
					}
					return nil
				})
			}
		})
	}
}

// exposition is what Prometheus stores of a running mizzen that serves iris: its
// metrics, and the labels that the ServiceMonitor gives the target.
func exposition(t *testing.T) []labels.Labels {
	t.Helper()
	cfg := config.Default()
	cfg.Path, cfg.Name, cfg.Address, cfg.Port, cfg.GRPC = "../../examples/iris/model.pkl", "iris", "127.0.0.1", 0, false
	s, err := serve.New(t.Context(), cfg, serve.Options{
		Log: serve.NewLogger(t.Output(), "text", "error"), Getenv: func(string) string { return "" },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get("http://" + s.Addr().String() + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text := expfmt.NewTextParser(model.UTF8Validation)
	families, err := text.TextToMetricFamilies(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	stored := []labels.Labels{ofTestTarget(map[string]string{"__name__": "up"})}
	for name, family := range families {
		for _, m := range family.Metric {
			stored = append(stored, samples(name, m)...)
		}
	}
	return stored
}

// samples are the series of one metric.
func samples(name string, m *dto.Metric) []labels.Labels {
	base := map[string]string{"__name__": name}
	for _, l := range m.Label {
		base[l.GetName()] = l.GetValue()
	}
	if m.Histogram == nil {
		return []labels.Labels{ofTestTarget(base)}
	}
	series := []labels.Labels{}
	with := func(suffix, le string) {
		l := map[string]string{}
		for k, v := range base {
			l[k] = v
		}
		l["__name__"] = name + suffix
		if le != "" {
			l["le"] = le
		}
		series = append(series, ofTestTarget(l))
	}
	with("_count", "")
	with("_sum", "")
	for _, b := range m.Histogram.Bucket {
		with("_bucket", model.SampleValue(b.GetUpperBound()).String())
	}
	return series
}

// ofTestTarget adds the labels of a target as Prometheus does: one that the metric has
// already is kept from it.
func ofTestTarget(metric map[string]string) labels.Labels {
	for name, value := range map[string]string{
		"namespace": "ml-prod", "pod": "iris-5d8f7c9b4-x2x7k", "service": "iris", "container": "server",
		"job": "iris", "instance": "10.0.0.1:5000",
		"mizzen_dev_model": "iris", "mizzen_dev_revision": "0123456789", "app_kubernetes_io_version": "0.1.0",
	} {
		if had, ok := metric[name]; ok {
			metric["exported_"+name] = had
		}
		metric[name] = value
	}
	return labels.FromMap(metric)
}

// notScraped are series that come from somewhere else: rules, and Kubernetes.
func notScraped(name string) bool {
	return strings.HasPrefix(name, "mizzen:") || strings.HasPrefix(name, "kube_")
}

// TestQueriesFindMizzen holds the queries against a real server: each selector finds a
// series, and each label by which is grouped is there.
func TestQueriesFindMizzen(t *testing.T) {
	stored := exposition(t)
	res := renderedOn(t, scaledOn(runtimes()["mizzen"], "requestsPerSecond", "concurrency", "queueLength"), fullPlatform(t))
	looked := map[string]bool{}
	for where, expr := range expressions(t, res) {
		parser.Inspect(parse(t, expr), func(n parser.Node, above []parser.Node) error {
			s, ok := n.(*parser.VectorSelector)
			if !ok || notScraped(s.Name) {
				return nil
			}
			looked[s.Name] = true
			series := matching(stored, s.LabelMatchers)
			if len(series) == 0 {
				t.Errorf("%s: mizzen has nothing that %s finds", where, s)
				return nil
			}
			for _, parent := range above {
				if a, ok := parent.(*parser.AggregateExpr); ok && !a.Without {
					for _, label := range a.Grouping {
						if !series[0].Has(label) {
							t.Errorf("%s: %s has no label %s", where, s, label)
						}
					}
				}
			}
			return nil
		})
	}
	for _, name := range []string{
		"inference_requests_total", "inference_latency_seconds_bucket", "inference_in_flight", "inference_in_flight_limit",
		"inference_queue_depth", "inference_queue_limit", "inference_rejected_total", "inference_predictions_total",
		"inference_model_info", "inference_model_loads_total", "inference_ready", "up",
	} {
		if !looked[name] {
			t.Errorf("no expression looks at %s", name)
		}
	}
}

func matching(stored []labels.Labels, matchers []*labels.Matcher) []labels.Labels {
	var found []labels.Labels
	for _, s := range stored {
		if !slices.ContainsFunc(matchers, func(m *labels.Matcher) bool { return !m.Matches(s.Get(m.Name)) }) {
			found = append(found, s)
		}
	}
	return found
}

// TestLatencyBounds keeps the bounds that objectives are rounded to as mizzen has them.
func TestLatencyBounds(t *testing.T) {
	var have []string
	for _, s := range exposition(t) {
		if s.Get("__name__") == "inference_latency_seconds_bucket" && s.Get("protocol") == "native" && s.Get("le") != "+Inf" {
			have = append(have, s.Get("le"))
		}
	}
	var want []string
	for _, bound := range mizzenMetrics("iris").buckets {
		want = append(want, model.SampleValue(bound).String())
	}
	if diff := cmp.Diff(have, want); diff != "" {
		t.Errorf("bounds (-mizzen +render):\n%s", diff)
	}
}

// TestScalerQuery is the query that scales on requests: undivided, one number.
func TestScalerQuery(t *testing.T) {
	res := renderedOn(t, scaledOn(runtimes()["mizzen"], "requestsPerSecond"), fullPlatform(t))
	triggers, _, _ := unstructured.NestedSlice(objectOf(res, "ScaledObject", "iris").Object, "spec", "triggers")
	query := triggers[0].(map[string]any)["metadata"].(map[string]any)["query"]
	want := `sum(rate(inference_requests_total{namespace="ml-prod",model="iris",endpoint="predict"}[1m]))`
	if query != want {
		t.Errorf("query = %s, want %s", query, want)
	}
}
