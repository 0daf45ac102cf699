//go:build e2e

// Package thousand has the operator keep a thousand Models, whose pods run on nodes that
// are only played, and measures it: docs/performance.md.
//
//	make scale
//	make scale SCALEFLAGS='-args -models 3000'
package thousand

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/go-logr/logr"
	"golang.org/x/sync/errgroup"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/log"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/cluster"
	"mizzen.dev/test/cluster/audit"
	"mizzen.dev/test/cluster/binary"
	"mizzen.dev/test/cluster/crds"
)

var (
	models   = flag.Int("models", 1000, "how many Models")
	replicas = flag.Int("replicas", 1, "pods of each")
	level    = flag.String("log-level", "info", "what the operator logs: debug says why it writes")
	pprof    = flag.String("pprof", "0", "address at which the operator answers for its profiles")
)

// What is promised of a thousand Models.
const (
	maxConvergence = 5 * time.Minute
	maxMemory      = 300.0 // MB
	maxWrites      = 2.0   // for an object
)

const (
	modelsInNamespace = 100
	podsOnNode        = 100
	// creators write Models at a time, and more slowly than one could.
	creators = 8
	// changes are measured one by one.
	changes = 20
)

// platform has all that Models are looked at with.
const platform = `apiVersion: mizzen.dev/v1alpha1
kind: Platform
image: registry.example.com/mizzen@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef
prometheus: {address: "http://prometheus.monitoring:9090"}
grafana: {folder: Models}
peers: {scraper: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]}
`

const model = `
apiVersion: mizzen.dev/v1alpha1
kind: Model
metadata: {name: model-%d, namespace: models-%d}
spec:
  version: "0.1.0"
  source: {uri: s3://models/%[1]d/model.pkl, digest: "sha256:fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"}
  config: {MIZZEN_LOG_LEVEL: info}
  replicas: %[3]d
`

