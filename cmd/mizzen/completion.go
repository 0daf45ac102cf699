package main

import (
	"io"
	"maps"
	"slices"

	"github.com/spf13/cobra"
)

const completionLong = `Write a script with which a shell completes mizzen's commands, flags and files.`

const completionExample = `  # bash, which needs its package bash-completion: now, or from now on
  source <(mizzen completion bash)
  mizzen completion bash > /etc/bash_completion.d/mizzen

  # zsh
  mizzen completion zsh > "${fpath[1]}/_mizzen"

  # fish
  mizzen completion fish > ~/.config/fish/completions/mizzen.fish

  # PowerShell
  mizzen completion powershell | Out-String | Invoke-Expression`

func newCompletion(s streams) *cobra.Command {
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
		Long:              completionLong,
		Example:           completionExample,
		Args:              arguments(1, 1, "one SHELL ("+oneOf(shells)+")"),
		ValidArgsFunction: cobra.FixedCompletions(shells, cobra.ShellCompDirectiveNoFileComp),
		RunE: func(cmd *cobra.Command, given []string) error {
			script, ok := scripts[given[0]]
			if !ok {
				return usagef("there is no script for %q; choose %s", given[0], oneOf(shells))
			}
			return script(cmd.Root(), s.out)
		},
	}
}
