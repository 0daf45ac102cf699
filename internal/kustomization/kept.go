package kustomization

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"reflect"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
)

// bumped returns the image that somebody had an overlay run, and its revision patch, nil
// without one: what a release wrote there is not in the Model, and stays. It returns nil
// where the overlay has the image as it was rendered.
func (in Input) bumped(dir string, model *v1alpha1.Model, image string) (entry map[string]any, revision []byte, err error) {
	var overlay struct {
		Images []map[string]any `json:"images"`
	}
	if err := in.read(path.Join(dir, "kustomization.yaml"), &overlay); err != nil {
		return nil, nil, err
	}
	name := imageEntry(image)["name"]
	for _, there := range overlay.Images {
		if there["name"] == name {
			entry = there
		}
	}
	before, err := in.imageBefore(model)
	if entry == nil || err != nil || reflect.DeepEqual(entry, imageEntry(before)) {
		return nil, nil, err
	}
	revision, err = in.content(path.Join(dir, revisionFile(model)))
	return entry, revision, err
}

// imageBefore is the image of the base that is there, "" without one.
func (in Input) imageBefore(model *v1alpha1.Model) (string, error) {
	name := path.Join("base", model.Name+".yaml")
	content, err := in.content(name)
	if err != nil {
		return "", err
	}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(content)))
	for {
		doc, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return "", nil
		}
		o := &unstructured.Unstructured{}
		if err == nil {
			err = yaml.Unmarshal(doc, &o.Object)
		}
		if err != nil {
			return "", fmt.Errorf("reading %s: %w", name, err)
		}
		if containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers"); len(containers) > 0 {
			server, _ := containers[0].(map[string]any)
			image, _ := server["image"].(string)
			return image, nil
		}
	}
}

// read reads a file that is there into a value, which stays as it is without one.
func (in Input) read(name string, into any) error {
	content, err := in.content(name)
	if err != nil {
		return err
	}
	if err := yaml.Unmarshal(content, into); err != nil {
		return fmt.Errorf("reading %s: %w", name, err)
	}
	return nil
}

// content is that of a file that is there, nil without one.
func (in Input) content(name string) ([]byte, error) {
	if in.There == nil {
		return nil, nil
	}
	content, err := fs.ReadFile(in.There, name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return content, err
}
