package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/chart"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/kustomization"
	"mizzen.dev/internal/manifest"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

const renderLong = `Turn Models into all that they are on Kubernetes, and print it: plain YAML in the
order in which it is applied, or write it as files for another tool. The same Model
and platform file always give the same output.

What the Model asks for and the platform cannot do is an error, with the field, the
reason and what to do. What is doubtful is a warning on standard error.

    --to yaml            the objects; to standard output without --output
    --to kustomize       a base and an overlay for each of --environments; the image
                         that an overlay was given since, and its revision, stay
    --to helm            a chart, with values for what differs between environments
    --to argocd          an Application, or an ApplicationSet over the overlays if
                         there are several --environments; to standard output
    --to github-actions  a workflow that tests the model, makes, signs and describes
                         the image, and bumps it in the overlay of the first of
                         --environments; to standard output
    --to dashboard       the dashboard, to import into Grafana; to standard output`

const renderExample = `  # what would run?
  mizzenctl render -f model.yaml

  # for this cluster, to it
  mizzenctl render -f model.yaml --from-cluster | kubectl apply --server-side -f -

  # with the facts of a platform, as files for Kustomize and Helm
  mizzenctl render -f model.yaml --platform platform.yaml --to kustomize -o deploy
  mizzenctl render -f model.yaml --platform platform.yaml --to helm -o charts/iris

  # for Argo CD: from where it takes the overlays
  mizzenctl render -f model.yaml --to argocd --repo-url https://github.com/acme/iris --path deploy --environments dev,prod

  # for GitHub
  mizzenctl render -f model.yaml --to github-actions --model model.pkl > .github/workflows/model.yml

  # for Grafana
  mizzenctl render -f model.yaml --to dashboard > iris.json`

type renderOptions struct {
	files        []string
	platform     platformFile
	namespace    string
	to           command.Choice
	output       string
	force        bool
	secrets      bool
	environments []string
	gitops       gitopsFlags
	ci           workflowFlags
}

func newRender(s command.Streams) *cobra.Command {
	var o renderOptions
	cmd := &cobra.Command{
		Use:               "render -f FILE",
		Short:             "Turn Models into Kubernetes objects, a chart, overlays or a workflow",
		Long:              renderLong,
		Example:           renderExample,
		GroupID:           groupFiles,
		Args:              command.Arguments(0, 0, "no arguments; files are given with -f"),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context(), s) },
	}
	f := cmd.Flags()
	f.StringArrayVarP(&o.files, "filename", "f", nil, "`FILE` with Models, - for standard input; may be given several times")
	f.StringVar(&o.platform.name, "platform", "", "`FILE` with the platform's facts; a bare cluster without it")
	f.BoolVar(&o.platform.fromCluster, "from-cluster", false, "ask the cluster what it offers")
	o.platform.cluster.addCluster(cmd)
	f.StringVarP(&o.namespace, "namespace", "n", "", "namespace of Models that name none")
	o.to.Flag(cmd, "to", "", "what to make", "yaml", "kustomize", "helm", "argocd", "github-actions", "dashboard")
	f.StringVarP(&o.output, "output", "o", "", "`DIR` to write files into")
	f.BoolVar(&o.force, "force", false, "overwrite files that are different, and remove templates that a chart no longer has")
	f.BoolVar(&o.secrets, "development-secrets", false, "make the Secrets that the Models name, with made-up values: for a cluster on a desk")
	f.StringSliceVar(&o.environments, "environments", nil, "`NAMES` of the environments that have an overlay (default dev,prod)")
	o.gitops.add(f)
	o.ci.add(f)
	return cmd
}

func (o *renderOptions) run(ctx context.Context, s command.Streams) error {
	if len(o.files) == 0 {
		return command.Usagef("render needs a file with a Model: -f model.yaml")
	}
	if o.secrets && o.to.Value != "yaml" {
		return command.Usagef("--development-secrets are for --to yaml alone: made-up values have no place in what is kept")
	}
	if o.platform.name == "-" && slices.Contains(o.files, "-") {
		return command.Usagef("standard input cannot be both the Models and the platform: name a file for one of them")
	}
	p, err := o.platform.readOrBare(ctx, s)
	if err != nil {
		return err
	}
	loader, err := manifest.NewLoader(o.namespace)
	if err != nil {
		return err
	}
	models, err := loader.LoadFiles(ctx, o.files, s.In)
	if err != nil {
		return err
	}
	results, err := o.render(models, p, s.Err)
	if err != nil {
		return err
	}
	switch o.to.Value {
	case "kustomize":
		return o.kustomize(s, models, p)
	case "helm":
		return o.helm(s, models, p)
	case "argocd":
		return o.argocd(s, models, results)
	case "github-actions":
		return o.workflow(s, models, results)
	case "dashboard":
		return o.dashboard(s, models, p)
	}
	return o.yaml(s, results)
}

