package main

import (
	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/version"
)

const ownName = "mizzen"

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

func newRoot(s command.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     ownName,
		Short:   "Serve trained models",
		Long:    rootLong,
		Example: rootExample,
		Version: version.Get().Version,
	}
	command.Setup(cmd, s)
	cmd.AddCommand(
		newInspect(s),
		newServe(s),
		newPredict(s),
		newFetch(s),
		newImage(s),
		command.Version(s, ownName),
		command.Completion(s, ownName),
	)
	cmd.SetHelpCommand(command.Help(cmd))
	return cmd
}
