package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/operator"
)

const (
	diffFacts = "apiVersion: mizzen.dev/v1alpha1\nkind: Platform\nimage: registry.example.com/mizzen:1.0.0\n" +
		"ingressClasses: [{name: nginx, controller: k8s.io/ingress-nginx}]\n"
	diffSource = "version: 0.1.0\nsource: {uri: s3://models/iris/0.1.0/model.pkl}\n"
	debug      = "config: {MIZZEN_LOG_LEVEL: debug}\n"
	exposed    = "expose: {host: ml.example.com, ingress: {className: nginx}, tls: {issuerRef: {name: letsencrypt}}}\n"
	// nginx takes gRPC over TLS alone.
	refusedExpose = "expose: {host: ml.example.com, ingress: {className: nginx}, protocols: [HTTP, GRPC]}\n"
)

// TestDiffIsWhatTheOperatorDoes holds diff to the operator: what diff says of a Model
// before it is applied is what the operator does to each object after it was. Then
// nothing is left to change. Who may write nothing but Models hears the same.
func TestDiffIsWhatTheOperatorDoes(t *testing.T) {
	steps := []struct {
		name, spec string
		// some is part of what is expected, so that a step does what it is for.
		some map[string]cluster.Action
	}{
		{"new", diffSource + debug + exposed + "replicas: 2\n",
			map[string]cluster.Action{"Deployment/iris": cluster.Create, "Certificate/iris-tls": cluster.Create}},
		{"more pods", diffSource + debug + exposed + "replicas: 3\n",
			map[string]cluster.Action{"Deployment/iris": cluster.Update, "Service/iris": cluster.Keep}},
		{"an autoscaler", diffSource + debug + exposed + "scale: {minReplicas: 2, maxReplicas: 9, via: HPA, target: {cpuUtilization: 60}}\n",
			map[string]cluster.Action{"HorizontalPodAutoscaler/iris": cluster.Create, "Deployment/iris": cluster.Keep}},
		{"a part that is refused, and no config", diffSource + refusedExpose + "scale: {minReplicas: 2, maxReplicas: 9, via: HPA, target: {cpuUtilization: 60}}\n",
			map[string]cluster.Action{"ConfigMap": cluster.Delete, "HorizontalPodAutoscaler/iris": cluster.Keep, "Deployment/iris": cluster.Update}},
		{"inside, with a fixed number", diffSource + "replicas: 2\n",
			map[string]cluster.Action{"HorizontalPodAutoscaler/iris": cluster.Delete, "Certificate/iris-tls": cluster.Delete, "Deployment/iris": cluster.Update}},
		{"nothing new", diffSource + "replicas: 2\n", map[string]cluster.Action{"Deployment/iris": cluster.Keep}},
	}
	b := newOperated(t)
	for _, step := range steps {
		said, code := b.diff(step.spec, b.administrator)
		if guessed, _ := b.diff(step.spec, b.editor); !cmp.Equal(said, guessed) {
			t.Errorf("%s: -said to an administrator +said to an editor:\n%s", step.name, cmp.Diff(said, guessed))
		}
		before := b.objects()
		b.apply(step.spec)
		b.settle(step.spec)
		if diff := cmp.Diff(did(before, b.objects(), said), said); diff != "" {
			t.Errorf("%s: -done +said by diff:\n%s", step.name, diff)
		}
		for object, want := range step.some {
			if got := find(said, object); got != want {
				t.Errorf("%s: diff says %s of %s, want %s", step.name, got, object, want)
			}
		}
		if want := map[bool]int{true: 1, false: 0}[step.name != "nothing new"]; code != want {
			t.Errorf("%s: exit code %d, want %d", step.name, code, want)
		}
	}
}

// find is what is said of KIND/NAME, or of the only object of KIND.
func find(said map[string]cluster.Action, object string) cluster.Action {
	for name, action := range said {
		if name == object || strings.HasPrefix(name, object+"/") && action != cluster.Keep {
			return action
		}
	}
	return ""
}

// did is what became of the objects. Of one that stays as it is diff may say nothing.
func did(before, after map[string]string, said map[string]cluster.Action) map[string]cluster.Action {
	done := map[string]cluster.Action{}
	for name, o := range before {
		now, there := after[name]
		switch {
		case !there:
			done[name] = cluster.Delete
		case now != o:
			done[name] = cluster.Update
		case said[name] != "":
			done[name] = cluster.Keep
		}
	}
	for name := range after {
		if _, there := before[name]; !there {
			done[name] = cluster.Create
		}
	}
	return done
}

// operated is a namespace with an operator at work, and its facts.
type operated struct {
	*testing.T
	*testServer
	namespace string
	// Kubeconfig files of who may do all, and who has the role Edit.
	administrator, editor string
}

