// Command cmd is the tests' Kubernetes by hand:
//
//	go run ./test/cluster/cmd build core     # build what a tier needs, ahead of its tests
//	go run ./test/cluster/cmd missing edge   # say what of it would be built
//	go run ./test/cluster/cmd up             # run a cluster until interrupted
//	go run ./test/cluster/cmd up edge scale  # with what those tiers have
//	go run ./test/cluster/cmd down           # take away what killed clusters have left
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"mizzen.dev/test/cluster"
	"mizzen.dev/test/cluster/binary"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{Use: "cmd", Short: "The tests' Kubernetes, by hand", SilenceUsage: true}
	root.AddCommand(newBuildCommand(), newMissingCommand(), newUpCommand(), newDownCommand())
	if err := root.ExecuteContext(ctx); err != nil {
		os.Exit(1)
	}
}

func newBuildCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "build NAME…",
		Short: "Build programs, or all that a tier needs, and print where they are",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			for _, name := range names {
				programs, err := binary.ByName(name)
				if err != nil {
					return err
				}
				for _, program := range programs {
					dir, err := program.Dir(cmd.Context(), cmd.ErrOrStderr())
					if err != nil {
						return err
					}
					fmt.Fprintln(cmd.OutOrStdout(), dir)
				}
			}
			return nil
		},
	}
}

func newMissingCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "missing NAME…",
		Short: "Print which programs are not built yet, of those named or of tiers",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			for _, name := range names {
				programs, err := binary.ByName(name)
				if err != nil {
					return err
				}
				for _, program := range programs {
					present, err := program.Present()
					if err != nil {
						return err
					}
					if !present {
						fmt.Fprintln(cmd.OutOrStdout(), program.Name)
					}
				}
			}
			return nil
		},
	}
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
	for _, tier := range tiers {
		start := map[string]func(context.Context, *cluster.Cluster) error{"edge": startEdge, "scale": startScale}[tier]
		if err := start(ctx, c); err != nil {
			return err
		}
	}
	out := cmd.OutOrStdout()
	fmt.Fprintf(out, "export KUBECONFIG=%s\n# registry %s\n# S3 %s, AWS_ACCESS_KEY_ID=%s AWS_SECRET_ACCESS_KEY=%s\n# logs %s\n# interrupt to stop\n",
		c.Kubeconfig(), c.Registry, c.S3.Endpoint, c.S3.AccessKey, c.S3.SecretKey, c.Logs)
	<-ctx.Done()
	return nil
}

func startEdge(ctx context.Context, c *cluster.Cluster) error {
	edge, err := c.StartTraefik(ctx)
	if err != nil {
		return err
	}
	if err := c.StartCertManager(ctx); err != nil {
		return err
	}
	_, err = c.StartACME(ctx, edge.Address)
	return err
}

func startScale(ctx context.Context, c *cluster.Cluster) error {
	if err := c.StartMetricsServer(ctx); err != nil {
		return err
	}
	if _, err := c.StartPrometheus(ctx); err != nil {
		return err
	}
	return c.StartKEDA(ctx)
}

func newDownCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "down",
		Short: "Take away what clusters have left that were killed",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return cluster.Sweep() },
	}
}
