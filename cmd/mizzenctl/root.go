package main

import (
	"strings"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/version"
)

const rootLong = `mizzenctl runs trained models on Kubernetes. From a Model of ten lines it makes
all that a well-run service needs: pods with probes and limits, an autoscaler, a way
in with TLS, isolation, dashboards and alerts; as files, or live in a cluster.`

const rootExample = `  # what is a Model on Kubernetes?
  mizzenctl render -f model.yaml

  # the same for Kustomize, Helm, Argo CD
  mizzenctl help render`

// Groups of commands in the help.
const (
	groupFiles   = "files"   // make files, need no cluster
	groupCluster = "cluster" // look at what runs and change it
)

func newRoot(s command.Streams, name string) *cobra.Command {
	cmd := &cobra.Command{
		Use:     ownName,
		Short:   "Run trained models on Kubernetes",
		Long:    rootLong,
		Example: rootExample,
		Version: version.Get().Version,
	}
	command.Setup(cmd, s)
	cmd.AddGroup(
		&cobra.Group{ID: groupFiles, Title: "Files, without a cluster:"},
		&cobra.Group{ID: groupCluster, Title: "Models in a cluster:"},
	)
	cmd.AddCommand(
		newGet(s),
		newStatus(s),
		newLogs(s),
		newDiff(s),
		newApply(s),
		newDelete(s),
		newRender(s),
		newInit(s),
		newOperator(s),
		newPlatform(s),
		command.Version(s, ownName),
		command.Completion(s, ownName),
	)
	if name == pluginName {
		asPlugin(cmd)
	}
	cmd.SetHelpCommand(command.Help(cmd))
	return cmd
}

// asPlugin makes the help speak of kubectl mizzen.
func asPlugin(root *cobra.Command) {
	root.Use = pluginFile
	root.Annotations = map[string]string{cobra.CommandDisplayNameAnnotation: pluginName}
	var rename func(*cobra.Command)
	rename = func(cmd *cobra.Command) {
		if cmd.Name() == "completion" { // the scripts are for the binary's own name
			return
		}
		cmd.Long = strings.ReplaceAll(cmd.Long, ownName, pluginName)
		cmd.Example = strings.ReplaceAll(cmd.Example, ownName, pluginName)
		for _, c := range cmd.Commands() {
			rename(c)
		}
	}
	rename(root)
}
