package operator

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/selection"
	"k8s.io/client-go/discovery"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/utils/clock"
	"k8s.io/utils/ptr"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/manager"
	metricsserver "sigs.k8s.io/controller-runtime/pkg/metrics/server"
	"sigs.k8s.io/controller-runtime/pkg/predicate"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// Name of the operator: of its Lease, and in Events.
const Name = "mizzen-operator"

// Options of the operator.
type Options struct {
	// Config is how the API server is reached.
	Config *rest.Config
	// Namespaces to look at; all if there are none.
	Namespaces []string
	// PlatformPath is the platform file; "" for none.
	PlatformPath string
	// MetricsAddress and HealthAddress are listened on; "0" for none.
	MetricsAddress, HealthAddress string
	// ProfileAddress answers for profiles of the process; "0" or "" for none.
	ProfileAddress string
	// LeaderElection lets one of several operators work. LeaderNamespace has the Lease;
	// "" for the namespace in which the operator runs.
	LeaderElection  bool
	LeaderNamespace string
	// Concurrency is how many Models are looked at at a time.
	Concurrency int
	// Resync is how often every Model is looked at without a reason; LookAround how often
	// the platform is.
	Resync, LookAround time.Duration
	Resolver           Resolver
	Clock              clock.WithTicker
	Log                logr.Logger
	// Registry has the metrics.
	Registry prometheus.Registerer
	// WrapClient lets tests come between the operator and its writes.
	WrapClient func(client.Client) client.Client
}

// Defaults of Options that are left zero.
const (
	DefaultConcurrency = 8
	DefaultResync      = 10 * time.Hour
	DefaultLookAround  = 30 * time.Second

	// shutdownTimeout is for reconciliations that are under way.
	shutdownTimeout = 20 * time.Second
	// reconcileTimeout bounds one of them.
	reconcileTimeout = 2 * time.Minute
	// firstRetry and lastRetry are the shortest and the longest wait after one that failed.
	// Of a name that is free again, or a right that was given, nobody tells the operator:
	// whoever mended it waits for lastRetry at most.
	firstRetry = 5 * time.Millisecond
	lastRetry  = time.Minute
)

