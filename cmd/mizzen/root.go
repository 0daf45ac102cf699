package main

import (
	"errors"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mizzen.dev/internal/nearest"
	"mizzen.dev/internal/version"
)

const rootLong = `Mizzen serves trained models: from a scikit-learn model.pkl to answers over HTTP
and gRPC, in one binary, without Python. A model file is data here: nothing in it
is ever run.`

const rootExample = `  # serve a model, then ask it
  mizzen serve model.pkl
  curl localhost:5000/predict -d '{"inputs":[5.1,3.5,1.4,0.2]}'

  # what is in this file?
  mizzen inspect model.pkl

  # predict rows of a CSV file
  mizzen predict model.pkl rows.csv`

func newRoot(s streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:           "mizzen",
		Short:         "Serve trained models",
		Long:          rootLong,
		Example:       rootExample,
		Version:       version.Get().Version,
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          cobra.ArbitraryArgs, // so that an unknown command comes to RunE
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			return unknownCommand(cmd, args[0])
		},
	}
	cmd.SuggestionsMinimumDistance = 2
	cmd.SetIn(s.in)
	cmd.SetOut(s.out)
	cmd.SetErr(s.err)
	cmd.SetFlagErrorFunc(flagError)
	cmd.AddCommand(
		newInspect(s),
		newServe(s),
		newPredict(s),
		newFetch(s),
		newImage(s),
		newVersion(s),
		newCompletion(s),
	)
	cmd.SetHelpCommand(newHelp(cmd))
	return cmd
}

// newHelp returns cobra's help command with an error for what is no command.
func newHelp(root *cobra.Command) *cobra.Command {
	return &cobra.Command{
		Use:               "help [COMMAND]",
		Short:             "Help about any command",
		Long:              "Say what a command does, and with which flags.",
		Args:              arguments(0, 1, "one COMMAND or nothing"),
		ValidArgsFunction: cobra.FixedCompletions(commandNames(root), cobra.ShellCompDirectiveNoFileComp),
		RunE: func(_ *cobra.Command, given []string) error {
			found, _, err := root.Find(given)
			if err != nil || found == root && len(given) > 0 {
				return unknownCommand(root, given[0])
			}
			found.InitDefaultHelpFlag()
			found.InitDefaultVersionFlag()
			return found.Help()
		},
	}
}

func commandNames(root *cobra.Command) []string {
	var names []string
	for _, c := range root.Commands() {
		names = append(names, c.Name())
	}
	return names
}

func unknownCommand(root *cobra.Command, name string) error {
	hint := ""
	if near := root.SuggestionsFor(name); len(near) > 0 {
		hint = "; did you mean " + strings.Join(near, " or ") + "?"
	}
	return usagef("unknown command %q%s", name, hint)
}

// arguments checks the number of arguments; want describes them.
func arguments(least, most int, want string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, given []string) error {
		if len(given) < least || len(given) > most {
			return usagef("%s takes %s, found %d arguments", cmd.Name(), want, len(given))
		}
		return nil
	}
}

// flagError makes an error about a flag a usage error, and names the flag that was
// probably meant.
func flagError(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	if !errors.As(err, &unknown) {
		return &usageError{err}
	}
	var names []string
	cmd.Flags().VisitAll(func(f *pflag.Flag) { names = append(names, f.Name) })
	hint := ""
	if name := nearest.Name(unknown.GetSpecifiedName(), names); name != "" {
		hint = "; did you mean --" + name + "?"
	}
	return usagef("%w%s", err, hint)
}
