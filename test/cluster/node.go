//go:build linux

package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// node is a machine of the cluster: a process in namespaces of its own, with
// containerd, kubelet, kube-proxy and the NetworkPolicy agent below it.
type node struct {
	number  int
	name    string
	process *process
}

const (
	// nodeTimeout bounds the start of a node until it is Ready.
	nodeTimeout = 2 * time.Minute
	// netpolUser is who carries out NetworkPolicies.
	netpolUser = "mizzen:netpol"
)

// NodeName returns the name of the n-th node, counted from 1.
func (c *Cluster) NodeName(n int) string { return fmt.Sprintf("node%d", n) }

func (c *Cluster) startNodes(ctx context.Context, count int) error {
	if count < 1 {
		return nil
	}
	if err := c.Apply(ctx, netpolRBAC); err != nil {
		return err
	}
	errs := make([]error, count+1)
	var wg sync.WaitGroup
	for n := 1; n <= count; n++ {
		// One after the other, as what they start is to be undone in order.
		if err := c.prepareNode(ctx, n, count); err != nil {
			return fmt.Errorf("%s: %w", c.NodeName(n), err)
		}
		if err := c.StartNode(n); err != nil {
			return err
		}
		wg.Go(func() { errs[n] = c.waitForNode(ctx, n) })
	}
	errs[0] = c.startDNS(ctx)
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return err
	}
	return c.waitForDNS(ctx)
}

// prepareNode makes all that a node finds when it starts, as often as that is.
func (c *Cluster) prepareNode(ctx context.Context, n, of int) error {
	name := c.NodeName(n)
	if err := c.layNodeNetwork(ctx, n, of); err != nil {
		return err
	}
	for _, group := range cgroups(c.site.nodeName(n)) {
		if err := makeCgroup(group); err != nil {
			return err
		}
	}
	server := "https://" + c.site.host() + ":" + apiPort
	if err := c.authority.kubeconfig(name, server, "system:node:"+name, "system:nodes"); err != nil {
		return err
	}
	if err := c.writeNodeFiles(n); err != nil {
		return err
	}
	c.nodes = append(c.nodes, &node{number: n, name: name})
	return nil
}

