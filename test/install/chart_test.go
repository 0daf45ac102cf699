package install_test

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/v2/lint"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/chart/charttest"
)

const (
	chartDir  = "../../charts/mizzen"
	configDir = "../../config"
	namespace = "mizzen-system"
)

// render renders the chart as helm install does; values are YAML.
func render(t *testing.T, values string) map[string]*unstructured.Unstructured {
	t.Helper()
	objects := map[string]*unstructured.Unstructured{}
	for name, content := range charttest.Render(t, chartDir, namespace, values) {
		if strings.HasSuffix(name, ".yaml") {
			maps.Copy(objects, parse(t, content))
		}
	}
	return objects
}

// parse reads objects, and names them by kind, namespace and name.
func parse(t *testing.T, content string) map[string]*unstructured.Unstructured {
	t.Helper()
	objects := map[string]*unstructured.Unstructured{}
	d := utilyaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(content)), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := d.Decode(&o.Object); err == io.EOF {
			return objects
		} else if err != nil {
			t.Fatal(err)
		}
		if len(o.Object) > 0 {
			objects[o.GetKind()+" "+o.GetNamespace()+"/"+o.GetName()] = o
		}
	}
}

func config(t *testing.T, files ...string) map[string]*unstructured.Unstructured {
	t.Helper()
	objects := map[string]*unstructured.Unstructured{}
	for _, file := range files {
		raw, err := os.ReadFile(filepath.Join(configDir, file))
		if err != nil {
			t.Fatal(err)
		}
		maps.Copy(objects, parse(t, string(raw)))
	}
	return objects
}

// TestChartIsConfig holds for the chart as it comes: it installs what the plain files do.
func TestChartIsConfig(t *testing.T) {
	if diff := cmp.Diff(config(t, "rbac.yaml", "deployment.yaml"), render(t, "")); diff != "" {
		t.Errorf("the chart (-config +chart):\n%s", diff)
	}
	want, got := config(t, "crd.yaml"), map[string]*unstructured.Unstructured{}
	raw, err := os.ReadFile(filepath.Join(chartDir, "crds/crd.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	maps.Copy(got, parse(t, string(raw)))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the definition (-config +chart):\n%s", diff)
	}
}

// TestInstallIsConfig holds for the file that is applied: it is the others in one.
func TestInstallIsConfig(t *testing.T) {
	want := config(t, "namespace.yaml", "crd.yaml", "rbac.yaml", "deployment.yaml")
	if diff := cmp.Diff(want, config(t, "install.yaml")); diff != "" {
		t.Errorf("install.yaml is not the other files, make generate writes it (-want +got):\n%s", diff)
	}
}

// values are settings of the chart, and what each is seen by.
var values = map[string]struct {
	values string
	want   string
}{
	"tag":             {"image: {tag: v1}", "image: ghcr.io/mizzen-dev/mizzenctl:v1"},
	"repository":      {"image: {repository: registry.example.com/x}", "image: registry.example.com/x:latest"},
	"digest":          {"image: {digest: \"sha256:" + strings.Repeat("0", 64) + "\"}", "image: ghcr.io/mizzen-dev/mizzenctl@sha256:000"},
	"pull policy":     {"image: {pullPolicy: Always}", "imagePullPolicy: Always"},
	"pull secrets":    {"imagePullSecrets: [{name: registry}]", "- name: registry"},
	"replicas":        {"replicas: 3", "replicas: 3"},
	"leader election": {"leaderElection: false", "--leader-elect=false"},
	"namespaces":      {"namespaces: [a, b]", "--namespaces=a,b"},
	"platform":        {"platform: {clusterDomain: example.org}", "clusterDomain: example.org"},
	"concurrency":     {"concurrency: 16", "--concurrency=16"},
	"images":          {"resolveImages: false", "--resolve-images=false"},
	"log level":       {"log: {level: debug}", "--log-level=debug"},
	"log format":      {"log: {format: text}", "--log-format=text"},
	"metrics":         {"metrics: {enabled: false}", "--metrics-address=0"},
	"monitor":         {"metrics: {serviceMonitor: {enabled: true, labels: {release: x}}}", "release: x"},
	"resources":       {"resources: {limits: {memory: 1Gi}}", "memory: 1Gi"},
	"service account": {"serviceAccount: {annotations: {a: b}}", "a: b"},
	"pod annotations": {"podAnnotations: {c: d}", "c: d"},
	"pod labels":      {"podLabels: {e: f}", "e: f"},
	"node selector":   {"nodeSelector: {g: h}", "g: h"},
	"tolerations":     {"tolerations: [{key: k, operator: Exists}]", "key: k"},
	"affinity":        {"affinity: {podAntiAffinity: {}}", "podAntiAffinity"},
	"priority":        {"priorityClassName: system-cluster-critical", "priorityClassName: system-cluster-critical"},
}

func TestValues(t *testing.T) {
	before := text(t, render(t, ""))
	for name, test := range values {
		t.Run(name, func(t *testing.T) {
			if strings.Contains(before, test.want) {
				t.Fatalf("%q is there without the value", test.want)
			}
			if after := text(t, render(t, test.values)); !strings.Contains(after, test.want) {
				t.Errorf("%q is not in\n%s", test.want, after)
			}
		})
	}
}

func text(t *testing.T, objects map[string]*unstructured.Unstructured) string {
	t.Helper()
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(objects)) {
		raw, err := yaml.Marshal(objects[name].Object)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(raw)
	}
	return b.String()
}

// TestDocs holds for the values that docs/install.md shows: the chart takes them.
func TestDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/install.md")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile("(?s)```yaml\n# (?:values|namespaced).yaml\n(.*?)```").FindAllStringSubmatch(string(page), -1)
	if len(found) != 2 {
		t.Fatalf("%d blocks of values found", len(found))
	}
	all := render(t, found[0][1])
	if _, ok := all["ServiceMonitor mizzen-system/mizzen-operator"]; !ok {
		t.Errorf("there is no monitor among %v", slices.Sorted(maps.Keys(all)))
	}
	for name := range render(t, found[1][1]) {
		if strings.HasPrefix(name, "Cluster") {
			t.Errorf("there is a %s", name)
		}
	}
}

// TestNamespaced holds for an operator of single namespaces: it has no rights beyond.
func TestNamespaced(t *testing.T) {
	for name := range render(t, "namespaces: [a, b]") {
		if strings.HasPrefix(name, "ClusterRole") {
			t.Errorf("there is a %s", name)
		}
	}
}

func TestLint(t *testing.T) {
	sets := map[string]string{"defaults": ""}
	for name, v := range values {
		sets[name] = v.values
	}
	for name, v := range sets {
		t.Run(name, func(t *testing.T) {
			given := map[string]any{}
			if err := yaml.Unmarshal([]byte(v), &given); err != nil {
				t.Fatal(err)
			}
			l := lint.RunAll(chartDir, given, namespace)
			for _, m := range l.Messages {
				if m.Severity >= support.WarningSev {
					t.Error(m)
				}
			}
		})
	}
}
