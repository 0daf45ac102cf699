//go:build e2e

package guide

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mizzen.dev/test/e2e/bed"
)

// environment is that of somebody who has what the guide's first lines ask for: the
// programs, the cluster, a bucket and its keys, a disk, and a name that leads to the edge.
func environment(t *testing.T, b *bed.Bed, port string) []string {
	t.Helper()
	home := t.TempDir()
	kubeconfig, err := os.ReadFile(b.Kubeconfig())
	if err != nil {
		t.Fatal(err)
	}
	root, err := acme.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	curlrc := fmt.Sprintf("connect-to = \"iris.example.com:443:%s:443\"\ncacert = %q\n", edge.Address, filepath.Join(home, "root.pem"))
	// The guide chooses a namespace for itself alone.
	for name, text := range map[string]string{"kubeconfig": string(kubeconfig), "root.pem": string(root), ".curlrc": curlrc} {
		if err := os.WriteFile(filepath.Join(home, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.MakeBucket(t.Context()); err != nil {
		t.Fatal(err)
	}
	makeVolume(t, b)
	path := append([]string{b.Programs, filepath.Dir(b.KubectlPath())}, append(imageTools, os.Getenv("PATH"))...)
	return append(os.Environ(),
		"PATH="+strings.Join(path, string(os.PathListSeparator)), "CURL_HOME="+home, "KUBECONFIG="+filepath.Join(home, "kubeconfig"),
		"NO_COLOR=1", "PORT="+port, "GRPC_PORT=0",
		"MIZZEN_PLAIN_HTTP=true", // of the registry
		"AWS_ENDPOINT_URL="+b.S3.Endpoint, "AWS_REGION="+b.S3.Region, "AWS_ACCESS_KEY_ID="+b.S3.AccessKey, "AWS_SECRET_ACCESS_KEY="+b.S3.SecretKey)
}

// makeVolume makes the disk that elsewhere a storage class makes for the guide's claim.
func makeVolume(t *testing.T, b *bed.Bed) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil { // user 10001 writes there
		t.Fatal(err)
	}
	b.MustApply(t, fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: disk}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteOnce]
  hostPath: {path: %q}
`, dir))
}

// operatePrometheus does what the operator of Prometheus does elsewhere: it takes up
// ServiceMonitors that are new. It returns those that there are.
func operatePrometheus(t *testing.T, b *bed.Bed, known string) string {
	t.Helper()
	found, err := b.Kubectl(t.Context(), "get", "servicemonitors", "-A", "-o", "jsonpath={.items[*].metadata.uid}")
	if err != nil {
		t.Fatal(err)
	}
	if found == known {
		return known
	}
	if err := prometheus.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	return found
}

func freePort(t *testing.T) string {
	t.Helper()
	var lc net.ListenConfig
	l, err := lc.Listen(t.Context(), "tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}
