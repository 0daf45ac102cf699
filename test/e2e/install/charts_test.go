//go:build e2e

package install

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/internal/chart"
	"mizzen.dev/internal/manifest"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
	"mizzen.dev/test/cluster/crds"
	"mizzen.dev/test/e2e/bed"
)

// TestChart installs the chart of a Model, upgrades it and removes it, as people do who
// have no operator.
func TestChart(t *testing.T) {
	b := shared.Get(t)
	s := newShell(t, b)
	ns := b.RestrictedNamespace(t, "chart")
	s.put(t, "model.yaml", b.Iris(t, ns, "iris", "0.1.0", "replicas: 1\nisolation: {from: [{ipBlock: {cidr: 0.0.0.0/0}}]}"))
	s.put(t, "platform.yaml", "apiVersion: mizzen.dev/v1alpha1\nkind: Platform\nimage: "+b.Image+"\n")
	s.must(t, "mizzenctl render -f model.yaml --platform platform.yaml --to helm -o chart")

	s.must(t, "helm install iris chart -n "+ns+" --wait --timeout 3m")
	// Nodes take a moment until they know the Service's address.
	impatient := &http.Client{Timeout: 5 * time.Second}
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
		err := bed.Predict(impatient, b.ServiceURL(t, ns, "iris"))
		return err == nil, fmt.Sprintf("once helm has waited: %v", err)
	})
	s.must(t, "helm upgrade iris chart -n "+ns+" --set replicas=2 --wait --timeout 3m")
	if pods, err := b.Pods(t.Context(), ns, "iris"); err != nil || len(pods) != 2 {
		t.Errorf("there are %d pods, %v", len(pods), err)
	}

	// Whatever the chart would have that the API server does not know, helm would say.
	template := filepath.Join(s.dir, "chart", "templates", "deployment.yaml")
	text, err := os.ReadFile(template)
	if err != nil {
		t.Fatal(err)
	}
	wrong := bytes.Replace(text, []byte("\nspec:\n"), []byte("\nspec:\n  replcas: 3\n"), 1)
	if err := os.WriteFile(template, wrong, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := s.try(t, "helm upgrade iris chart -n "+ns); err == nil || !strings.Contains(out, "replcas") {
		t.Errorf("of a field that nobody knows helm says %v: %s", err, out)
	}

	s.must(t, "helm uninstall iris -n "+ns+" --wait --timeout 3m")
	b.NothingLeft(t, ns, "iris")
}

// TestChartsOfAllKinds has the API server take, and give back, the objects of charts that
// want what others have: Gateways, certificates, KEDA, monitors. Here nothing carries them
// out.
func TestChartsOfAllKinds(t *testing.T) {
	b := shared.Get(t)
	b.NeedsOwn(t, "kinds of others without those who carry them out")
	if err := b.InstallCRDs(t.Context(), crds.GatewayAPI(), crds.CertManager(), crds.KEDA(), crds.PrometheusOperator()); err != nil {
		t.Fatal(err)
	}
	examples := filepath.Join(b.Root, "internal", "chart", "testdata")
	p, err := platform.Load(filepath.Join(examples, "platform.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	loader, err := manifest.NewLoader("")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(examples, "models", "*.yaml"))
	if err != nil || len(files) < 5 {
		t.Fatalf("the Models are %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel() // most of the time is waiting for what goes
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			models, err := loader.Load(t.Context(), file, bytes.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			m := models[0]
			m.Namespace = b.Namespace(t, "charts", nil)
			result, err := render.Render(render.Input{Model: m, Platform: p})
			if err != nil {
				t.Fatal(err)
			}
			content, err := chart.Make(chart.Input{Model: m, Platform: p})
			if err != nil {
				t.Fatal(err)
			}
			s := newShell(t, b)
			for name, text := range content {
				s.put(t, filepath.Join("chart", filepath.FromSlash(name)), string(text))
			}
			s.must(t, fmt.Sprintf("helm install %s chart -n %s", m.Name, m.Namespace))
			for _, o := range result.Objects {
				if err := b.Objects.Get(t.Context(), client.ObjectKeyFromObject(o), o.DeepCopy()); err != nil {
					t.Errorf("installed: %v", err)
				}
			}
			s.must(t, fmt.Sprintf("helm upgrade %s chart -n %s --set image.tag=9.9.9,image.digest=", m.Name, m.Namespace))
			d := &unstructured.Unstructured{}
			d.SetAPIVersion("apps/v1")
			d.SetKind("Deployment")
			if err := b.Objects.Get(t.Context(), client.ObjectKey{Namespace: m.Namespace, Name: m.Name}, d); err != nil {
				t.Fatal(err)
			}
			if !strings.Contains(fmt.Sprint(d.Object["spec"]), "9.9.9") {
				t.Errorf("after the upgrade the Deployment does not have the image: %v", d.Object["spec"])
			}
			s.must(t, fmt.Sprintf("helm uninstall %s -n %s", m.Name, m.Namespace))
			b.NothingLeft(t, m.Namespace, m.Name)
		})
	}
}
