//go:build linux

package cluster

import (
	"context"
	_ "embed"
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

//go:embed manifests/coredns.yaml
var coreDNSManifest string

const (
	// dnsService is the number of the address that kubelets tell pods to ask.
	dnsService = 10
	// rolloutTimeout bounds how long a Deployment of the cluster's own may take to run.
	rolloutTimeout = 2 * time.Minute
)

// startDNS runs CoreDNS as a pod with the labels that DNS has everywhere, so that
// NetworkPolicies speak of it as they would of another cluster's.
func (c *Cluster) startDNS(ctx context.Context) error {
	image, err := c.pushProgram(ctx, "coredns:1", c.program("coredns", "coredns"))
	if err != nil {
		return err
	}
	return c.applyTemplate(ctx, "coredns", coreDNSManifest, map[string]string{
		"Image": image, "Address": c.site.service(dnsService), "Upstream": c.upstream(),
	})
}

func (c *Cluster) waitForDNS(ctx context.Context) error {
	return c.waitForDeployment(ctx, "kube-system", "coredns")
}

// waitForDeployment waits until all of a Deployment's pods are available.
func (c *Cluster) waitForDeployment(ctx context.Context, namespace, name string) error {
	why := "nothing is known of it"
	ctx, cancel := context.WithTimeout(ctx, rolloutTimeout)
	defer cancel()
	err := waitFor(ctx, func() (bool, error) {
		d, err := c.client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			why = err.Error()
			return false, nil
		}
		s := d.Status
		why = fmt.Sprintf("%d of %d pods are available", s.AvailableReplicas, *d.Spec.Replicas)
		return s.ObservedGeneration >= d.Generation && s.UpdatedReplicas == *d.Spec.Replicas && s.AvailableReplicas == *d.Spec.Replicas && s.Replicas == *d.Spec.Replicas, nil
	})
	if err != nil {
		pods, _ := c.Kubectl(context.WithoutCancel(ctx), "-n", namespace, "describe", "pods") // what is known, for whoever reads the error
		return fmt.Errorf("waiting for the Deployment %s/%s: %w: %s\n%s", namespace, name, err, why, pods)
	}
	return nil
}

// upstream is the DNS of all names that are not the cluster's: that of the ACME tests.
func (c *Cluster) upstream() string { return c.site.host() + ":" + challengeDNSPort }
