package main

import (
	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/config"
	"mizzen.dev/model"
)

// modelFlags are the flags of every command that opens a model file.
type modelFlags struct{ options model.Options }

func (m *modelFlags) add(cmd *cobra.Command) {
	f, o := cmd.Flags(), &m.options
	o.Limits = o.Limits.WithDefaults()
	f.StringVar(&o.Select, "select", "", "which `key` of a file that holds a dict or a list of things is the model, such as model or models.0")
	f.StringVar(&o.Digest, "digest", "", "refuse the file unless its digest is `sha256:HEX`")
	f.Var((*config.Bytes)(&o.Limits.Bytes), "max-bytes", "most bytes of a file, and of what it decompresses to")
	f.Int64Var(&o.Limits.Ratio, "max-ratio", o.Limits.Ratio, "how many times as large a file may get when it is decompressed")
	f.IntVar(&o.Limits.Depth, "max-depth", o.Limits.Depth, "how deep a pickle's containers may be nested")
	f.IntVar(&o.Limits.Memo, "max-memo", o.Limits.Memo, "most memo entries of a pickle")
	f.Int64Var(&o.Limits.Elements, "max-elements", o.Limits.Elements, "most items of all of a pickle's containers together")
	cmd.PreRunE = func(*cobra.Command, []string) error { return m.check() }
	_ = cmd.RegisterFlagCompletionFunc("select", cobra.NoFileCompletions)
	_ = cmd.RegisterFlagCompletionFunc("digest", cobra.NoFileCompletions)
}

// check returns a usageError if the flags cannot be meant.
func (m *modelFlags) check() error {
	if err := config.CheckOptions(m.options); err != nil {
		return &command.UsageError{Err: err}
	}
	return nil
}

// completeModel offers model files for the first argument, any file for the others.
func completeModel(_ *cobra.Command, given []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(given) == 0 {
		return []string{"pkl", "pickle", "joblib"}, cobra.ShellCompDirectiveFilterFileExt
	}
	return nil, cobra.ShellCompDirectiveDefault
}
