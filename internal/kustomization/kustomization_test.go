package kustomization_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/kustomization"
	"mizzen.dev/internal/manifest"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

var environments = []string{"dev", "staging", "prod"}

// models are those of testdata, one a file.
func models(t *testing.T) (map[string]*v1alpha1.Model, *platform.Platform) {
	t.Helper()
	const charts = "../chart/testdata" // the same variety is of interest here
	p, err := platform.Load(filepath.Join(charts, "platform.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	loader, err := manifest.NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(charts, "models", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("found the models %v: %v", files, err)
	}
	found := map[string]*v1alpha1.Model{}
	for _, file := range files {
		loaded, err := loader.LoadFiles(context.Background(), []string{file}, nil)
		if err != nil {
			t.Fatal(err)
		}
		found[filepath.Base(file)] = loaded[0]
	}
	return found, p
}

func onDisk(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// build does what kustomize build does.
func build(t *testing.T, dir string) map[string]any {
	t.Helper()
	resources, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), dir)
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]any{}
	for _, r := range resources.Resources() {
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		var object map[string]any
		if err := yaml.Unmarshal(text, &object); err != nil {
			t.Fatal(err)
		}
		objects[r.GetKind()+"/"+r.GetNamespace()+"/"+r.GetName()] = object
	}
	return objects
}

func rendered(t *testing.T, model *v1alpha1.Model, p *platform.Platform) map[string]any {
	t.Helper()
	result, err := render.Render(render.Input{Model: model, Platform: p})
	if err != nil {
		t.Fatal(err)
	}
	objects := map[string]any{}
	for _, o := range result.Objects {
		objects[o.GetKind()+"/"+o.GetNamespace()+"/"+o.GetName()] = plain(t, o)
	}
	return objects
}

func plain(t *testing.T, o *unstructured.Unstructured) any {
	t.Helper()
	text, err := json.Marshal(o.Object)
	if err != nil {
		t.Fatal(err)
	}
	var object any
	if err := json.Unmarshal(text, &object); err != nil {
		t.Fatal(err)
	}
	return object
}

// TestBuild: the base is the Model, and each overlay is the Model as it is in that
// environment.
func TestBuild(t *testing.T) {
	all, p := models(t)
	for name, model := range all {
		t.Run(name, func(t *testing.T) {
			files, err := kustomization.Make(kustomization.Input{Models: []*v1alpha1.Model{model}, Platform: p, Environments: environments})
			if err != nil {
				t.Fatal(err)
			}
			dir := onDisk(t, files)
			if diff := cmp.Diff(rendered(t, model, p), build(t, filepath.Join(dir, "base"))); diff != "" {
				t.Errorf("base: -rendered +built\n%s", diff)
			}
			for _, environment := range environments {
				want := rendered(t, kustomization.For(model, environment), p)
				if model.Spec.Resources == nil && environment == "dev" {
					halve(want)
				}
				if diff := cmp.Diff(want, build(t, filepath.Join(dir, "overlays", environment))); diff != "" {
					t.Errorf("%s: -rendered +built\n%s", environment, diff)
				}
			}
		})
	}
}

// TestValid: each environment has a Model that the API server would take.
func TestValid(t *testing.T) {
	all, _ := models(t)
	loader, err := manifest.NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	for name, model := range all {
		for _, environment := range environments {
			written, err := yaml.Marshal(kustomization.For(model, environment))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := loader.Load(context.Background(), name, bytes.NewReader(written)); err != nil {
				t.Errorf("%s: %v", environment, err)
			}
		}
	}
}

// halve changes the request for CPU that a Model without resources has.
func halve(objects map[string]any) {
	for _, o := range objects {
		if o := o.(map[string]any); o["kind"] == "Deployment" {
			containers, _, _ := unstructured.NestedSlice(o, "spec", "template", "spec", "containers")
			containers[0].(map[string]any)["resources"].(map[string]any)["requests"].(map[string]any)["cpu"] = "50m"
			_ = unstructured.SetNestedSlice(o, containers, "spec", "template", "spec", "containers")
		}
	}
}

