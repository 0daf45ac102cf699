package operator_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/wait"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator"
	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/crds"
)

// The operator of the tests is the one of config/rbac.yaml, and may do no more.
const operatorUser = "system:serviceaccount:mizzen-system:mizzen-operator"

// patience is for what takes a moment; on a machine whose cores are all busy a long one.
const patience = time.Minute

var server = apiserver.NewShared(apiserver.Options{CRDs: []*apiextensionsv1.CustomResourceDefinition{modelDefinition()}, CRDPaths: definitionPaths()})

func TestMain(m *testing.M) {
	log.SetLogger(logr.Discard()) // what has no logger of the operator's
	os.Exit(server.Run(m))
}

func modelDefinition() *apiextensionsv1.CustomResourceDefinition {
	crd := &apiextensionsv1.CustomResourceDefinition{}
	if err := yaml.Unmarshal(v1alpha1.CRD, crd); err != nil {
		panic(err)
	}
	return crd
}

// definitionPaths are the kinds of others, as their projects publish them.
func definitionPaths() []string {
	files, err := crds.Written(context.Background(), crds.GatewayAPI(), crds.KEDA(), crds.CertManager(), crds.PrometheusOperator())
	if err != nil {
		panic(err)
	}
	return files
}

// bed is a namespace on an API server, with an administrator.
type bed struct {
	testing.TB
	client.Client
	server    *apiserver.Server
	namespace string
}

func newBed(t *testing.T, s *apiserver.Server) *bed {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme, apiextensionsv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(s.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return &bed{TB: t, Client: c, server: s, namespace: s.Namespace(t)}
}

// another namespace of the same server, for a test of its own.
func (b *bed) another(t *testing.T) *bed {
	t.Helper()
	return &bed{TB: t, Client: b.Client, server: b.server, namespace: b.server.Namespace(t)}
}

// operatorConfig is that of a user who may do what config/rbac.yaml says.
func (b *bed) operatorConfig() *rest.Config {
	b.Helper()
	b.install("namespace.yaml", "rbac.yaml")
	user, err := b.server.AddUser(operatorUser, "system:serviceaccounts", "system:authenticated")
	if err != nil {
		b.Fatal(err)
	}
	return user
}

// install applies files of config.
func (b *bed) install(files ...string) {
	b.Helper()
	for _, file := range files {
		for _, o := range readObjects(b, filepath.Join("../../config", file)) {
			b.apply(o, "installer")
		}
	}
}

func (b *bed) apply(o *unstructured.Unstructured, manager string) {
	b.Helper()
	if err := b.Apply(b.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner(manager), client.ForceOwnership); err != nil {
		b.Fatal(err)
	}
}

func readObjects(t testing.TB, path string) []*unstructured.Unstructured {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parseObjects(t, string(raw))
}

func parseObjects(t testing.TB, text string) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	d := utilyaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := d.Decode(&o.Object); err == io.EOF {
			return all
		} else if err != nil {
			t.Fatal(err)
		}
		if len(o.Object) > 0 {
			all = append(all, o)
		}
	}
}

// running is an operator at work.
type running struct {
	*operator.Operator
	bed   *bed
	stop  func()
	looks *looks
}

// resync has a Model looked at, and waits until that is over: a Model is looked at
// once at a time.
func (r *running) resync(name string) {
	r.bed.Helper()
	r.bed.eventually("the platform is known", r.Known)
	for range 2 {
		before := r.looks.at(name)
		r.ResyncAll()
		r.bed.eventually(name+" is looked at", func() bool { return r.looks.at(name) > before })
	}
}

// looks counts how often each Model was read by the operator.
type looks struct {
	client.Client
	mu    sync.Mutex
	times map[string]int
}

func (l *looks) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if _, ok := o.(*v1alpha1.Model); ok {
		l.mu.Lock()
		l.times[key.Name]++
		l.mu.Unlock()
	}
	return l.Client.Get(ctx, key, o, opts...)
}

func (l *looks) at(name string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.times[name]
}

// operate starts an operator for the bed's namespace, which the test stops in the end
// if it does not do so before.
func (b *bed) operate(change func(*operator.Options)) *running {
	b.Helper()
	logger := logr.FromSlogHandler(slog.NewTextHandler(&lines{b}, &slog.HandlerOptions{Level: slog.LevelWarn}))
	o := operator.Options{Config: b.operatorConfig(), Namespaces: []string{b.namespace}, PlatformPath: b.platform("image: registry.example.com/mizzen:1.0.0"),
		MetricsAddress: "0", HealthAddress: "0", LookAround: time.Hour, Resolver: operator.NoResolver{}, Log: logger}
	if change != nil {
		change(&o)
	}
	l := &looks{times: map[string]int{}}
	wrap := o.WrapClient
	o.WrapClient = func(c client.Client) client.Client {
		if wrap != nil {
			c = wrap(c)
		}
		l.Client = c
		return l
	}
	op, err := operator.New(o)
	if err != nil {
		b.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- op.Start(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			b.Errorf("the operator ended with: %v", err)
		}
	})
	b.Cleanup(stop)
	return &running{Operator: op, bed: b, stop: stop, looks: l}
}

