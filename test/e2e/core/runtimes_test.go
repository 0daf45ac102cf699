//go:build e2e

package core

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/prometheus/prometheus/promql/parser"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/e2e/bed"
)

// foreign is a Model of another's server, which test/e2e/standin stands in for.
type foreign struct {
	runtime v1alpha1.RuntimeName
	// source is that of the Model, made for its namespace.
	source func(t *testing.T, b *bed.Bed, ns string) string
	// predict is where it predicts.
	predict string
	// loads are what an autoscaler may be told to look at.
	loads []string
}

func foreigners() map[string]foreign {
	return map[string]foreign{
		"triton": {v1alpha1.RuntimeTriton, onnx, "/v2/models/iris/infer", []string{"requestsPerSecond", "queueLength"}},
		"torchserve": {v1alpha1.RuntimeTorchServe, func(t *testing.T, b *bed.Bed, _ string) string {
			return fromStore(b.Upload(t, "torchserve/iris.mar", archive(t)))
		}, "/predictions/iris", []string{"requestsPerSecond"}},
		"tfserving": {v1alpha1.RuntimeTFServing, savedModel, "/v1/models/iris:predict", []string{"requestsPerSecond"}},
		// Directories in a store, packed as people do.
		"triton-archive": {v1alpha1.RuntimeTriton, packed("triton/model.tar.gz", tarball, map[string]string{
			"repository/resnet/config.pbtxt": "name: \"resnet\"\n", "repository/resnet/1/model.onnx": "a model", "repository/resnet/1/model.onnx.data": "its weights",
		}), "/v2/models/resnet/infer", []string{"requestsPerSecond", "queueLength"}},
		"torchserve-archive": {v1alpha1.RuntimeTorchServe, packed("torchserve/model.tgz", tarball, map[string]string{
			"MAR-INF/MANIFEST.json": "{}", "model.pt": "a model",
		}), "/predictions/iris", []string{"requestsPerSecond"}},
		"tfserving-archive": {v1alpha1.RuntimeTFServing, packed("tfserving/model.zip", zipped, map[string]string{
			"flowers/3/saved_model.pb": "a model", "flowers/3/variables/variables.index": "an index",
		}), "/v1/models/iris:predict", []string{"requestsPerSecond"}},
	}
}

// packed is an archive in the store, which is named with its digest.
func packed(name string, pack func(*testing.T, map[string]string) []byte, files map[string]string) func(*testing.T, *bed.Bed, string) string {
	return func(t *testing.T, b *bed.Bed, _ string) string {
		data := pack(t, files)
		return fmt.Sprintf("{uri: %s, digest: \"sha256:%x\", secretRef: {name: store}}", b.Upload(t, name, data), sha256.Sum256(data))
	}
}

func tarball(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	compressed := gzip.NewWriter(&b)
	w := tar.NewWriter(compressed)
	for name, text := range files {
		err := w.WriteHeader(&tar.Header{Name: "./" + name, Mode: 0o600, Size: int64(len(text))})
		if err == nil {
			_, err = io.WriteString(w, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), compressed.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func zipped(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var b bytes.Buffer
	w := zip.NewWriter(&b)
	for name, text := range files {
		f, err := w.Create(name)
		if err == nil {
			_, err = io.WriteString(f, text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func onnx(t *testing.T, b *bed.Bed, _ string) string {
	return fromStore(b.Upload(t, "triton/iris.onnx", []byte("a model")))
}

func fromStore(uri string) string { return "{uri: " + uri + ", secretRef: {name: store}}" }

// archive is one of TorchServe, with its manifest alone.
func archive(t *testing.T) []byte {
	t.Helper()
	return zipped(t, map[string]string{"MAR-INF/MANIFEST.json": ""})
}

// savedModel is a claim that holds one.
func savedModel(t *testing.T, b *bed.Bed, ns string) string {
	t.Helper()
	dir := filepath.Join(b.SharedVolume(t, ns, "models"), "flowers", "3")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "saved_model.pb"), []byte("a model"), 0o644); err != nil {
		t.Fatal(err)
	}
	b.MustApply(t, `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: models, namespace: `+ns+`}
spec: {accessModes: [ReadWriteMany], storageClassName: "", resources: {requests: {storage: 1Gi}}}
`)
	return "{claim: {name: models, path: flowers/3}}"
}

// yaml of the Model, with more in its spec.
func (f foreign) yaml(b *bed.Bed, ns, image, source, more string) string {
	return fmt.Sprintf(`
apiVersion: mizzen.dev/v1alpha1
kind: Model
metadata: {name: iris, namespace: %s}
spec:
  version: "1.0"
  source: %s
  config: {AWS_ENDPOINT_URL: %q}
  runtime: {name: %s, image: %q}
  isolation: {mode: Disabled}
  resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {memory: 256Mi}}
%s`, ns, source, b.S3.Endpoint, f.runtime, image, more)
}

// TestForeignRuntimes runs a Model of each: it finds its model, becomes ready, answers
// through its Service, and has the metrics that its autoscaler, alerts and dashboard ask
// for.
func TestForeignRuntimes(t *testing.T) {
	b := shared.Get(t)
	image := b.Standin(t)
	for name, f := range foreigners() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ns := b.RestrictedNamespace(t, name)
			b.MustApply(t, f.yaml(b, ns, image, f.source(t, b, ns), "  replicas: 1\n"))
			m := b.Ready(t, ns, "iris")
			answers(t, b.ServiceURL(t, ns, "iris")+f.predict)

			page := scrape(t, metricsURL(t, b, ns, m))
			queries := f.queries(t, m)
			if len(queries) < 10 {
				t.Fatalf("only %d queries: %v", len(queries), queries)
			}
			for where, query := range queries {
				missing(t, where, query, page)
			}
			requests := f.queries(t, m)["scaler requestsPerSecond"]
			if n := page.counted(t, requests); n != 1 {
				t.Errorf("the autoscaler counts %v requests after one: %s", n, requests)
			}
		})
	}
}

// answers waits until a prediction is answered.
func answers(t *testing.T, url string) {
	t.Helper()
	bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
		if err != nil {
			return false, err.Error()
		}
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			return false, err.Error()
		}
		defer res.Body.Close()
		return res.StatusCode == http.StatusOK, url + ": " + res.Status
	})
}

