// Command mizzenctl runs trained models on Kubernetes: it turns a Model into all
// that a well-run service needs, as files or live.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"mizzen.dev/internal/command"
)

func main() {
	os.Exit(run(context.Background(), os.Args[0], os.Args[1:],
		command.Streams{In: os.Stdin, Out: os.Stdout, Err: os.Stderr}))
}

// run runs one command line of the program called program and returns the exit code.
func run(ctx context.Context, program string, args []string, s command.Streams) int {
	name := programName(program)
	root := newRoot(s, name)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return command.ExitOK
	}
	if text := err.Error(); text != "" {
		fmt.Fprintf(s.Err, "%s: %s\n", name, command.PrintableLines(text))
	}
	var usage *command.UsageError
	if errors.As(err, &usage) {
		fmt.Fprintf(s.Err, "See '%s --help'.\n", cmd.CommandPath())
		return command.ExitUsage
	}
	var exit *exitError
	if errors.As(err, &exit) {
		return exit.code
	}
	return command.ExitFailure
}

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	err  error
}

func (e *exitError) Error() string { return e.err.Error() }
func (e *exitError) Unwrap() error { return e.err }

// The names of the program: its own, and the one that kubectl finds plugins by.
const (
	ownName    = "mizzenctl"
	pluginFile = "kubectl-mizzen"
	pluginName = "kubectl mizzen"
)

// programName is what people type to run the program.
func programName(path string) string {
	if strings.TrimSuffix(filepath.Base(path), ".exe") == pluginFile {
		return pluginName
	}
	return ownName
}
