package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
)

const deleteLong = `Delete Models and all that there is of them: the Model, its objects, the certificate's
Secret that cert-manager made, the claim of its cache. It says what it is going to
touch and asks, and looks through every kind of the namespace afterwards: it ends when
nothing is left, or says what is. Kinds that you may not list it cannot look at, and
names.

Models whose rendered objects were applied without the operator are deleted likewise.
Left alone are what the Model only refers to (Secrets with credentials, an existing
claim with the model) and what others labelled with its name.`

const deleteExample = `  # what would it touch?
  mizzenctl delete iris --dry-run

  mizzenctl delete iris
  mizzenctl delete -f model.yaml --yes

  # do not wait until all of it is gone
  mizzenctl delete iris --yes --wait=false`

// deleteTimeout is how long delete waits unless it is told something else.
const deleteTimeout = 5 * time.Minute

type deleteOptions struct {
	cluster clusterFlags
	name    string
	file    string
	yes     bool
	dry     bool
	wait    bool
	timeout time.Duration
	output  command.Choice
}

func newDelete(s command.Streams) *cobra.Command {
	var o deleteOptions
	cmd := &cobra.Command{
		Use:     "delete {NAME | -f FILE}",
		Short:   "Delete Models and all that there is of them",
		Long:    deleteLong,
		Example: deleteExample,
		GroupID: groupCluster,
		Args:    command.Arguments(0, 1, "one NAME, or -f FILE"),
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) > 0 {
				o.name = given[0]
			}
			return o.run(cmd.Context(), s)
		},
	}
	cmd.ValidArgsFunction = o.cluster.completeName
	o.cluster.add(cmd)
	flags := cmd.Flags()
	flags.StringVarP(&o.file, "filename", "f", "", "`file` with the Models to delete; - is standard input")
	flags.BoolVarP(&o.yes, "yes", "y", false, "do not ask")
	flags.BoolVar(&o.dry, "dry-run", false, "say what would be deleted, and delete nothing")
	flags.BoolVar(&o.wait, "wait", true, "wait until nothing is left")
	flags.DurationVar(&o.timeout, "timeout", deleteTimeout, "how long to wait")
	o.output.Flag(cmd, "output", "o", "form of the result", "text", "json")
	return cmd
}

// deletionReport is what -o json prints.
type deletionReport struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Deleted   []string `json:"deleted"`
	Dependent []string `json:"dependent"`
	Kept      []string `json:"kept"`
	Remaining []string `json:"remaining"`
	Unseen    []string `json:"unseen,omitempty"`
}

// incompleteError says that something is left of a Model.
type incompleteError struct {
	name, namespace string
	left            []cluster.Found
}

func (e *incompleteError) Error() string {
	return fmt.Sprintf("of %s in namespace %s there is still %s: a finalizer may hold it (kubectl get -o yaml tells), or the cluster is slow (--timeout)",
		e.name, e.namespace, strings.Join(names(e.left), ", "))
}

func (o *deleteOptions) run(ctx context.Context, s command.Streams) error {
	if (o.name == "") == (o.file == "") {
		return command.Usagef("say what to delete: a NAME, or -f FILE")
	}
	c, err := o.cluster.connect(ctx)
	if err != nil {
		return err
	}
	plans, err := o.plan(ctx, c, s)
	if err != nil {
		return err
	}
	text := o.output.Value == "text"
	if text {
		for _, d := range plans {
			printDeletion(s.Out, d)
		}
	}
	switch {
	case o.dry:
		return o.report(s, plans, nil)
	case !o.yes:
		if err := o.ask(s); err != nil {
			return err
		}
	}
	for _, d := range plans {
		err := c.Delete(ctx, d, func(f cluster.Found) {
			if text {
				fmt.Fprintf(s.Out, "deleted %s\n", f)
			}
		})
		if err != nil {
			return err
		}
	}
	if !o.wait {
		return o.report(s, plans, nil)
	}
	return o.await(ctx, c, s, plans)
}

// plan finds what there is of each Model.
func (o *deleteOptions) plan(ctx context.Context, c *cluster.Cluster, s command.Streams) ([]*cluster.Deletion, error) {
	targets := []target{{namespace: c.Namespace, name: o.name}}
	if o.file != "" {
		var err error
		if targets, err = targetsOf(ctx, o.file, c, s); err != nil {
			return nil, err
		}
	}
	var plans []*cluster.Deletion
	for _, t := range targets {
		d, err := c.PlanDeletion(ctx, t.namespace, t.name)
		if err != nil {
			return nil, err
		}
		plans = append(plans, d)
	}
	return plans, nil
}

