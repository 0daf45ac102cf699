package main

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"

	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/logs"
	"mizzen.dev/internal/render"
)

const logsLong = `Print the logs of all pods of a Model: the containers that fetch the model first, then
the servers. Each line has its pod and container in front. Lines are in the order of
their times, or come as they are written while they are followed; new pods and
containers that were restarted are followed as well.`

const logsExample = `  mizzenctl logs iris
  mizzenctl logs iris -f

  # why the server ended the last time
  mizzenctl logs iris --previous --tail 20

  # the new revision alone, for the last ten minutes
  mizzenctl logs iris --revision 5f6c7d8e9f --since 10m`

// followedTail is how many lines of each container --follow begins with, unless
// --tail or --since say something else.
const followedTail = 20

type logsOptions struct {
	cluster  clusterFlags
	logs     logs.Options
	name     string
	revision string
	bare     bool
}

func newLogs(s command.Streams) *cobra.Command {
	var o logsOptions
	cmd := &cobra.Command{
		Use:     "logs NAME",
		Short:   "Print the logs of all pods of a Model",
		Long:    logsLong,
		Example: logsExample,
		GroupID: groupCluster,
		Args:    command.Arguments(1, 1, "one NAME"),
		RunE: func(cmd *cobra.Command, given []string) error {
			o.name = given[0]
			if o.logs.Follow && !cmd.Flags().Changed("tail") && !cmd.Flags().Changed("since") {
				o.logs.Tail = followedTail
			}
			return o.run(cmd.Context(), s)
		},
	}
	cmd.ValidArgsFunction = o.cluster.completeName
	o.cluster.add(cmd)
	flags := cmd.Flags()
	flags.BoolVarP(&o.logs.Follow, "follow", "f", false, "go on with what is written from now on")
	flags.BoolVarP(&o.logs.Previous, "previous", "p", false, "read the containers that ran before the last restart")
	flags.DurationVar(&o.logs.Since, "since", 0, "how far back to begin, such as 10m (default: from the start)")
	flags.Int64Var(&o.logs.Tail, "tail", -1, "how many `lines` of each container to begin with (default: all, and 20 with --follow)")
	flags.StringVarP(&o.logs.Container, "container", "c", "", "`name` of the only container to read: server or fetch")
	flags.StringVar(&o.revision, "revision", "", "`name` of the only revision to read the pods of")
	flags.BoolVar(&o.bare, "no-prefix", false, "print the lines alone, without pod and container")
	return cmd
}

func (o *logsOptions) run(ctx context.Context, s command.Streams) error {
	switch {
	case o.logs.Follow && o.logs.Previous:
		return command.Usagef("a container that has ended writes nothing more: leave --follow or --previous out")
	case o.logs.Since < 0:
		return command.Usagef("--since must not be negative")
	}
	c, err := o.cluster.connect(ctx)
	if err != nil {
		return err
	}
	o.logs.Namespace = c.Namespace
	o.logs.Selector = render.ModelLabel + "=" + o.name
	if o.revision != "" {
		o.logs.Selector += "," + render.RevisionLabel + "=" + o.revision
	}
	core, err := typedcorev1.NewForConfig(c.Config)
	if err != nil {
		return fmt.Errorf("connecting for the logs: %w", err)
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	var absent *cluster.NotFoundError
	if o.logs.Follow { // else a name that is mistyped would be waited for
		if _, err := c.Collect(ctx, c.Namespace, o.name); errors.As(err, &absent) {
			return err
		}
	}
	err = logs.Print(ctx, core, o.logs, newLogPrinter(s, o.bare))
	var none *logs.NoPodsError
	if errors.As(err, &none) {
		if _, missing := c.Collect(ctx, c.Namespace, o.name); missing != nil {
			return missing
		}
		return fmt.Errorf("%w; mizzenctl status %s says why", err, o.name)
	}
	if ctx.Err() != nil {
		return nil // interrupted, as people end --follow
	}
	return c.Explain(err)
}

// logPrinter writes lines with their pods in front.
type logPrinter struct {
	s    command.Streams
	p    command.Palette
	bare bool
}

func newLogPrinter(s command.Streams, bare bool) *logPrinter {
	return &logPrinter{s: s, p: command.NewPalette(s.Out), bare: bare}
}

// Line implements logs.Sink.
func (l *logPrinter) Line(line logs.Line) error {
	text := command.Printable(line.Text)
	if !l.bare {
		text = l.prefix(line.Pod, line.Container) + text
	}
	_, err := fmt.Fprintln(l.s.Out, text)
	return err
}

// Note implements logs.Sink.
func (l *logPrinter) Note(n logs.Note) {
	prefix := ""
	if n.Pod != "" {
		prefix = l.prefix(n.Pod, n.Container)
	}
	fmt.Fprintf(l.s.Err, "%s%s\n", prefix, command.Printable(n.Text))
}

// prefix has a colour of the pod's own, always the same.
func (l *logPrinter) prefix(pod, container string) string {
	h := fnv.New32a()
	h.Write([]byte(pod))
	paints := []func(string) string{l.p.Cyan, l.p.Green, l.p.Yellow}
	return paints[h.Sum32()%uint32(len(paints))](pod+" "+container) + l.p.Dim(" | ")
}
