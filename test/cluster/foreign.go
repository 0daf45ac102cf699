//go:build linux

package cluster

import (
	"context"
	"fmt"
	"os"

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

// connect takes a cluster that is there.
func connect(ctx context.Context, kubeconfig string, o Options) (*Cluster, error) {
	c := &Cluster{progress: o.Progress, Logs: o.Logs, Registry: os.Getenv(RegistryEnv)}
	c.S3 = S3{Endpoint: os.Getenv(S3Env), AccessKey: os.Getenv("AWS_ACCESS_KEY_ID"), SecretKey: os.Getenv("AWS_SECRET_ACCESS_KEY"), Region: region}
	if c.Registry == "" || c.S3.Endpoint == "" {
		return nil, fmt.Errorf("KUBECONFIG is set: set %s to a registry that its nodes pull from and %s to an S3 server that its pods reach as well", RegistryEnv, S3Env)
	}
	if err := c.build(ctx, binary.Kube()); err != nil {
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
	fmt.Fprintf(c.progress, "cluster: the one of KUBECONFIG, Kubernetes %s\n", version.GitVersion)
	return c, nil
}
