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

	"mizzen.dev/test/cluster/crds"
)

// written are the golden files of all that writes objects.
var written = []string{
	"../../internal/render/testdata/*/golden.yaml",
	"../../internal/render/testdata/ways/*.golden",
	"../../internal/platform/testdata/render/*.golden",
	"../../internal/gitops/testdata/application*.yaml",
	"../../config/*.yaml",
}

// sticky has fields of the Gateway API's experimental channel.
const sticky = "../../internal/render/testdata/ways/gateway-own-secret-sticky.golden"

func goldenFiles(t *testing.T, patterns ...string) map[string][]byte {
	t.Helper()
	files := map[string][]byte{}
	for _, pattern := range patterns {
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

func newValidator(t *testing.T, kinds map[groupVersionKind]bool, others ...crds.Set) validator.Validator {
	t.Helper()
	dir := t.TempDir()
	writeSchemas(t, dir, kinds, others)
	v, err := validator.New([]string{dir + "/{{ .ResourceKind }}{{ .KindSuffix }}.json"}, validator.Opts{Strict: true})
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// TestWritten: every object that is written has a schema and is as the schema says.
func TestWritten(t *testing.T) {
	files := goldenFiles(t, written...)
	if _, ok := files[sticky]; !ok {
		t.Errorf("%s is missing", sticky)
	}
	delete(files, sticky)
	kinds := kindsOf(t, files)
	if !kinds[groupVersionKind{"gateway.networking.k8s.io", "v1", "GRPCRoute"}] {
		t.Error("no GRPCRoute was looked at")
	}
	v := newValidator(t, kinds, crds.All()...)
	if valid := validate(t, v, files); valid < 250 || len(kinds) < 15 {
		t.Errorf("only %d objects of %d kinds were looked at", valid, len(kinds))
	}
}

// TestSticky: what the experimental channel alone has is as that says.
func TestSticky(t *testing.T) {
	files := goldenFiles(t, sticky)
	experimental := crds.GatewayAPI()
	experimental.Dirs = []string{"config/crd/experimental"}
	if valid := validate(t, newValidator(t, nil, experimental), files); valid < 3 {
		t.Errorf("only %d objects were looked at", valid)
	}
}

// validate returns how many objects are as their schemas say, and fails for the others.
func validate(t *testing.T, v validator.Validator, files map[string][]byte) (valid int) {
	t.Helper()
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
	return valid
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
	v := newValidator(t, map[groupVersionKind]bool{{"", "v1", "Service"}: true, {"apps", "v1", "Deployment"}: true}, crds.All()...)
	for name, text := range wrong {
		for _, r := range v.Validate(name, io.NopCloser(strings.NewReader(text))) {
			if r.Status != validator.Invalid && r.Status != validator.Error {
				t.Errorf("%s: found nothing wrong in\n%s", name, text)
			}
		}
	}
}
