package operator

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/controller"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/handler"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/controller-runtime/pkg/source"

	"mizzen.dev/internal/render"
)

// syncTimeout is for the first list of a kind that was installed while we run.
const syncTimeout = 30 * time.Second

// kindWatcher starts and stops watches of optional kinds. It is used by one goroutine.
type kindWatcher struct {
	cache      cache.Cache
	controller controller.Controller
	watched    map[schema.GroupVersionKind]bool
	// gatewayChanged is called when the platform may have other Gateways.
	gatewayChanged func()
}

// follow implements watcher.
func (w *kindWatcher) follow(ctx context.Context, installed map[schema.GroupVersionKind]bool) (map[schema.GroupVersionKind]bool, error) {
	var errs []error
	var started []Kind
	for _, k := range Kinds() {
		var err error
		switch gvk := k.GroupVersionKind; {
		case !k.Optional:
		case installed[gvk] && !w.watched[gvk]:
			if err = w.start(ctx, gvk); err == nil {
				started = append(started, k)
			}
		case !installed[gvk] && w.watched[gvk]:
			// The watch of a kind that is gone would fail for ever.
			delete(w.watched, gvk)
			err = w.cache.RemoveInformer(ctx, objectOf(gvk))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("watching %s: %w", k.Resource, err))
		}
	}
	ctx, cancel := context.WithTimeout(ctx, syncTimeout)
	defer cancel()
	for _, k := range started {
		// It returns when the objects are there: until then the kind is not used.
		if _, err := w.cache.GetInformer(ctx, objectOf(k.GroupVersionKind)); err != nil {
			errs = append(errs, fmt.Errorf("watching %s: %w", k.Resource, err), w.cache.RemoveInformer(ctx, objectOf(k.GroupVersionKind)))
			continue
		}
		w.watched[k.GroupVersionKind] = true
	}
	return maps.Clone(w.watched), errors.Join(errs...)
}

func (w *kindWatcher) start(ctx context.Context, gvk schema.GroupVersionKind) error {
	if err := w.cache.IndexField(ctx, objectOf(gvk), modelIndex, modelOf); err != nil {
		return err
	}
	if gvk.Kind == kindGateway {
		if err := w.controller.Watch(source.Kind(w.cache, client.Object(objectOf(gvk)), platformHandler(w.gatewayChanged))); err != nil {
			return err
		}
	}
	return w.controller.Watch(source.Kind(w.cache, client.Object(objectOf(gvk)), modelHandler()))
}

// platformHandler looks at Gateways that are no Model's: their listeners are facts of the
// platform. What becomes of their status is not.
func platformHandler(changed func()) handler.EventHandler {
	look := func(o client.Object) {
		if o.GetLabels()[render.ModelLabel] == "" {
			changed()
		}
	}
	return handler.Funcs{
		CreateFunc: func(_ context.Context, e event.CreateEvent, _ queue) { look(e.Object) },
		UpdateFunc: func(_ context.Context, e event.UpdateEvent, _ queue) {
			if e.ObjectOld.GetGeneration() != e.ObjectNew.GetGeneration() {
				look(e.ObjectNew)
			}
		},
		DeleteFunc: func(_ context.Context, e event.DeleteEvent, _ queue) { look(e.Object) },
	}
}

// queue is of what a controller has to look at.
type queue = workqueue.TypedRateLimitingInterface[reconcile.Request]

func objectOf(gvk schema.GroupVersionKind) *unstructured.Unstructured {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(gvk)
	return o
}

// modelHandler has the Model looked at whose label an object has.
func modelHandler() handler.EventHandler {
	return handler.EnqueueRequestsFromMapFunc(func(_ context.Context, o client.Object) []reconcile.Request {
		name := o.GetLabels()[render.ModelLabel]
		if name == "" {
			return nil
		}
		return []reconcile.Request{{NamespacedName: types.NamespacedName{Namespace: o.GetNamespace(), Name: name}}}
	})
}
