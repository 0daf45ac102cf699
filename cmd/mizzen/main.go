// Command mizzen serves trained models, looks into their files, and predicts with
// them.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	os.Exit(run(context.Background(), os.Args[1:], streams{in: os.Stdin, out: os.Stdout, err: os.Stderr}))
}

// streams are where a command reads and writes: results go to out, all else to err.
type streams struct {
	in       io.Reader
	out, err io.Writer
}

// The exit codes; fetch and serve have more ([termination.Reason]).
const (
	exitOK      = 0
	exitFailure = 1
	exitUsage   = 2
)

// run runs one command line and returns the exit code.
func run(ctx context.Context, args []string, s streams) int {
	root := newRoot(s)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	if err == nil {
		return exitOK
	}
	fmt.Fprintf(s.err, "mizzen: %s\n", printableLines(err.Error()))
	code := exitFailure
	var usage *usageError
	if errors.As(err, &usage) {
		fmt.Fprintf(s.err, "See '%s --help'.\n", cmd.CommandPath())
		code = exitUsage
	}
	if runsInPod(cmd) {
		code = leaveReport(s, err)
	}
	return code
}

// usageError says that the command line is wrong, not what it asked for.
type usageError struct{ err error }

func (e *usageError) Error() string { return e.err.Error() }
func (e *usageError) Unwrap() error { return e.err }

// usagef returns a usageError.
func usagef(format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...)}
}
