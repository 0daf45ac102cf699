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
	// fieldManager owns what Models ask for.
	fieldManager = "mizzen"
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
	// desired are the objects to be applied, waiting those that cannot be yet.
	desired, waiting []*unstructured.Unstructured

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
		r.resolveRevision,
		r.render,
		r.handOver,
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

// render decides the objects, with the pods kept if they are still what is asked for.
func (r *Reconciler) render(_ context.Context, s *state) error {
	result, err := render.Render(s.input(s.image))
	if err != nil {
		return r.invalid(s, err)
	}
	s.result, s.desired = result, result.Objects
	if s.pin != nil {
		if !s.pin.holds(result.Objects, s.live) {
			s.pin = nil
			return r.pinNew(s)
		}
		if s.desired, err = s.pin.pinned(result.Objects); err != nil {
			return r.invalid(s, err)
		}
		s.result.Revision, s.result.Image = s.pin.revision(), s.pin.image()
		return nil
	}
	return r.pinNew(s)
}

// pinNew notes what the pods are made from.
func (r *Reconciler) pinNew(s *state) error {
	for _, o := range s.desired {
		if o.GetKind() != kindDeployment {
			continue
		}
		template, _, err := unstructured.NestedMap(o.Object, "spec", "template")
		if err != nil {
			return r.invalid(s, err)
		}
		p := &pin{generation: s.model.Generation, specHash: podsHash(&s.model.Spec), template: template}
		if old := s.oldPin(o.GetName()); old != nil && old.covers(s.model) && old.specHash == p.specHash {
			p.generation = old.generation // the same pods: nothing to write
		}
		if err := p.write(o); err != nil {
			return r.invalid(s, err)
		}
	}
	return nil
}

func (r *Reconciler) invalid(s *state, err error) error {
	err = &InvalidModelError{err}
	s.failures = append(s.failures, health.Failure{Condition: v1alpha1.ConditionWorkloadReady, Reason: health.ReasonInvalidModel, Message: err.Error()})
	return err
}

// input of rendering for an image; "" for the one that the Model or platform names.
func (s *state) input(image string) render.Input {
	return render.Input{Model: s.model, Platform: s.platform(), Image: image, Owner: ownerReference(s.model)}
}

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

// resolveRevision decides which revision and image the pods run. A revision's image was
// resolved when it was made, and is kept.
func (r *Reconciler) resolveRevision(ctx context.Context, s *state) error {
	asked, err := render.Render(s.input(""))
	if err != nil {
		return r.invalid(s, err)
	}
	if s.pin = s.oldPin(s.model.Name); s.pin != nil && s.pin.covers(s.model) {
		s.image = s.pin.image()
		return nil
	}
	if old := s.pin; old != nil && old.revision() == asked.Revision {
		s.image = old.image()
	}
	s.pin = nil
	if s.image != "" {
		return nil
	}
	for _, known := range s.model.Status.Revisions {
		if known.Name == asked.Revision && known.Image != "" {
			s.image = known.Image
			return nil
		}
	}
	if asked.Image == "" {
		return nil // a problem says so
	}
	image, err := r.Resolver.Resolve(ctx, asked.Image)
	if err != nil {
		// It runs as it is named; the node's runtime resolves it, and with credentials.
		loggerFrom(ctx).V(1).Info("image not resolved", "image", asked.Image, "reason", err.Error())
		return nil
	}
	s.image = image
	return nil
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
