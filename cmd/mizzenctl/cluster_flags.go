package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/cluster"
)

// clusterFlags choose a cluster and a namespace, as kubectl's do.
type clusterFlags struct{ options cluster.Options }

// add adds them to commands that work in one namespace.
func (f *clusterFlags) add(cmd *cobra.Command) {
	f.addCluster(cmd)
	cmd.Flags().StringVarP(&f.options.Namespace, "namespace", "n", "", "`name` of the namespace (default: that of the context)")
}

// addCluster adds those that choose the cluster.
func (f *clusterFlags) addCluster(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.options.Kubeconfig, "kubeconfig", "", "`file` that says where clusters are (default: $KUBECONFIG, or ~/.kube/config)")
	cmd.Flags().StringVar(&f.options.Context, "context", "", "`name` of the context in it (default: the current one)")
}

func (f *clusterFlags) connect(ctx context.Context) (*cluster.Cluster, error) {
	return cluster.Connect(ctx, f.options)
}

// completionTimeout is how long a shell waits for the names of Models.
const completionTimeout = 3 * time.Second

// completeName completes the names of the Models of the namespace.
func (f *clusterFlags) completeName(cmd *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(given) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	ctx, cancel := context.WithTimeout(cmd.Context(), completionTimeout)
	defer cancel()
	c, err := f.connect(ctx)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	models, err := c.Models(ctx, c.Namespace)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var names []string
	for _, m := range models {
		names = append(names, m.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
