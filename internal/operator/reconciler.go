package operator

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/tools/events"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator/health"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// Field managers of the operator's writes.
const (
	// FieldManager owns what Models ask for.
	FieldManager = "mizzen"
	// handoverManager owns a number of pods until an autoscaler sets another.
	handoverManager = "mizzen-handover"
)

// Reconciler makes the cluster what Models say.
type Reconciler struct {
	// Client reads from the cache and writes.
	Client client.Client
	// Reader reads from the API server.
	Reader   client.Reader
	Facts    *Facts
	Resolver Resolver
	Events   events.EventRecorder
	Clock    clock.PassiveClock
	Metrics  *Metrics

	memory *memory
}

// state is what one reconciliation knows.
type state struct {
	model *v1alpha1.Model
	facts facts

	// live are the objects with the Model's label, those of others included.
	live map[id]*unstructured.Unstructured
	pods []corev1.Pod

	// revision and the image that it was resolved to; pin if its pods are kept.
	pin    *pin
	image  string
	result *render.Result
	// What is to be done (plan.go): first delete what goes before others come, then apply
	// what is desired, wait with what cannot be applied yet, and delete what is superfluous.
	retired, desired, waiting, superfluous []*unstructured.Unstructured

	failures []health.Failure
	// final says that nobody looks again before something changes.
	final bool
	// requeueAt is when to look again without being told; zero if never.
	requeueAt time.Time
}

// Reconcile implements reconcile.Reconciler.
func (r *Reconciler) Reconcile(ctx context.Context, request reconcile.Request) (reconcile.Result, error) {
	s, err := r.observe(ctx, request.NamespacedName)
	if apierrors.IsNotFound(err) {
		r.memory.forget(request.NamespacedName)
		return reconcile.Result{}, nil
	}
	if err != nil || !s.facts.known() || s.model.DeletionTimestamp != nil { // the garbage collector is at work
		return reconcile.Result{}, err
	}
	phases := []func(context.Context, *state) error{
		r.plan,
		r.retire,
		r.apply,
		r.prune,
	}
	for _, phase := range phases {
		if err = phase(ctx, s); err != nil {
			break
		}
	}
	s.final = final(err)
	if errReport := r.report(ctx, s); errReport != nil {
		return reconcile.Result{}, errors.Join(err, errReport)
	}
	if s.final {
		return reconcile.Result{}, reconcile.TerminalError(err)
	}
	if err != nil {
		return reconcile.Result{}, err
	}
	return r.next(s), nil
}

// lookAt has the Model looked at then, if not before.
func (s *state) lookAt(at time.Time) {
	if s.requeueAt.IsZero() || !at.IsZero() && at.Before(s.requeueAt) {
		s.requeueAt = at
	}
}

// plan decides what to do; the registry of a new image is all that it asks.
func (r *Reconciler) plan(ctx context.Context, s *state) error {
	return s.plan(func(image string) string {
		resolved, err := r.Resolver.Resolve(ctx, image)
		if err != nil {
			// It runs as it is named; the node's runtime resolves it, and with credentials.
			loggerFrom(ctx).V(1).Info("image not resolved", "image", image, "reason", err.Error())
			return ""
		}
		return resolved
	})
}

// next is when to look again: at a computed instant, if at all.
func (r *Reconciler) next(s *state) reconcile.Result {
	if s.requeueAt.IsZero() {
		return reconcile.Result{}
	}
	return reconcile.Result{RequeueAfter: max(time.Second, s.requeueAt.Sub(r.Clock.Now()))}
}

// final says whether trying again does not mend an error: one of the Model itself.
func final(err error) bool {
	var invalid *InvalidModelError
	return errors.As(err, &invalid)
}

// InvalidModelError says that a Model cannot be rendered.
type InvalidModelError struct{ Err error }

func (e *InvalidModelError) Error() string { return "rendering the Model: " + e.Err.Error() }
func (e *InvalidModelError) Unwrap() error { return e.Err }

// platform is that of the cluster. What a Model uses is not given up because the server
// behind it is down: only when its kind is gone.
func (s *state) platform() *platform.Platform {
	p := *s.facts.platform
	for i := range s.live {
		if i.kind.Kind == kindScaledObject && !p.Offers.Has(platform.KEDA) {
			p.Offers = append(append(platform.Offers{}, p.Offers...), platform.KEDA)
		}
	}
	return &p
}

// oldPin is what the annotations of the Model's Deployment say.
func (s *state) oldPin(name string) *pin {
	i := id{name: name}
	i.kind.Group, i.kind.Kind = "apps", kindDeployment
	d, ok := s.live[i]
	if !ok || !controlledBy(d, s.model.UID) {
		return nil
	}
	return readPin(d)
}

// TakenError says that an object belongs to somebody else.
type TakenError struct {
	Object, Owner string
}

func (e *TakenError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("%s is there and was not made for this Model: rename one of the two, or delete it", e.Object)
	}
	return fmt.Sprintf("%s belongs to %s: rename one of the two, or delete it", e.Object, e.Owner)
}