type target struct{ namespace, name string }

// ask wants a yes of a person. Where there is none, --yes has to be given.
func (o *deleteOptions) ask(s command.Streams) error {
	if !command.IsTerminal(s.Err) || o.file == "-" || o.output.Value != "text" {
		return command.Usagef("nobody can be asked here: repeat with --yes to delete all of this")
	}
	fmt.Fprint(s.Err, "Delete all of this? [y/N] ")
	answer, err := bufio.NewReader(io.LimitReader(s.In, 1024)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("reading the answer: %w", err)
	}
	switch strings.ToLower(strings.TrimSpace(answer)) {
	case "y", "yes":
		return nil
	}
	return errors.New("nothing was deleted")
}

// await waits until nothing is left, or says what is.
func (o *deleteOptions) await(ctx context.Context, c *cluster.Cluster, s command.Streams, plans []*cluster.Deletion) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	left := map[*cluster.Deletion]*cluster.Remains{}
	var failed []error
	for _, d := range plans {
		told := -1
		rest, err := c.WaitGone(ctx, d, func(left []cluster.Found) {
			if len(left) > 0 && len(left) != told && command.IsTerminal(s.Err) {
				fmt.Fprintf(s.Err, "waiting for %s\n", strings.Join(names(left), ", "))
			}
			told = len(left)
		})
		if err != nil {
			return err
		}
		left[d] = rest
		if len(rest.Objects) > 0 {
			failed = append(failed, &incompleteError{name: d.Name, namespace: d.Namespace, left: rest.Objects})
		} else if o.output.Value == "text" {
			fmt.Fprintln(s.Out, nothingLeft(d, rest.Unseen))
		}
	}
	return errors.Join(append([]error{o.report(s, plans, left)}, failed...)...)
}

// nothingLeft says no more than was seen.
func nothingLeft(d *cluster.Deletion, unseen []cluster.Unseen) string {
	if len(unseen) == 0 {
		return fmt.Sprintf("nothing is left of %s in namespace %s", d.Name, d.Namespace)
	}
	return command.Printable(fmt.Sprintf("of what could be looked at, nothing is left of %s in namespace %s; not looked at were %s",
		d.Name, d.Namespace, strings.Join(cluster.Sentences(unseen), "; ")))
}

// report prints what was planned and, after waiting, the last look at what is left.
func (o *deleteOptions) report(s command.Streams, plans []*cluster.Deletion, left map[*cluster.Deletion]*cluster.Remains) error {
	if o.output.Value != "json" {
		return nil
	}
	reports := make([]deletionReport, 0, len(plans))
	for _, d := range plans {
		rest := left[d]
		if rest == nil {
			rest = &cluster.Remains{Unseen: d.Unseen}
		}
		reports = append(reports, deletionReport{Namespace: d.Namespace, Name: d.Name, Deleted: names(d.Roots),
			Dependent: names(d.Dependents), Kept: names(d.Foreign), Remaining: names(rest.Objects), Unseen: names(rest.Unseen)})
	}
	return writeData(s.Out, "json", map[string]any{"dryRun": o.dry, "models": reports})
}

func names[T fmt.Stringer](all []T) []string {
	list := make([]string, len(all))
	for i, x := range all {
		list[i] = x.String()
	}
	return list
}

// printDeletion lists what deleting touches.
func printDeletion(w io.Writer, d *cluster.Deletion) {
	p := command.NewPalette(w)
	fmt.Fprintf(w, "%s in namespace %s:\n", p.Bold(command.Printable(d.Name)), d.Namespace)
	t := &command.Table{Indent: "  "}
	for _, f := range d.Roots {
		why := ""
		if f.Issued != "" {
			why = "made by cert-manager for its Certificate"
		}
		t.Row(command.Cell{Text: "delete", Paint: p.Red}, command.Cell{Text: f.String()}, command.Cell{Text: why, Paint: p.Dim})
	}
	for _, f := range d.Dependents {
		t.Row(command.Cell{Text: "goes with it", Paint: p.Dim}, command.Cell{Text: f.String()}, command.Cell{})
	}
	for _, f := range d.Foreign {
		t.Row(command.Cell{Text: "keep", Paint: p.Green}, command.Cell{Text: f.String()},
			command.Cell{Text: "not made by Mizzen, though it has the label", Paint: p.Dim})
	}
	t.Write(w)
	for _, u := range cluster.Sentences(d.Unseen) {
		fmt.Fprintln(w, p.Yellow("  could not look at "+command.Printable(u)))
	}
}
