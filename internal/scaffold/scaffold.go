// Package scaffold makes a repository of the recommended shape around a model file.
package scaffold

import (
	"bytes"
	"context"
	"embed"
	"fmt"
	"maps"
	"path"
	"regexp"
	"strings"
	"text/template"

	"mizzen.dev/internal/gitops"
	"mizzen.dev/internal/kustomization"
	"mizzen.dev/internal/manifest"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// Input is what the repository is made from.
type Input struct {
	// Name, Namespace and Version of the Model.
	Name, Namespace, Version string
	// ModelFile is the name of the model file in the repository, Digest its digest.
	ModelFile, Digest string
	// Store is the URI below which model files are kept, such as s3://models; "" for a
	// model that is in the image.
	Store string
	// Image is the repository that the image is pushed to, without a tag.
	Image string
	// Host under which the model is reached from outside; "" for none.
	Host string
	// Rows to predict and the Answers to them; both nil if they are not known.
	Rows, Answers []byte
	// Mizzen is the version that the workflow installs.
	Mizzen string
}

// URI is where the model file is fetched from, "" if it is in the image.
func (in Input) URI() string {
	if in.Store == "" {
		return ""
	}
	return strings.TrimSuffix(in.Store, "/") + "/" + path.Join(in.Name, in.Version, in.ModelFile)
}

// RowsFile is where the rows of the smoke test are, "" if there is none.
func (in Input) RowsFile() string {
	if in.Rows == nil {
		return ""
	}
	return "smoke/rows.csv"
}

// AnswersFile is where the answers to the rows are.
func (in Input) AnswersFile() string {
	if in.Rows == nil {
		return ""
	}
	return "smoke/answers.csv"
}

// Production is the namespace of production.
func (in Input) Production() string { return in.Namespace }

// Development is the namespace of development.
func (in Input) Development() string {
	return kustomization.Namespace(in.Namespace, kustomization.Development)
}

// Where things are in the repository.
const (
	manifestFile = "model.yaml"
	platformFile = "platform.yaml"
	deployDir    = "deploy"
	workflowFile = ".github/workflows/model.yml"
)

//go:embed files
var sources embed.FS

var notInNames = regexp.MustCompile(`[^a-z0-9]+`)

// NameOf makes the name of a Model of that of its file; a file that is called just
// model has the name of its directory.
func NameOf(directory, file string) string {
	base := strings.ToLower(file)
	base = strings.TrimSuffix(base, path.Ext(base))
	if base == "model" {
		base = strings.ToLower(directory)
	}
	return strings.TrimRight(strings.TrimLeft(notInNames.ReplaceAllString(base, "-"), "-0123456789"), "-")
}

// Files returns the files of the repository, but the model itself.
func Files(ctx context.Context, in Input) (map[string][]byte, error) {
	files := map[string][]byte{}
	for target, source := range map[string]string{
		manifestFile: "model.yaml.tmpl", platformFile: "platform.yaml.tmpl", "README.md": "README.md.tmpl", ".gitignore": "gitignore.tmpl",
	} {
		text, err := fill(source, in)
		if err != nil {
			return nil, err
		}
		files[target] = text
	}
	if in.Rows != nil {
		files[in.RowsFile()], files[in.AnswersFile()] = in.Rows, in.Answers
	}
	deploy, image, err := deployment(ctx, files)
	if err != nil {
		return nil, err
	}
	maps.Copy(files, deploy)
	files[workflowFile], err = gitops.Workflow{
		Name: in.Name, Manifest: manifestFile, Platform: platformFile, ModelFile: in.ModelFile,
		Rows: in.RowsFile(), Expected: in.AnswersFile(), Image: in.Image,
		WithModel: in.Store == "", Overlay: path.Join(deployDir, "overlays", kustomization.Development),
		BaseImage: strings.TrimSuffix(image, ":"+in.Version), Mizzen: in.Mizzen,
	}.YAML()
	return files, err
}

func fill(source string, in Input) ([]byte, error) {
	text, err := sources.ReadFile("files/" + source)
	if err != nil {
		return nil, err
	}
	t, err := template.New(source).Option("missingkey=error").Parse(string(text))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, in)
	return b.Bytes(), err
}

// deployment renders what was written, read as it will be read, and returns the image.
func deployment(ctx context.Context, files map[string][]byte) (map[string][]byte, string, error) {
	p, err := platform.Read(bytes.NewReader(files[platformFile]), platformFile)
	if err != nil {
		return nil, "", err
	}
	loader, err := manifest.NewLoader("")
	if err != nil {
		return nil, "", err
	}
	models, err := loader.Load(ctx, manifestFile, bytes.NewReader(files[manifestFile]))
	if err != nil {
		return nil, "", err
	}
	result, err := render.Render(render.Input{Model: models[0], Platform: p})
	if err != nil {
		return nil, "", err
	}
	made, err := kustomization.Make(kustomization.Input{Models: models, Platform: p,
		Environments: []string{kustomization.Development, kustomization.Production}})
	if err != nil {
		return nil, "", fmt.Errorf("writing %s: %w", deployDir, err)
	}
	below := make(map[string][]byte, len(made))
	for name, content := range made {
		below[path.Join(deployDir, name)] = content
	}
	return below, result.Image, nil
}