func newOperated(t *testing.T) *operated {
	t.Helper()
	b := &operated{T: t, testServer: startServer(t)}
	b.namespace = b.Namespace(t)
	editor, err := b.as("editor")
	if err != nil {
		t.Fatal(err)
	}
	facts := b.file("platform.yaml", diffFacts)
	b.administrator, b.editor = b.file("administrator", string(b.Kubeconfig)), b.file("editor", string(editor))
	access := b.file("access.yaml", "apiVersion: mizzen.dev/v1alpha1\nkind: Platform\naccess: [{namespace: "+b.namespace+", role: Edit, users: [editor]}]\n")
	b.mizzenctl("platform", "apply", "-f", access, "--kubeconfig", b.administrator)
	config := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: b.namespace, Name: "mizzen-platform"}, Data: map[string]string{"platform.yaml": diffFacts}}
	if err := b.Create(t.Context(), config); err != nil {
		t.Fatal(err)
	}
	op, err := operator.New(operator.Options{Config: b.Config, Namespaces: []string{b.namespace}, PlatformPath: facts, MetricsAddress: "0",
		HealthAddress: "0", LookAround: time.Hour, Resolver: operator.NoResolver{}, Log: logr.Discard()})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- op.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return b
}

// file writes a file of the test, and returns where it is.
func (b *operated) file(name, text string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

func (b *operated) mizzenctl(args ...string) (code int, out string) {
	b.Helper()
	var stdout, errs bytes.Buffer
	code = run(b.Context(), ownName, args, command.Streams{In: strings.NewReader(""), Out: &stdout, Err: &errs})
	if code > 1 {
		b.Fatalf("%s: exit code %d: %s", args[0], code, errs.String())
	}
	return code, stdout.String()
}

func (b *operated) model(spec string) *v1alpha1.Model {
	b.Helper()
	m := &v1alpha1.Model{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.GroupVersion().String(), Kind: v1alpha1.Kind},
		ObjectMeta: metav1.ObjectMeta{Name: "iris", Namespace: b.namespace}}
	if err := yaml.UnmarshalStrict([]byte(spec), &m.Spec); err != nil {
		b.Fatal(err)
	}
	return m
}

// diff runs mizzenctl diff, and returns what it says of each object but the Model.
func (b *operated) diff(spec, kubeconfig string) (map[string]cluster.Action, int) {
	b.Helper()
	file := b.file("model.yaml", "apiVersion: mizzen.dev/v1alpha1\nkind: Model\nmetadata: {name: iris, namespace: "+b.namespace+"}\nspec:\n  "+
		strings.ReplaceAll(strings.TrimSpace(spec), "\n", "\n  ")+"\n")
	code, out := b.mizzenctl("diff", "-f", file, "--kubeconfig", kubeconfig, "--operator-namespace", b.namespace, "--resolve-images=false", "-o", "json")
	var report diffReport
	if err := json.Unmarshal([]byte(out), &report); err != nil {
		b.Fatal(err)
	}
	said := map[string]cluster.Action{}
	for _, c := range report.Changes {
		if c.Object != "Model/iris" {
			said[c.Object] = c.Action
		}
	}
	return said, code
}

// apply gives the Model a spec, and waits until the operator has dealt with it.
func (b *operated) apply(spec string) {
	b.Helper()
	m := b.model(spec)
	live := &v1alpha1.Model{}
	key := client.ObjectKeyFromObject(m)
	err := b.Get(b.Context(), key, live)
	switch {
	case client.IgnoreNotFound(err) != nil:
		b.Fatal(err)
	case err != nil:
		err = b.Create(b.Context(), m)
	default:
		live.Spec = m.Spec
		err = b.Update(b.Context(), live)
	}
	if err != nil {
		b.Fatal(err)
	}
	err = wait.PollUntilContextTimeout(b.Context(), 20*time.Millisecond, time.Minute, true, func(ctx context.Context) (bool, error) {
		err := b.Get(ctx, key, live)
		return live.Status.ObservedGeneration == live.Generation, err
	})
	if err != nil {
		b.Fatalf("the operator does not look at the Model: %v", err)
	}
}

// settle waits until nothing is left to do. The operator looks again when an object that
// it had to delete first is gone.
func (b *operated) settle(spec string) {
	b.Helper()
	var said map[string]cluster.Action
	err := wait.PollUntilContextTimeout(b.Context(), 20*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		var code int
		said, code = b.diff(spec, b.administrator)
		return code == 0, nil
	})
	if err != nil {
		b.Fatalf("long after it was applied diff says %v", said)
	}
}

// objects of the Model, by KIND/NAME: what people see of them.
func (b *operated) objects() map[string]string {
	b.Helper()
	found := map[string]string{}
	for _, k := range operator.Kinds() {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(k.GroupVersion().WithKind(k.Kind + "List"))
		err := b.List(b.Context(), list, client.InNamespace(b.namespace), client.MatchingLabels{"mizzen.dev/model": "iris"})
		if err != nil && !meta.IsNoMatchError(err) {
			b.Fatal(err)
		}
		for _, o := range list.Items {
			for _, field := range []string{"managedFields", "resourceVersion", "generation"} {
				unstructured.RemoveNestedField(o.Object, "metadata", field)
			}
			for _, note := range []string{"applied-template", "made-from"} { // the operator's own
				unstructured.RemoveNestedField(o.Object, "metadata", "annotations", "mizzen.dev/"+note)
			}
			text, err := yaml.Marshal(o.Object)
			if err != nil {
				b.Fatal(err)
			}
			found[o.GetKind()+"/"+o.GetName()] = string(text)
		}
	}
	return found
}