func (o *Options) complete() {
	if o.Concurrency == 0 {
		o.Concurrency = DefaultConcurrency
	}
	if o.Resync == 0 {
		o.Resync = DefaultResync
	}
	if o.LookAround == 0 {
		o.LookAround = DefaultLookAround
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	if o.Resolver == nil {
		o.Resolver = NewRegistry(o.Clock)
	}
	if o.Registry == nil {
		o.Registry = prometheus.NewRegistry()
	}
	if o.WrapClient == nil {
		o.WrapClient = func(c client.Client) client.Client { return c }
	}
}

// Operator is one that is ready to start.
type Operator struct {
	manager manager.Manager
	facts   *Facts
}

// Start works until the context ends.
func (o *Operator) Start(ctx context.Context) error { return o.manager.Start(ctx) }

// ResyncAll has every Model looked at.
func (o *Operator) ResyncAll() { o.facts.Changed <- event.GenericEvent{} }

// LookAround has the platform looked at now.
func (o *Operator) LookAround() {
	select {
	case o.facts.Sooner <- struct{}{}:
	default: // it is about to
	}
}

// New returns an operator.
func New(o Options) (*Operator, error) {
	o.complete()
	mgr, err := newManager(&o)
	if err != nil {
		return nil, err
	}
	dc, err := discovery.NewDiscoveryClientForConfigAndClient(rest.CopyConfig(mgr.GetConfig()), mgr.GetHTTPClient())
	if err != nil {
		return nil, err
	}
	facts := &Facts{Path: o.PlatformPath, Cluster: dc, Namespaced: len(o.Namespaces) > 0, Clock: o.Clock, Log: o.Log.WithName("platform"),
		Interval: o.LookAround, Sooner: make(chan struct{}, 1), Changed: make(chan event.GenericEvent, 1)}
	metrics, err := NewMetrics(o.Registry)
	if err != nil {
		return nil, err
	}
	r := &Reconciler{Client: o.WrapClient(mgr.GetClient()), Reader: mgr.GetAPIReader(), Facts: facts, Resolver: o.Resolver,
		Events: mgr.GetEventRecorder(Name), Clock: o.Clock, Metrics: metrics, memory: newMemory()}
	c, err := newController(mgr, &o, r)
	if err != nil {
		return nil, err
	}
	op := &Operator{manager: mgr, facts: facts}
	facts.watcher = &kindWatcher{cache: mgr.GetCache(), controller: c, watched: map[schema.GroupVersionKind]bool{}, gatewayChanged: op.LookAround}
	if len(o.Namespaces) == 0 {
		if err := op.followDefinitions(); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(mgr.Add(facts), mgr.AddReadyzCheck("platform", facts.Ready)); err != nil {
		return nil, err
	}
	return op, nil
}

// newScheme knows what is read in types of its own.
func newScheme() (*runtime.Scheme, error) {
	s := runtime.NewScheme()
	return s, errors.Join(clientgoscheme.AddToScheme(s), v1alpha1.AddToScheme(s), apiextensionsv1.AddToScheme(s))
}

func newManager(o *Options) (manager.Manager, error) {
	scheme, err := newScheme()
	if err != nil {
		return nil, err
	}
	ours, err := labels.NewRequirement(render.ModelLabel, selection.Exists, nil)
	if err != nil {
		return nil, err
	}
	selector := labels.NewSelector().Add(*ours)
	byObject := map[client.Object]cache.ByObject{
		&v1alpha1.Model{}: {Transform: trimModel, Label: labels.Everything()},
		&corev1.Pod{}:     {Transform: trimPod, Label: selector},
		definitions():     {Transform: cache.TransformStripManagedFields(), Label: labels.Everything()},
	}
	for _, k := range Kinds() {
		if k.Kind == kindGateway { // those of the platform, too
			byObject[objectOf(k.GroupVersionKind)] = cache.ByObject{Transform: pack, Label: labels.Everything()}
		}
	}
	namespaces := map[string]cache.Config{}
	for _, ns := range o.Namespaces {
		namespaces[ns] = cache.Config{}
	}
	mgr, err := ctrl.NewManager(o.Config, ctrl.Options{
		Scheme:         scheme,
		MapperProvider: newMapper,
		Logger:         o.Log,
		Cache: cache.Options{
			SyncPeriod:           &o.Resync,
			DefaultNamespaces:    namespaces,
			DefaultLabelSelector: selector,
			DefaultTransform:     pack,
			ByObject:             byObject,
		},
		Client:                        client.Options{Cache: &client.CacheOptions{Unstructured: true}},
		LeaderElection:                o.LeaderElection,
		LeaderElectionID:              Name,
		LeaderElectionNamespace:       o.LeaderNamespace,
		LeaderElectionReleaseOnCancel: true,
		Metrics:                       metricsserver.Options{BindAddress: o.MetricsAddress},
		HealthProbeBindAddress:        o.HealthAddress,
		PprofBindAddress:              o.ProfileAddress,
		GracefulShutdownTimeout:       ptr.To(shutdownTimeout),
	})
	if err != nil {
		return nil, fmt.Errorf("setting up the operator: %w", err)
	}
	alive := func(*http.Request) error { return nil }
	synced := func(r *http.Request) error {
		if !mgr.GetCache().WaitForCacheSync(r.Context()) {
			return errors.New("the caches are not filled yet")
		}
		return nil
	}
	return mgr, errors.Join(mgr.AddHealthzCheck("process", alive), mgr.AddReadyzCheck("caches", synced))
}

func newController(mgr manager.Manager, o *Options, r *Reconciler) (controller.Controller, error) {
	c, err := controller.New("model", mgr, controllerOptions(o, r))
	if err != nil {
		return nil, err
	}
	changes := predicate.Or(predicate.GenerationChangedPredicate{}, predicate.LabelChangedPredicate{})
	sources := []source.Source{
		source.Kind(mgr.GetCache(), client.Object(&v1alpha1.Model{}), &handler.EnqueueRequestForObject{}, resyncOr(changes)),
		source.Channel(r.Facts.Changed, handler.EnqueueRequestsFromMapFunc(everyModel(mgr.GetClient()))),
	}
	indexed := []client.Object{&corev1.Pod{}}
	for _, k := range Kinds() {
		if !k.Optional {
			indexed = append(indexed, objectOf(k.GroupVersionKind))
		}
	}
	for _, object := range indexed {
		if err := mgr.GetFieldIndexer().IndexField(context.Background(), object, modelIndex, modelOf); err != nil {
			return nil, err
		}
		sources = append(sources, source.Kind(mgr.GetCache(), object, modelHandler()))
	}
	for _, s := range sources {
		if err := c.Watch(s); err != nil {
			return nil, err
		}
	}
	return c, nil
}

func controllerOptions(o *Options, r reconcile.Reconciler) controller.Options {
	return controller.Options{
		MaxConcurrentReconciles: o.Concurrency,
		Reconciler:              r,
		RateLimiter:             workqueue.NewTypedItemExponentialFailureRateLimiter[reconcile.Request](firstRetry, lastRetry),
		ReconciliationTimeout:   reconcileTimeout,
		SkipNameValidation:      ptr.To(true), // one process may have several in tests
	}
}

// resyncOr lets through what p does, and resyncs, which change nothing.
func resyncOr(p predicate.Predicate) predicate.Predicate {
	return predicate.Or(p, predicate.Funcs{UpdateFunc: func(e event.UpdateEvent) bool {
		return e.ObjectOld.GetResourceVersion() == e.ObjectNew.GetResourceVersion()
	}})
}

func everyModel(reader client.Reader) handler.MapFunc {
	return func(ctx context.Context, _ client.Object) []reconcile.Request {
		list := &v1alpha1.ModelList{}
		if err := reader.List(ctx, list); err != nil {
			loggerFrom(ctx).Error(err, "cannot list Models")
			return nil
		}
		requests := make([]reconcile.Request, len(list.Items))
		for i := range list.Items {
			requests[i].NamespacedName = client.ObjectKeyFromObject(&list.Items[i])
		}
		return requests
	}
}

// definitions is the kind of CustomResourceDefinitions, of which only the metadata is
// watched.
func definitions() *metav1.PartialObjectMetadata {
	o := &metav1.PartialObjectMetadata{}
	o.SetGroupVersionKind(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"))
	return o
}

// followDefinitions looks around when a kind is installed or removed. An operator that
// sees single namespaces may not watch that, and looks from time to time.
func (o *Operator) followDefinitions() error {
	return o.manager.Add(&definitionWatcher{cache: o.manager.GetCache(), changed: o.LookAround})
}
