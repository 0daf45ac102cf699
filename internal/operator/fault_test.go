package operator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mizzen.dev/internal/operator"
	"mizzen.dev/internal/platform"
)

var errDead = errors.New("the operator is dead")

// mortal is a client that dies at its n-th write: before it, or after it without having
// heard the answer. Then nothing works.
type mortal struct {
	client.Client
	dieAt  int
	after  bool
	writes int
}

func (m *mortal) dead() bool { return m.dieAt > 0 && m.writes >= m.dieAt }

func (m *mortal) write(do func() error) error {
	if m.dead() {
		return errDead
	}
	m.writes++
	if m.writes != m.dieAt {
		return do()
	}
	if m.after {
		_ = do() // whatever came of it, nobody hears of it
	}
	return errDead
}

func (m *mortal) Apply(ctx context.Context, o runtime.ApplyConfiguration, opts ...client.ApplyOption) error {
	return m.write(func() error { return m.Client.Apply(ctx, o, opts...) })
}

func (m *mortal) Delete(ctx context.Context, o client.Object, opts ...client.DeleteOption) error {
	return m.write(func() error { return m.Client.Delete(ctx, o, opts...) })
}

func (m *mortal) Status() client.SubResourceWriter { return &mortalStatus{m.Client.Status(), m} }

type mortalStatus struct {
	client.SubResourceWriter
	mortal *mortal
}

func (s *mortalStatus) Patch(ctx context.Context, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption) error {
	return s.mortal.write(func() error { return s.SubResourceWriter.Patch(ctx, o, p, opts...) })
}

func (m *mortal) Get(ctx context.Context, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
	if m.dead() {
		return errDead
	}
	return m.Client.Get(ctx, key, o, opts...)
}

// List asks the API server by label, as the caches are asked by index.
func (m *mortal) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if m.dead() {
		return errDead
	}
	for i, o := range opts {
		if fields, ok := o.(client.MatchingFields); ok {
			opts[i] = client.MatchingLabels(fields)
		}
	}
	return m.Client.List(ctx, list, opts...)
}

// specs are what a Model asks for in turn: objects are made, changed, handed over and
// removed on the way.
func specs() []string {
	return []string{
		spec("replicas: 3", "config: {MIZZEN_LOG_LEVEL: debug}", ingress),
		spec("scale: {minReplicas: 2, maxReplicas: 5}", "config: {MIZZEN_LOG_LEVEL: info}", "isolation: {mode: Disabled}"),
		spec("replicas: 4"),
	}
}

// TestDying holds for an operator that dies before or after any of its writes: the next
// one ends with the same objects.
func TestDying(t *testing.T) {
	shared := newBed(t, server.Get(t))
	want, total := live(shared.another(t), 0, false)
	t.Logf("an untroubled life has %d writes", total)
	if total < 15 {
		t.Fatalf("an untroubled life has %d writes only", total)
	}
	for n := 1; n <= total; n++ {
		for _, after := range []bool{false, true} {
			t.Run(fmt.Sprintf("write=%d/after=%t", n, after), func(t *testing.T) {
				t.Parallel()
				got, _ := live(shared.another(t), n, after)
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("objects (-of an untroubled life +got):\n%s", diff)
				}
			})
		}
	}
}

// live takes a Model through all its specs with an operator that dies once, and returns
// what there is in the end and how many writes there were.
func live(b *bed, dieAt int, after bool) (map[string]string, int) {
	b.Helper()
	p := platform.Bare()
	p.Image = "registry.example.com/mizzen:1.0.0"
	p.Offers = platform.Offers{platform.PrometheusOperator, platform.MetricsServer}
	m := &mortal{Client: b.Client, dieAt: dieAt, after: after}
	r := operator.NewReconciler(m, p)
	for i, s := range specs() {
		if i == 0 {
			b.model("iris", s)
		} else {
			b.respec("iris", s)
		}
		for quiet := false; !quiet; {
			before := m.writes
			_, err := r.Reconcile(b.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: b.namespace, Name: "iris"}})
			if m.dead() {
				m = &mortal{Client: b.Client}
				r = operator.NewReconciler(m, p)
				continue
			}
			if err != nil {
				b.Fatal(err)
			}
			quiet = m.writes == before
		}
	}
	return b.gist("iris"), m.writes
}

// gist is what matters of a Model's objects, in a form that is the same in any
// namespace.
func (b *bed) gist(name string) map[string]string {
	b.Helper()
	all := map[string]string{}
	for key, o := range b.owned(name) {
		for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation", "managedFields"} {
			unstructured.RemoveNestedField(o.Object, "metadata", field)
		}
		owners := o.GetOwnerReferences()
		for i := range owners {
			owners[i].UID = ""
		}
		o.SetOwnerReferences(owners)
		unstructured.RemoveNestedField(o.Object, "spec", "clusterIP")
		unstructured.RemoveNestedField(o.Object, "spec", "clusterIPs")
		raw, err := json.MarshalIndent(o.Object, "", " ")
		if err != nil {
			b.Fatal(err)
		}
		all[key] = strings.ReplaceAll(string(raw), b.namespace, "NAMESPACE")
	}
	m := b.get(name)
	for _, c := range m.Status.Conditions {
		all["condition "+c.Type] = fmt.Sprintf("%s %s", c.Status, c.Reason)
	}
	for _, r := range m.Status.Revisions {
		all["revision "+r.Name] = r.Image
	}
	return all
}
