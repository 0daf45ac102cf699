package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/platform"
	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/crds"
)

// TestBareCluster runs commands on a real API server that has cert-manager's kinds, and
// does not know Models.
func TestBareCluster(t *testing.T) {
	files, err := crds.Written(t.Context(), crds.CertManager())
	if err != nil {
		t.Fatal(err)
	}
	server := apiserver.New(t, apiserver.Options{CRDPaths: files})
	t.Run("platform", func(t *testing.T) { applyPlatform(t, server) })
	t.Run("scripts", func(t *testing.T) { clusterScripts(t, newTestServer(t, server), "bare") })
}

func applyPlatform(t *testing.T, server *apiserver.Server) {
	t.Helper()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, server.Kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	mizzenctl := func(args ...string) (code int, out, errs string) {
		t.Helper()
		var stdout, stderr bytes.Buffer
		code = run(t.Context(), ownName, append(append([]string{"platform"}, args...), "--kubeconfig", kubeconfig),
			command.Streams{In: strings.NewReader(""), Out: &stdout, Err: &stderr})
		return code, stdout.String(), stderr.String()
	}
	example := filepath.Join("..", "..", "examples", "platform.yaml")

	code, out, errs := mizzenctl("apply", "-f", example, "--dry-run")
	if code != 0 || !strings.HasSuffix(out, "nothing was changed: this was a dry run\n") || !strings.Contains(out, "created  Namespace ml-prod\n") {
		t.Errorf("dry run: exit code %d, %s%s", code, out, errs)
	}
	for _, want := range []platform.Action{platform.Created, platform.Unchanged} {
		code, out, errs := mizzenctl("apply", "-f", example, "--prune", "-o", "json")
		var report struct{ Changes []platform.Change }
		if err := json.Unmarshal([]byte(out), &report); err != nil || code != 0 {
			t.Fatalf("exit code %d, %v: %s%s", code, err, out, errs)
		}
		if len(report.Changes) < 10 {
			t.Errorf("only %d objects", len(report.Changes))
		}
		for _, c := range report.Changes {
			if c.Action != want {
				t.Errorf("%s %s/%s is %s, want %s", c.Kind, c.Namespace, c.Name, c.Action, want)
			}
		}
	}
	code, out, errs = mizzenctl("discover")
	if code != 0 {
		t.Fatalf("exit code %d: %s", code, errs)
	}
	if diff := cmp.Diff("offers:\n- CertManager\n", out); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	code, out, _ = mizzenctl("render", "-f", filepath.Join("testdata", "gateway.yaml"), "--from-cluster")
	if code != 0 || !strings.Contains(out, "name: acme-solvers") {
		t.Errorf("exit code %d: what the cluster offers makes no difference:\n%s", code, out)
	}
	code, _, errs = mizzenctl("apply", "-f", filepath.Join("testdata", "gateway.yaml"))
	if code != 1 || !strings.Contains(errs, "install the CustomResourceDefinitions of the Gateway API first") {
		t.Errorf("exit code %d: %s", code, errs)
	}
}
