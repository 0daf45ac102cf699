package render

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/internal/platform"
)

// TestRevision holds for what makes a revision, and what does not.
func TestRevision(t *testing.T) {
	base := renderSpec(t, "").Revision
	tests := map[string]struct {
		spec string
		same bool
	}{
		"scale":     {spec: "  scale: {minReplicas: 2, maxReplicas: 3}\n", same: true},
		"replicas":  {spec: "  replicas: 3\n", same: true},
		"expose":    {spec: "  expose: {host: a.example, ingress: {className: nginx}, bodySize: 1Mi}\n", same: true},
		"resources": {spec: "  resources: {limits: {memory: 1Gi}}\n", same: true},
		"telemetry": {spec: "  telemetry: {tracing: {}}\n", same: true},
		"placement": {spec: "  placement: {drain: 10s}\n", same: true},
		"image":     {spec: "  runtime: {image: r/m:2}\n"},
		"args":      {spec: "  runtime: {args: [--max-rows=1]}\n"},
		"env":       {spec: "  runtime: {env: [{name: A, value: b}]}\n"},
		"config":    {spec: "  config: {A: b}\n"},
		"secrets":   {spec: "  secrets: [{name: A, secretRef: {name: b, key: c}}]\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if got := renderSpec(t, test.spec).Revision; (got == base) != test.same {
				t.Errorf("revision %s, without it %s", got, base)
			}
		})
	}
}

func TestRevisionOfTheSource(t *testing.T) {
	seen := map[string]string{renderSpec(t, "").Revision: "base"}
	for name, change := range map[string][2]string{
		"version": {`version: "0.1.0"`, `version: "0.1.1"`},
		"uri":     {"0.1.0/model.pkl", "0.1.1/model.pkl"},
		"digest":  {"sha256:9", "sha256:8"},
	} {
		revision := rendered(t, Input{Model: loaded(t, "m", strings.Replace(base, change[0], change[1], 1)), Platform: fullPlatform(t)}).Revision
		if other, ok := seen[revision]; ok {
			t.Errorf("%s and %s are one revision", name, other)
		}
		seen[revision] = name
	}
}

// TestImages holds for who says which image runs: what was resolved wins, and neither
// that nor the platform makes a revision.
func TestImages(t *testing.T) {
	in := Input{Model: modelOf(t, ""), Platform: fullPlatform(t)}
	first := rendered(t, in)
	in.Image = "registry.example.com/mizzen@sha256:" + strings.Repeat("a", 64)
	resolved := rendered(t, in)
	if resolved.Image != in.Image || first.Image != in.Platform.Image {
		t.Errorf("images are %s and %s", first.Image, resolved.Image)
	}
	in.Image, in.Platform = "", &platform.Platform{Image: "registry.example.com/mizzen:9"}
	later := rendered(t, in)
	if later.Image != in.Platform.Image {
		t.Errorf("image is %s", later.Image)
	}
	if first.Revision != resolved.Revision || first.Revision != later.Revision {
		t.Errorf("revisions are %s, %s and %s", first.Revision, resolved.Revision, later.Revision)
	}
	// Model and server come in one image, and the pull of a node is one.
	pod := find(t, resolved, "Deployment", "iris")
	for _, list := range []string{"containers", "initContainers"} {
		if got := containers(t, pod, list)[0]["image"]; got != resolved.Image {
			t.Errorf("%s run %v", list, got)
		}
	}
}

// TestStartupBudget is the formula that placement.startupTimeout documents.
func TestStartupBudget(t *testing.T) {
	tests := map[string]struct {
		spec string
		want time.Duration
	}{
		"nothing known":         {want: time.Minute},
		"small":                 {spec: "  resources: {limits: {memory: 512Mi}}\n", want: time.Minute},
		"memory":                {spec: "  resources: {limits: {memory: 16Gi}}\n", want: 1024 * time.Second},
		"memory asked for":      {spec: "  resources: {requests: {memory: 32Gi}}\n", want: 2048 * time.Second},
		"cache below memory":    {spec: "    cache: {emptyDir: {sizeLimit: 2Gi}}\n  resources: {limits: {memory: 16Gi}}\n", want: 128 * time.Second},
		"claim above memory":    {spec: "    cache: {claim: {size: 100Gi}}\n  resources: {limits: {memory: 2Gi}}\n", want: 128 * time.Second},
		"at most":               {spec: "  resources: {limits: {memory: 1Ti}}\n", want: 2 * time.Hour},
		"what the Model says":   {spec: "  resources: {limits: {memory: 1Ti}}\n  placement: {startupTimeout: 90s}\n", want: 90 * time.Second},
		"rounded up to a probe": {spec: "  placement: {startupTimeout: 61s}\n", want: 62 * time.Second},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			server := containers(t, find(t, renderSpec(t, test.spec), "Deployment", "iris"), "containers")[0]
			probe := server["startupProbe"].(map[string]any) //nolint:forcetypeassert // it is rendered always
			seconds := probe["periodSeconds"].(int64) * probe["failureThreshold"].(int64)
			if got := time.Duration(seconds) * time.Second; got != test.want {
				t.Errorf("the budget is %s, want %s", got, test.want)
			}
		})
	}
}

