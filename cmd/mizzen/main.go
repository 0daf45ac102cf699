// Command mizzen serves trained models, looks into their files, and predicts with
// them.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"mizzen.dev/internal/command"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, s command.Streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return command.ExitOK
	}
	fmt.Fprintf(s.Err, "mizzen: %s\n", command.PrintableLines(err.Error()))
	code := command.ExitFailure
	var usage *command.UsageError
	if errors.As(err, &usage) {
		fmt.Fprintf(s.Err, "See '%s --help'.\n", cmd.CommandPath())
		code = command.ExitUsage
	}
	if runsInPod(cmd) {
		code = leaveReport(s, err)
	}
	return code
}
