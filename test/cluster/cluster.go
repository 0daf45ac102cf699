//go:build linux

package cluster

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"mizzen.dev/test/cluster/binary"
)

// Options says what the cluster is to be.
type Options struct {
	// Nodes is the number of real nodes; 2 if 0, none if negative: then nothing runs,
	// unless KWOK plays the nodes.
	Nodes int
	// Progress is where it is said what is built and started; os.Stderr if nil.
	Progress io.Writer
	// Logs is the directory of the processes' logs, which stay when the cluster
	// goes; mizzen/cluster/logs in the user's cache if "".
	Logs string
}

// maxNodes is what the addresses are laid out for.
const maxNodes = 7

// Cluster is a Kubernetes that runs. Its methods may be called at once from several
// goroutines, Stop apart.
type Cluster struct {
	// Registry is the address of an image registry that the nodes pull from, as in
	// the names of images: host:port. It takes pushes from this machine.
	Registry string
	// S3 is an S3 server that pods and this machine reach at the same address.
	S3 S3
	// Logs is the directory of the processes' logs.
	Logs string

	config     *rest.Config
	client     *kubernetes.Clientset
	kubeconfig string
	kubectl    string
	progress   io.Writer

	// What follows is of an own cluster alone.
	site      *site
	programs  map[string]string
	authority *authority
	nodes     []*node
	undo      []func() error
}

// Start starts a cluster and returns when its nodes are Ready and its DNS answers. If
// KUBECONFIG is set it connects to that cluster instead. Whoever starts a cluster
// stops it; if Start fails it leaves nothing behind.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	if o.Progress == nil {
		o.Progress = os.Stderr
	}
	if path := os.Getenv(clientcmd.RecommendedConfigPathEnvVar); path != "" {
		return connect(ctx, path, o)
	}
	if o.Nodes == 0 {
		o.Nodes = 2
	}
	if o.Nodes > maxNodes {
		return nil, fmt.Errorf("a cluster of %d nodes: there are addresses for %d", o.Nodes, maxNodes)
	}
	c := &Cluster{progress: o.Progress, Logs: o.Logs}
	if err := c.start(ctx, o); err != nil {
		return nil, errors.Join(fmt.Errorf("starting the cluster: %w", err), c.Stop())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options) error {
	begin := time.Now()
	if os.Geteuid() != 0 {
		return errors.New("nodes need network namespaces, mounts and cgroups: run as root, or set KUBECONFIG to use another cluster")
	}
	if err := installPackages(ctx, c.progress); err != nil {
		return err
	}
	if err := c.build(ctx, binary.Kube(), binary.Node(), binary.CoreDNS(), binary.VersityGW(), binary.Agent(), binary.Pause(), binary.Probe()); err != nil {
		return err
	}
	built := time.Now()
	phases := []struct {
		name string
		run  func(context.Context) error
	}{
		{"claiming addresses and directories", c.claim},
		{"laying the network", c.layNetwork},
		{"starting the registry", c.startRegistry},
		{"starting the control plane", c.startControlPlane},
		{"starting the S3 server", c.startS3},
		{"starting nodes", func(ctx context.Context) error { return c.startNodes(ctx, o.Nodes) }},
	}
	for _, phase := range phases {
		if err := phase.run(ctx); err != nil {
			return fmt.Errorf("%s: %w", phase.name, err)
		}
	}
	fmt.Fprintf(c.progress, "cluster: Kubernetes %s with %d nodes %s runs after %s (programs %s); kubeconfig %s, logs %s\n",
		binary.KubeVersion, max(o.Nodes, 0), binary.NodeVersion, time.Since(built).Round(100*time.Millisecond),
		built.Sub(begin).Round(100*time.Millisecond), c.kubeconfig, c.Logs)
	return nil
}

// build sees to it that the programs are there.
func (c *Cluster) build(ctx context.Context, programs ...binary.Program) error {
	if c.programs == nil {
		c.programs = map[string]string{}
	}
	for _, p := range programs {
		dir, err := p.Dir(ctx, c.progress)
		if err != nil {
			return err
		}
		c.programs[p.Name] = dir
	}
	return nil
}

// program returns the path of a file of a program that has been built.
func (c *Cluster) program(name, file string) string { return filepath.Join(c.programs[name], file) }

// Config returns the administrator's configuration, without limits on its requests.
func (c *Cluster) Config() *rest.Config { return rest.CopyConfig(c.config) }

// Client returns the administrator's client.
func (c *Cluster) Client() *kubernetes.Clientset { return c.client }

// Kubeconfig returns the path of the administrator's configuration.
func (c *Cluster) Kubeconfig() string { return c.kubeconfig }

// KubectlPath returns the path of the kubectl of the cluster's own version.
func (c *Cluster) KubectlPath() string { return c.kubectl }

// HostAddress is where pods reach servers on this machine. Of a cluster that is not our
// own there is none.
func (c *Cluster) HostAddress() (string, error) {
	if !c.Own() {
		return "", &ForeignError{Want: "a way from its pods to this machine"}
	}
	return c.site.host(), nil
}

// Own says whether the cluster was started here, and is not one that KUBECONFIG names.
func (c *Cluster) Own() bool { return c.site != nil }

// AuditLog returns the file in which the API server says who asked it for what; read
// it with package audit. Of a cluster that is not our own there is none.
func (c *Cluster) AuditLog() (string, error) {
	if !c.Own() {
		return "", &ForeignError{Want: "the API server's audit log"}
	}
	return filepath.Join(c.Logs, "audit.log"), nil
}

// Stop stops the cluster and takes away all that it made on the machine, but its logs.
// What was in it is lost. It does all it can whatever fails.
func (c *Cluster) Stop() error {
	var errs []error
	for i := len(c.undo) - 1; i >= 0; i-- {
		errs = append(errs, c.undo[i]())
	}
	c.undo = nil
	return errors.Join(errs...)
}

// OnStop has something done when the cluster stops, before what was asked for earlier.
func (c *Cluster) OnStop(f func() error) { c.undo = append(c.undo, f) }

// connectAs makes the clients of a configuration.
func (c *Cluster) connectAs(kubeconfig string) error {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return err
	}
	config.QPS = -1 // no limit
	c.config, c.kubeconfig = config, kubeconfig
	c.client, err = kubernetes.NewForConfig(config)
	return err
}
