//go:build linux

package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"mizzen.dev/test/cluster/binary"
)

const (
	// fakeNode is the annotation of nodes that KWOK plays.
	fakeNode = "kwok.x-k8s.io/node"
	// fakeNodesTimeout bounds how long they may take to be Ready.
	fakeNodesTimeout = 2 * time.Minute
)

// StartKWOK plays nodes, named fake-0 and so on, with the label type: kwok. Their pods
// become Ready at once and run nothing. With real nodes beside them nothing says which
// pod goes where: start a cluster without.
func (c *Cluster) StartKWOK(ctx context.Context, nodes int) error {
	if !c.Own() {
		return &ForeignError{Want: "nodes that are only played"}
	}
	program := binary.KWOK()
	if err := c.build(ctx, program); err != nil {
		return err
	}
	config, err := c.writeKWOKConfig(ctx, program)
	if err != nil {
		return err
	}
	kwok := exec.Command(c.program("kwok", "kwok"), "--kubeconfig", c.kubeconfig, "-c", config,
		"--manage-nodes-with-annotation-selector="+fakeNode+"=fake", "--node-lease-duration-seconds", "40", "--cidr", c.site.fakePods())
	p, err := c.startProcess("kwok", kwok)
	if err != nil {
		return err
	}
	var yaml strings.Builder
	for n := range nodes {
		fmt.Fprintf(&yaml, fakeNodeManifest, n)
	}
	if err := c.Apply(ctx, yaml.String()); err != nil {
		return err
	}
	_, err = c.Kubectl(ctx, "wait", "--for=condition=Ready", "node", "-l", "type=kwok", fmt.Sprintf("--timeout=%s", fakeNodesTimeout))
	if err == nil {
		err = p.ended()
	}
	return err
}

const fakeNodeManifest = `---
apiVersion: v1
kind: Node
metadata:
  name: fake-%d
  labels: {type: kwok, kubernetes.io/os: linux, kubernetes.io/arch: amd64}
  annotations: {` + fakeNode + `: fake}
status:
  allocatable: {cpu: "32", memory: 256Gi, pods: "110"}
  capacity: {cpu: "32", memory: 256Gi, pods: "110"}
`

// writeKWOKConfig puts together what of a node's and a pod's life is played: none of it
// is built in.
func (c *Cluster) writeKWOKConfig(ctx context.Context, program binary.Program) (string, error) {
	dir, err := program.ModuleDir(ctx, "sigs.k8s.io/kwok")
	if err != nil {
		return "", err
	}
	var config bytes.Buffer
	for _, file := range []string{
		"node/fast/node-initialize.yaml", "node/heartbeat-with-lease/node-heartbeat-with-lease.yaml",
		"pod/fast/pod-ready.yaml", "pod/fast/pod-complete.yaml", "pod/fast/pod-delete.yaml",
	} {
		stage, err := os.ReadFile(filepath.Join(dir, "kustomize", "stage", filepath.FromSlash(file)))
		if err != nil {
			return "", err
		}
		fmt.Fprintf(&config, "---\n%s\n", stage)
	}
	path := c.site.path("kwok.yaml")
	return path, writeFile(path, config.Bytes())
}