// TestBump: what is changed by hand in an overlay is what changes: the image of all
// containers that have it, the revision, the number of pods, the resources.
func TestBump(t *testing.T) {
	all, p := models(t)
	model := all["fixed.yaml"]
	files, err := kustomization.Make(kustomization.Input{Models: []*v1alpha1.Model{model}, Platform: p, Environments: environments})
	if err != nil {
		t.Fatal(err)
	}
	const overlay = "overlays/prod/"
	edit := func(file string, change func(map[string]any)) {
		var content map[string]any
		if err := yaml.Unmarshal(files[overlay+file], &content); err != nil {
			t.Fatal(err)
		}
		change(content)
		var err error
		if files[overlay+file], err = yaml.Marshal(content); err != nil {
			t.Fatal(err)
		}
	}
	edit("kustomization.yaml", func(k map[string]any) { k["images"].([]any)[0].(map[string]any)["newTag"] = "4-1234567" })
	edit("houses-scale.yaml", func(patch map[string]any) { patch["spec"].(map[string]any)["replicas"] = 5 })
	files[overlay+"houses-revision.yaml"] = []byte("- op: replace\n  path: /spec/template/metadata/labels/mizzen.dev~1revision\n  value: 4-1234567\n")
	built := build(t, filepath.Join(onDisk(t, files), overlay))

	changed := model.DeepCopy()
	replicas := int32(5)
	changed.Spec.Replicas = &replicas
	changed.Spec.Source.Image.Reference = "registry.example.com/houses:4-1234567"
	want := rendered(t, changed, p)
	labels := want["Deployment/default/houses"].(map[string]any)["spec"].(map[string]any)["template"].(map[string]any)["metadata"].(map[string]any)["labels"].(map[string]any)
	labels[render.RevisionLabel] = "4-1234567"
	if diff := cmp.Diff(want, built); diff != "" {
		t.Errorf("-rendered +built\n%s", diff)
	}
}

// TestTogether: Models of one namespace share a base.
func TestTogether(t *testing.T) {
	all, p := models(t)
	both := []*v1alpha1.Model{all["keda.yaml"], all["hpa.yaml"]}
	files, err := kustomization.Make(kustomization.Input{Models: both, Platform: p, Environments: environments})
	if err != nil {
		t.Fatal(err)
	}
	dir := onDisk(t, files)
	for _, environment := range environments {
		if got := build(t, filepath.Join(dir, "overlays", environment)); len(got) < 8 {
			t.Errorf("%s has only %d objects", environment, len(got))
		}
	}
	if _, err := kustomization.Make(kustomization.Input{Models: []*v1alpha1.Model{all["keda.yaml"], all["triton.yaml"]}, Platform: p}); err == nil {
		t.Error("Models of two namespaces were written into one base")
	}
}

// TestAgain: what is made again follows the Model, but an overlay that was given another
// image keeps it, and its revision.
func TestAgain(t *testing.T) {
	all, p := models(t)
	model := all["fixed.yaml"]
	in := kustomization.Input{Models: []*v1alpha1.Model{model}, Platform: p, Environments: environments}
	files, err := kustomization.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	const bumped = "overlays/dev/"
	name := repositoryOf(model.Spec.Source.Image.Reference)
	kustomized := strings.Replace(string(files[bumped+"kustomization.yaml"]), "- name: "+name, "- digest: sha256:22\n  name: "+name, 1)
	revision := "- op: replace\n  path: /spec/template/metadata/labels/mizzen.dev~1revision\n  value: 4-1234567\n"
	files[bumped+"kustomization.yaml"], files[bumped+"houses-revision.yaml"] = []byte(kustomized), []byte(revision)
	in.There = os.DirFS(onDisk(t, files))

	next := model.DeepCopy()
	next.Spec.Source.Image.Reference = name + ":next"
	in.Models = []*v1alpha1.Model{next}
	again, err := kustomization.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	if got := string(again[bumped+"houses-revision.yaml"]); got != revision {
		t.Errorf("the revision of what was bumped is now\n%s", got)
	}
	if got := string(again[bumped+"kustomization.yaml"]); got != kustomized {
		t.Errorf("-bumped +again\n%s", cmp.Diff(kustomized, got))
	}
	in.There = nil
	want, err := kustomization.Make(in)
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{bumped + "houses-revision.yaml", bumped + "kustomization.yaml"} {
		delete(want, file)
		delete(again, file)
	}
	if diff := cmp.Diff(want, again); diff != "" {
		t.Errorf("-of the Model +again\n%s", diff)
	}
}

func repositoryOf(image string) string { return image[:strings.LastIndexByte(image, ':')] }
