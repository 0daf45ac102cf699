package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/render"
)

const diffLong = `Show what would change in the cluster if the Models of a file were applied. The API
server itself is asked, without changing anything: its defaults, rules and admission
count. What controllers and the API server write is left out, and so are the values of
Secrets.

Where the operator runs, or a Model of the name is there, that is the Model and what the
operator would make of it; else the objects that mizzenctl render prints. --mode chooses
one of the two.

Exit codes: 0 if nothing would change, 1 if something would, 2 if that cannot be said.`

const diffExample = `  mizzenctl diff -f model.yaml

  # with the platform's facts, as for render
  mizzenctl diff -f model.yaml --platform platform.yaml

  # in a pipeline: which objects?
  mizzenctl diff -f model.yaml -o json | jq -r '.changes[] | .action + " " + .object'`

type diffOptions struct {
	cluster  clusterFlags
	platform platformFlags
	file     string
	mode     command.Choice
	output   command.Choice
}

func newDiff(s command.Streams) *cobra.Command {
	var o diffOptions
	cmd := &cobra.Command{
		Use:               "diff -f FILE",
		Short:             "Show what would change in the cluster",
		Long:              diffLong,
		Example:           diffExample,
		GroupID:           groupCluster,
		Args:              command.Arguments(0, 0, "-f FILE and no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return o.exit(o.run(cmd.Context(), s))
		},
	}
	o.cluster.add(cmd)
	o.platform.add(cmd)
	cmd.Flags().StringVarP(&o.file, "filename", "f", "", "`file` with the Models; - is standard input")
	o.mode.Flag(cmd, "mode", "", "what is applied", modeAuto, modeModel, modeObjects)
	o.output.Flag(cmd, "output", "o", "form of the result", "text", "json")
	return cmd
}

func (f *platformFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "platform", "", "`file` with the platform's facts (default: that of the operator, and what the cluster is found to offer)")
	cmd.Flags().BoolVar(&f.fromCluster, "from-cluster", false, "let what the cluster is found to offer count, besides the facts of --platform")
	cmd.Flags().StringVar(&f.operator, "operator-namespace", operatorNamespace, "`name` of the namespace in which the operator keeps its facts")
}

// errDifferent ends diff with exit code 1, and says nothing more.
var errDifferent = errors.New("")

// exit gives errors an exit code that tells them from differences.
func (o *diffOptions) exit(err error) error {
	var usage *command.UsageError
	if err == nil || errors.Is(err, errDifferent) || errors.As(err, &usage) {
		return err
	}
	return &exitError{code: exitUnknown, err: err}
}

// exitUnknown is the exit code of diff if it cannot be said what differs.
const exitUnknown = 2

func (o *diffOptions) run(ctx context.Context, s command.Streams) error {
	if o.file == "" {
		return command.Usagef("say which Models: -f FILE")
	}
	c, err := o.cluster.connect(ctx)
	if err != nil {
		return err
	}
	intents, err := intentsOf(ctx, c, s, o.file, &o.platform, o.mode.Value)
	if err != nil {
		return err
	}
	report := diffReport{Changes: []changeReport{}}
	for _, in := range intents {
		changes, err := in.changes(ctx, c)
		if err != nil {
			return err
		}
		if o.output.Value == "text" {
			if err := printChanges(s.Out, in.title(), changes); err != nil {
				return err
			}
		}
		if err := report.add(changes); err != nil {
			return err
		}
	}
	if o.output.Value == "json" {
		if err := writeData(s.Out, "json", report); err != nil {
			return err
		}
	}
	if report.Different {
		return errDifferent
	}
	return nil
}

// intentsOf reads the Models of a file, and what should become of them.
func intentsOf(ctx context.Context, c *cluster.Cluster, s command.Streams, file string, f *platformFlags, mode string) ([]*intent, error) {
	models, err := modelsOf(ctx, file, c, s)
	if err != nil {
		return nil, err
	}
	p, err := f.read(ctx, c, s)
	if err != nil {
		return nil, err
	}
	var intents []*intent
	for _, m := range models {
		in, err := newIntent(ctx, c, m, p, mode)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
		for _, problem := range in.problems {
			fmt.Fprintf(s.Err, "%s: %s: %s\n", severityWord(problem), m.Name, command.Printable(problem.Error()))
		}
		intents = append(intents, in)
	}
	return intents, nil
}

