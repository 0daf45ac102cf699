// Package kustomization writes Models as a base and overlays for Kustomize. An
// overlay is the difference between two renderings, of the Model and of the Model as
// it is in an environment: what Kustomize builds from it is what the latter gives.
package kustomization

import (
	"fmt"
	"io/fs"
	"path"
	"strings"

	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// Input is what the files are made from.
type Input struct {
	// Models, defaulted and valid, of one namespace. They are not changed.
	Models []*v1alpha1.Model
	// Platform of the clusters. It is not changed.
	Platform *platform.Platform
	// Environments that have an overlay.
	Environments []string
	// There are the files that were made before, nil if there are none: an image that an
	// overlay was given since stays, and its revision.
	There fs.FS
}

// Make returns the files by their paths: base/ and overlays/ENVIRONMENT/.
func Make(in Input) (map[string][]byte, error) {
	files := map[string][]byte{}
	var names []string
	for _, model := range in.Models {
		if model.Namespace != in.Models[0].Namespace {
			return nil, fmt.Errorf("an overlay has one namespace: %s is in %s and %s in %s; write them into directories of their own",
				in.Models[0].Name, in.Models[0].Namespace, model.Name, model.Namespace)
		}
		base, err := in.render(model)
		if err != nil {
			return nil, err
		}
		name := model.Name + ".yaml"
		names = append(names, name)
		if files[path.Join("base", name)], err = render.YAML(base.Objects); err != nil {
			return nil, err
		}
	}
	if err := writeKustomization(files, "base", "Made by mizzenctl render --to kustomize: change the Model and make it again.",
		map[string]any{"resources": names}); err != nil {
		return nil, err
	}
	for _, environment := range in.Environments {
		if err := in.overlay(files, environment); err != nil {
			return nil, fmt.Errorf("writing the overlay %s: %w", environment, err)
		}
	}
	return files, nil
}

func (in Input) render(model *v1alpha1.Model) (*render.Result, error) {
	result, err := render.Render(render.Input{Model: model, Platform: in.Platform})
	if err != nil {
		return nil, err
	}
	if refused := result.Refusals(); len(refused) > 0 {
		return nil, refused[0]
	}
	return result, nil
}

// overlay writes the files of one environment.
func (in Input) overlay(files map[string][]byte, environment string) error {
	o := &overlay{dir: path.Join("overlays", environment), files: files, resources: []string{"../../base"}}
	for _, model := range in.Models {
		base, err := in.render(model)
		if err != nil {
			return err
		}
		effective, err := base.ServerResources()
		if err != nil {
			return err
		}
		result, err := in.render(For(explicit(model, effective), environment))
		if err != nil {
			return err
		}
		entry, revision, err := in.bumped(o.dir, model, base.Image)
		if err != nil {
			return err
		}
		if err := o.add(model, base, result, entry); err != nil {
			return err
		}
		if revision != nil {
			o.write(revisionFile(model), revision)
		}
	}
	content := map[string]any{
		"namespace": Namespace(in.Models[0].Namespace, environment),
		"resources": o.resources,
		"patches":   o.patches,
	}
	if len(o.images) > 0 {
		content["images"] = o.images
	}
	return writeKustomization(files, o.dir, "The environment "+environment+". With the image, change the revision: it names what the pods run.", content)
}

func writeKustomization(files map[string][]byte, dir, comment string, content map[string]any) error {
	content["apiVersion"], content["kind"] = "kustomize.config.k8s.io/v1beta1", "Kustomization"
	written, err := yaml.Marshal(content)
	files[path.Join(dir, "kustomization.yaml")] = []byte("# " + strings.TrimSpace(comment) + "\n" + string(written))
	return err
}
