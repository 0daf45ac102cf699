package main

import (
	"context"
	"errors"
	"os"
	"os/signal"

	"github.com/spf13/cobra"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/config"
	"mizzen.dev/internal/serve"
	"mizzen.dev/internal/serve/rpc"
)

const serveLong = `Serve a model file, or a directory of models, over HTTP and gRPC.

The model can be a file, a URL, or a directory that holds NAME/model.pkl or
NAME/VERSION/model.pkl; of several versions the highest answers by default.
Every setting can be given as a flag, as an environment variable (named in
brackets) or in a YAML file (--config), in that order of strength.

SIGHUP reloads models that have changed; SIGTERM drains and stops the server, a
second one stops it at once.`

const serveExample = `  # a model on port 5000, and a first question
  mizzen serve model.pkl
  curl localhost:5000/predict -d '{"inputs":[5.1,3.5,1.4,0.2]}'

  # a directory of models, for callers who have a key
  API_KEY=secret mizzen serve models/

  # a model from a URL, verified
  mizzen serve https://example.com/iris/model.pkl --digest sha256:HEX

  # in Kubernetes: everything from a ConfigMap and a Secret
  MODEL_PATH=/models/iris PORT=8080 DRAIN_DELAY=5s mizzen serve`

type serveOptions struct {
	flags *config.Flags
}

func newServe(s command.Streams) *cobra.Command {
	var o serveOptions
	cmd := &cobra.Command{
		Use:               "serve [MODEL]",
		Short:             "Serve a model file or a directory of models",
		Long:              serveLong,
		Example:           serveExample,
		Args:              command.Arguments(0, 1, "one MODEL or nothing"),
		ValidArgsFunction: completeModel,
		Annotations:       inPod(),
		RunE: func(cmd *cobra.Command, given []string) error {
			argument := ""
			if len(given) == 1 {
				argument = given[0]
			}
			return o.run(cmd.Context(), s, argument)
		},
	}
	o.flags = config.AddFlags(cmd.Flags())
	return cmd
}

func (o *serveOptions) run(ctx context.Context, s command.Streams, argument string) error {
	cfg, err := o.flags.Load(argument, os.Environ())
	if err != nil {
		return &command.UsageError{Err: err}
	}
	limitMemory()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, serve.Signals()...)
	defer signal.Stop(signals)
	server, err := serve.New(ctx, cfg, serve.Options{
		Log:  serve.NewLogger(s.Err, cfg.LogFormat, cfg.LogLevel),
		GRPC: newGRPC,
	})
	if errors.Is(err, config.ErrNoModel) {
		return &command.UsageError{Err: err}
	}
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go tendMemory(ctx, server.Core().Changed)
	return server.Run(ctx, signals)
}

func newGRPC(core *serve.Core) (serve.Transport, error) { return rpc.New(core), nil }
