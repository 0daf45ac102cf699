package command

import (
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

const completionExample = `  # bash, which needs its package bash-completion: now, or from now on
  source <(NAME completion bash)
  NAME completion bash > /etc/bash_completion.d/NAME

  # zsh
  NAME completion zsh > "${fpath[1]}/_NAME"

  # fish
  NAME completion fish > ~/.config/fish/completions/NAME.fish

  # PowerShell
  NAME completion powershell | Out-String | Invoke-Expression`

// Completion returns the command that writes a completion script for the binary
// called name.
func Completion(s Streams, name string) *cobra.Command {
	scripts := map[string]func(*cobra.Command, io.Writer) error{
		"bash":       func(root *cobra.Command, w io.Writer) error { return root.GenBashCompletionV2(w, true) },
		"zsh":        (*cobra.Command).GenZshCompletion,
		"fish":       func(root *cobra.Command, w io.Writer) error { return root.GenFishCompletion(w, true) },
		"powershell": (*cobra.Command).GenPowerShellCompletionWithDesc,
	}
	shells := slices.Sorted(maps.Keys(scripts))
	return &cobra.Command{
		Use:               "completion SHELL",
		Short:             "Write a script that completes commands in a shell",
		Long:              "Write a script with which a shell completes " + name + "'s commands, flags and files.",
		Example:           strings.ReplaceAll(completionExample, "NAME", name),
		Args:              Arguments(1, 1, "one SHELL ("+OneOf(shells)+")"),
		ValidArgsFunction: cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, given []string) error {
			script, ok := scripts[given[0]]
			if !ok {
				return Usagef("there is no script for %q; choose %s", given[0], OneOf(shells))
			}
			return script(cmd.Root(), s.Out)
		},
	}
}
