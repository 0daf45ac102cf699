package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// formatFlag is the value of a flag that names one of a few formats.
type formatFlag struct {
	value   string
	choices []string
}

// flag adds the flag to a command; the first choice is the default.
func (f *formatFlag) flag(cmd *cobra.Command, name, short, usage string, choices ...string) {
	f.value, f.choices = choices[0], choices
	cmd.Flags().VarP(f, name, short, usage+": "+oneOf(choices))
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

func oneOf(choices []string) string {
	last := len(choices) - 1
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// Set implements pflag.Value.
func (f *formatFlag) Set(s string) error {
	if !slices.Contains(f.choices, s) {
		return fmt.Errorf("must be %s", oneOf(f.choices))
	}
	f.value = s
	return nil
}

// String implements pflag.Value.
func (f *formatFlag) String() string { return f.value }

// Type implements pflag.Value.
func (f *formatFlag) Type() string { return "choice" }
