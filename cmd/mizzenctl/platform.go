package main

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/command"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

const platformLong = `Work with the platform file: what is true of a cluster for all Models (where Prometheus
is, who may call, what is installed), and what belongs to the cluster or to a namespace
and not to a Model: restricted namespaces, issuers of certificates, a GatewayClass,
policies of images, roles. docs/platform.md has every field.`

const platformExample = `  mizzenctl platform render -f platform.yaml
  mizzenctl platform apply -f platform.yaml --dry-run
  mizzenctl platform discover`

const platformRenderLong = `Print what the platform file makes, as YAML: always the same for the same file, and
nothing of any Model. The file is read strictly.`

const platformRenderExample = `  mizzenctl platform render -f platform.yaml | kubectl diff --server-side -f -

  # with what the cluster offers instead of what the file says of that
  mizzenctl platform render -f platform.yaml --from-cluster`

const platformDiscoverLong = `Print what a cluster offers, as the part of a platform file that says so. What is there
but does not work is no offer: KEDA without its metrics, for example. Standard error says
why, and what could not be read.`

const platformDiscoverExample = `  mizzenctl platform discover >> platform.yaml`

// platformFile is the file, and what of it the cluster is to tell.
type platformFile struct {
	name        string
	fromCluster bool
	cluster     clusterFlags
}

func (f *platformFile) add(cmd *cobra.Command) {
	f.cluster.addCluster(cmd)
	cmd.Flags().StringVarP(&f.name, "filename", "f", "", "the platform `file`; - is standard input")
	cmd.Flags().BoolVar(&f.fromCluster, "from-cluster", false, "let what the cluster is found to offer count, and not the file's offers")
}

// read reads the file, and asks the cluster if that is wanted.
func (f *platformFile) read(ctx context.Context, s command.Streams) (*platform.Platform, error) {
	if f.name == "" {
		return nil, command.Usagef("say which platform: -f FILE")
	}
	return f.readOrBare(ctx, s)
}

// readOrBare does so, and takes a bare cluster where no file is named.
func (f *platformFile) readOrBare(ctx context.Context, s command.Streams) (p *platform.Platform, err error) {
	switch f.name {
	case "":
		p = platform.Bare()
	case "-":
		p, err = platform.Read(s.In, "standard input")
	default:
		p, err = platform.Load(f.name)
	}
	if err != nil || !f.fromCluster {
		return p, err
	}
	found, err := f.discover(ctx, s.Err)
	if err != nil {
		return nil, err
	}
	found.Into(p)
	return p, nil
}

// discover asks the cluster, and says what could not be found out.
func (f *platformFile) discover(ctx context.Context, notes io.Writer) (*platform.Found, error) {
	c, err := f.cluster.connect(ctx)
	if err != nil {
		return nil, err
	}
	found, err := platform.FromCluster(ctx, c.Discovery())
	if err != nil {
		return nil, err
	}
	for _, note := range found.Notes {
		fmt.Fprintf(notes, "note: %s\n", command.Printable(note))
	}
	return found, nil
}

func newPlatform(s command.Streams) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "platform",
		Short:   "Make what belongs to a cluster, and say what is true of it",
		Long:    platformLong,
		Example: platformExample,
		GroupID: groupCluster,
	}
	command.Setup(cmd, s)
	cmd.AddCommand(newPlatformRender(s), newPlatformApply(s), newPlatformDiscover(s))
	return cmd
}

func newPlatformRender(s command.Streams) *cobra.Command {
	var f platformFile
	cmd := &cobra.Command{
		Use:               "render -f FILE",
		Short:             "Print what the platform file makes",
		Long:              platformRenderLong,
		Example:           platformRenderExample,
		Args:              command.Arguments(0, 0, "-f FILE and no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := f.read(cmd.Context(), s)
			if err != nil {
				return err
			}
			objects, err := p.Render()
			if err != nil {
				return err
			}
			out, err := render.YAML(objects)
			if err != nil {
				return err
			}
			_, err = s.Out.Write(out)
			return err
		},
	}
	f.add(cmd)
	return cmd
}

func newPlatformDiscover(s command.Streams) *cobra.Command {
	var f platformFile
	cmd := &cobra.Command{
		Use:               "discover",
		Short:             "Print what a cluster offers",
		Long:              platformDiscoverLong,
		Example:           platformDiscoverExample,
		Args:              command.Arguments(0, 0, "no arguments"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			found, err := f.discover(cmd.Context(), s.Err)
			if err != nil {
				return err
			}
			out, err := yaml.Marshal(struct {
				Offers         platform.Offers         `json:"offers"`
				IngressClasses []platform.IngressClass `json:"ingressClasses,omitempty"`
				Gateways       []platform.Gateway      `json:"gateways,omitempty"`
			}{found.Offers, found.IngressClasses, found.Gateways})
			if err != nil {
				return err
			}
			_, err = s.Out.Write(out)
			return err
		},
	}
	f.cluster.addCluster(cmd)
	return cmd
}
