package scaffold_test

import (
	"bytes"
	"context"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/kustomization"
	"mizzen.dev/internal/manifest"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/scaffold"
)

// image is where the workflow pushes to.
const image = "ghcr.io/acme/iris"

var (
	readVersion = regexp.MustCompile(`version=\$\(yq --exit-status 'select\(\.kind == "Model"\)\.spec\.version' (\S+)\)\n\s*tag=\$version-\$\(git rev-parse`)
	setImage    = regexp.MustCompile(`kustomize edit set image "([^"=]+)=\$IMAGE:\$TAG@\$DIGEST"`)
	setRevision = regexp.MustCompile(`yq --inplace '\.\[0\]\.value = strenv\(TAG\)' (\S+)`)
)

// TestWorkflowBumps does to the overlay what the workflow does: the pods that it makes
// then run the new image, all of them, and say so by their revision. So it is with the
// next version, too; until then, made again, the overlays run what they ran.
func TestWorkflowBumps(t *testing.T) {
	for name, in := range inputs() {
		t.Run(name, func(t *testing.T) {
			files, err := scaffold.Files(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			first := release(t, files, "3f2a91c00000", "sha256:"+strings.Repeat("2", 64))
			if first.tag != "0.1.0-3f2a91c00000" {
				t.Errorf("the first tag is %s", first.tag)
			}
			dev, prod := "deploy/overlays/dev", "deploy/overlays/prod"
			first.runsIn(t, files, dev)
			promote(t, files, dev, prod)
			first.runsIn(t, files, prod)

			files["model.yaml"] = bytes.ReplaceAll(files["model.yaml"], []byte("0.1.0"), []byte("0.2.0"))
			renderAgain(t, files)
			if !bytes.Contains(files["deploy/base/iris.yaml"], []byte("0.2.0")) {
				t.Error("the base is that of the first version")
			}
			first.runsIn(t, files, dev)
			first.runsIn(t, files, prod)

			second := release(t, files, "77b0c4d00000", "sha256:"+strings.Repeat("3", 64))
			if second.tag != "0.2.0-77b0c4d00000" {
				t.Errorf("the second tag is %s", second.tag)
			}
			second.runsIn(t, files, dev)
			first.runsIn(t, files, prod)
			promote(t, files, dev, prod)
			second.runsIn(t, files, prod)
		})
	}
}

// released is an image that the workflow made.
type released struct{ tag, digest string }

// release does what the workflow does on main.
func release(t *testing.T, files map[string][]byte, commit, digest string) released {
	t.Helper()
	workflow := files[".github/workflows/model.yml"]
	made := readVersion.FindStringSubmatch(step(t, workflow, "make and push the image").Run)
	if made == nil {
		t.Fatal("the workflow does not read the version")
	}
	var model struct {
		Kind string
		Spec struct{ Version string }
	}
	if err := yaml.Unmarshal(files[made[1]], &model); err != nil || model.Kind != "Model" {
		t.Fatalf("%s: %s, %v", made[1], model.Kind, err)
	}
	r := released{tag: model.Spec.Version + "-" + commit, digest: digest}
	run := step(t, workflow, "run it")
	base, revision := setImage.FindStringSubmatch(run.Run), setRevision.FindStringSubmatch(run.Run)
	if base == nil || revision == nil {
		t.Fatalf("the step sets no image, or no revision:\n%s", run.Run)
	}
	edit(t, files, path.Join(run.Dir, "kustomization.yaml"), func(k *map[string]any) {
		images := (*k)["images"].([]any)
		if len(images) != 1 || images[0].(map[string]any)["name"] != base[1] {
			t.Fatalf("the workflow sets the image %s, and the overlay has %v", base[1], images)
		}
		images[0] = map[string]any{"name": base[1], "newName": image, "newTag": r.tag, "digest": r.digest}
	})
	edit(t, files, path.Join(run.Dir, revision[1]), func(patch *[]map[string]any) { (*patch)[0]["value"] = r.tag })
	return r
}

// runsIn says whether the pods of an overlay run the image.
func (r released) runsIn(t *testing.T, files map[string][]byte, overlay string) {
	t.Helper()
	template := podsOf(t, files, overlay)
	if got := template.Labels["mizzen.dev/revision"]; got != r.tag {
		t.Errorf("%s: the revision is %s, want %s", overlay, got, r.tag)
	}
	for _, c := range slices.Concat(template.Spec.InitContainers, template.Spec.Containers) {
		if c.Image != image+":"+r.tag+"@"+r.digest {
			t.Errorf("%s: the container %s runs %s, want %s", overlay, c.Name, c.Image, r.tag)
		}
	}
}

// promote copies what the README says is to be copied.
func promote(t *testing.T, files map[string][]byte, from, to string) {
	t.Helper()
	var images any
	edit(t, files, path.Join(from, "kustomization.yaml"), func(k *map[string]any) { images = (*k)["images"] })
	edit(t, files, path.Join(to, "kustomization.yaml"), func(k *map[string]any) { (*k)["images"] = images })
	files[path.Join(to, "iris-revision.yaml")] = files[path.Join(from, "iris-revision.yaml")]
}

// renderAgain does what the README says after a change of the Model.
func renderAgain(t *testing.T, files map[string][]byte) {
	t.Helper()
	p, err := platform.Read(bytes.NewReader(files["platform.yaml"]), "platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	loader, err := manifest.NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	models, err := loader.Load(t.Context(), "model.yaml", bytes.NewReader(files["model.yaml"]))
	if err != nil {
		t.Fatal(err)
	}
	there := fstest.MapFS{}
	for name, content := range files {
		if below, ok := strings.CutPrefix(name, "deploy/"); ok {
			there[below] = &fstest.MapFile{Data: content}
		}
	}
	made, err := kustomization.Make(kustomization.Input{Models: models, Platform: p, Environments: []string{"dev", "prod"}, There: there})
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range made {
		files[path.Join("deploy", name)] = content
	}
}

type workflowStep struct {
	Name string
	Run  string
	Dir  string `json:"working-directory"`
}

// step is one of the steps that release the model.
func step(t *testing.T, workflow []byte, name string) workflowStep {
	t.Helper()
	var w struct {
		Jobs map[string]struct{ Steps []workflowStep }
	}
	if err := yaml.Unmarshal(workflow, &w); err != nil {
		t.Fatal(err)
	}
	for _, s := range w.Jobs["release"].Steps {
		if s.Name == name {
			return s
		}
	}
	t.Fatalf("the workflow has no step %q", name)
	return workflowStep{}
}

func edit[T any](t *testing.T, files map[string][]byte, name string, change func(*T)) {
	t.Helper()
	var content T
	if err := yaml.Unmarshal(files[name], &content); err != nil {
		t.Fatal(err)
	}
	change(&content)
	var err error
	if files[name], err = yaml.Marshal(content); err != nil {
		t.Fatal(err)
	}
}

// podsOf builds an overlay and returns the template of its pods.
func podsOf(t *testing.T, files map[string][]byte, overlay string) corev1.PodTemplateSpec {
	t.Helper()
	root := t.TempDir()
	for name, content := range files {
		if !strings.HasPrefix(name, "deploy/") {
			continue
		}
		file := filepath.Join(root, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, content, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	built, err := krusty.MakeKustomizer(krusty.MakeDefaultOptions()).Run(filesys.MakeFsOnDisk(), filepath.Join(root, filepath.FromSlash(overlay)))
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range built.Resources() {
		if r.GetKind() != "Deployment" {
			continue
		}
		text, err := r.AsYAML()
		if err != nil {
			t.Fatal(err)
		}
		var d appsv1.Deployment
		if err := yaml.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		return d.Spec.Template
	}
	t.Fatal("the overlay has no Deployment")
	return corev1.PodTemplateSpec{}
}
