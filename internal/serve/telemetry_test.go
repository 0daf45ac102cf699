package serve

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"mizzen.dev/internal/config"
)

// Every series that an alert may ask for is there from the start, at 0.
func TestMetricsAtStart(t *testing.T) {
	s := start(t, nil)
	got := do(t, "GET", s.url+"/metrics", "")
	for _, want := range []string{
		`inference_requests_total{code="200",endpoint="predict",model="iris",protocol="native",version="1"} 0`,
		`inference_requests_total{code="500",endpoint="predict",model="iris",protocol="grpc",version="1"} 0`,
		`inference_requests_total{code="404",endpoint="predict",model="",protocol="v2",version=""} 0`,
		`inference_latency_seconds_bucket{endpoint="predict",model="iris",protocol="native",version="1",le="5e-05"} 0`,
		`inference_latency_seconds_bucket{endpoint="predict",model="iris",protocol="invocations",version="1",le="5"} 0`,
		`inference_latency_seconds_count{endpoint="predict",model="iris",protocol="v1",version="1"} 0`,
		`inference_batch_rows_count{model="iris",version="1"} 0`,
		`inference_predictions_total{class="2",model="iris",target="0",version="1"} 0`,
		`inference_rejected_total{reason="queue_full"} 0`,
		`inference_rejected_total{reason="rate_limited"} 0`,
		`inference_in_flight 0`,
		`inference_queue_depth 0`,
		`inference_ready 1`,
		`inference_model_loads_total{model="iris",result="success",version="1"} 1`,
		`inference_model_loads_total{model="iris",result="failure",version="1"} 0`,
		`inference_model_load_seconds{model="iris",version="1"} `,
		`inference_model_info{class="RandomForestClassifier",digest="sha256:2bb06d1a24fcca9ff41ee92765723092b7d6be5e18fe48ad1aa5ba92a735bbb4",library="scikit-learn",library_version="1.7.2",model="iris",version="1"} 1`,
		`go_goroutines `,
		`mizzen_build_info{`,
	} {
		if !strings.Contains(got.body, want) {
			t.Errorf("missing: %s", want)
		}
	}
	var buckets []string
	for line := range strings.Lines(got.body) {
		if strings.HasPrefix(line, `inference_latency_seconds_bucket{endpoint="predict",model="iris",protocol="native"`) {
			_, le, _ := strings.Cut(line, `le="`)
			le, _, _ = strings.Cut(le, `"`)
			buckets = append(buckets, le)
		}
	}
	want := strings.Fields("5e-05 0.0001 0.00025 0.0005 0.001 0.0025 0.005 0.01 0.02 0.05 0.1 0.2 0.5 1 2 5 +Inf")
	if diff := cmp.Diff(want, buckets); diff != "" {
		t.Errorf("buckets: -want +got:\n%s", diff)
	}
	problems, err := promlint.New(strings.NewReader(got.body)).Lint()
	if err != nil || len(problems) > 0 {
		t.Errorf("promlint: %v, %v", err, problems)
	}
	open := do(t, "GET", s.url+"/metrics", "", "Accept", "application/openmetrics-text; version=1.0.0")
	if !strings.HasPrefix(open.header.Get("Content-Type"), "application/openmetrics-text") || !strings.HasSuffix(open.body, "# EOF\n") {
		t.Errorf("OpenMetrics: got %s", open.header.Get("Content-Type"))
	}
}

// What clients send does not make new series.
func TestMetricsAreBounded(t *testing.T) {
	s := start(t, nil)
	count := func() int {
		return strings.Count(do(t, "GET", s.url+"/metrics", "").body, "inference_")
	}
	before := count()
	for _, path := range []string{"/predict/x", "/predict/y", "/v1/models/z:predict", "/v2/models/iris/versions/99/infer", "/nowhere"} {
		do(t, "POST", s.url+path, irisBody)
	}
	do(t, "POST", s.url+"/predict", "broken")
	do(t, "POST", s.url+"/predict", irisBody)
	if after := count(); after != before {
		t.Errorf("%d series became %d", before, after)
	}
	body := do(t, "GET", s.url+"/metrics", "").body
	for _, want := range []string{
		`inference_requests_total{code="404",endpoint="predict",model="",protocol="native",version=""} 2`,
		`inference_requests_total{code="404",endpoint="predict",model="",protocol="v2",version=""} 1`,
		`inference_requests_total{code="400",endpoint="predict",model="iris",protocol="native",version="1"} 1`,
		`inference_requests_total{code="200",endpoint="predict",model="iris",protocol="native",version="1"} 1`,
		`inference_latency_seconds_count{endpoint="predict",model="iris",protocol="native",version="1"} 2`,
	} {
		if !strings.Contains(body, want) {
			t.Errorf("missing: %s", want)
		}
	}
}

