package scaffold_test

import (
	"context"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/scaffold"
)

var (
	setImage    = regexp.MustCompile(`kustomize edit set image "([^"=]+)=\$IMAGE:\$TAG@\$DIGEST"`)
	setRevision = regexp.MustCompile(`yq --inplace '\.\[0\]\.value = strenv\(TAG\)' (\S+)`)
)

// TestWorkflowBumps does to the overlay what the workflow's last step does: the pods that
// it makes then run the new image, all of them, and say so by their revision.
func TestWorkflowBumps(t *testing.T) {
	const (
		image  = "ghcr.io/acme/iris"
		tag    = "0.1.0-3f2a91c00000"
		digest = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	)
	for name, in := range inputs() {
		t.Run(name, func(t *testing.T) {
			files, err := scaffold.Files(context.Background(), in)
			if err != nil {
				t.Fatal(err)
			}
			overlay, script := bump(t, files[".github/workflows/model.yml"])
			base, revision := setImage.FindStringSubmatch(script), setRevision.FindStringSubmatch(script)
			if base == nil || revision == nil {
				t.Fatalf("the step sets no image, or no revision:\n%s", script)
			}
			edit(t, files, path.Join(overlay, "kustomization.yaml"), func(k *map[string]any) {
				images := (*k)["images"].([]any)
				if len(images) != 1 || images[0].(map[string]any)["name"] != base[1] {
					t.Fatalf("the workflow sets the image %s, and the overlay has %v", base[1], images)
				}
				images[0] = map[string]any{"name": base[1], "newName": image, "newTag": tag, "digest": digest}
			})
			edit(t, files, path.Join(overlay, revision[1]), func(patch *[]map[string]any) { (*patch)[0]["value"] = tag })
			template := podsOf(t, files, overlay)
			if got := template.Labels["mizzen.dev/revision"]; got != tag {
				t.Errorf("the revision is %s", got)
			}
			for _, c := range slices.Concat(template.Spec.InitContainers, template.Spec.Containers) {
				if c.Image != image+":"+tag+"@"+digest {
					t.Errorf("the container %s runs %s", c.Name, c.Image)
				}
			}
		})
	}
}

// bump is the step that has the overlay run the image: where, and what it does.
func bump(t *testing.T, workflow []byte) (dir, script string) {
	t.Helper()
	var w struct {
		Jobs map[string]struct {
			Steps []struct {
				Name string
				Run  string
				Dir  string `json:"working-directory"`
			}
		}
	}
	if err := yaml.Unmarshal(workflow, &w); err != nil {
		t.Fatal(err)
	}
	for _, step := range w.Jobs["release"].Steps {
		if step.Name == "run it" {
			return step.Dir, step.Run
		}
	}
	t.Fatal("the workflow has no step that runs the image")
	return "", ""
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
