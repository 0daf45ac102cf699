//go:build e2e

package thousand

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/cluster/audit"
)

const (
	pollInterval = 200 * time.Millisecond
	// quietFor is how long the operator must have written nothing to be done, and
	// quietTimeout how long that may take.
	quietFor     = 5 * time.Second
	quietTimeout = time.Minute
)

func decode(text string) (*v1alpha1.Model, error) {
	m := &v1alpha1.Model{}
	return m, yaml.UnmarshalStrict([]byte(text), m)
}

func eventually(t *testing.T, limit time.Duration, condition func(context.Context) (bool, string)) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), pollInterval, limit, true, func(ctx context.Context) (ok bool, err error) {
		ok, last = condition(ctx)
		return ok, nil
	})
	if err != nil {
		t.Fatalf("not so after %s: %s", limit, last)
	}
}

// watcher knows since when Models are Ready.
type watcher struct {
	mu     sync.Mutex
	first  map[client.ObjectKey]time.Time // when it was seen first
	ready  map[client.ObjectKey]time.Time // when it was Ready first
	latest map[client.ObjectKey]state
}

// state is the latest that is known of a Model.
type state struct {
	generation int64 // for which it is Ready; 0 if it is not
	reason     string
}

func (b *bed) watchModels(t *testing.T) *watcher {
	t.Helper()
	w := &watcher{first: map[client.ObjectKey]time.Time{}, ready: map[client.ObjectKey]time.Time{}, latest: map[client.ObjectKey]state{}}
	events, err := b.objects.Watch(t.Context(), &v1alpha1.ModelList{})
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for e := range events.ResultChan() {
			if m, ok := e.Object.(*v1alpha1.Model); ok {
				w.see(m, time.Now())
			}
		}
	}()
	t.Cleanup(func() { events.Stop(); <-done })
	return w
}

func (w *watcher) see(m *v1alpha1.Model, now time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	key := client.ObjectKeyFromObject(m)
	if _, ok := w.first[key]; !ok {
		w.first[key] = now
	}
	s := state{reason: "no status"}
	if c := meta.FindStatusCondition(m.Status.Conditions, v1alpha1.ConditionReady); c != nil {
		s.reason = c.Reason + ": " + c.Message
		if c.Status == metav1.ConditionTrue {
			s.generation = c.ObservedGeneration
			if _, ok := w.ready[key]; !ok {
				w.ready[key] = now
			}
		}
	}
	w.latest[key] = s
}

func (w *watcher) waitUntilReady(t *testing.T, limit time.Duration) {
	t.Helper()
	eventually(t, limit, func(context.Context) (bool, string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		if len(w.ready) == *models {
			return true, ""
		}
		reasons := map[string]int{}
		for _, s := range w.latest {
			reasons[s.reason]++
		}
		return false, fmt.Sprintf("%d of %d Models are Ready: %v", len(w.ready), *models, reasons)
	})
}

func (w *watcher) waitForGeneration(t *testing.T, name client.ObjectKey, generation int64) {
	t.Helper()
	eventually(t, quietTimeout, func(context.Context) (bool, string) {
		w.mu.Lock()
		defer w.mu.Unlock()
		return w.latest[name].generation == generation, fmt.Sprintf("%s: %s", name, w.latest[name].reason)
	})
}

// latency is within which a share of the Models was Ready.
func (w *watcher) latency(share float64) time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []time.Duration
	for key, at := range w.ready {
		all = append(all, at.Sub(w.first[key]))
	}
	slices.Sort(all)
	return all[int(share*float64(len(all)-1))]
}

// bump gives a Model another version of its model, and returns its generation.
func (b *bed) bump(t *testing.T, name client.ObjectKey) int64 {
	t.Helper()
	m := &v1alpha1.Model{}
	if err := b.objects.Get(t.Context(), name, m); err != nil {
		t.Fatal(err)
	}
	changed := m.DeepCopy()
	changed.Spec.Version, changed.Spec.Source.URI = "0.2.0", m.Spec.Source.URI+".2"
	if err := b.objects.Patch(t.Context(), changed, client.MergeFrom(m)); err != nil {
		t.Fatal(err)
	}
	return changed.Generation
}

