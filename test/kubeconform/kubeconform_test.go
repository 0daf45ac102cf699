// Package kubeconform checks what Mizzen writes with kubeconform, as many pipelines
// do, against the schemas of Kubernetes and of the definitions that Mizzen's objects
// are of. No schema comes from the network but by Go's modules.
package kubeconform

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/yannh/kubeconform/pkg/validator"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"
)

// written are the golden files of all that writes objects.
var written = []string{
	"../../internal/render/testdata/*/golden.yaml",
	"../../internal/platform/testdata/render/*.golden",
	"../../internal/gitops/testdata/application*.yaml",
	"../../config/*.yaml",
}

func goldenFiles(t *testing.T) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range written {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("found nothing at %s: %v", pattern, err)
		}
		for _, name := range names {
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			files[name] = text
		}
	}
	return files
}

// kindsOf are the kinds in the files.
func kindsOf(t *testing.T, files map[string][]byte) map[groupVersionKind]bool {
	t.Helper()
	kinds := map[groupVersionKind]bool{}
	for name, text := range files {
		for doc := range strings.SplitSeq(string(text), "\n---\n") {
			var meta struct {
				APIVersion string `json:"apiVersion"`
				Kind       string `json:"kind"`
			}
			if err := yaml.Unmarshal([]byte(doc), &meta); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if meta.Kind != "" {
				gv, err := schema.ParseGroupVersion(meta.APIVersion)
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				kinds[groupVersionKind{gv.Group, gv.Version, meta.Kind}] = true
			}
		}
	}
	return kinds
}

func newValidator(t *testing.T, kinds map[groupVersionKind]bool) validator.Validator {
	t.Helper()
	dir := t.TempDir()
	writeSchemas(t, dir, kinds)
	v, err := validator.New([]string{dir + "/{{ .ResourceKind }}{{ .KindSuffix }}.json"}, validator.Opts{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWritten: every object that is written has a schema and is as the schema says.
func TestWritten(t *testing.T) {
	files := goldenFiles(t)
	kinds := kindsOf(t, files)
	v := newValidator(t, kinds)
	valid := 0
	for name, text := range files {
		for _, r := range v.Validate(name, io.NopCloser(bytes.NewReader(text))) {
			switch r.Status {
			case validator.Valid:
				valid++
			case validator.Empty:
			default:
				sig, _ := r.Resource.Signature()
				t.Errorf("%s: %v: %v", name, sig, r.Err)
			}
		}
	}
	if valid < 100 || len(kinds) < 15 {
		t.Errorf("only %d objects of %d kinds were looked at", valid, len(kinds))
	}
}

// TestStrict: what is wrong is found, in Kubernetes's own kinds and in those of others.
func TestStrict(t *testing.T) {
	wrong := map[string]string{
		"unknown field":           "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80, prot: 1}]}\n",
		"type":                    "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: two}\n",
		"unknown field of others": "apiVersion: keda.sh/v1alpha1\nkind: ScaledObject\nmetadata: {name: a}\nspec: {scaleTargetRef: {name: a}, triggers: [], minReplicas: 1}\n",
		"type of others":          "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: a}\nspec: {hostnames: a.example.com}\n",
		"unknown kind":            "apiVersion: apps/v1\nkind: Deploymint\nmetadata: {name: a}\n",
	}
	v := newValidator(t, map[groupVersionKind]bool{{"", "v1", "Service"}: true, {"apps", "v1", "Deployment"}: true})
	for name, text := range wrong {
		for _, r := range v.Validate(name, io.NopCloser(strings.NewReader(text))) {
			if r.Status != validator.Invalid && r.Status != validator.Error {
				t.Errorf("%s: found nothing wrong in\n%s", name, text)
			}
		}
	}
}
