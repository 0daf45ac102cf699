package main

import (
	"bytes"
	"context"
	"fmt"
	"os/signal"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/status"
)

const statusLong = `Show how a Model is, on one screen: what is well and what is not, in words; its
autoscaler, revisions and pods, with what those say that do not run; where it is
reached, and the command that asks it; and what happened lately.

It works for Models that the operator runs, and for those whose rendered objects were
applied without it.`

const statusExample = `  mizzenctl status iris

  # look on while it changes
  mizzenctl status iris --watch

  # for programs
  mizzenctl status iris -o json | jq '.pods[] | select(.ready | not)'`

// watchPeriod is how often --watch looks again.
const watchPeriod = 2 * time.Second

type statusOptions struct {
	cluster clusterFlags
	name    string
	watch   bool
	output  command.Choice
}

func newStatus(s command.Streams) *cobra.Command {
	var o statusOptions
	cmd := &cobra.Command{
		Use:     "status NAME",
		Short:   "Show how a Model is, on one screen",
		Long:    statusLong,
		Example: statusExample,
		GroupID: groupCluster,
		Args:    command.Arguments(1, 1, "one NAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			o.name = given[0]
			return o.run(cmd.Context(), s)
		},
	}
	cmd.ValidArgsFunction = o.cluster.completeName
	o.cluster.add(cmd)
	cmd.Flags().BoolVarP(&o.watch, "watch", "w", false, "draw the screen again whenever it changes")
	o.output.Flag(cmd, "output", "o", "form of the result", "text", "json", "yaml")
	return cmd
}

func (o *statusOptions) run(ctx context.Context, s command.Streams) error {
	if o.watch && o.output.Value != "text" {
		return command.Usagef("--watch draws a screen for people: leave it or -o %s out", o.output.Value)
	}
	c, err := o.cluster.connect(ctx)
	if err != nil {
		return err
	}
	if o.watch {
		return o.redraw(ctx, c, s)
	}
	objects, err := c.Collect(ctx, c.Namespace, o.name)
	if err != nil {
		return err
	}
	st := status.Of(objects)
	if o.output.Value != "text" {
		return writeData(s.Out, o.output.Value, st)
	}
	return screenFor(s.Out, time.Now()).print(s.Out, st)
}

// redraw draws the screen again and again, until it is interrupted. Where there is no
// terminal to clear, screens follow one another.
func (o *statusOptions) redraw(ctx context.Context, c *cluster.Cluster, s command.Streams) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	tick := time.NewTicker(watchPeriod)
	defer tick.Stop()
	var last []byte
	for {
		var now bytes.Buffer
		objects, err := c.Collect(ctx, c.Namespace, o.name)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && last == nil:
			return err
		case err != nil: // a connection that is lost may come back
			fmt.Fprintln(&now, command.PrintableLines(err.Error()))
		default:
			if err := screenFor(s.Out, time.Now()).print(&now, status.Of(objects)); err != nil {
				return err
			}
		}
		if !bytes.Equal(now.Bytes(), last) {
			if command.IsTerminal(s.Out) {
				fmt.Fprint(s.Out, clearScreen)
			} else if last != nil {
				fmt.Fprintln(s.Out)
			}
			if _, err := s.Out.Write(now.Bytes()); err != nil {
				return err
			}
			last = now.Bytes()
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// clearScreen moves to the top left corner and clears what is there.
const clearScreen = "\x1b[H\x1b[2J\x1b[3J"