// TestGPUTolerations holds for the taints of nodes with accelerators: NVIDIA's have one
// name, whatever share of a GPU they offer.
func TestGPUTolerations(t *testing.T) {
	for resource, want := range map[string][]string{
		"nvidia.com/gpu":         {"nvidia.com/gpu"},
		"nvidia.com/mig-1g.10gb": {"nvidia.com/mig-1g.10gb", "nvidia.com/gpu"},
		"nvidia.com/gpu.shared":  {"nvidia.com/gpu.shared", "nvidia.com/gpu"},
		"amd.com/gpu":            {"amd.com/gpu"},
	} {
		t.Run(resource, func(t *testing.T) {
			spec := "  runtime: {name: tfserving}\n  gpu: {count: 1, resourceName: " + resource + "}\n"
			model := loaded(t, "model.yaml", strings.Replace(base, "model.pkl", "model.tar.gz", 1)+spec)
			d := find(t, rendered(t, Input{Model: model, Platform: fullPlatform(t)}), "Deployment", "iris")
			var got []string
			for _, toleration := range containers(t, d, "tolerations") {
				got = append(got, fmt.Sprint(toleration["key"]))
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("tolerated taints (-want +got):\n%s", diff)
			}
		})
	}
}

// TestImageNotPinned warns where the platform's own policy would refuse the pods.
func TestImageNotPinned(t *testing.T) {
	policy := "images: {allowedRegistries: [registry.example.com], namespaces: [%s]}\n"
	digest := "@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
	for name, test := range map[string]struct {
		platform string
		want     bool
	}{
		"a tag":          {"image: registry.example.com/mizzen:1.0.0\n" + fmt.Sprintf(policy, "ml-prod"), true},
		"a digest":       {"image: registry.example.com/mizzen" + digest + "\n" + fmt.Sprintf(policy, "ml-prod"), false},
		"no such policy": {"image: registry.example.com/mizzen:1.0.0\n" + fmt.Sprintf(policy, "other"), false},
	} {
		t.Run(name, func(t *testing.T) {
			p, err := platform.Read(strings.NewReader("apiVersion: mizzen.dev/v1alpha1\nkind: Platform\n"+test.platform), "platform.yaml")
			if err != nil {
				t.Fatal(err)
			}
			problems := rendered(t, Input{Model: modelOf(t, ""), Platform: p}).Problems
			if got := slices.ContainsFunc(problems, func(p Problem) bool { return p.Reason == "ImageNotPinned" }); got != test.want {
				t.Errorf("a warning: %t, of %v", got, problems)
			}
		})
	}
}

// TestStop holds for how long pods take to stop: the kubelet's grace covers it all, and
// servers that do not drain are left alone for as long as that takes.
func TestStop(t *testing.T) {
	custom := "  runtime: {name: custom, image: r/s:1, custom: {port: 8080}}\n"
	tests := map[string]struct {
		spec         string
		sleep, grace int64
	}{
		"default":          {sleep: 5, grace: 35},
		"set":              {spec: "  placement: {preStop: 10s, drain: 60s}\n", sleep: 10, grace: 75},
		"does not drain":   {spec: custom, sleep: 30, grace: 35},
		"longer grace":     {spec: "  placement: {gracePeriod: 2m}\n", sleep: 5, grace: 120},
		"no preStop":       {spec: "  placement: {preStop: 0s}\n", sleep: 0, grace: 30},
		"parts of seconds": {spec: "  placement: {preStop: 1500ms}\n", sleep: 2, grace: 32},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			d := find(t, renderSpec(t, test.spec), "Deployment", "iris")
			sleep, _, err := unstructured.NestedInt64(containers(t, d, "containers")[0], "lifecycle", "preStop", "sleep", "seconds")
			if err != nil {
				t.Fatal(err)
			}
			grace, _, err := unstructured.NestedInt64(d.Object, "spec", "template", "spec", "terminationGracePeriodSeconds")
			if err != nil {
				t.Fatal(err)
			}
			if sleep != test.sleep || grace != test.grace {
				t.Errorf("sleep %d and grace %d, want %d and %d", sleep, grace, test.sleep, test.grace)
			}
		})
	}
}

