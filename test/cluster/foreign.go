//go:build linux

package cluster

import (
	"context"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/test/cluster/binary"
)

// What a cluster that KUBECONFIG names must be told of, in the environment.
const (
	// RegistryEnv is where images are pushed to and pulled from: host:port or
	// host/path, without a login.
	RegistryEnv = "MIZZEN_E2E_REGISTRY"
	// S3Env is the URL of an S3 server that pods and this machine reach; its keys are
	// AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY.
	S3Env = "MIZZEN_E2E_S3"
)

// ForeignError says that a cluster that is not our own does not give what a test wants.
type ForeignError struct{ Want string }

func (e *ForeignError) Error() string {
	return fmt.Sprintf("the cluster of KUBECONFIG was not started here, and does not give %s; unset KUBECONFIG to test with a cluster that does", e.Want)
}

// NeedsOwn skips a test for which there must be what only a cluster that was started here
// gives.
func (c *Cluster) NeedsOwn(t testing.TB, want string) {
	t.Helper()
	if !c.Own() {
		t.Skip(&ForeignError{Want: want})
	}
}

// connect takes a cluster that is there.
func connect(ctx context.Context, kubeconfig string, o Options) (*Cluster, error) {
	c := &Cluster{progress: o.Progress, Logs: o.Logs, Registry: os.Getenv(RegistryEnv)}
	c.S3 = S3{Endpoint: os.Getenv(S3Env), AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"), SecretKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), Region: region}
	if c.Registry == "" || c.S3.Endpoint == "" {
		return nil, fmt.Errorf("KUBECONFIG is set: set %s to a registry that its nodes pull from and %s to an S3 server that its pods reach as well", RegistryEnv, S3Env)
	}
	if err := c.build(ctx, binary.Kube(), binary.Probe()); err != nil {
		return nil, err
	}
	c.kubectl = c.program("kube", "kubectl")
	if err := c.connectAs(kubeconfig); err != nil {
		return nil, err
	}
	version, err := c.client.Discovery().ServerVersion()
	if err != nil {
		return nil, fmt.Errorf("asking the cluster of KUBECONFIG for its version: %w", err)
	}
	if err := c.reachServices(ctx); err != nil {
		return nil, err
	}
	fmt.Fprintf(c.progress, "cluster: the one of KUBECONFIG, Kubernetes %s\n", version.GitVersion)
	return c, nil
}

// reachTimeout is for a connection to a Service.
const reachTimeout = 10 * time.Second

// reachServices says whether this machine calls Services by their addresses, as the tests
// do: it tries that of the API server.
func (c *Cluster) reachServices(ctx context.Context) error {
	service, err := c.client.CoreV1().Services(metav1.NamespaceDefault).Get(ctx, "kubernetes", metav1.GetOptions{})
	if err != nil {
		return fmt.Errorf("asking the cluster of KUBECONFIG for its own Service: %w", err)
	}
	dialer := net.Dialer{Timeout: reachTimeout}
	conn, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(service.Spec.ClusterIP, "443"))
	if err != nil {
		return fmt.Errorf("%w: %w", &ForeignError{Want: "a way from this machine to its Services and pods, as its nodes have (a route to their networks by one of the nodes will do)"}, err)
	}
	return conn.Close()
}