// platform writes a platform file.
func (b *bed) platform(fields ...string) string {
	b.Helper()
	path := filepath.Join(b.TempDir(), "platform.yaml")
	text := "apiVersion: mizzen.dev/v1alpha1\nkind: Platform\n" + strings.Join(fields, "\n") + "\n"
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	return path
}

// lines shows the operator's log beside the test's.
type lines struct{ testing.TB }

func (l *lines) Write(p []byte) (int, error) {
	if l.Context().Err() == nil { // a test that has ended takes no more
		l.Logf("%s", bytes.TrimSpace(p))
	}
	return len(p), nil
}

// model makes a Model in the bed's namespace; spec is YAML.
func (b *bed) model(name, spec string) *v1alpha1.Model {
	b.Helper()
	m := b.draft(name, spec)
	if err := b.Create(b.Context(), m); err != nil {
		b.Fatal(err)
	}
	return m
}

func (b *bed) draft(name, spec string) *v1alpha1.Model {
	b.Helper()
	m := &v1alpha1.Model{}
	if err := yaml.UnmarshalStrict([]byte(spec), &m.Spec); err != nil {
		b.Fatal(err)
	}
	m.Name, m.Namespace = name, b.namespace
	return m
}

// respec gives a Model another spec.
func (b *bed) respec(name, spec string) {
	b.Helper()
	next := b.draft(name, spec)
	m := b.get(name)
	m.Spec = next.Spec
	if err := b.Update(b.Context(), m); err != nil {
		b.Fatal(err)
	}
}

func (b *bed) get(name string) *v1alpha1.Model {
	b.Helper()
	m := &v1alpha1.Model{}
	b.read(m, name)
	return m
}

func (b *bed) read(o client.Object, name string) {
	b.Helper()
	if err := b.Get(b.Context(), client.ObjectKey{Namespace: b.namespace, Name: name}, o); err != nil {
		b.Fatal(err)
	}
}

// there says whether an object exists, and reads it.
func (b *bed) there(o client.Object, name string) bool {
	b.Helper()
	err := b.Get(b.Context(), client.ObjectKey{Namespace: b.namespace, Name: name}, o)
	if err != nil && !apierrors.IsNotFound(err) {
		b.Fatal(err)
	}
	return err == nil
}

// eventually waits until a condition holds.
func (b *bed) eventually(what string, holds func() bool) {
	b.Helper()
	err := wait.PollUntilContextTimeout(b.Context(), 20*time.Millisecond, patience, true, func(context.Context) (bool, error) {
		return holds(), nil
	})
	if err != nil {
		b.Fatalf("waited in vain until %s", what)
	}
}

// reconciled waits until the operator has dealt with the present spec.
func (b *bed) reconciled(name string) *v1alpha1.Model {
	b.Helper()
	var m *v1alpha1.Model
	b.eventually(name+" is reconciled", func() bool {
		m = b.get(name)
		return m.Status.ObservedGeneration == m.Generation
	})
	return m
}

// owned lists what a Model has, by kind and name.
func (b *bed) owned(name string) map[string]unstructured.Unstructured {
	b.Helper()
	found := map[string]unstructured.Unstructured{}
	for _, k := range operator.Kinds() {
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(k.GroupVersion().WithKind(k.Kind + "List"))
		err := b.List(b.Context(), list, client.InNamespace(b.namespace), client.MatchingLabels{"mizzen.dev/model": name})
		if k.Optional && apierrors.IsNotFound(err) {
			continue
		}
		if err != nil {
			b.Fatal(err)
		}
		for _, o := range list.Items {
			found[o.GetKind()+" "+o.GetName()] = o
		}
	}
	return found
}

// events about a Model of a reason.
func (b *bed) events(name, reason string) []string {
	b.Helper()
	list := &corev1.EventList{}
	if err := b.List(b.Context(), list, client.InNamespace(b.namespace)); err != nil {
		b.Fatal(err)
	}
	var notes []string
	for _, e := range list.Items {
		if e.InvolvedObject.Name == name && e.Reason == reason {
			notes = append(notes, e.Message)
		}
	}
	return notes
}

const digest = "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// spec is that of a small Model, and what a test adds.
func spec(fields ...string) string {
	return fmt.Sprintf("version: 0.1.0\nsource: {uri: \"https://models.example.com/iris.pkl\", digest: %q}\n%s\n", digest, strings.Join(fields, "\n"))
}
