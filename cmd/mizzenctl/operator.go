package main

import (
	"context"
	"fmt"
	"log/slog"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-logr/logr"
	"github.com/spf13/cobra"
	"k8s.io/klog/v2"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client/config"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/operator"
)

const operatorLong = `Keep the Models of a cluster as their specs say: make what they ask for, put back
what others change, remove what is no longer asked for, and report what works and
what does not in their status.

It needs the rights of config/rbac.yaml: it reads neither Secrets nor logs. Several
may run; one of them leads. Where --namespaces is given, rights in those namespaces
are enough. Changes of the file --platform are taken up without a restart.`

const operatorExample = `  # in a cluster: kubectl apply --server-side -f config/install.yaml, or
  helm install mizzen charts/mizzen --namespace mizzen-system --create-namespace

  # on a desk, against the cluster of the kubeconfig, for one namespace
  mizzenctl operator --namespaces ml-dev --leader-elect=false --platform platform.yaml`

type operatorOptions struct {
	streams command.Streams

	namespaces      []string
	platform        string
	leaderElect     bool
	leaderNamespace string
	metrics, health string
	pprof           string
	concurrency     int
	resync          time.Duration
	lookAround      time.Duration
	resolveImages   bool
	logLevel        command.Choice
	logFormat       command.Choice
}

func newOperator(s command.Streams) *cobra.Command {
	o := &operatorOptions{streams: s}
	cmd := &cobra.Command{
		Use:     "operator",
		Short:   "Keep the Models of a cluster as their specs say",
		Long:    operatorLong,
		Example: operatorExample,
		GroupID: groupCluster,
		Args:    cobra.NoArgs,
		RunE:    func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	flags := cmd.Flags()
	flags.StringSliceVar(&o.namespaces, "namespaces", nil, "look at these namespaces alone (default all)")
	flags.StringVar(&o.platform, "platform", "", "the platform `file`; looked at for changes while running")
	flags.BoolVar(&o.leaderElect, "leader-elect", true, "work only while leading, so that several may run")
	flags.StringVar(&o.leaderNamespace, "leader-namespace", "", "namespace of the lease (default the one that it runs in)")
	flags.StringVar(&o.metrics, "metrics-address", ":8080", "where to answer Prometheus; 0 for nowhere")
	flags.StringVar(&o.health, "health-address", ":8081", "where to answer /healthz and /readyz; 0 for nowhere")
	flags.StringVar(&o.pprof, "pprof-address", "0", "where to answer go tool pprof; 0 for nowhere")
	flags.IntVar(&o.concurrency, "concurrency", operator.DefaultConcurrency, "how many Models to work on at a time")
	flags.DurationVar(&o.resync, "resync", operator.DefaultResync, "how often to look at every Model without a reason")
	flags.DurationVar(&o.lookAround, "look-around", operator.DefaultLookAround, "how often to look at the platform file and at what the cluster offers")
	flags.BoolVar(&o.resolveImages, "resolve-images", true, "ask registries, without credentials, for the digests of images")
	o.logLevel.Flag(cmd, "log-level", "", "log what is at least that important", "info", "debug", "warn", "error")
	o.logFormat.Flag(cmd, "log-format", "", "how to write the log", "json", "text")
	return cmd
}

func (o *operatorOptions) run(ctx context.Context) error {
	if o.concurrency < 1 || o.concurrency > maxConcurrency {
		return &command.UsageError{Err: fmt.Errorf("--concurrency must be between 1 and %d", maxConcurrency)}
	}
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	logger := o.logger()
	ctrl.SetLogger(logger)
	klog.SetLogger(logger) // what client-go has to say
	cfg, err := config.GetConfig()
	if err != nil {
		return fmt.Errorf("finding the cluster (set KUBECONFIG, or run in one): %w", err)
	}
	cfg.UserAgent = operator.Name
	options := operator.Options{
		Config: cfg, Namespaces: o.namespaces, PlatformPath: o.platform,
		MetricsAddress: o.metrics, HealthAddress: o.health, ProfileAddress: o.pprof,
		LeaderElection: o.leaderElect, LeaderNamespace: o.leaderNamespace,
		Concurrency: o.concurrency, Resync: o.resync, LookAround: o.lookAround,
		Log: logger, Registry: metrics.Registry,
	}
	if !o.resolveImages {
		options.Resolver = operator.NoResolver{}
	}
	op, err := operator.New(options)
	if err != nil {
		return err
	}
	return op.Start(ctx)
}

// maxConcurrency is more than an API server likes of one client.
const maxConcurrency = 64

func (o *operatorOptions) logger() logr.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(o.logLevel.Value)) // one of the choices
	options := &slog.HandlerOptions{Level: level}
	if o.logFormat.Value == "text" {
		return logr.FromSlogHandler(slog.NewTextHandler(o.streams.Err, options))
	}
	return logr.FromSlogHandler(slog.NewJSONHandler(o.streams.Err, options))
}