// events are what the operator asked the API server for since then.
func (b *bed) events(t *testing.T, since time.Time) []audit.Event {
	t.Helper()
	path, err := b.cluster.AuditLog()
	if err != nil {
		t.Fatal(err)
	}
	news, next, err := audit.ReadFrom(path, b.read)
	if err != nil {
		t.Fatal(err)
	}
	b.read = next
	for _, e := range news {
		if e.User.Username == operatorUser && !e.Lease() {
			b.asked = append(b.asked, e)
		}
	}
	var events []audit.Event
	for _, e := range b.asked {
		if !e.Received.Before(since) {
			events = append(events, e)
		}
	}
	return events
}

// waitUntilQuiet waits until the operator has had nothing to write for a while.
func (b *bed) waitUntilQuiet(t *testing.T) {
	t.Helper()
	start := time.Now()
	eventually(t, quietTimeout, func(context.Context) (bool, string) {
		if time.Since(start) < quietFor {
			return false, "it has just begun"
		}
		events := b.events(t, time.Now().Add(-quietFor))
		i := slices.IndexFunc(events, audit.Event.Write)
		if i < 0 {
			return true, ""
		}
		return false, "the operator is at work: " + events[i].String()
	})
}

// written is how often the operator wrote each object: those that it makes, and the
// status of Models. Events are objects of their own that are written once.
type written struct {
	made, models map[string]int
	refused      map[string]int
	events       int
}

func (b *bed) writes(t *testing.T, since time.Time) *written {
	t.Helper()
	w := &written{made: map[string]int{}, models: map[string]int{}, refused: map[string]int{}}
	for _, e := range b.events(t, since) {
		object := fmt.Sprintf("%s %s/%s", e.Object.Resource, e.Object.Namespace, e.Object.Name)
		switch {
		case !e.Write():
		case e.Response.Code >= 300:
			w.refused[fmt.Sprintf("%s %s: %d", e.Verb, e.Object.Resource, e.Response.Code)]++
		case e.Object.Resource == "events":
			w.events++
		case e.Object.Resource == "models":
			w.models[object]++
		default:
			w.made[object]++
		}
	}
	return w
}

func sum(counts map[string]int) int {
	total := 0
	for _, n := range counts {
		total += n
	}
	return total
}

func (w *written) total() int { return sum(w.made) + sum(w.models) }

// perObject is the mean, Models and what is made of them taken together.
func (w *written) perObject() float64 {
	return float64(w.total()) / float64(max(1, len(w.made)+len(w.models)))
}

func (w *written) tell(t *table) {
	most := func(counts map[string]int) int { return slices.Max(append(slices.Collect(maps.Values(counts)), 0)) }
	t.line("objects made", "%d", len(w.made))
	t.line("writes an object, Models and their status among them", "%.2f", w.perObject())
	t.line("writes of an object that was made, mean and most", "%.2f and %d", float64(sum(w.made))/float64(max(1, len(w.made))), most(w.made))
	t.line("writes of a Model's status, mean and most", "%.2f and %d", float64(sum(w.models))/float64(max(1, len(w.models))), most(w.models))
	t.line("Events", "%d", w.events)
	for _, what := range slices.Sorted(maps.Keys(w.refused)) {
		t.line("refused: "+what, "%d", w.refused[what])
	}
}

// calls are requests by verb and kind, watches apart, which last.
type calls struct {
	total int
	of    map[string]int
}

func (b *bed) calls(t *testing.T, since time.Time) *calls {
	t.Helper()
	c := &calls{of: map[string]int{}}
	for _, e := range b.events(t, since) {
		// What is looked for every now and then is not for a change.
		if e.Verb == "watch" || e.Object.Resource == "" || strings.HasPrefix(e.URI, "/apis/apiregistration") || e.Verb == "list" {
			continue
		}
		resource := e.Object.Resource
		if e.Object.Subresource != "" {
			resource += "/" + e.Object.Subresource
		}
		c.total++
		c.of[e.Verb+" "+resource]++
	}
	return c
}

// sorted has the most frequent first.
func (c *calls) sorted() []string {
	return slices.SortedFunc(maps.Keys(c.of), func(a, b string) int {
		return cmp.Or(cmp.Compare(c.of[b], c.of[a]), cmp.Compare(a, b))
	})
}
