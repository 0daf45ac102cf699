package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/operator"
)

const applyLong = `Apply the objects of Models without the operator: what mizzenctl render prints, by
server-side apply, and what an earlier apply made and the Model no longer asks for is
deleted. It lists what it touches. mizzenctl diff --mode objects shows it beforehand.

A Model that the operator runs is refused: the two would undo each other's work. Apply
that with kubectl apply.`

const applyExample = `  mizzenctl apply -f model.yaml
  mizzenctl apply -f model.yaml --platform platform.yaml

  # and look on
  mizzenctl status iris --watch`

type applyOptions struct {
	cluster  clusterFlags
	platform platformFlags
	file     string
}

func newApply(s command.Streams) *cobra.Command {
	var o applyOptions
	cmd := &cobra.Command{
		Use:               "apply -f FILE",
		Short:             "Apply the objects of Models, without the operator",
		Long:              applyLong,
		Example:           applyExample,
		GroupID:           groupCluster,
		Args:              command.Arguments(0, 0, "-f FILE and no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), s) },
	}
	o.cluster.add(cmd)
	o.platform.add(cmd)
	cmd.Flags().StringVarP(&o.file, "filename", "f", "", "`file` with the Models; - is standard input")
	return cmd
}

func (o *applyOptions) run(ctx context.Context, s command.Streams) error {
	if o.file == "" {
		return command.Usagef("say which Models: -f FILE")
	}
	c, err := o.cluster.connect(ctx)
	if err != nil {
		return err
	}
	intents, err := intentsOf(ctx, c, s, o.file, &o.platform, modeObjects, operator.NoResolver{})
	if err != nil {
		return err
	}
	for _, in := range intents {
		if err := in.applicable(); err != nil {
			return err
		}
	}
	p := command.NewPalette(s.Out)
	var failed []error
	for _, in := range intents {
		changes, err := c.Apply(ctx, in.desired)
		fmt.Fprintf(s.Out, "%s\n", p.Bold(in.title()))
		printActions(s.Out, p, changes, map[cluster.Action]string{cluster.Create: "created", cluster.Update: "changed", cluster.Delete: "deleted"})
		if err != nil {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// applicable says whether the objects may be applied from files.
func (in *intent) applicable() error {
	if in.live != nil {
		return fmt.Errorf("the operator runs %s in namespace %s: apply the Model itself, with kubectl apply -f", in.model.Name, in.model.Namespace)
	}
	return in.refused()
}
