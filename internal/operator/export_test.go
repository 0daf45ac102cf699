package operator

import (
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/prometheus/client_golang/prometheus"

	"mizzen.dev/internal/platform"
)

// NewReconciler returns one without caches, for tests that come between each of its
// writes. Of the optional kinds, those of the groups are there.
func NewReconciler(c client.Client, p *platform.Platform, groups ...string) *Reconciler {
	f := &Facts{current: facts{platform: p, kinds: map[schema.GroupVersionKind]bool{}}}
	for _, k := range Kinds() {
		f.current.kinds[k.GroupVersionKind] = slices.Contains(groups, k.Group)
	}
	m, err := NewMetrics(prometheus.NewRegistry())
	if err != nil {
		panic(err)
	}
	return &Reconciler{Client: c, Reader: c, Facts: f, Resolver: NoResolver{}, Events: &events.FakeRecorder{},
		Clock: clock.RealClock{}, Metrics: m, memory: newMemory()}
}

// News and ProgressDelay are for tests of when a status is written.
var News = news

const ProgressDelay = progressDelay

// PodsHash is for the test that holds rendering to it.
var PodsHash = podsHash

// Known says whether the operator knows the platform; before that it looks at Models and
// does nothing.
func (o *Operator) Known() bool { return o.facts.get().known() }

// RetryAfter is how long a Model waits that has failed so often.
func RetryAfter(failures int) time.Duration {
	limiter := controllerOptions(&Options{}, nil).RateLimiter
	for range failures - 1 {
		limiter.When(reconcile.Request{})
	}
	return limiter.When(reconcile.Request{})
}
