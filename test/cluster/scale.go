//go:build linux

package cluster

import (
	"context"
	_ "embed"
	"encoding/base64"
	"fmt"
	"time"

	"mizzen.dev/test/cluster/binary"
	"mizzen.dev/test/cluster/crds"
)

//go:embed manifests/metrics-server.yaml
var metricsServerManifest string

//go:embed manifests/keda.yaml
var kedaManifest string

// apiTimeout bounds how long an API that is served by a pod may take to answer.
const apiTimeout = time.Minute

// StartMetricsServer runs metrics-server, where HPAs and kubectl top get the CPU and
// memory of pods from, 10 seconds old at most. In a cluster that is not our own it
// must be there.
func (c *Cluster) StartMetricsServer(ctx context.Context) error {
	if c.Own() {
		if err := c.build(ctx, binary.MetricsServer()); err != nil {
			return err
		}
		image, err := c.pushProgram(ctx, "metrics-server:1", c.program("metrics-server", "metrics-server"))
		if err != nil {
			return err
		}
		if err := c.applyTemplate(ctx, "metrics-server", metricsServerManifest, map[string]string{"Image": image}); err != nil {
			return err
		}
	}
	return c.waitForAPIService(ctx, "v1beta1.metrics.k8s.io")
}

// StartKEDA runs KEDA's operator and adapter, and installs its kinds. In a cluster that
// is not our own it must be there.
func (c *Cluster) StartKEDA(ctx context.Context) error {
	if c.Own() {
		if err := c.startKEDA(ctx); err != nil {
			return err
		}
	}
	return c.waitForAPIService(ctx, "v1beta1.external.metrics.k8s.io")
}

func (c *Cluster) startKEDA(ctx context.Context) error {
	if err := c.build(ctx, binary.KEDA()); err != nil {
		return err
	}
	if err := c.InstallCRDs(ctx, crds.KEDA()); err != nil {
		return err
	}
	operator, err := c.pushProgram(ctx, "keda-operator:1", c.program("keda", "operator"))
	if err != nil {
		return err
	}
	adapter, err := c.pushProgram(ctx, "keda-adapter:1", c.program("keda", "adapter"))
	if err != nil {
		return err
	}
	// The two speak with each other over TLS; of its own the operator would take half
	// a minute to make the certificates.
	crt, key, err := c.authority.issue("keda", "keda", nil, []string{
		"keda-operator", "keda-operator.keda.svc", "keda-operator.keda.svc.cluster.local",
		"keda-metrics-apiserver.keda.svc", "keda-metrics-apiserver.keda.svc.cluster.local"})
	if err != nil {
		return err
	}
	encode := base64.StdEncoding.EncodeToString
	err = c.applyTemplate(ctx, "keda", kedaManifest, map[string]string{
		"Operator": operator, "Adapter": adapter, "Authority": encode(c.authority.pem), "Certificate": encode(crt), "Key": encode(key),
	})
	if err != nil {
		return err
	}
	for _, name := range []string{"keda-operator", "keda-metrics-apiserver"} {
		if err := c.waitForDeployment(ctx, "keda", name); err != nil {
			return err
		}
	}
	return nil
}

// waitForAPIService waits until the API server has an API from a pod.
func (c *Cluster) waitForAPIService(ctx context.Context, name string) error {
	_, err := c.Kubectl(ctx, "wait", "--for=condition=Available", "apiservice/"+name, fmt.Sprintf("--timeout=%s", apiTimeout))
	return err
}
