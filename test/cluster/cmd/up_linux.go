package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"mizzen.dev/test/cluster"
)

// clusterCommands are those of clusters, which run on Linux alone.
func clusterCommands() []*cobra.Command {
	return []*cobra.Command{newUpCommand(), newDownCommand()}
}

func newUpCommand() *cobra.Command {
	var options cluster.Options
	cmd := &cobra.Command{
		Use:       "up [edge] [scale] [policy]",
		Short:     "Run a cluster until interrupted",
		ValidArgs: []string{"edge", "scale", "policy"},
		Args:      cobra.OnlyValidArgs,
		RunE: func(cmd *cobra.Command, tiers []string) error {
			options.Progress = cmd.ErrOrStderr()
			return up(cmd, options, tiers)
		},
	}
	cmd.Flags().IntVar(&options.Nodes, "nodes", 0, "real nodes; 2 if 0, none if negative")
	return cmd
}

func up(cmd *cobra.Command, options cluster.Options, tiers []string) (err error) {
	ctx := cmd.Context()
	c, err := cluster.Start(ctx, options)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, c.Stop()) }()
	say := []string{
		"KUBECONFIG=" + c.Kubeconfig(),
		cluster.RegistryEnv + "=" + c.Registry,
		cluster.S3Env + "=" + c.S3.Endpoint,
		"AWS_ACCESS_KEY_ID=" + c.S3.AccessKey,
		"AWS_SECRET_ACCESS_KEY=" + c.S3.SecretKey,
	}
	if slices.Contains(tiers, "edge") {
		edge, _, err := c.StartEdge(ctx)
		if err != nil {
			return err
		}
		say = append(say, cluster.EdgeEnv+"="+edge.Address)
	}
	stay := func(ctx context.Context) { <-ctx.Done() }
	if slices.Contains(tiers, "scale") {
		prometheus, err := c.StartScale(ctx)
		if err != nil {
			return err
		}
		say = append(say, cluster.PrometheusEnv+"="+prometheus.URL)
		stay = prometheus.Operate
	}
	if slices.Contains(tiers, "policy") {
		if err := c.StartKyverno(ctx); err != nil {
			return err
		}
	}
	out := cmd.OutOrStdout()
	fmt.Fprintln(out, "# With this in its environment another shell runs kubectl, and make e2e, on the cluster:")
	for _, setting := range say {
		fmt.Fprintln(out, "export", setting)
	}
	fmt.Fprintf(out, "# Logs are in %s. Interrupt to stop.\n", c.Logs)
	stay(ctx)
	return nil
}

func newDownCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Take away what clusters have left that were killed",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return cluster.Sweep() },
	}
}
