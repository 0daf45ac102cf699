package ownership_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/operator/ownership"
)

const applied = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: iris
  labels: {a: b}
  ownerReferences: [{uid: u, kind: Model, name: iris, controller: true}]
spec:
  selector: {matchLabels: {a: b}}
  template:
    spec:
      containers:
        - name: server
          image: x:1
          ports: [{containerPort: 5000}]
          args: [--one, --two]
          resources: {limits: {memory: 1Gi}}
`

// owned is what an API server notes for that apply.
const owned = `{"f:metadata":{"f:labels":{"f:a":{}},"f:ownerReferences":{"k:{\"uid\":\"u\"}":{}}},"f:spec":{"f:selector":{},"f:template":{"f:spec":{"f:containers":{
"k:{\"name\":\"server\"}":{".":{},"f:name":{},"f:image":{},"f:args":{},"f:resources":{"f:limits":{"f:memory":{}}},
"f:ports":{"k:{\"containerPort\":5000,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}`

// TestCompare starts from an object as it was applied, with the server's defaults.
func TestCompare(t *testing.T) {
	const defaulted = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: iris
  uid: "1"
  labels: {a: b, theirs: x}
  ownerReferences: [{uid: t, kind: Other, name: x}, {uid: u, kind: Model, name: iris, controller: true}]
spec:
  replicas: 1
  selector: {matchLabels: {a: b}}
  template:
    spec:
      restartPolicy: Always
      containers:
        - name: sidecar
          image: theirs
        - name: server
          image: x:1
          imagePullPolicy: IfNotPresent
          ports: [{containerPort: 5000, protocol: TCP}]
          args: [--one, --two]
          resources: {limits: {memory: 1Gi}}
status: {replicas: 1}
`
	server := func(o *unstructured.Unstructured) map[string]any {
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		return containers[len(containers)-1].(map[string]any)
	}
	set := func(o *unstructured.Unstructured, c map[string]any) {
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "template", "spec", "containers")
		containers[len(containers)-1] = c
		_ = unstructured.SetNestedSlice(o.Object, containers, "spec", "template", "spec", "containers")
	}
	change := func(key string, value any) func(*unstructured.Unstructured) {
		return func(o *unstructured.Unstructured) {
			c := server(o)
			if c[key] = value; value == nil {
				delete(c, key)
			}
			set(o, c)
		}
	}
	const container = `spec.template.spec.containers[name="server"]`
	tests := map[string]struct {
		desired, live func(*unstructured.Unstructured)
		owned         string
		theirs        string
		want          []ownership.Difference
	}{
		"as it was applied": {},
		"another value is wanted": {
			desired: change("image", "x:2"),
			want:    []ownership.Difference{{Kind: ownership.Changed, Path: container + ".image"}},
		},
		"a further field is wanted": {
			desired: change("workingDir", "/"),
			want:    []ownership.Difference{{Kind: ownership.Missing, Path: container + ".workingDir"}},
		},
		"a field is no longer wanted": {
			desired: change("args", nil),
			want:    []ownership.Difference{{Kind: ownership.Extra, Path: container + ".args"}},
		},
		"a list as a whole has another order": {
			desired: change("args", []any{"--two", "--one"}),
			want:    []ownership.Difference{{Kind: ownership.Changed, Path: container + ".args"}},
		},
		"somebody changed a value": {
			live:   change("image", "other"),
			owned:  `{"f:metadata":{"f:labels":{"f:a":{}},"f:ownerReferences":{"k:{\"uid\":\"u\"}":{}}},"f:spec":{"f:selector":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"server\"}":{".":{},"f:name":{},"f:args":{},"f:resources":{"f:limits":{"f:memory":{}}},"f:ports":{"k:{\"containerPort\":5000,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}`,
			theirs: `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"server\"}":{"f:image":{}}}}}}}`,
			want:   []ownership.Difference{{Kind: ownership.Changed, Path: container + ".image", By: "kubectl"}},
		},
		"somebody changed a value there and back": {
			owned:  `{"f:metadata":{"f:labels":{"f:a":{}},"f:ownerReferences":{"k:{\"uid\":\"u\"}":{}}},"f:spec":{"f:selector":{},"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"server\"}":{".":{},"f:name":{},"f:args":{},"f:resources":{"f:limits":{"f:memory":{}}},"f:ports":{"k:{\"containerPort\":5000,\"protocol\":\"TCP\"}":{".":{},"f:containerPort":{}}}}}}}}}`,
			theirs: `{"f:spec":{"f:template":{"f:spec":{"f:containers":{"k:{\"name\":\"server\"}":{"f:image":{}}}}}}}`,
			want:   []ownership.Difference{{Kind: ownership.Unowned, Path: container + ".image", By: "kubectl"}},
		},
		"somebody removed the container": {
			live: func(o *unstructured.Unstructured) {
				_ = unstructured.SetNestedSlice(o.Object, []any{}, "spec", "template", "spec", "containers")
			},
			want: []ownership.Difference{{Kind: ownership.Missing, Path: container}},
		},
		"an item that is owned as a whole has another value": {
			live: func(o *unstructured.Unstructured) {
				refs, _, _ := unstructured.NestedSlice(o.Object, "metadata", "ownerReferences")
				refs[1].(map[string]any)["controller"] = false
				_ = unstructured.SetNestedSlice(o.Object, refs, "metadata", "ownerReferences")
			},
			want: []ownership.Difference{{Kind: ownership.Changed, Path: `metadata.ownerReferences[uid="u"]`}},
		},
		"the owners were wiped out": {
			owned: `{}`,
			want: []ownership.Difference{
				{Kind: ownership.Unowned, Path: "metadata.labels"},
				{Kind: ownership.Changed, Path: "metadata.ownerReferences"}, // likewise
				{Kind: ownership.Changed, Path: "spec"},                     // it has a list that is longer
			},
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			desired, live := object(t, applied), object(t, defaulted)
			if test.desired != nil {
				test.desired(desired)
			}
			if test.live != nil {
				test.live(live)
			}
			fields := owned
			if test.owned != "" {
				fields = test.owned
			}
			manage(live, map[string]string{"mizzen": fields, "kubectl": test.theirs})
			got, err := ownership.Compare(desired, live, "mizzen")
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("differences (-want +got):\n%s", diff)
			}
		})
	}
}

func TestOwns(t *testing.T) {
	live := object(t, applied)
	manage(live, map[string]string{"mizzen": `{"f:spec":{"f:replicas":{}}}`, "other": `{"f:spec":{"f:paused":{}}}`})
	for field, want := range map[string]bool{"replicas": true, "paused": false, "template": false} {
		if got := ownership.Owns(live, "mizzen", "spec", field); got != want {
			t.Errorf("Owns(spec.%s) = %t", field, got)
		}
	}
}

func TestMalformedFields(t *testing.T) {
	live := object(t, applied)
	manage(live, map[string]string{"mizzen": `{"k:spec":{}}`})
	if _, err := ownership.Compare(object(t, applied), live, "mizzen"); err == nil {
		t.Error("managed fields of an unknown form are no error")
	}
}

func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	raw, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	o := &unstructured.Unstructured{}
	if err := o.UnmarshalJSON(raw); err != nil {
		t.Fatal(err)
	}
	return o
}

func manage(o *unstructured.Unstructured, fields map[string]string) {
	var entries []metav1.ManagedFieldsEntry
	for manager, f := range fields {
		if f == "" {
			continue
		}
		operation := metav1.ManagedFieldsOperationUpdate
		if manager == "mizzen" {
			operation = metav1.ManagedFieldsOperationApply
		}
		entries = append(entries, metav1.ManagedFieldsEntry{Manager: manager, Operation: operation, APIVersion: "apps/v1",
			FieldsType: "FieldsV1", FieldsV1: metav1.NewFieldsV1(f)})
	}
	o.SetManagedFields(entries)
}

// TestApply applies an image, a further label and no arguments to an object that has the
// server's defaults, and what others wrote: both stay.
func TestApply(t *testing.T) {
	const live = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: iris, labels: {a: b, theirs: x}, ownerReferences: [{uid: u, kind: Model, name: iris, controller: true}]}
spec:
  replicas: 4
  selector: {matchLabels: {a: b}}
  template:
    spec:
      restartPolicy: Always
      containers:
        - {name: sidecar, image: theirs}
        - {name: server, image: "x:1", imagePullPolicy: IfNotPresent, ports: [{containerPort: 5000, protocol: TCP}], args: [--one, --two], resources: {limits: {memory: 1Gi}}}
`
	const want = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: iris, labels: {a: b, theirs: x, c: d}, ownerReferences: [{uid: u, kind: Model, name: iris, controller: true}]}
spec:
  replicas: 4
  selector: {matchLabels: {a: b}}
  template:
    spec:
      restartPolicy: Always
      containers:
        - {name: sidecar, image: theirs}
        - {name: server, image: "x:2", imagePullPolicy: IfNotPresent, ports: [{containerPort: 5000, protocol: TCP}], resources: {limits: {memory: 1Gi}}}
        - {name: more, image: "y:1"}
`
	desired, is := object(t, applied), object(t, live)
	desired.SetLabels(map[string]string{"a": "b", "c": "d"})
	containers, _, _ := unstructured.NestedSlice(desired.Object, "spec", "template", "spec", "containers")
	server := containers[0].(map[string]any)
	server["image"] = "x:2"
	delete(server, "args")
	containers = append(containers, map[string]any{"name": "more", "image": "y:1"})
	if err := unstructured.SetNestedSlice(desired.Object, containers, "spec", "template", "spec", "containers"); err != nil {
		t.Fatal(err)
	}
	manage(is, map[string]string{"mizzen": owned, "kubectl": `{"f:metadata":{"f:labels":{"f:theirs":{}}}}`})
	got, err := ownership.Apply(desired, is, "mizzen")
	if err != nil {
		t.Fatal(err)
	}
	got.SetManagedFields(nil)
	if diff := cmp.Diff(object(t, want).Object, got.Object); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
