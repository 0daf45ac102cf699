//go:build e2e

package scale_test

import (
	"testing"

	"mizzen.dev/test/cluster"
)

// TestSimulatedNodes has 500 pods Ready that run nothing.
func TestSimulatedNodes(t *testing.T) {
	c, err := cluster.Start(t.Context(), cluster.Options{Nodes: -1, Logs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	if err := c.StartKWOK(t.Context(), 20); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kubectl(t.Context(), "create", "deployment", "many", "--image=none", "--replicas=500"); err != nil {
		t.Fatal(err)
	}
	if _, err := c.Kubectl(t.Context(), "rollout", "status", "deployment/many", "--timeout=120s"); err != nil {
		t.Fatal(err)
	}
}
