//go:build e2e

package core

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"mizzen.dev/test/e2e/bed"
)

// TestTraces holds for pods that may send to a collector in another namespace and to nobody
// else but their store: a call of which its caller wants a trace is in it.
func TestTraces(t *testing.T) {
	const trace = "4bf92f3577b34da6a3ce929d0e0e4736"
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "traces")
	collector := b.StartCollector(t)
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", fmt.Sprintf("replicas: 1\nisolation: {from: [{ipBlock: {cidr: 0.0.0.0/0}}]}\ntelemetry: {tracing: {endpoint: %q, samplingRatio: \"0\"}}\n", bed.CollectorEndpoint)))
	b.Ready(t, ns, "iris")
	call, err := http.NewRequestWithContext(t.Context(), http.MethodPost, b.ServiceURL(t, ns, "iris")+"/predict", strings.NewReader(`{"inputs": [5.1, 3.5, 1.4, 0.2]}`))
	if err != nil {
		t.Fatal(err)
	}
	call.Header.Set("traceparent", "00-"+trace+"-00f067aa0ba902b7-01")
	answer, err := http.DefaultClient.Do(call)
	if err != nil {
		t.Fatal(err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Fatalf("the call gave %s", answer.Status)
	}
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
		senders := collector.Senders(trace)
		return slices.Equal(senders, []string{ns + "/iris"}), fmt.Sprintf("spans of the call were sent by %q", senders)
	})
}
