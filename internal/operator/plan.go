package operator

import (
	"cmp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator/health"
	"mizzen.dev/internal/operator/ownership"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// Situation is all that a plan is made from.
type Situation struct {
	// Model as the API server has it: with its defaults, its UID and its generation.
	Model *v1alpha1.Model
	// Platform as the operator knows it: the file's facts, and what the cluster offers.
	Platform *platform.Platform
	// Live are the objects, of the kinds that Models are made of, with the Model's label:
	// those of others included.
	Live []*unstructured.Unstructured
	// Pods with the Model's label.
	Pods []corev1.Pod
	// Resolve returns an image with its digest; "" if that is not known. It is asked at
	// most once, and not for a revision whose image is known.
	Resolve func(image string) string
}

// Plan is what the operator does about a Model, one thing after the other.
type Plan struct {
	// Retire is deleted before others come: autoscalers.
	Retire []*unstructured.Unstructured
	// Apply is applied in this order, as the field manager FieldManager.
	Apply []*unstructured.Unstructured
	// Replicas is the number of pods that the Deployment keeps although its apply says
	// nothing of it any more: another field manager takes it over before. Else nil.
	Replicas *int64
	// Wait is wanted, and applied when what stands in its way is gone.
	Wait []*unstructured.Unstructured
	// Prune is deleted.
	Prune []*unstructured.Unstructured
	// Problems are what the Model asks for in vain.
	Problems []render.Problem
}

// Plan decides what the operator does in a situation, until nothing is left to do: it is
// what Reconcile goes by, and what it would go by again when what was retired is gone. An
// *InvalidModelError says that the Model cannot be rendered.
func (in Situation) Plan() (*Plan, error) {
	s := in.state()
	if err := s.plan(in.Resolve); err != nil {
		return nil, err
	}
	p := &Plan{Retire: s.retired, Wait: s.waiting}
	if len(s.retired) > 0 {
		in.Live = slices.DeleteFunc(slices.Clone(in.Live), func(o *unstructured.Unstructured) bool { return goesWith(o, s.retired) })
		image := s.result.Image // as it was resolved
		s = in.state()
		if err := s.plan(func(string) string { return image }); err != nil {
			return nil, err
		}
	}
	p.Prune, p.Problems = s.superfluous, s.result.Problems
	for _, o := range s.desired {
		if slices.ContainsFunc(p.Wait, func(w *unstructured.Unstructured) bool { return idOf(w) == idOf(o) }) {
			continue
		}
		p.Apply = append(p.Apply, o)
		if live := s.live[idOf(o)]; live != nil {
			if n, gives := givesUpReplicas(o, live); gives {
				p.Replicas = &n
			}
		}
	}
	return p, nil
}

func (in Situation) state() *state {
	s := &state{model: in.Model.DeepCopy(), facts: facts{platform: in.Platform}, pods: in.Pods, live: map[id]*unstructured.Unstructured{}}
	for _, o := range in.Live {
		s.live[idOf(o)] = o
	}
	return s
}

// goesWith says whether an object is one of those that are deleted, or belongs to one.
func goesWith(o *unstructured.Unstructured, deleted []*unstructured.Unstructured) bool {
	return slices.ContainsFunc(deleted, func(d *unstructured.Unstructured) bool { return d == o || controlledBy(o, d.GetUID()) })
}

// WouldApply says what an apply of the operator would make of an object that is there,
// without what the API server would add; nil if the operator would leave it alone.
func WouldApply(desired, live *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	differences, err := ownership.Compare(desired, live, FieldManager)
	if err != nil || len(differences) == 0 {
		return nil, err
	}
	return ownership.Apply(desired, live, FieldManager)
}

// input of rendering for an image; "" for the one that the Model or platform names.
func (s *state) input(image string) render.Input {
	return render.Input{Model: s.model, Platform: s.platform(), Image: image, Owner: ownerReference(s.model)}
}

// plan decides the revision, the objects, and what has to go.
func (s *state) plan(resolve func(image string) string) error {
	if err := s.resolveRevision(resolve); err != nil {
		return s.invalid(err)
	}
	if err := s.render(); err != nil {
		return s.invalid(err)
	}
	s.handOver()
	s.findSuperfluous()
	return nil
}

func (s *state) invalid(err error) error {
	err = &InvalidModelError{err}
	s.failures = append(s.failures, health.Failure{Condition: v1alpha1.ConditionWorkloadReady, Reason: health.ReasonInvalidModel, Message: err.Error()})
	return err
}

// resolveRevision decides which revision and image the pods run. A revision's image was
// resolved when it was made, and is kept.
func (s *state) resolveRevision(resolve func(image string) string) error {
	asked, err := render.Render(s.input(""))
	if err != nil {
		return err
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
	if asked.Image != "" { // else a problem says so
		s.image = resolve(asked.Image)
	}
	return nil
}

// render decides the objects, with the pods kept if they are still what is asked for.
func (s *state) render() error {
	result, err := render.Render(s.input(s.image))
	if err != nil {
		return err
	}
	s.result, s.desired = result, result.Objects
	if s.pin == nil {
		return s.pinNew()
	}
	if !s.pin.holds(result.Objects, s.live) {
		s.pin = nil
		return s.pinNew()
	}
	if s.desired, err = s.pin.pinned(result.Objects); err != nil {
		return err
	}
	s.result.Revision, s.result.Image = s.pin.revision(), s.pin.image()
	return nil
}

// pinNew notes what the pods are made from.
func (s *state) pinNew() error {
	for _, o := range s.desired {
		if o.GetKind() != kindDeployment {
			continue
		}
		template, _, err := unstructured.NestedMap(o.Object, "spec", "template")
		if err != nil {
			return err
		}
		p := &pin{generation: s.model.Generation, specHash: podsHash(&s.model.Spec), template: template}
		if old := s.oldPin(o.GetName()); old != nil && old.covers(s.model) && old.specHash == p.specHash {
			p.generation = old.generation // the same pods: nothing to write
		}
		if err := p.write(o); err != nil {
			return err
		}
	}
	return nil
}

// handOver decides which autoscalers go before the next one comes, and holds back what
// has to wait for that.
func (s *state) handOver() {
	if s.refused()[v1alpha1.ConditionScaledBy] {
		return // what scales goes on
	}
	h := planHandover(s.model.UID, s.desired, s.live)
	s.retired = h.retire
	var now []*unstructured.Unstructured
	for _, o := range s.desired {
		if h.wait[idOf(o)] {
			s.waiting = append(s.waiting, o)
			s.failures = append(s.failures, health.Failure{Condition: conditionOf(o), Reason: health.ReasonHandover, Unknown: true,
				Message: "KEDA's autoscaler is being removed before the next one takes its place; the number of pods stays as it is"})
			continue
		}
		h.hold(o, s.live[idOf(o)])
		now = append(now, o)
	}
	s.desired = now
}

// findSuperfluous finds the objects that the Model owns and does not ask for, in order.
// Kept are
//   - ConfigMaps that a pod, or the pods to come, read: a container that starts again
//     reads them again;
//   - an HPA that KEDA takes over;
//   - what was rendered for a part of the spec that is now refused: a mistake in the spec
//     must not take down what works.
func (s *state) findSuperfluous() {
	wanted := map[id]bool{}
	reads := map[string]bool{}
	for _, o := range s.desired {
		wanted[idOf(o)] = true
		if o.GetKind() == kindDeployment {
			for _, name := range newTemplateReads(o) {
				reads[name] = true
			}
		}
	}
	for _, o := range slices.Concat(s.waiting, s.retired) {
		wanted[idOf(o)] = true // or gone already
	}
	for i := range s.pods {
		for _, name := range configMaps(&s.pods[i].Spec) {
			reads[name] = true
		}
	}
	refused := s.refused()
	for i, o := range s.live {
		switch {
		case wanted[i], !controlledBy(o, s.model.UID), o.GetDeletionTimestamp() != nil:
		case i.kind.Kind == kindConfigMap && reads[i.name]:
		case i.kind.Kind == kindHPA && adoptedByKEDA(o, s.desired):
		case refused[conditionOf(o)]:
		default:
			s.superfluous = append(s.superfluous, o)
		}
	}
	slices.SortFunc(s.superfluous, func(a, b *unstructured.Unstructured) int {
		return cmp.Compare(idOf(a).String(), idOf(b).String())
	})
}

// refused are the conditions under which something of the spec was not rendered.
func (s *state) refused() map[string]bool {
	refused := map[string]bool{}
	for _, p := range s.result.Refusals() {
		refused[p.Condition] = true
	}
	return refused
}

// givesUpReplicas says whether applying desired gives up the number of pods, which the
// operator owned until now, and what that is. The API server would reset it to one pod.
func givesUpReplicas(desired, live *unstructured.Unstructured) (n int64, gives bool) {
	if desired.GetKind() != kindDeployment {
		return 0, false
	}
	_, wanted, _ := unstructured.NestedInt64(desired.Object, "spec", "replicas")
	n, ours := ownReplicas(live)
	return n, ours && !wanted
}

// ownReplicas is the number of pods, if it is the operator that set it.
func ownReplicas(live *unstructured.Unstructured) (n int64, ours bool) {
	n, found, _ := unstructured.NestedInt64(live.Object, "spec", "replicas")
	return n, found && ownership.Owns(live, FieldManager, "spec", "replicas")
}
