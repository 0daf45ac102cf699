package chart_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"helm.sh/helm/v4/pkg/chart/v2/lint/support"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/chart"
	"mizzen.dev/internal/manifest"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// subject is a Model of testdata/models and what is made from it.
type subject struct {
	source   map[string]any // as it stands in the file
	model    *v1alpha1.Model
	platform *platform.Platform
	files    map[string][]byte
}

func subjects(t *testing.T) map[string]*subject {
	t.Helper()
	if len(made) == 0 {
		made = makeSubjects(t)
	}
	return made
}

// made are the subjects, which all tests share: making a chart takes its time.
var made map[string]*subject

func makeSubjects(t *testing.T) map[string]*subject {
	t.Helper()
	p, err := platform.Load("testdata/platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob("testdata/models/*.yaml")
	if err != nil || len(names) < 5 {
		t.Fatalf("found the models %v: %v", names, err)
	}
	all := map[string]*subject{}
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		s := &subject{platform: p}
		if err := yaml.Unmarshal(text, &s.source); err != nil {
			t.Fatal(err)
		}
		s.model = read(t, s.source)
		if s.files, err = chart.Make(chart.Input{Model: s.model, Platform: p}); err != nil {
			t.Fatal(err)
		}
		all[strings.TrimSuffix(filepath.Base(name), ".yaml")] = s
	}
	return all
}

// loaderOnce compiles the schema once.
var loaderOnce = sync.OnceValues(func() (*manifest.Loader, error) { return manifest.NewLoader("") })

// read loads a Model as mizzenctl does: strictly, defaulted, validated.
func read(t *testing.T, source map[string]any) *v1alpha1.Model {
	t.Helper()
	model, err := tryRead(source)
	if err != nil {
		t.Fatal(err)
	}
	return model
}

func tryRead(source map[string]any) (*v1alpha1.Model, error) {
	text, err := yaml.Marshal(source)
	if err != nil {
		return nil, err
	}
	loader, err := loaderOnce()
	if err != nil {
		return nil, err
	}
	models, err := loader.Load(context.Background(), "model.yaml", bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	return models[0], nil
}

// rendered is what the changed Model gives without a chart.
func (s *subject) rendered(t *testing.T, change func(map[string]any)) map[string]map[string]any {
	t.Helper()
	source := runtimeCopy(s.source)
	change(source)
	result, err := render.Render(render.Input{Model: read(t, source), Platform: s.platform})
	if err != nil {
		t.Fatal(err)
	}
	return byKey(t, result.Objects)
}

func runtimeCopy(source map[string]any) map[string]any {
	return (&unstructured.Unstructured{Object: source}).DeepCopy().Object
}

// TestDefaults: with no value changed, the chart gives the plain objects.
func TestDefaults(t *testing.T) {
	for name, s := range subjects(t) {
		t.Run(name, func(t *testing.T) {
			got, err := template(load(t, s.files), s.model.Namespace, nil)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(s.rendered(t, func(map[string]any) {}), got); diff != "" {
				t.Errorf("-rendered +chart\n%s", diff)
			}
		})
	}
}

// TestEachValue: every value of every chart, changed alone to each of several others,
// gives the objects that the Model changed likewise gives.
func TestEachValue(t *testing.T) {
	for name, s := range subjects(t) {
		t.Run(name, func(t *testing.T) {
			c := load(t, s.files)
			leaves := leavesOf(c.Values, nil)
			if len(leaves) < 6 {
				t.Fatalf("the chart has the values %v only", leaves)
			}
			for _, path := range leaves {
				now, _, _ := unstructured.NestedFieldNoCopy(c.Values, path...)
				tried := 0
				for _, value := range alternatives(t, path) {
					change := s.likewise(path, value)
					if fmt.Sprint(value) == fmt.Sprint(now) || !s.allowed(change) {
						continue
					}
					tried++
					got, err := template(c, s.model.Namespace, nested(path, value))
					if err != nil {
						t.Errorf("%v=%v: %v", path, value, err)
						continue
					}
					if diff := cmp.Diff(s.rendered(t, change), got); diff != "" {
						t.Errorf("%v=%v: -rendered +chart\n%s", path, value, diff)
					}
				}
				if tried < s.choices(path) {
					t.Errorf("%v was changed %d times only", path, tried)
				}
			}
		})
	}
}

// choices are how many other values there are, at least.
func (s *subject) choices(path []string) int {
	if path[0] == "replicas" && s.onePod() {
		return 1 // none
	}
	return 2
}

// onePod says whether the Model may have one pod alone.
func (s *subject) onePod() bool {
	return !s.allowed(func(m map[string]any) { set(m, int64(2), "spec", "replicas") })
}

// TestOnePod: a volume that one pod can mount is not given to two.
func TestOnePod(t *testing.T) {
	s := subjects(t)["once"]
	if !s.onePod() {
		t.Fatal("the Model may have two pods")
	}
	for replicas, want := range map[int]bool{0: true, 1: true, 2: false, 3: false} {
		_, err := template(load(t, s.files), s.model.Namespace, map[string]any{"replicas": replicas})
		if got := err == nil; got != want {
			t.Errorf("%d replicas are taken: %v (%v)", replicas, got, err)
		}
	}
}

// TestTLSOff: where the Model could do without TLS, its chart can; the notes say how it is
// called then. Otherwise the schema says no.
func TestTLSOff(t *testing.T) {
	s := subjects(t)["keda"]
	off := map[string]any{"expose": map[string]any{"tls": map[string]any{"issuerRef": map[string]any{"name": ""}}}}
	for _, tt := range []struct {
		name    string
		change  func(map[string]any)
		issuer  *v1alpha1.IssuerRef
		refused bool
		url     string
	}{
		{name: "plain HTTP", url: "http://ml.example.com"},
		{name: "the platform's issuer stands in", issuer: &v1alpha1.IssuerRef{Name: "internal", Kind: "ClusterIssuer"}, url: "https://ml.example.com"},
		{name: "gRPC needs TLS", change: func(m map[string]any) { set(m, []any{"HTTP", "GRPC"}, "spec", "expose", "protocols") }, refused: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			source, p := runtimeCopy(s.source), *s.platform
			if tt.change != nil {
				tt.change(source)
			}
			p.Defaults.IssuerRef = tt.issuer
			files, err := chart.Make(chart.Input{Model: read(t, source), Platform: &p})
			if err != nil {
				t.Fatal(err)
			}
			objects, err := template(load(t, files), s.model.Namespace, off)
			if tt.refused {
				if err == nil || !strings.Contains(err.Error(), "issuerRef") {
					t.Errorf("without an issuer: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			unstructured.RemoveNestedField(source, "spec", "expose", "tls")
			want, err := render.Render(render.Input{Model: read(t, source), Platform: &p})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(byKey(t, want.Objects), objects); diff != "" {
				t.Errorf("-rendered +chart\n%s", diff)
			}
			said, err := notes(load(t, files), s.model.Namespace, off)
			if err != nil || !strings.Contains(said, "It answers at "+tt.url+", and") {
				t.Errorf("%v: the notes lack %s:\n%s", err, tt.url, said)
			}
			if said, err = notes(load(t, files), s.model.Namespace, nil); err != nil || !strings.Contains(said, "It answers at https://ml.example.com, and") {
				t.Errorf("%v: the notes lack the URL with TLS:\n%s", err, said)
			}
		})
	}
}

// TestNamespace: a release in another namespace is the Model in another namespace.
func TestNamespace(t *testing.T) {
	for name, s := range subjects(t) {
		t.Run(name, func(t *testing.T) {
			got, err := template(load(t, s.files), "elsewhere", nil)
			if err != nil {
				t.Fatal(err)
			}
			want := s.rendered(t, func(m map[string]any) { set(m, "elsewhere", "metadata", "namespace") })
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-rendered +chart\n%s", diff)
			}
		})
	}
}

// alternatives are what a value is changed to.
func alternatives(t *testing.T, path []string) []any {
	t.Helper()
	last := path[len(path)-1]
	switch {
	case slices.Contains([]string{"replicas", "minReplicas", "maxReplicas", "failureThreshold", "cpuUtilization"}, last):
		return []any{0, 1, 2, 3, 4, 7, 20, 35, 90}
	case slices.Contains([]string{"requestsPerSecond", "concurrency", "queueLength"}, last):
		return []any{1, 80, 2.5, "0.125", "12", 100000}
	case last == "cpu":
		return []any{"250m", "1000m", "3", 4, "1.5"}
	case last == "memory":
		return []any{"64Mi", "200Mi", "900Mi", "961Mi", "976Mi", "1.5Gi", "7Gi", "7696Mi", "7697Mi", "10G", "200Gi", 2000000001}
	case path[0] == "image":
		return map[string][]any{
			"repository": {"elsewhere.example.com:8443/team/server", "server"},
			"tag":        {"9.9.9-0123abc", "latest"},
			"digest":     {"sha256:" + strings.Repeat("3", 64), "sha256:" + strings.Repeat("4", 64)},
		}[last]
	case last == "AWS_ENDPOINT_URL":
		return []any{"http://minio.dev:9000", "http://[fd00::1]:9000/s3"}
	case last == "HTTPS_PROXY":
		return []any{"user:secret@another:3128", "10.0.0.1:3128"}
	case path[0] == "config":
		return []any{"plain", `a "b" \ {{ c }}`, "two\nlines", 17, true, "한국어 <&>"}
	case last == "host":
		return []any{"a.example.org", "x-1.y"}
	case last == "secretName" || last == "name":
		return []any{"another", "a.b-c", ""}
	case last == "kind":
		return []any{"Issuer", "ClusterIssuer", "AWSPCAIssuer"}
	}
	t.Fatalf("the values %v are new: say here what to change them to", path)
	return nil
}

// likewise returns the change of the Model that the change of a value stands for.
func (s *subject) likewise(path []string, value any) func(map[string]any) {
	switch {
	case path[0] == "image":
		return s.imageChange(path[1], value.(string))
	case path[0] == "config":
		return func(m map[string]any) { set(m, fmt.Sprint(value), "spec", "config", path[1]) }
	case path[0] == "resources":
		return func(m map[string]any) { s.resourceChange(m, path, value) }
	case len(path) > 2 && path[1] == "schedule":
		return func(m map[string]any) {
			list, _, _ := unstructured.NestedSlice(m, "spec", "scale", "schedule")
			for _, entry := range list {
				if e := entry.(map[string]any); e["name"] == path[2] {
					e[path[3]] = toJSON(value)
				}
			}
			set(m, list, "spec", "scale", "schedule")
		}
	case value == "": // of a certificate: no TLS
		return func(m map[string]any) { unstructured.RemoveNestedField(m, "spec", "expose", "tls") }
	}
	return func(m map[string]any) { set(m, toJSON(value), append([]string{"spec"}, path...)...) }
}

// allowed says whether a Model may be changed so: a request above its limit is refused.
func (s *subject) allowed(change func(map[string]any)) bool {
	source := runtimeCopy(s.source)
	change(source)
	_, err := tryRead(source)
	return err == nil
}

// imageChange puts the reference of an image together anew.
func (s *subject) imageChange(part, value string) func(map[string]any) {
	image := s.imageValues()
	image[part] = value
	reference := compose(image)
	return func(m map[string]any) {
		if s.model.Spec.Source.Image != nil {
			set(m, reference, "spec", "source", "image", "reference")
			return
		}
		set(m, reference, "spec", "runtime", "image")
	}
}

// imageValues are the values of the image by their names.
func (s *subject) imageValues() map[string]string {
	var values struct {
		Image map[string]string `json:"image"`
	}
	if err := yaml.Unmarshal(s.files["values.yaml"], &values); err != nil {
		panic(err)
	}
	return values.Image
}

// compose returns the reference of the image that values name.
func compose(image map[string]string) string {
	reference := image["repository"]
	if tag := image["tag"]; tag != "" {
		reference += ":" + tag
	}
	if digest := image["digest"]; digest != "" {
		reference += "@" + digest
	}
	return reference
}

// TestImage: the values name the image that the pods run, whoever chose it.
func TestImage(t *testing.T) {
	for name, s := range subjects(t) {
		if got, want := compose(s.imageValues()), s.image(t); got != want {
			t.Errorf("%s: the values name %s, the pods run %s", name, got, want)
		}
	}
}

// TestForeignImage: a server that is not Mizzen needs no image of Mizzen if nothing is
// to be fetched.
func TestForeignImage(t *testing.T) {
	triton := subjects(t)["triton"]
	source, p := runtimeCopy(triton.source), *triton.platform
	set(source, map[string]any{"claim": map[string]any{"name": "models", "path": "resnet.onnx"}}, "spec", "source")
	unstructured.RemoveNestedField(source, "spec", "gpu")
	p.Image = ""
	s := &subject{source: source, model: read(t, source), platform: &p}
	var err error
	if s.files, err = chart.Make(chart.Input{Model: s.model, Platform: &p}); err != nil {
		t.Fatal(err)
	}
	if got, want := compose(s.imageValues()), s.image(t); got != want {
		t.Errorf("the values name %s, the pods run %s", got, want)
	}
	got, err := template(load(t, s.files), s.model.Namespace, map[string]any{"image": map[string]any{"tag": "26.01-py3"}})
	if err != nil {
		t.Fatal(err)
	}
	want := s.rendered(t, func(m map[string]any) { set(m, "nvcr.io/nvidia/tritonserver:26.01-py3", "spec", "runtime", "image") })
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-rendered +chart\n%s", diff)
	}
}

// image that the pods run.
func (s *subject) image(t *testing.T) string {
	t.Helper()
	deployment := s.rendered(t, func(map[string]any) {})["Deployment/"+s.model.Namespace+"/"+s.model.Name]
	containers, _, err := unstructured.NestedSlice(deployment, "spec", "template", "spec", "containers")
	if err != nil {
		t.Fatal(err)
	}
	return containers[0].(map[string]any)["image"].(string)
}

// resourceChange changes one of the resources; those of a Model that names none are
// what the reference says.
func (s *subject) resourceChange(m map[string]any, path []string, value any) {
	if s.model.Spec.Resources == nil {
		set(m, map[string]any{"requests": map[string]any{"cpu": "100m", "memory": "128Mi"}, "limits": map[string]any{"memory": "512Mi"}}, "spec", "resources")
	}
	set(m, toJSON(value), append([]string{"spec"}, path...)...)
}

// set changes a field of the file that must be possible to set.
func set(m map[string]any, value any, path ...string) {
	if err := unstructured.SetNestedField(m, value, path...); err != nil {
		panic(err)
	}
}

// toJSON is the value as it stands in a Model, whose quantities with fractions are
// strings.
func toJSON(value any) any {
	switch v := value.(type) {
	case int:
		return int64(v)
	case float64:
		return fmt.Sprint(v)
	}
	return value
}

func nested(path []string, value any) map[string]any {
	inner := value
	for _, key := range slices.Backward(path) {
		inner = map[string]any{key: inner}
	}
	return inner.(map[string]any)
}

// leavesOf returns the paths of all values.
func leavesOf(values map[string]any, at []string) [][]string {
	var paths [][]string
	for key, value := range values {
		path := append(slices.Clone(at), key)
		if inner, ok := value.(map[string]any); ok {
			paths = append(paths, leavesOf(inner, path)...)
			continue
		}
		paths = append(paths, path)
	}
	return paths
}

// TestLint wants nothing of Helm's linter but that there is no icon.
func TestLint(t *testing.T) {
	for name, s := range subjects(t) {
		t.Run(name, func(t *testing.T) {
			for _, message := range lintChart(t, s.model.Name, s.files) {
				if message.Severity > support.InfoSev {
					t.Errorf("%s", message.Error())
				}
			}
		})
	}
}

// TestChance makes charts of Models whose digest, version and names have in them the
// very numbers and names with which a chart is learnt.
func TestChance(t *testing.T) {
	s := subjects(t)["keda"]
	for name, change := range map[string]func(map[string]any){
		"digest": func(m map[string]any) { set(m, "sha256:83787"+strings.Repeat("8", 59), "spec", "source", "digest") },
		"names": func(m map[string]any) {
			set(m, "0.83.787", "spec", "version")
			set(m, "iris-83-787-4111-9173", "metadata", "name")
			set(m, "s3://models/5051/4799/6841-6863-6869.pkl", "spec", "source", "uri")
		},
		"settings": func(m map[string]any) {
			set(m, map[string]any{"SIZE": "1", "SIZE_MAX": "2", "SIZE_MAX_83": "3"}, "spec", "config")
		},
	} {
		t.Run(name, func(t *testing.T) {
			source := runtimeCopy(s.source)
			change(source)
			model := read(t, source)
			files, err := chart.Make(chart.Input{Model: model, Platform: s.platform})
			if err != nil {
				t.Fatal(err)
			}
			changed := &subject{source: source, model: model, platform: s.platform, files: files}
			got, err := template(load(t, files), model.Namespace, map[string]any{"image": map[string]any{"tag": "2"}, "scale": map[string]any{"fallback": map[string]any{"failureThreshold": 7}}})
			if err != nil {
				t.Fatal(err)
			}
			want := changed.rendered(t, func(m map[string]any) {
				changed.imageChange("tag", "2")(m)
				set(m, int64(7), "spec", "scale", "fallback", "failureThreshold")
			})
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("-rendered +chart\n%s", diff)
			}
		})
	}
}

// TestStartupByRequest gives a server without a limit of memory time by what it asks for.
func TestStartupByRequest(t *testing.T) {
	s := subjects(t)["keda"]
	source := runtimeCopy(s.source)
	ask := func(memory string) func(map[string]any) {
		return func(m map[string]any) {
			set(m, map[string]any{"requests": map[string]any{"cpu": "1", "memory": memory}}, "spec", "resources")
		}
	}
	ask("32Gi")(source)
	model := read(t, source)
	files, err := chart.Make(chart.Input{Model: model, Platform: s.platform})
	if err != nil {
		t.Fatal(err)
	}
	changed := &subject{source: source, model: model, platform: s.platform, files: files}
	got, err := template(load(t, files), model.Namespace, map[string]any{"resources": map[string]any{"requests": map[string]any{"memory": "64Gi"}}})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(changed.rendered(t, ask("64Gi")), got); diff != "" {
		t.Errorf("-rendered +chart\n%s", diff)
	}
}

// TestStoreElsewhere holds the address of a store to its port, which the NetworkPolicy
// of the chart opens.
func TestStoreElsewhere(t *testing.T) {
	s := subjects(t)["triton"]
	for name, want := range map[string]bool{"http://minio.dev:9000": true, "http://minio.dev": false, "https://minio.dev:9000": false, "http://minio.dev:90001": false} {
		_, err := template(load(t, s.files), s.model.Namespace, map[string]any{"config": map[string]any{"AWS_ENDPOINT_URL": name}})
		if got := err == nil; got != want {
			t.Errorf("%s is taken: %v (%v)", name, got, err)
		}
	}
}
