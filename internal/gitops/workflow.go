package gitops

import (
	"bytes"
	_ "embed" // the workflow
	"fmt"
	"regexp"
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

// plainName is a path of which a shell reads every character as itself, and which is no flag.
var plainName = regexp.MustCompile(`^[\pL\pN._+=@,/][\pL\pN._+=@,/-]*$`)

// CheckName says of the name of a file, or of a directory, why it cannot stand in a shell's
// line as it is.
func CheckName(name string) error {
	if plainName.MatchString(name) {
		return nil
	}
	return fmt.Errorf("%q would stand in lines that a shell reads: rename it, to letters, digits and . _ - + = @ or a comma, with no - in front", name)
}

//go:embed workflow.yml.tmpl
var workflowTemplate string

// YAML returns the workflow.
func (w Workflow) YAML() ([]byte, error) {
	for _, name := range []string{w.Manifest, w.Platform, w.ModelFile, w.Rows, w.Expected, w.Overlay} {
		if name == "" {
			continue
		}
		if err := CheckName(name); err != nil {
			return nil, err
		}
	}
	// GitHub's own expressions have curly braces, too.
	t, err := template.New("workflow").Delims("[[", "]]").Option("missingkey=error").Parse(workflowTemplate)
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	err = t.Execute(&b, w)
	return b.Bytes(), err
}
