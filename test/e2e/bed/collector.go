//go:build e2e

package bed

import (
	"context"
	"encoding/hex"
	"maps"
	"net"
	"slices"
	"sync"
	"testing"

	tracespb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/grpc"
)

// Collector takes traces, as one of OpenTelemetry's does, and keeps which Deployments sent
// spans of which trace.
type Collector struct {
	tracespb.UnimplementedTraceServiceServer

	mu     sync.Mutex
	traces map[string]map[string]bool
}

// CollectorEndpoint is where pods send spans for a Collector.
const CollectorEndpoint = "http://collector.observability:4317"

// StartCollector runs it at CollectorEndpoint: a pod there passes on to this process what
// gets to it from pods that may send to collectors alone.
func (b *Bed) StartCollector(t *testing.T) *Collector {
	t.Helper()
	host, err := b.HostAddress()
	if err != nil {
		t.Fatal(err)
	}
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", net.JoinHostPort(host, "0"))
	if err != nil {
		t.Fatal(err)
	}
	c := &Collector{traces: map[string]map[string]bool{}}
	server := grpc.NewServer()
	tracespb.RegisterTraceServiceServer(server, c)
	ended := make(chan error)
	go func() { ended <- server.Serve(l) }()
	t.Cleanup(func() {
		server.Stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	b.MustApply(t, `
apiVersion: v1
kind: Namespace
metadata: {name: observability}
---
apiVersion: v1
kind: Service
metadata: {name: collector, namespace: observability}
spec: {selector: {app: relay}, ports: [{name: otlp, port: 4317}]}
`)
	relay, err := b.StartProbe(t.Context(), "observability", "relay", 1, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := relay.Relay(t.Context(), l.Addr().String()); err != nil {
		t.Fatal(err)
	}
	return c
}

// Export implements the OpenTelemetry protocol's service.
func (c *Collector) Export(_ context.Context, spans *tracespb.ExportTraceServiceRequest) (*tracespb.ExportTraceServiceResponse, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, r := range spans.ResourceSpans {
		for _, s := range r.ScopeSpans {
			for _, span := range s.Spans {
				trace := hex.EncodeToString(span.TraceId)
				if c.traces[trace] == nil {
					c.traces[trace] = map[string]bool{}
				}
				c.traces[trace][sender(r)] = true
			}
		}
	}
	return &tracespb.ExportTraceServiceResponse{}, nil
}

// sender is the namespace and the Deployment that spans say they are of.
func sender(r *tracepb.ResourceSpans) string {
	said := map[string]string{}
	for _, a := range r.Resource.Attributes {
		said[a.Key] = a.Value.GetStringValue()
	}
	return said["k8s.namespace.name"] + "/" + said["k8s.deployment.name"]
}

// Senders of a trace's spans, as namespace/Deployment.
func (c *Collector) Senders(trace string) []string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Sorted(maps.Keys(c.traces[trace]))
}