// TestReplicas holds for who sets the number of pods, and where one may go at a time.
func TestReplicas(t *testing.T) {
	tests := map[string]struct {
		spec   string
		want   any
		budget bool
	}{
		"neither":       {},
		"one":           {spec: "  replicas: 1\n", want: int64(1)},
		"none":          {spec: "  replicas: 0\n", want: int64(0)},
		"two":           {spec: "  replicas: 2\n", want: int64(2), budget: true},
		"scaled":        {spec: "  scale: {minReplicas: 2, maxReplicas: 3}\n", budget: true},
		"scaled to one": {spec: "  scale: {minReplicas: 1, maxReplicas: 3}\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := renderSpec(t, test.spec)
			spec, _, err := nestedMap(find(t, r, "Deployment", "iris").Object, "spec")
			if err != nil {
				t.Fatal(err)
			}
			if got := spec["replicas"]; got != test.want {
				t.Errorf("replicas: %v, want %v", got, test.want)
			}
			budget := false
			for _, o := range r.Objects {
				budget = budget || o.GetKind() == "PodDisruptionBudget"
			}
			if budget != test.budget {
				t.Errorf("disruption budget: %v, want %v", budget, test.budget)
			}
		})
	}
}

// TestFileNames holds for what a fetched model is called.
func TestFileNames(t *testing.T) {
	for uri, want := range map[string]string{
		"s3://models/iris/0.1.0/model.pkl":                       "model.pkl",
		"https://models.example.com/a/iris.joblib?X-Signature=1": "iris.joblib",
		"https://models.example.com":                             "model",
		"https://models.example.com/":                            "model",
		"hf://org/repo@main/sub/clf.pkl":                         "clf.pkl",
		"oci://registry.example.com/models/iris:0.1.0":           "iris-0.1.0",
		"oci://registry.example.com/iris:1#models/iris/clf.pkl":  "clf.pkl",
		"gs://models/iris.pkl#1234567":                           "iris.pkl",
		"s3://models/..":                                         "model",
		"s3://models/my%20model.pkl":                             "my-20model.pkl",
		"s3://models/" + strings.Repeat("a", 300):                "model",
	} {
		r := &renderer{Input: Input{Model: modelOf(t, "")}}
		r.spec = &r.Model.Spec
		r.spec.Source.URI = uri
		if got := r.fileName(); got != want {
			t.Errorf("%s is called %s, want %s", uri, got, want)
		}
	}
}

// TestDevelopmentSecrets are made on request, and then all that the Model names.
func TestDevelopmentSecrets(t *testing.T) {
	in := Input{Model: modelOf(t, `    secretRef: {name: store}
  auth: {apiKeys: {name: keys, key: list}}
  secrets: [{name: A, secretRef: {name: keys, key: a}}]
`), Platform: fullPlatform(t)}
	secrets := func() map[string][]string {
		got := map[string][]string{}
		for _, o := range rendered(t, in).Objects {
			if o.GetKind() == "Secret" {
				data, _, err := nestedMap(o.Object, "data")
				if err != nil {
					t.Fatal(err)
				}
				got[o.GetName()] = slices.Sorted(maps.Keys(data))
			}
		}
		return got
	}
	if got := secrets(); len(got) > 0 {
		t.Errorf("there are Secrets without being asked for: %v", got)
	}
	in.DevelopmentSecrets = true
	want := map[string][]string{"keys": {"a", "list"}, "store": {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}}
	if diff := cmp.Diff(want, secrets()); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestOwner(t *testing.T) {
	owner := &metav1.OwnerReference{APIVersion: "mizzen.dev/v1alpha1", Kind: "Model", Name: "iris", UID: "1"}
	for _, o := range rendered(t, Input{Model: modelOf(t, ""), Platform: fullPlatform(t), Owner: owner}).Objects {
		if diff := cmp.Diff([]metav1.OwnerReference{*owner}, o.GetOwnerReferences()); diff != "" {
			t.Errorf("%s: -want +got:\n%s", o.GetKind(), diff)
		}
	}
}

func TestInput(t *testing.T) {
	model := modelOf(t, "")
	nameless := model.DeepCopy()
	nameless.Namespace = ""
	for name, in := range map[string]Input{
		"no Model":     {Platform: fullPlatform(t)},
		"no platform":  {Model: model},
		"no namespace": {Model: nameless, Platform: fullPlatform(t)},
	} {
		if _, err := Render(in); err == nil {
			t.Errorf("%s: rendered", name)
		}
	}
}

// containers of a Deployment.
func containers(t *testing.T, d *unstructured.Unstructured, list string) []map[string]any {
	t.Helper()
	items, _, err := unstructured.NestedSlice(d.Object, "spec", "template", "spec", list)
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for _, item := range items {
		c, ok := item.(map[string]any)
		if !ok {
			t.Fatalf("%v is no container", item)
		}
		all = append(all, c)
	}
	return all
}
