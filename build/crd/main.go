// Command crd makes the CustomResourceDefinition and the deepcopy functions of the
// API's Go types: with controller-gen, at a pinned version, and then bounds on what
// types of Kubernetes itself leave unbounded, and values where they leave them open.
//
//	go run ./build/crd
package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	apiextensions "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/yaml"
)

const controllerGen = "sigs.k8s.io/controller-tools/cmd/controller-gen@v0.23.0"

const header = `# Made from the Go types beside it by build/crd: make generate.
`

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "crd:", err)
		os.Exit(1)
	}
}

func run() error {
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	dir := filepath.Join(root, "api", "v1alpha1")
	raw, err := generate(dir)
	if err != nil {
		return err
	}
	var crd apiextensions.CustomResourceDefinition
	if err := yaml.UnmarshalStrict(raw, &crd); err != nil {
		return fmt.Errorf("reading what controller-gen wrote: %w", err)
	}
	for i := range crd.Spec.Versions {
		schema := crd.Spec.Versions[i].Schema.OpenAPIV3Schema
		bound(schema)
		if err := narrow(schema); err != nil {
			return err
		}
	}
	out, err := render(&crd)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "crd.yaml"), out, 0o644)
}

func moduleRoot() (string, error) {
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "mizzen.dev").Output()
	if err != nil {
		return "", fmt.Errorf("running go list: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// generate runs controller-gen, which writes the deepcopy functions into dir, and
// returns the CustomResourceDefinition.
func generate(dir string) ([]byte, error) {
	cmd := exec.Command("go", "run", controllerGen, "object", "crd:maxDescLen=400", "paths=.", "output:crd:stdout")
	cmd.Dir = dir
	var stdout bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("running controller-gen: %w", err)
	}
	return stdout.Bytes(), nil
}

// render writes the resource without what the API server fills in itself.
func render(crd *apiextensions.CustomResourceDefinition) ([]byte, error) {
	crd.Annotations = nil
	body, err := yaml.Marshal(struct {
		APIVersion string                                     `json:"apiVersion"`
		Kind       string                                     `json:"kind"`
		Metadata   map[string]string                          `json:"metadata"`
		Spec       apiextensions.CustomResourceDefinitionSpec `json:"spec"`
	}{crd.APIVersion, crd.Kind, map[string]string{"name": crd.Name}, crd.Spec})
	if err != nil {
		return nil, err
	}
	return append([]byte(header), body...), nil
}