// TestThousand creates the Models, restarts the operator, and changes some of them.
func TestThousand(t *testing.T) {
	b := newBed(t)
	w := b.watchModels(t)
	op := startOperator(t, b.cluster, b.binary, b.kubeconfig, b.platform)

	start := time.Now()
	b.createModels(t)
	created := time.Since(start)
	w.waitUntilReady(t, maxConvergence-time.Since(start))
	converged := time.Since(start)
	b.waitUntilQuiet(t)
	peak, now := op.memory(t)
	cpu := op.cpu(t)
	looks, err := op.reconciled(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	written := b.writes(t, start)
	table := newTable()
	table.line("%d Models of %d pods, all Ready after", "%.0f s", *models, *replicas, converged.Seconds())
	table.line("of which to write the Models", "%.0f s", created.Seconds())
	table.line("from a Model's creation to Ready, median and 99%%", "%.1f and %.1f s", w.latency(0.5).Seconds(), w.latency(0.99).Seconds())
	table.line("the operator's memory (RSS), peak and after", "%.0f and %.0f MB", peak, now)
	table.line("its CPU time", "%.0f s, %.0f ms a Model", cpu.Seconds(), float64(cpu.Milliseconds())/float64(*models))
	table.line("looks at a Model", "%.1f", looks/float64(*models))
	written.tell(table)

	op.stop(t)
	b.restart(t, table)
	b.change(t, w, table)
	t.Log("\n" + table.String())

	if converged > maxConvergence {
		t.Errorf("the Models were Ready after %s; %s are promised", converged, maxConvergence)
	}
	if peak > maxMemory {
		t.Errorf("the operator took %.0f MB; %.0f are promised", peak, maxMemory)
	}
	if n := written.perObject(); n > maxWrites {
		t.Errorf("%.2f writes for an object; %.0f are promised", n, maxWrites)
	}
	for object, n := range written.made {
		if n > maxWrites {
			t.Errorf("%s was written %d times", object, n)
		}
	}
}

// restart measures an operator that finds all done, and holds it to writing nothing.
func (b *bed) restart(t *testing.T, table *table) {
	t.Helper()
	start := time.Now()
	op := startOperator(t, b.cluster, b.binary, b.kubeconfig, b.platform)
	eventually(t, maxConvergence, func(ctx context.Context) (bool, string) {
		n, err := op.reconciled(ctx)
		return err == nil && n >= float64(*models), fmt.Sprintf("%.0f Models were looked at (%v)", n, err)
	})
	took := time.Since(start)
	b.waitUntilQuiet(t)
	peak, _ := op.memory(t)
	table.line("after a restart, all looked at after", "%.0f s, %.1f s of CPU, %.0f MB at most", took.Seconds(), op.cpu(t).Seconds(), peak)
	if w := b.writes(t, start); w.total() > 0 {
		t.Errorf("an operator that found all done wrote: %v %v", w.made, w.models)
	}
	if peak > maxMemory {
		t.Errorf("the operator took %.0f MB after a restart; %.0f are promised", peak, maxMemory)
	}
}

// change measures what one change of a Model costs, the others being there.
func (b *bed) change(t *testing.T, w *watcher, table *table) {
	t.Helper()
	var took []time.Duration
	start := time.Now()
	for n := range changes {
		name := key(n * *models / changes)
		begin := time.Now()
		generation := b.bump(t, name)
		w.waitForGeneration(t, name, generation)
		took = append(took, time.Since(begin))
	}
	b.waitUntilQuiet(t)
	slices.Sort(took)
	table.line("a new version of one Model, Ready with new pods after, median and worst", "%.1f and %.1f s",
		took[changes/2].Seconds(), took[changes-1].Seconds())
	calls := b.calls(t, start)
	table.line("its API calls, by the operator", "%.1f", float64(calls.total)/changes)
	for _, kind := range calls.sorted() {
		table.line("  "+kind, "%.1f", float64(calls.of[kind])/changes)
	}
}

// bed is a cluster without the operator, and what the operator is started with.
type bed struct {
	cluster                      *cluster.Cluster
	objects                      client.WithWatch
	binary, kubeconfig, platform string

	// asked is what the operator asked for, as far as the audit log was read.
	asked []audit.Event
	read  int64
}

func newBed(t *testing.T) *bed {
	t.Helper()
	c, err := cluster.Start(t.Context(), cluster.Options{Nodes: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Stop(); err != nil {
			t.Error(err)
		}
	})
	b := &bed{cluster: c, binary: buildOperator(t), platform: filepath.Join(t.TempDir(), "platform.yaml")}
	if err := os.WriteFile(b.platform, []byte(platform), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := c.StartKWOK(t.Context(), *models**replicas/podsOnNode+2); err != nil {
		t.Fatal(err)
	}
	if err := c.InstallCRDs(t.Context(), crds.PrometheusOperator()); err != nil {
		t.Fatal(err)
	}
	source, err := binary.Source("")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"namespace.yaml", "crd.yaml", "rbac.yaml"} {
		manifest, err := os.ReadFile(filepath.Join(filepath.Dir(filepath.Dir(source)), "config", file))
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Apply(t.Context(), string(manifest)); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := c.Kubectl(t.Context(), "wait", "--for=condition=Established", "crd/models.mizzen.dev", "--timeout=60s"); err != nil {
		t.Fatal(err)
	}
	b.kubeconfig = operatorConfig(t, c)
	log.SetLogger(logr.Discard()) // of controller-runtime's client
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	if b.objects, err = client.NewWithWatch(c.Config(), client.Options{Scheme: scheme}); err != nil {
		t.Fatal(err)
	}
	return b
}

// key is the name of the n-th Model.
func key(n int) client.ObjectKey {
	return client.ObjectKey{Namespace: fmt.Sprintf("models-%d", n/modelsInNamespace), Name: fmt.Sprintf("model-%d", n)}
}

// createModels writes the Models, a few at a time.
func (b *bed) createModels(t *testing.T) {
	t.Helper()
	var namespaces strings.Builder
	for n := 0; n < *models; n += modelsInNamespace {
		fmt.Fprintf(&namespaces, "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: models-%d}\n", n/modelsInNamespace)
	}
	if err := b.cluster.Apply(t.Context(), namespaces.String()); err != nil {
		t.Fatal(err)
	}
	work, ctx := errgroup.WithContext(t.Context())
	work.SetLimit(creators)
	for n := range *models {
		work.Go(func() error {
			m, err := decode(fmt.Sprintf(model, n, n/modelsInNamespace, *replicas))
			if err != nil {
				return err
			}
			return b.objects.Create(ctx, m)
		})
	}
	if err := work.Wait(); err != nil {
		t.Fatal(err)
	}
}

// table is what is printed.
type table struct {
	text strings.Builder
	w    *tabwriter.Writer
}

func newTable() *table {
	t := &table{}
	t.w = tabwriter.NewWriter(&t.text, 0, 0, 2, ' ', 0)
	return t
}

// line is a line of the table; the values fill both formats, in order.
func (t *table) line(what, value string, values ...any) {
	fmt.Fprintf(t.w, what+"\t"+value+"\n", values...)
}

func (t *table) String() string {
	_ = t.w.Flush()
	return t.text.String()
}
