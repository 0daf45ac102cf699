// Command cmd builds the programs of the tests' Kubernetes ahead of the tests:
//
//	go run ./test/cluster/cmd build kube
//	go run ./test/cluster/cmd build core
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"mizzen.dev/test/cluster/binary"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	root := &cobra.Command{Use: "cmd", Short: "The tests' Kubernetes, by hand", SilenceUsage: true}
	root.AddCommand(newBuildCommand())
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