// makeCgroup makes a node's root, which kubelet wants to find. In version 1's cpuset
// a new group has no CPUs until they are written.
func makeCgroup(dir string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	parent := filepath.Dir(dir)
	if parent == cgroupRoot { // version 2, where the parent says what its children may divide
		return os.WriteFile(filepath.Join(parent, "cgroup.subtree_control"), []byte("+cpuset +cpu +io +memory +pids"), 0o600)
	}
	for _, name := range []string{"cpuset.cpus", "cpuset.mems"} {
		value, err := os.ReadFile(filepath.Join(parent, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // another hierarchy
		}
		if err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(dir, name), value, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// StartNode starts a node that is not running: a machine that is switched on. Its
// containers are gone, its images and volumes are there.
func (c *Cluster) StartNode(n int) error {
	node, err := c.node(n)
	if err != nil {
		return err
	}
	cmd := exec.Command("nsenter", "--net=/run/netns/"+c.site.nodeName(n),
		"tini", "-s", "--", c.program("agent", "agent"), "node", c.site.path(node.name, "node.json"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID | syscall.CLONE_NEWNS}
	node.process, err = c.startProcess(node.name, cmd)
	return err
}

// KillNode stops a node as a power cut does: nothing is told, and nothing ends in order.
func (c *Cluster) KillNode(n int) error {
	node, err := c.node(n)
	if err != nil {
		return err
	}
	return node.process.kill()
}

func (c *Cluster) node(n int) (*node, error) {
	if !c.Own() {
		return nil, &ForeignError{Want: "its nodes to switch on and off"}
	}
	for _, node := range c.nodes {
		if node.number == n {
			return node, nil
		}
	}
	return nil, fmt.Errorf("the cluster has no node %d", n)
}

// waitForNode waits until the node has said that it is Ready.
func (c *Cluster) waitForNode(ctx context.Context, n int) error {
	node, err := c.node(n)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, nodeTimeout, fmt.Errorf("%s is not Ready after %s; see its logs in %s", node.name, nodeTimeout, c.Logs))
	defer cancel()
	return waitFor(ctx, func() (bool, error) {
		if err := node.process.ended(); err != nil {
			return false, err
		}
		got, err := c.client.CoreV1().Nodes().Get(ctx, node.name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return false, nil
		}
		if err != nil {
			return false, err
		}
		for _, condition := range got.Status.Conditions {
			if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
				return true, nil
			}
		}
		return false, nil
	})
}

// agentConfig is what the agent's nodeConfig is read from.
type agentConfig struct {
	Binds   map[string]string `json:"binds"`
	Tmpfs   []string          `json:"tmpfs"`
	Sysctls map[string]string `json:"sysctls"`
	Runtime agentProcess      `json:"runtime"`
	Socket  string            `json:"socket"`
	Others  []agentProcess    `json:"others"`
	Scratch string            `json:"scratch"`
}

type agentProcess struct {
	Args []string `json:"args"`
	Log  string   `json:"log"`
}

// writeNodeFiles writes the configuration of all that runs on a node.
func (c *Cluster) writeNodeFiles(n int) error {
	name, dir := c.NodeName(n), c.site.path(c.NodeName(n))
	at := func(file string) string { return filepath.Join(dir, file) }
	pki := func(file string) string { return c.site.path("pki", file) }
	values := nodeValues{
		Cgroup: c.site.nodeName(n), Name: name, Certs: at("certs.d"), CNI: cniDir,
		Pause: c.Registry + "/" + pauseImage, ClientCA: pki("ca.crt"), DNS: c.site.service(dnsService),
		PodNetwork: c.site.podNetwork(), Pods: c.site.nodePods(n), ProxyKubeconfig: pki("kube-proxy.kubeconfig"),
	}
	for file, text := range map[string]string{
		"containerd.toml": containerdConfig, "kubelet.yaml": kubeletConfig, "kube-proxy.yaml": proxyConfig, "cni/10-bridge.conflist": cniConfig,
	} {
		if err := writeTemplate(at(file), text, values); err != nil {
			return err
		}
	}
	hosts := fmt.Sprintf("server = \"http://%[1]s\"\n[host.\"http://%[1]s\"]\ncapabilities = [\"pull\", \"resolve\"]\n", c.Registry)
	if err := writeFile(at("certs.d/"+c.Registry+"/hosts.toml"), []byte(hosts)); err != nil {
		return err
	}
	logs := func(what string) string { return filepath.Join(c.Logs, name+"-"+what+".log") }
	config := agentConfig{
		Scratch: dir,
		Binds: map[string]string{
			"/var/lib/kubelet": at("kubelet"), "/var/lib/containerd": at("containerd"), "/var/lib/cni": at("cni-state"),
			"/etc/cni/net.d": at("cni"), "/var/log/pods": at("pod-logs"), "/var/log/containers": at("container-logs"),
		},
		// Where the pods' network namespaces have names, and the runtime its state: they
		// are to go with the node.
		Tmpfs: []string{"/run/containerd", "/run/netns"},
		Sysctls: map[string]string{
			"vm/overcommit_memory": "1", "kernel/panic": "10", "kernel/panic_on_oops": "1",
			"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
		},
		Socket:  "/run/containerd/containerd.sock",
		Runtime: agentProcess{[]string{"containerd", "-c", at("containerd.toml")}, logs("containerd")},
		Others: []agentProcess{
			{[]string{c.program("node", "kubelet"), "--config", at("kubelet.yaml"), "--kubeconfig", pki(name + ".kubeconfig"),
				"--node-ip", c.site.nodeAddress(n), "--hostname-override", name, "--root-dir", "/var/lib/kubelet", "--cert-dir", "/var/lib/kubelet/pki", "-v", "2"}, logs("kubelet")},
			{[]string{c.program("node", "kube-proxy"), "--config", at("kube-proxy.yaml"), "-v", "1"}, logs("kube-proxy")},
			{[]string{c.program("agent", "agent"), "netpol", "--kubeconfig", pki("netpol.kubeconfig"), "--node", name}, logs("netpol")},
		},
	}
	content, err := json.MarshalIndent(config, "", "  ")
	if err != nil {
		return err
	}
	return writeFile(at("node.json"), content)
}
