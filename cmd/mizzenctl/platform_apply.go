package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/restmapper"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/platform"
)

const platformApplyLong = `Make a cluster as the platform file says, by server-side apply as the field manager
mizzenctl-platform, and list what was touched. Before anything is written, every kind is
looked for: what is missing in the cluster is named, with what to install.

Fields that somebody else has set are a conflict, unless --force-conflicts takes them over.
--prune deletes what earlier files made and this one no longer has; namespaces are kept,
since all their Models would go with them.`

const platformApplyExample = `  # what would happen?
  mizzenctl platform apply -f platform.yaml --prune --dry-run

  mizzenctl platform apply -f platform.yaml --prune

  # in a pipeline: did anything change?
  mizzenctl platform apply -f platform.yaml -o json | jq -e 'any(.changes[]; .action != "unchanged")'`

type platformApply struct {
	file    platformFile
	options platform.Options
	output  command.Choice
}

func newPlatformApply(s command.Streams) *cobra.Command {
	var a platformApply
	cmd := &cobra.Command{
		Use:               "apply -f FILE",
		Short:             "Make a cluster as the platform file says",
		Long:              platformApplyLong,
		Example:           platformApplyExample,
		Args:              command.Arguments(0, 0, "-f FILE and no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return a.run(cmd.Context(), s) },
	}
	a.file.add(cmd)
	cmd.Flags().BoolVar(&a.options.Prune, "prune", false, "delete what earlier files made and this one does not have")
	cmd.Flags().BoolVar(&a.options.DryRun, "dry-run", false, "ask the cluster what would happen, without changing anything")
	cmd.Flags().BoolVar(&a.options.Force, "force-conflicts", false, "take over fields that somebody else has set")
	a.output.Flag(cmd, "output", "o", "form of the result", "text", "json")
	return cmd
}

func (a *platformApply) run(ctx context.Context, s command.Streams) error {
	p, err := a.file.read(ctx, s)
	if err != nil {
		return err
	}
	c, err := a.file.cluster.connect(ctx)
	if err != nil {
		return err
	}
	groups, err := restmapper.GetAPIGroupResources(c.Discovery())
	if err != nil {
		return fmt.Errorf("asking the cluster what it has: %w", err)
	}
	client, err := dynamic.NewForConfig(c.Config)
	if err != nil {
		return err
	}
	changes, err := p.Apply(ctx, client, restmapper.NewDiscoveryRESTMapper(groups), a.options)
	return errors.Join(err, a.print(s.Out, changes))
}

func (a *platformApply) print(w io.Writer, changes []platform.Change) error {
	if a.output.Value == "json" {
		e := json.NewEncoder(w)
		e.SetIndent("", "  ")
		return e.Encode(struct {
			DryRun  bool              `json:"dryRun"`
			Changes []platform.Change `json:"changes"`
		}{a.options.DryRun, append([]platform.Change{}, changes...)})
	}
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	for _, c := range changes {
		note := ""
		if c.Action == platform.Kept {
			note = "\tno longer in the file; delete it yourself, with all that is in it"
		}
		fmt.Fprintf(t, "%s\t%s %s%s\n", c.Action, c.Kind, strings.Trim(c.Namespace+"/"+c.Name, "/"), note)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if a.options.DryRun {
		fmt.Fprintln(w, "nothing was changed: this was a dry run")
	}
	return nil
}