// TestGPU has a Model wait for a node that offers what it wants, and run there.
func TestGPU(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "gpu")
	f := foreigners()["triton"]
	// Another name than the usual, so that it meets no accelerators that are real.
	more := "  replicas: 1\n  gpu: {count: 1, resourceName: example.com/gpu, batching: {maxSize: 8, maxDelay: 5ms}}\n"
	b.MustApply(t, f.yaml(b, ns, b.Standin(t), onnx(t, b, ns), more))
	c := b.Condition(t, ns, "iris", v1alpha1.ConditionWorkloadReady, metav1.ConditionFalse, "GPUUnavailable")
	if !strings.Contains(c.Message, "example.com/gpu") {
		t.Errorf("the message does not name the accelerator: %s", c.Message)
	}
	node := offerGPU(t, b)
	b.Ready(t, ns, "iris")
	pods, err := b.Pods(t.Context(), ns, "iris")
	if err != nil || len(pods) != 1 {
		t.Fatalf("%d pods, %v", len(pods), err)
	}
	if got := pods[0].Spec.NodeName; got != node {
		t.Errorf("the pod runs on %s, not on %s, which has the accelerator", got, node)
	}
	answers(t, b.ServiceURL(t, ns, "iris")+f.predict)
}

// offerGPU has a node offer an accelerator until the test ends.
func offerGPU(t *testing.T, b *bed.Bed) string {
	t.Helper()
	var nodes corev1.NodeList
	if err := b.Objects.List(t.Context(), &nodes); err != nil {
		t.Fatal(err)
	}
	i := slices.IndexFunc(nodes.Items, func(n corev1.Node) bool { return !n.Spec.Unschedulable && len(n.Spec.Taints) == 0 })
	if i < 0 {
		t.Fatalf("none of %d nodes takes pods", len(nodes.Items))
	}
	node := &nodes.Items[i]
	patch := func(ctx context.Context, op, value string) error {
		text := fmt.Sprintf(`[{"op":%q,"path":"/status/capacity/example.com~1gpu"%s}]`, op, value)
		return b.Objects.Status().Patch(ctx, node, client.RawPatch(types.JSONPatchType, []byte(text)))
	}
	if err := patch(t.Context(), "add", `,"value":"1"`); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := patch(context.Background(), "remove", ""); err != nil {
			t.Error(err)
		}
	})
	return node.Name
}

// missing complains of what a query asks for and a page does not have. What rules
// record is Prometheus's own.
func missing(t *testing.T, where, query string, p page) {
	t.Helper()
	e, err := parser.NewParser(parser.Options{}).ParseExpr(query)
	if err != nil {
		t.Errorf("%s: %s: %v", where, query, err)
		return
	}
	parser.Inspect(e, func(n parser.Node, _ []parser.Node) error {
		if s, ok := n.(*parser.VectorSelector); ok && !strings.HasPrefix(s.Name, "mizzen:") && !p.has(s) {
			t.Errorf("%s asks for %s, which the server does not have", where, s)
		}
		return nil
	})
}