// render renders all Models, says what is doubtful, and fails with all that is refused.
func (o *renderOptions) render(models []*v1alpha1.Model, p *platform.Platform, warnings io.Writer) ([]*render.Result, error) {
	var results []*render.Result
	var refused []error
	for _, model := range models {
		result, err := render.Render(render.Input{Model: model, Platform: p, DevelopmentSecrets: o.secrets})
		if err != nil {
			return nil, err
		}
		for _, problem := range result.Problems {
			line := fmt.Sprintf("%s: %s: %s: %s", model.Name, problem.Path, problem.Reason, problem.Message)
			if problem.Severity == render.Refused {
				refused = append(refused, errors.New(line))
				continue
			}
			fmt.Fprintf(warnings, "warning: %s\n", command.PrintableLines(line))
		}
		results = append(results, result)
	}
	return results, errors.Join(append(refused, meetings(results)...)...)
}

// meetings are the objects that two Models would both make, such as the Ingress iris-grpc
// of iris and that of iris-grpc.
func meetings(results []*render.Result) []error {
	var met []error
	makers := map[string]string{} // names of Models by what they make
	for _, r := range results {
		for _, o := range r.Objects {
			maker := o.GetLabels()[render.ModelLabel]
			if maker == "" { // a Secret of development, which is anybody's
				continue
			}
			what := fmt.Sprintf("%s %s/%s", o.GroupVersionKind().GroupKind(), o.GetNamespace(), o.GetName())
			if other, ok := makers[what]; ok {
				met = append(met, fmt.Errorf("%s: the Models %s and %s would both make it: rename one of them", what, other, maker))
			}
			makers[what] = maker
		}
	}
	return met
}

// environmentNames are the environments that have an overlay.
func (o *renderOptions) environmentNames() []string {
	if len(o.environments) == 0 {
		return []string{kustomization.Development, kustomization.Production}
	}
	return o.environments
}

func (o *renderOptions) yaml(s command.Streams, results []*render.Result) error {
	var objects []*unstructured.Unstructured
	for _, r := range results {
		objects = append(objects, r.Objects...)
	}
	text, err := render.YAML(objects)
	return o.print(s, "objects.yaml", text, err)
}

func (o *renderOptions) kustomize(s command.Streams, models []*v1alpha1.Model, p *platform.Platform) error {
	in := kustomization.Input{Models: models, Platform: p, Environments: o.environmentNames()}
	if o.output != "" {
		in.There = os.DirFS(o.output)
	}
	files, err := kustomization.Make(in)
	return o.write(s, files, nil, err)
}

func (o *renderOptions) helm(s command.Streams, models []*v1alpha1.Model, p *platform.Platform) error {
	if len(models) != 1 {
		return command.Usagef("a chart is of one Model, found %d: make one chart for each", len(models))
	}
	files, err := chart.Make(chart.Input{Model: models[0], Platform: p})
	if err != nil || o.output == "" {
		return o.write(s, files, nil, err)
	}
	stale, err := chart.Stale(os.DirFS(o.output), files)
	return o.write(s, files, stale, err)
}

// dashboard prints the dashboard of a Model, whether or not the platform has a
// Grafana that would find it.
func (o *renderOptions) dashboard(s command.Streams, models []*v1alpha1.Model, p *platform.Platform) error {
	if len(models) != 1 {
		return command.Usagef("a dashboard is of one Model, found %d", len(models))
	}
	text, err := render.Dashboard(render.Input{Model: models[0], Platform: p})
	return o.print(s, models[0].Name+".json", append(text, '\n'), err)
}

// write writes files below the output directory, removes stale ones, and says which.
func (o *renderOptions) write(s command.Streams, files map[string][]byte, stale []string, err error) error {
	if err != nil {
		return err
	}
	if o.output == "" {
		return command.Usagef("--to %s makes several files: say where with --output DIR", o.to.Value)
	}
	written, err := writeFiles(o.output, files, stale, o.force)
	var exist *existError
	if errors.As(err, &exist) {
		return fmt.Errorf("%w; use --force to overwrite or remove them, or another directory", err)
	}
	slices.Sort(written)
	for _, name := range written {
		fmt.Fprintln(s.Err, name)
	}
	if err != nil {
		return err
	}
	for _, name := range stale {
		fmt.Fprintf(s.Err, "removed %s, which the chart no longer has\n", filepath.Join(o.output, filepath.FromSlash(name)))
	}
	return nil
}