func TestPredictionsByClass(t *testing.T) {
	s := start(t, nil)
	do(t, "POST", s.url+"/predict", `{"inputs":[[5.1,3.5,1.4,0.2],[5.1,3.5,1.4,0.2],[6.3,3.3,6.0,2.5]]}`)
	do(t, "POST", s.url+"/predict", irisBody)
	do(t, "POST", s.url+"/predict", `{"inputs":[5.1,3.5,1.4,0.2],"outputs":["predict_proba"]}`)
	body := do(t, "GET", s.url+"/metrics", "").body
	for class, n := range map[string]string{"0": "4", "1": "0", "2": "1"} {
		want := `inference_predictions_total{class="` + class + `",model="iris",target="0",version="1"} ` + n + "\n"
		if !strings.Contains(body, want) {
			t.Errorf("missing: %s", want)
		}
	}
	if want := `inference_batch_rows_sum{model="iris",version="1"} 5` + "\n"; !strings.Contains(body, want) {
		t.Errorf("missing: %s", want)
	}
}

// otlp is a collector of traces.
type otlp struct {
	mu    sync.Mutex
	spans []*tracepb.Span
}

func (o *otlp) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	data, _ := io.ReadAll(r.Body)
	var req collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(data, &req); err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, r := range req.GetResourceSpans() {
		for _, s := range r.GetScopeSpans() {
			o.spans = append(o.spans, s.GetSpans()...)
		}
	}
}

// TestTraces sends a call with a trace of its own and finds its parts at the
// collector.
func TestTraces(t *testing.T) {
	o := &otlp{}
	server := httptest.NewServer(o)
	defer server.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", server.URL) // the exporter reads it itself
	env := func(name string) string {
		return map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": server.URL}[name]
	}
	cfg := config.Default()
	cfg.Path, cfg.Address, cfg.Port = irisPath, "127.0.0.1", 0
	s, err := New(t.Context(), cfg, Options{Getenv: env})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	if got := do(t, "POST", "http://"+s.Addr().String()+"/predict", irisBody, "traceparent", parent); got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	if err := s.Shutdown(t.Context()); err != nil { // sends what is left
		t.Fatal(err)
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	var names []string
	root := o.spans[slices.IndexFunc(o.spans, func(s *tracepb.Span) bool { return s.GetName() == "POST /predict" })]
	for _, span := range o.spans {
		names = append(names, span.GetName())
		if string(span.GetTraceId()) != "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c" {
			t.Errorf("%s is not in the caller's trace", span.GetName())
		}
		if span != root && string(span.GetParentSpanId()) != string(root.GetSpanId()) {
			t.Errorf("%s is not a part of the call", span.GetName())
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"POST /predict", "decode", "encode", "predict", "queue"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestTracingIsOffUnlessAskedFor(t *testing.T) {
	tests := map[string]struct {
		env  map[string]string
		on   bool
		fail bool
	}{
		"nothing":          {},
		"endpoint":         {env: map[string]string{"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}, on: true},
		"traces' endpoint": {env: map[string]string{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:4318/v1/traces"}, on: true},
		"exporter":         {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp"}, on: true},
		"over gRPC":        {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, on: true},
		"none":             {env: map[string]string{"OTEL_TRACES_EXPORTER": "none", "OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318"}},
		"disabled":         {env: map[string]string{"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}},
		"other variables":  {env: map[string]string{"OTEL_SERVICE_NAME": "iris"}},
		"unknown exporter": {env: map[string]string{"OTEL_TRACES_EXPORTER": "zipkin"}, fail: true},
		"unknown protocol": {env: map[string]string{"OTEL_TRACES_EXPORTER": "otlp", "OTEL_EXPORTER_OTLP_PROTOCOL": "http/json"}, fail: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := NewTracing(t.Context(), func(n string) string { return test.env[n] }, NewLogger(io.Discard, "json", "info"))
			if (got != nil) != test.on || (err != nil) != test.fail {
				t.Errorf("got %v, %v", got, err)
			}
			if err := got.stop(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestAccessLog(t *testing.T) {
	s := start(t, func(c *config.Config) { c.AccessLog = true })
	do(t, "POST", s.url+"/predict?key=hush", irisBody)
	do(t, "GET", s.url+"/nowhere", "")
	eventually(t, "both lines are there", func() bool { return strings.Count(s.log.String(), `"msg":"request"`) == 2 })
	type line struct {
		Msg, Method, Path string
		Status, Bytes     int
	}
	var got []line
	for text := range strings.Lines(s.log.String()) {
		var l line
		if err := json.Unmarshal([]byte(text), &l); err != nil {
			t.Fatal(err)
		}
		if l.Msg == "request" {
			got = append(got, l)
		}
	}
	if len(got) != 2 || got[0] != (line{"request", "POST", "/predict", 200, len(`{"prediction":[0]}`)}) || got[1].Status != 404 {
		t.Errorf("got %+v", got)
	}
	if strings.Contains(s.log.String(), "hush") {
		t.Error("the log has the query")
	}
	if quiet := start(t, nil); strings.Contains(quiet.log.String(), `"msg":"request"`) {
		t.Error("the access log is there, though nobody asked for it")
	}
}

// What is no terminal gets JSON.
func TestLogFormat(t *testing.T) {
	for format, want := range map[string]string{"auto": `"msg":"hello"`, "json": `"msg":"hello"`, "text": "msg=hello"} {
		var b strings.Builder
		NewLogger(&b, format, "info").Info("hello")
		if !strings.Contains(b.String(), want) {
			t.Errorf("%s: got %s", format, b.String())
		}
	}
}
