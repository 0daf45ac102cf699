package main

import (
	"cmp"
	"path"
	"strings"

	"github.com/spf13/pflag"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/gitops"
	"mizzen.dev/internal/kustomization"
	"mizzen.dev/internal/render"
	"mizzen.dev/internal/version"
)

// gitopsFlags say where Argo CD finds the objects and where it puts them.
type gitopsFlags struct {
	repoURL, path, revision    string
	namespace, project, server string
}

func (g *gitopsFlags) add(f *pflag.FlagSet) {
	f.StringVar(&g.repoURL, "repo-url", "", "argocd: `URL` of the Git repository")
	f.StringVar(&g.path, "path", "deploy", "argocd, github-actions: `DIR` in the repository with the objects, or with overlays of --environments")
	f.StringVar(&g.revision, "revision", "main", "argocd: `BRANCH`, tag or commit")
	f.StringVar(&g.namespace, "argocd-namespace", "argocd", "argocd: `NAMESPACE` of Argo CD")
	f.StringVar(&g.project, "project", "default", "argocd: `NAME` of the project of Argo CD")
	f.StringVar(&g.server, "server", "https://kubernetes.default.svc", "argocd: `URL` of the cluster's API server, as Argo CD knows it")
}

// workflowFlags say what the workflow tests and builds.
type workflowFlags struct {
	model, image, rows, expected string
}

func (w *workflowFlags) add(f *pflag.FlagSet) {
	f.StringVar(&w.model, "model", "", "github-actions: `FILE` of the model in the repository (default model.pkl)")
	f.StringVar(&w.image, "image", "", "github-actions: `REPOSITORY` to push the image to (default that of the Model)")
	f.StringVar(&w.rows, "rows", "", "github-actions: `FILE` in the repository with rows to predict")
	f.StringVar(&w.expected, "expected", "", "github-actions: `FILE` in the repository with the answers to them")
}

func (o *renderOptions) argocd(s command.Streams, models []*v1alpha1.Model, results []*render.Result) error {
	if o.gitops.repoURL == "" {
		return command.Usagef("say which repository Argo CD is to look at: --repo-url URL")
	}
	app := gitops.Application{
		Name: models[0].Name, RepoURL: o.gitops.repoURL, Path: o.gitops.path, Revision: o.gitops.revision,
		Namespace: o.gitops.namespace, Project: o.gitops.project, Server: o.gitops.server,
	}
	for i, r := range results {
		if models[i].Namespace != models[0].Namespace {
			return command.Usagef("an Application has one namespace: %s is in %s and %s in %s", models[0].Name, models[0].Namespace, models[i].Name, models[i].Namespace)
		}
		if r.ScaledBy != "" {
			app.Autoscaled = append(app.Autoscaled, models[i].Name)
		}
	}
	for _, name := range o.environments {
		app.Environments = append(app.Environments, gitops.Environment{Name: name, Namespace: kustomization.Namespace(models[0].Namespace, name), Overlay: true})
	}
	if len(app.Environments) == 0 {
		app.Environments = []gitops.Environment{{Namespace: models[0].Namespace}}
	}
	text, err := app.YAML()
	return o.print(s, "application.yaml", text, err)
}

func (o *renderOptions) workflow(s command.Streams, models []*v1alpha1.Model, results []*render.Result) error {
	if len(models) != 1 {
		return command.Usagef("a workflow is of one Model, found %d: make one for each", len(models))
	}
	if runtime := render.RuntimeName(&models[0].Spec); runtime != v1alpha1.RuntimeMizzen {
		return command.Usagef("the workflow makes an image of mizzen, and has the overlay run it: in the place of %s, which %s runs, it would serve nothing", runtime, models[0].Name)
	}
	if (o.ci.rows == "") != (o.ci.expected == "") {
		return command.Usagef("--rows and --expected belong together: what to predict, and what must come out")
	}
	if o.files[0] == "-" || o.platform.name == "-" {
		return command.Usagef("the workflow renders the files of the repository: name them, not standard input")
	}
	w := newWorkflow(models[0], results[0])
	w.Manifest, w.Platform = o.files[0], o.platform.name
	w.ModelFile = cmp.Or(o.ci.model, w.ModelFile)
	w.Image = cmp.Or(o.ci.image, w.Image)
	w.Rows, w.Expected = o.ci.rows, o.ci.expected
	environment := kustomization.Development
	if len(o.environments) > 0 {
		environment = o.environments[0]
	}
	w.Overlay = path.Join(o.gitops.path, "overlays", environment)
	text, err := w.YAML()
	return o.print(s, "model.yml", text, err)
}

// newWorkflow is what follows from the Model.
func newWorkflow(model *v1alpha1.Model, result *render.Result) gitops.Workflow {
	w := gitops.Workflow{
		Name: model.Name, ModelFile: "model.pkl",
		BaseImage: repository(result.Image), WithModel: model.Spec.Source.Image != nil, Mizzen: mizzenVersion(),
	}
	w.Image = w.BaseImage
	return w
}

// mizzenVersion is the version that a workflow installs: this one, if it was released.
func mizzenVersion() string {
	if v := version.Get().Version; strings.HasPrefix(v, "v") && !strings.Contains(v, "-") {
		return v
	}
	return "latest"
}

// repository is an image without tag and digest.
func repository(image string) string {
	name, _, _ := strings.Cut(image, "@")
	if colon := strings.LastIndexByte(name, ':'); colon > strings.LastIndexByte(name, '/') {
		name = name[:colon]
	}
	return name
}

// print prints one file, or writes it into the output directory.
func (o *renderOptions) print(s command.Streams, name string, text []byte, err error) error {
	if err != nil {
		return err
	}
	if o.output != "" {
		return o.write(s, map[string][]byte{name: text}, nil, nil)
	}
	_, err = s.Out.Write(text)
	return err
}
