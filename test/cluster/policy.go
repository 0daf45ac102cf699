//go:build linux

package cluster

import (
	"context"
	_ "embed"
	"path/filepath"

	"mizzen.dev/test/cluster/binary"
	"mizzen.dev/test/cluster/crds"
)

//go:embed manifests/kyverno.yaml
var kyvernoManifest string

// StartKyverno runs Kyverno's admission controller, which carries out policies, those of
// images among them, and installs its kinds. In a cluster that is not our own it must be
// there.
func (c *Cluster) StartKyverno(ctx context.Context) error {
	const namespace, name = "kyverno", "kyverno-admission-controller"
	if !c.Own() {
		return c.waitForDeployment(ctx, namespace, name)
	}
	if err := c.build(ctx, binary.Kyverno()); err != nil {
		return err
	}
	if err := c.InstallCRDs(ctx, crds.Kyverno()); err != nil {
		return err
	}
	image, err := c.pushProgram(ctx, "kyverno:1", c.program("kyverno", "kyverno"))
	if err != nil {
		return err
	}
	if err := c.applyTemplate(ctx, "kyverno", kyvernoManifest, map[string]string{"Image": image}); err != nil {
		return err
	}
	return c.waitForDeployment(ctx, namespace, name)
}

// ImageTools returns the folders of cosign, which signs images, and of syft, which says
// what is in them.
func (c *Cluster) ImageTools(ctx context.Context) ([]string, error) {
	if err := c.build(ctx, binary.Kyverno(), binary.Syft()); err != nil {
		return nil, err
	}
	return []string{filepath.Dir(c.program("kyverno", "cosign")), filepath.Dir(c.program("syft", "syft"))}, nil
}
