package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"

	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/operator"
	"mizzen.dev/internal/render"
)

const diffLong = `Show what would change in the cluster if the Models of a file were applied. The API
server itself is asked, without changing anything: its defaults, rules and admission
count. What controllers and the API server write is left out, and so are the values of
Secrets.

Where the operator runs, or a Model of the name is there, that is the Model and what the
operator would make of it, by the operator's own plan; else the objects that mizzenctl
render prints. --mode chooses one of the two. For the former the right to write Models is
enough: about objects that one may not write, what the API server would add is not shown.

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
	resolve  bool
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
	cmd.Flags().BoolVar(&o.resolve, "resolve-images", true, "ask registries for the digest of a new image, as the operator does unless it was told not to")
	o.output.Flag(cmd, "output", "o", "form of the result", "text", "json")
	return cmd
}

func (o *diffOptions) resolver() operator.Resolver {
	if o.resolve {
		return operator.NewRegistry(clock.RealClock{})
	}
	return operator.NoResolver{}
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
	intents, err := intentsOf(ctx, c, s, o.file, &o.platform, o.mode.Value, o.resolver())
	if err != nil {
		return err
	}
	report := diffReport{Changes: []changeReport{}}
	for _, in := range intents {
		if err := in.refused(); err != nil {
			return err
		}
		changes, err := in.changes(ctx, c)
		if err != nil {
			return err
		}
		tellGuesses(s.Err, changes)
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

// intentsOf reads the Models of a file, and what should become of them. A resolver finds
// the digests of images, where the operator would.
func intentsOf(ctx context.Context, c *cluster.Cluster, s command.Streams, file string, f *platformFlags, mode string, resolver operator.Resolver) ([]*intent, error) {
	models, err := modelsOf(ctx, file, c, s)
	if err != nil {
		return nil, err
	}
	p := &planner{cluster: c, mode: mode}
	p.resolve = func(image string) string {
		resolved, err := resolver.Resolve(ctx, image)
		if err != nil {
			fmt.Fprintf(s.Err, "note: %s: it is shown without its digest\n", command.Printable(err.Error()))
			return ""
		}
		return resolved
	}
	if p.files, p.operated, err = f.read(ctx, c, s); err != nil {
		return nil, err
	}
	var intents []*intent
	for _, m := range models {
		in, err := p.intent(ctx, m)
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

// tellGuesses says of which kinds the API server may not be asked.
func tellGuesses(w io.Writer, changes []cluster.Change) {
	told := map[string]bool{}
	for _, c := range changes {
		if c.Guessed == nil || told[c.Guessed.Resource] {
			continue
		}
		told[c.Guessed.Resource] = true
		fmt.Fprintf(w, "note: %s may not %s %s in namespace %s, so that the API server cannot be asked: what it would add is not shown\n",
			c.Guessed.User, c.Guessed.Verb, c.Guessed.Resource, c.Guessed.Namespace)
	}
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
	printActions(w, p, changes, map[cluster.Action]string{cluster.Create: "create", cluster.Update: "change", cluster.Delete: "delete",
		cluster.Wait: "create later"})
	return nil
}

// printActions lists the objects that are touched, and counts the others.
func printActions(w io.Writer, p command.Palette, changes []cluster.Change, verbs map[cluster.Action]string) {
	paints := map[cluster.Action]func(string) string{cluster.Create: p.Green, cluster.Update: p.Yellow, cluster.Delete: p.Red, cluster.Wait: p.Green}
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
