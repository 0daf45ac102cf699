// Command cmd is the tests' Kubernetes by hand:
//
//	go run ./test/cluster/cmd build core     # build what a tier needs, ahead of its tests
//	go run ./test/cluster/cmd missing edge   # say what of it would be built
//	go run ./test/cluster/cmd up             # run one until interrupted, and print its users' environment
//	go run ./test/cluster/cmd up edge scale  # with what those tiers have
//	go run ./test/cluster/cmd down           # take away what killed clusters have left
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
	root.AddCommand(newBuildCommand(), newMissingCommand())
	root.AddCommand(clusterCommands()...)
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
			return each(names, func(program binary.Program) error {
				dir, err := program.Dir(cmd.Context(), cmd.ErrOrStderr())
				if err == nil {
					fmt.Fprintln(cmd.OutOrStdout(), dir)
				}
				return err
			})
		},
	}
}

func newMissingCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "missing NAME…",
		Short: "Print which programs are not built yet, of those named or of tiers",
		Args:  cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, names []string) error {
			return each(names, func(program binary.Program) error {
				present, err := program.Present()
				if err == nil && !present {
					fmt.Fprintln(cmd.OutOrStdout(), program.Name)
				}
				return err
			})
		},
	}
}

// each does something with the programs of the names, and of the tiers of the names.
func each(names []string, do func(binary.Program) error) error {
	for _, name := range names {
		programs, err := binary.ByName(name)
		if err != nil {
			return err
		}
		for _, program := range programs {
			if err := do(program); err != nil {
				return err
			}
		}
	}
	return nil
}
