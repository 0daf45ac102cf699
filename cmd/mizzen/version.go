package main

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/version"
)

type versionOptions struct {
	output formatFlag
}

func newVersion(s streams) *cobra.Command {
	var o versionOptions
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Say which build this is",
		Long:  "Say which build this is: version, commit, Go toolchain and platform.",
		Example: `  mizzen version
  mizzen version -o json`,
		Args:              arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return o.run(s) },
	}
	o.output.flag(cmd, "output", "o", "form of the result", "text", "json")
	return cmd
}

func (o *versionOptions) run(s streams) error {
	info := version.Get()
	if o.output.value == "json" {
		enc := json.NewEncoder(s.out)
		enc.SetIndent("", "  ")
		return enc.Encode(info)
	}
	commit := ""
	if info.Commit != "" {
		commit = " (" + info.Commit + ")"
	}
	_, err := fmt.Fprintf(s.out, "mizzen %s%s, %s, %s\n", info.Version, commit, info.Go, info.Platform)
	return err
}
