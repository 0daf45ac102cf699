package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/duration"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/status"
)

const getLong = `List the Models of a namespace, one a line: version, whether it is ready and if not
why, pods, who scales it, which versions answer, and where. Those whose rendered
objects were applied without the operator are on the list, too.`

const getExample = `  mizzenctl get
  mizzenctl get iris -n ml-prod

  # everywhere, for programs
  mizzenctl get -A -o json | jq -r '.models[] | select(.ready != "True") | .name'`

type getOptions struct {
	cluster clusterFlags
	all     bool
	name    string
	output  command.Choice
}

func newGet(s command.Streams) *cobra.Command {
	var o getOptions
	cmd := &cobra.Command{
		Use:     "get [NAME]",
		Short:   "List Models",
		Long:    getLong,
		Example: getExample,
		GroupID: groupCluster,
		Args:    command.Arguments(0, 1, "one NAME or nothing"),
		RunE: func(cmd *cobra.Command, given []string) error {
			if len(given) > 0 {
				o.name = given[0]
			}
			return o.run(cmd.Context(), s)
		},
	}
	cmd.ValidArgsFunction = o.cluster.completeName
	o.cluster.add(cmd)
	cmd.Flags().BoolVarP(&o.all, "all-namespaces", "A", false, "list those of all namespaces")
	o.output.Flag(cmd, "output", "o", "form of the result", "text", "json", "yaml")
	return cmd
}

func (o *getOptions) run(ctx context.Context, s command.Streams) error {
	if o.all && (o.name != "" || o.cluster.options.Namespace != "") {
		return command.Usagef("-A lists all Models of all namespaces: leave NAME and --namespace out, or -A")
	}
	c, err := o.cluster.connect(ctx)
	if err != nil {
		return err
	}
	rows, err := o.read(ctx, c)
	var unknown *cluster.NoModelsError
	if err != nil && !errors.As(err, &unknown) {
		return err
	}
	if o.output.Value != "text" {
		return writeData(s.Out, o.output.Value, map[string]any{"models": rows})
	}
	if len(rows) == 0 {
		where := "in namespace " + c.Namespace
		if o.all {
			where = "in this cluster"
		}
		fmt.Fprintf(s.Err, "There are no Models %s.\n", where)
		if unknown != nil {
			fmt.Fprintf(s.Err, "note: %v\n", unknown)
		}
		return nil
	}
	printModels(s.Out, rows, o.all, time.Now())
	return nil
}

func (o *getOptions) read(ctx context.Context, c *cluster.Cluster) ([]status.Summary, error) {
	rows := []status.Summary{}
	if o.name != "" {
		objects, err := c.Collect(ctx, c.Namespace, o.name)
		if err != nil {
			return nil, err
		}
		return append(rows, status.Of(objects).Summary()), nil
	}
	namespace := c.Namespace
	if o.all {
		namespace = ""
	}
	models, err := c.Models(ctx, namespace)
	for _, m := range models {
		rows = append(rows, status.Of(m).Summary())
	}
	return rows, err
}

// writeData writes a value for programs.
func writeData(w io.Writer, form string, value any) error {
	if form == "yaml" {
		out, err := yaml.Marshal(value)
		if err != nil {
			return err
		}
		_, err = w.Write(out)
		return err
	}
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	enc.SetEscapeHTML(false)
	return enc.Encode(value)
}

// printModels writes the table.
func printModels(w io.Writer, rows []status.Summary, namespaces bool, now time.Time) {
	p := command.NewPalette(w)
	t := &command.Table{}
	row := func(namespace string, cells ...command.Cell) {
		if namespaces {
			cells = append([]command.Cell{{Text: namespace}}, cells...)
		}
		t.Row(cells...)
	}
	heading := func(names ...string) []command.Cell {
		cells := make([]command.Cell, len(names))
		for i, n := range names {
			cells[i] = command.Cell{Text: n, Paint: p.Dim}
		}
		return cells
	}
	row("NAMESPACE", heading("NAME", "VERSION", "READY", "REPLICAS", "SCALED BY", "TRAFFIC", "URL", "AGE")...)
	for _, r := range rows {
		ready := string(r.Ready)
		if r.Reason != "" {
			ready += ": " + r.Reason
		}
		row(r.Namespace, command.Cell{Text: r.Name}, text(r.Version),
			command.Cell{Text: ready, Paint: paintOf(p, r.Ready)},
			text(fmt.Sprintf("%d/%d", r.Replicas.Ready, r.Replicas.Desired)),
			text(r.ScaledBy), text(r.Traffic), text(r.URL), text(age(r.CreatedAt, now)))
	}
	t.Write(w)
}

// text is a cell; what is not known is a hyphen, so that columns can be counted.
func text(s string) command.Cell {
	if s == "" {
		s = "-"
	}
	return command.Cell{Text: s}
}

func paintOf(p command.Palette, s metav1.ConditionStatus) func(string) string {
	switch s {
	case metav1.ConditionTrue:
		return p.Green
	case metav1.ConditionFalse:
		return p.Red
	}
	return p.Yellow
}

// age is how long ago t was, as kubectl writes it; "" if it is not known.
func age(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return duration.HumanDuration(now.Sub(t))
}
