package main

import (
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
		Use:       "up [edge] [scale]",
		Short:     "Run a cluster until interrupted",
		ValidArgs: []string{"edge", "scale"},
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
	if slices.Contains(tiers, "edge") {
		if _, _, err := c.StartEdge(ctx); err != nil {
			return err
		}
	}
	if slices.Contains(tiers, "scale") {
		if _, err := c.StartScale(ctx); err != nil {
			return err
		}
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "export KUBECONFIG=%s\n# registry %s\n# S3 %s, AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s\n# logs %s\n# interrupt to stop\n",
		c.Kubeconfig(), c.Registry, c.S3.Endpoint, c.S3.AccessKey, c.S3.SecretKey, c.Logs)
	<-ctx.Done()
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
