package command

import (
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/version"
)

type versionOptions struct {
	name   string
	output Choice
}

// Version returns the command that says which build of the binary called name this
// is.
func Version(s Streams, name string) *cobra.Command {
	o := versionOptions{name: name}
	cmd := &cobra.Command{
		Use:               "version",
		Short:             "Say which build this is",
		Long:              "Say which build this is: version, commit, Go toolchain and platform.",
		Example:           "  " + name + " version\n  " + name + " version -o json",
		Args:              Arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return o.run(s) },
	}
	o.output.Flag(cmd, "output", "o", "form of the result", "text", "json")
	return cmd
}

func (o *versionOptions) run(s Streams) error {
	info := version.Get()
	if o.output.Value == "json" {
		enc := json.NewEncoder(s.Out)
		enc.SetIndent("", "  ")
		return enc.Encode(info)
	}
	commit := ""
	if info.Commit != "" {
		commit = " (" + info.Commit + ")"
	}
	_, err := fmt.Fprintf(s.Out, "%s %s%s, %s, %s\n", o.name, info.Version, commit, info.Go, info.Platform)
	return err
}
