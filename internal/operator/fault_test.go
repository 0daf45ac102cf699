package operator_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clocktesting "k8s.io/utils/clock/testing"
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

// life is what a Model asks for in turn: objects are made, changed, handed over and
// removed on the way.
type life struct {
	offers platform.Offers
	groups []string // of the optional kinds that there are
	specs  []string
	kinds  []string // that the first has beside those of every Model
}

var lives = map[string]life{
	"plain": {
		offers: platform.Offers{platform.PrometheusOperator, platform.MetricsServer},
		groups: []string{"monitoring.coreos.com"},
		specs: []string{
			spec("replicas: 3", "config: {MIZZEN_LOG_LEVEL: debug}", ingress),
			spec("scale: {minReplicas: 2, maxReplicas: 5}", "config: {MIZZEN_LOG_LEVEL: info}", "isolation: {mode: Disabled}"),
			spec("replicas: 4"),
		},
		kinds: []string{"ConfigMap", "Ingress", "PrometheusRule"},
	},
	// The autoscaler is handed from KEDA to an HPA, and the Model's own Gateway goes.
	"KEDA and Gateway": {
		offers: platform.Offers{platform.MetricsServer, platform.KEDA, platform.GatewayAPI, platform.CertManager},
		groups: []string{"keda.sh", "gateway.networking.k8s.io", "cert-manager.io"},
		specs: []string{
			spec("scale: {minReplicas: 2, maxReplicas: 20, target: {requestsPerSecond: 50}}",
				"expose: {host: iris.example.com, gateway: {className: envoy}, tls: {issuerRef: {name: authority}}}"),
			spec("scale: {minReplicas: 2, maxReplicas: 5, target: {cpuUtilization: 60}, via: HPA}"),
		},
		kinds: []string{"Certificate", "Gateway", "HTTPRoute", "ScaledObject"},
	},
}

// TestDying holds for an operator that dies before or after any of its writes: the next
// one ends with the same objects.
func TestDying(t *testing.T) {
	shared := newBed(t, server.Get(t))
	for name, l := range lives {
		whole := l.live(shared.another(t), 0, false)
		t.Logf("%s: an untroubled life has %d writes", name, whole.writes)
		if whole.writes < 15 {
			t.Fatalf("%s: an untroubled life has %d writes only", name, whole.writes)
		}
		for _, kind := range l.kinds {
			if !slices.ContainsFunc(slices.Collect(maps.Keys(whole.stages[0])), func(key string) bool { return strings.HasPrefix(key, kind+" ") }) {
				t.Errorf("%s: there is no %s", name, kind)
			}
		}
		for n := 1; n <= whole.writes; n++ {
			for _, after := range []bool{false, true} {
				t.Run(fmt.Sprintf("%s/write=%d/after=%t", name, n, after), func(t *testing.T) {
					t.Parallel()
					cut := l.live(shared.another(t), n, after)
					if !cut.died {
						t.Error("nobody died")
					}
					if diff := cmp.Diff(whole.stages[:len(cut.stages)], cut.stages); diff != "" {
						t.Errorf("objects (-of an untroubled life +got):\n%s", diff)
					}
				})
			}
		}
	}
}

// lived is what a life left behind.
type lived struct {
	stages []map[string]string // the objects after each spec
	writes int
	died   bool
}

// live takes a Model through a life with an operator that dies at a write, if dieAt is not
// 0. What is equal once the next operator has come to rest stays equal, and is the end.
func (l life) live(b *bed, dieAt int, after bool) (all lived) {
	b.Helper()
	p := platform.Bare()
	p.Image = "registry.example.com/mizzen:1.0.0"
	p.Offers = l.offers
	p.Prometheus = &platform.Prometheus{Address: "http://prometheus.monitoring:9090"}
	m := &mortal{Client: b.Client, dieAt: dieAt, after: after}
	clock := clocktesting.NewFakeClock(time.Now())
	newReconciler := func() *operator.Reconciler {
		r := operator.NewReconciler(m, p, l.groups...)
		r.Clock = clock
		return r
	}
	r := newReconciler()
	for i, s := range l.specs {
		if i == 0 {
			b.model("iris", s)
		} else {
			b.respec("iris", s)
		}
		for quiet := false; !quiet; {
			before := m.writes
			clock.Step(operator.ProgressDelay)
			result, err := r.Reconcile(b.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: b.namespace, Name: "iris"}})
			if m.dead() {
				m, all.died = &mortal{Client: b.Client}, true
				r = newReconciler()
				continue
			}
			if err != nil {
				b.Fatal(err)
			}
			// A status may wait to be written.
			waits := result.RequeueAfter > 0 && result.RequeueAfter <= operator.ProgressDelay
			quiet = m.writes == before && !waits
		}
		all.stages = append(all.stages, b.gist("iris"))
		if all.died {
			break
		}
	}
	all.writes = m.writes
	return all
}

// gist is what matters of a Model's objects, in a form that is the same in any
// namespace.
func (b *bed) gist(name string) map[string]string {
	b.Helper()
	all := map[string]string{}
	m := b.get(name)
	anywhere := strings.NewReplacer(b.namespace, "NAMESPACE", string(m.UID), "UID") // managed fields name owners by it
	for key, o := range b.owned(name) {
		for _, field := range []string{"uid", "resourceVersion", "creationTimestamp", "generation"} {
			unstructured.RemoveNestedField(o.Object, "metadata", field)
		}
		managers := o.GetManagedFields()
		for i := range managers {
			managers[i].Time = nil
		}
		slices.SortFunc(managers, func(a, b metav1.ManagedFieldsEntry) int {
			return strings.Compare(a.Manager+string(a.Operation)+a.Subresource, b.Manager+string(b.Operation)+b.Subresource)
		})
		o.SetManagedFields(managers)
		unstructured.RemoveNestedField(o.Object, "spec", "clusterIP")
		unstructured.RemoveNestedField(o.Object, "spec", "clusterIPs")
		raw, err := json.MarshalIndent(o.Object, "", " ")
		if err != nil {
			b.Fatal(err)
		}
		all[key] = anywhere.Replace(string(raw))
	}
	for _, c := range m.Status.Conditions {
		all["condition "+c.Type] = fmt.Sprintf("%s %s", c.Status, c.Reason)
	}
	for _, r := range m.Status.Revisions {
		all["revision "+r.Name] = r.Image
	}
	return all
}
