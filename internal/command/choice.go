package command

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// Choice is the value of a flag that names one of a few things.
type Choice struct {
	Value   string
	choices []string
}

// Flag adds the flag to a command; the first choice is the default.
func (c *Choice) Flag(cmd *cobra.Command, name, short, usage string, choices ...string) {
	c.Value, c.choices = choices[0], choices
	cmd.Flags().VarP(c, name, short, usage+": "+OneOf(choices))
	_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(choices, cobra.ShellCompDirectiveNoFileComp))
}

// OneOf lists choices: "a, b or c".
func OneOf(choices []string) string {
	last := len(choices) - 1
	if last == 0 {
		return choices[0]
	}
	return strings.Join(choices[:last], ", ") + " or " + choices[last]
}

// Set implements pflag.Value.
func (c *Choice) Set(s string) error {
	if !slices.Contains(c.choices, s) {
		return fmt.Errorf("must be %s", OneOf(c.choices))
	}
	c.Value = s
	return nil
}

// String implements pflag.Value.
func (c *Choice) String() string { return c.Value }

// Type implements pflag.Value.
func (c *Choice) Type() string { return "choice" }
