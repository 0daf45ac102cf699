// Package cluster is how mizzenctl works with a cluster: reaching it as kubectl does,
// collecting what there is of a Model, changing it, and deleting it without a rest.
package cluster

import (
	"context"
	"fmt"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes/scheme"
	_ "k8s.io/client-go/plugin/pkg/client/auth/oidc" // kubeconfigs that kubectl understands
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/version"
)

// reachTimeout is how long a cluster may take to say its version.
const reachTimeout = 10 * time.Second

// Options choose a cluster and a namespace. Empty ones are as in kubectl: KUBECONFIG
// or ~/.kube/config, its current context, the namespace of that.
type Options struct {
	Kubeconfig string
	Context    string
	Namespace  string
}

func (o Options) flags() []string {
	var flags []string
	if o.Kubeconfig != "" {
		flags = append(flags, "--kubeconfig="+o.Kubeconfig)
	}
	if o.Context != "" {
		flags = append(flags, "--context="+o.Context)
	}
	return flags
}

// Cluster is a connection to an API server.
type Cluster struct {
	client.WithWatch
	// Config of the connection, for clients of other kinds.
	Config *rest.Config
	// Namespace that was asked for, or that of the context.
	Namespace string
	// NamespaceGiven says that it was asked for.
	NamespaceGiven bool
	discovery      *discovery.DiscoveryClient
	context        string
	// flags with which the cluster was chosen; kubectl has the same.
	flags []string
}

// Connect connects, and makes sure that somebody answers.
func Connect(ctx context.Context, o Options) (*Cluster, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.Kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: o.Context}
	overrides.Context.Namespace = o.Namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, &ConfigError{Files: rules.GetLoadingPrecedence(), Context: o.Context, Err: err}
	}
	namespace, _, err := loader.Namespace()
	if err != nil {
		return nil, &ConfigError{Files: rules.GetLoadingPrecedence(), Context: o.Context, Err: err}
	}
	name := o.Context
	if raw, err := loader.RawConfig(); err == nil && name == "" {
		name = raw.CurrentContext
	}
	c, err := New(config, namespace)
	if err != nil {
		return nil, err
	}
	c.context, c.NamespaceGiven, c.flags = name, o.Namespace != "", o.flags()
	return c, c.reach(ctx)
}

// New returns a connection by a configuration that is there already.
func New(config *rest.Config, namespace string) (*Cluster, error) {
	config = rest.CopyConfig(config)
	config.UserAgent = "mizzenctl/" + version.Get().Version
	if config.QPS == 0 {
		// The server has its own limits (API Priority and Fairness); one here would end a
		// wait early, with words of its own, whose deadline is near.
		config.QPS = -1
	}
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{scheme.AddToScheme, apiextensionsv1.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(s); err != nil {
			return nil, err
		}
	}
	c, err := client.NewWithWatch(config, client.Options{Scheme: s})
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", config.Host, err)
	}
	d, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to %s: %w", config.Host, err)
	}
	return &Cluster{WithWatch: c, Config: config, Namespace: namespace, discovery: d}, nil
}

// reach asks the server for its version, which everybody may know.
func (c *Cluster) reach(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, reachTimeout)
	defer cancel()
	if _, err := c.discovery.ServerVersionWithContext(ctx); err != nil {
		return c.Explain(err)
	}
	return nil
}