func severityWord(p render.Problem) string {
	if p.Severity == render.Refused {
		return "refused"
	}
	return "warning"
}

// changes asks the API server.
func (in *intent) changes(ctx context.Context, c *cluster.Cluster) ([]cluster.Change, error) {
	var changes []cluster.Change
	if in.byOperator {
		change, err := c.ModelChange(ctx, in.live, in.model)
		if err != nil {
			return nil, err
		}
		changes = append(changes, change)
	}
	rest, err := c.Changes(ctx, in.desired)
	return append(changes, rest...), err
}

// diffReport is what -o json prints.
type diffReport struct {
	Different bool           `json:"different"`
	Changes   []changeReport `json:"changes"`
}

type changeReport struct {
	Action    cluster.Action `json:"action"`
	Object    string         `json:"object"`
	Group     string         `json:"group,omitempty"`
	Version   string         `json:"version"`
	Namespace string         `json:"namespace"`
	Diff      string         `json:"diff,omitempty"`
}

func (r *diffReport) add(changes []cluster.Change) error {
	for _, c := range changes {
		text, err := c.Diff()
		if err != nil {
			return err
		}
		r.Different = r.Different || c.Action != cluster.Keep
		r.Changes = append(r.Changes, changeReport{Action: c.Action, Object: c.String(), Group: c.Kind.Group, Version: c.Kind.Version,
			Namespace: c.Namespace, Diff: text})
	}
	return nil
}

// printChanges writes what changes, and then what is touched at all.
func printChanges(w io.Writer, title string, changes []cluster.Change) error {
	p := command.NewPalette(w)
	fmt.Fprintln(w, p.Bold(command.Printable(title)))
	for _, c := range changes {
		text, err := c.Diff()
		if err != nil {
			return err
		}
		if text != "" {
			fmt.Fprintln(w)
			printUnified(w, p, text)
		}
	}
	fmt.Fprintln(w)
	printActions(w, p, changes, map[cluster.Action]string{cluster.Create: "create", cluster.Update: "change", cluster.Delete: "delete"})
	return nil
}

// printActions lists the objects that are touched, and counts the others.
func printActions(w io.Writer, p command.Palette, changes []cluster.Change, verbs map[cluster.Action]string) {
	paints := map[cluster.Action]func(string) string{cluster.Create: p.Green, cluster.Update: p.Yellow, cluster.Delete: p.Red}
	t := &command.Table{Indent: "  "}
	kept := 0
	for _, c := range changes {
		if c.Action == cluster.Keep {
			kept++
			continue
		}
		t.Row(command.Cell{Text: verbs[c.Action], Paint: paints[c.Action]}, command.Cell{Text: c.String()})
	}
	t.Write(w)
	switch {
	case kept == len(changes):
		fmt.Fprintf(w, "  nothing changes: all %d objects are as they should be\n", kept)
	case kept > 0:
		fmt.Fprintln(w, p.Dim(fmt.Sprintf("  and %d objects stay as they are", kept)))
	}
}

// printUnified colours a unified diff.
func printUnified(w io.Writer, p command.Palette, text string) {
	for line := range strings.Lines(text) {
		line = command.Printable(strings.TrimSuffix(line, "\n"))
		switch {
		case strings.HasPrefix(line, "--- "), strings.HasPrefix(line, "+++ "):
			line = p.Bold(line)
		case strings.HasPrefix(line, "@@"):
			line = p.Cyan(line)
		case strings.HasPrefix(line, "-"):
			line = p.Red(line)
		case strings.HasPrefix(line, "+"):
			line = p.Green(line)
		}
		fmt.Fprintln(w, line)
	}
}
