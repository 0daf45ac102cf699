package rpc_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/protobuf/proto"
)

// The spans of a call are in the trace that its metadata names.
func TestTraces(t *testing.T) {
	exported := make(chan *collector.ExportTraceServiceRequest, 1)
	collect := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		spans := &collector.ExportTraceServiceRequest{}
		if err != nil || proto.Unmarshal(body, spans) != nil {
			http.Error(w, "no spans", http.StatusBadRequest)
			return
		}
		exported <- spans
	}))
	defer collect.Close()
	t.Setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collect.URL)
	s := start(t, nil)

	const parent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	ctx := metadata.AppendToOutgoingContext(testContext(t), "traceparent", parent)
	if _, err := s.client.ModelInfer(ctx, setosa()); err != nil {
		t.Fatal(err)
	}
	if err := s.Shutdown(ctx); err != nil { // sends what there is
		t.Fatal(err)
	}
	var spans *collector.ExportTraceServiceRequest
	select {
	case spans = <-exported:
	case <-ctx.Done():
		t.Fatal("no spans came")
	}
	var names []string
	for _, resource := range spans.ResourceSpans {
		for _, scope := range resource.ScopeSpans {
			for _, span := range scope.Spans {
				names = append(names, span.Name)
				if string(span.TraceId) != "\x0a\xf7\x65\x19\x16\xcd\x43\xdd\x84\x48\xeb\x21\x1c\x80\x31\x9c" {
					t.Errorf("%s is not in the caller's trace", span.Name)
				}
			}
		}
	}
	slices.Sort(names)
	if diff := cmp.Diff([]string{"decode", "encode", "inference.GRPCInferenceService/ModelInfer", "predict", "queue"}, names); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
