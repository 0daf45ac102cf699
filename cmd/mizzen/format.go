package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// format is the value of a flag that names one of a few formats.
type format struct {
	value   string
	choices []string
}

// flag adds -o/--format... to a command; the first choice is the default.
func (f *format) flag(cmd *cobra.Command, choices ...string) {
	f.value, f.choices = choices[0], choices
	cmd.Flags().VarP(f, "format", "o", "form of the result: "+strings.Join(choices, " or "))
	_ = cmd.RegisterFlagCompletionFunc("format", cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

// Set implements pflag.Value.
func (f *format) Set(s string) error {
	if !slices.Contains(f.choices, s) {
		return fmt.Errorf("must be %s", strings.Join(f.choices, " or "))
	}
	f.value = s
	return nil
}

// String implements pflag.Value.
func (f *format) String() string { return f.value }

// Type implements pflag.Value.
func (f *format) Type() string { return "format" }
