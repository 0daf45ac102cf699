package gitops

import (
	"bytes"
	_ "embed" // the workflow
	"text/template"
)

// Workflow is what GitHub does with a repository that has a model in it.
type Workflow struct {
	// Name of the Model, and the files of it and of its model.
	Name, Manifest, Platform, ModelFile string
	// Rows are a file of rows to predict, Expected the answers to them; both are "" if
	// there are none.
	Rows, Expected string
	// Image is the repository that the image is pushed to, without a tag: tags are the
	// version, as the manifest has it when the workflow runs, and the commit.
	Image string
	// WithModel says that the image has the model in it.
	WithModel bool
	// Overlay is the directory of the overlay whose image is bumped, and BaseImage the
	// image of the base, by which the overlay names it.
	Overlay, BaseImage string
	// Mizzen is the version of mizzen that tests and builds.
	Mizzen string
}

//go:embed workflow.yml.tmpl
var workflowTemplate string

// YAML returns the workflow.
func (w Workflow) YAML() ([]byte, error) {
	// GitHub's own expressions have curly braces, too.
	t, err := template.New("workflow").Delims("[[", "]]").Option("missingkey=error").Parse(workflowTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, w)
	return b.Bytes(), err
}
