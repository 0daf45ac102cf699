package platform

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
)

// FieldManager is who the cluster knows as the owner of what the platform file says.
const FieldManager = "mizzenctl-platform"

// Action is what became of an object.
type Action string

// What can become of an object. Kept objects are no longer in the file, but would take
// too much with them: namespaces.
const (
	Created   Action = "created"
	Changed   Action = "changed"
	Unchanged Action = "unchanged"
	Pruned    Action = "pruned"
	Kept      Action = "kept"
)

// Change is what became of an object.
type Change struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	Action    Action `json:"action"`
}

// Options of Apply.
type Options struct {
	// Prune deletes what earlier files made and this one does not have.
	Prune bool
	// DryRun asks the cluster what it would do.
	DryRun bool
	// Force takes over fields that somebody else has set.
	Force bool
}

// MissingKindsError says that the cluster lacks what the file asks for.
type MissingKindsError struct{ Kinds []schema.GroupVersionKind }

func (e *MissingKindsError) Error() string {
	advice := map[string]bool{}
	var kinds []string
	for _, k := range e.Kinds {
		kinds = append(kinds, k.Kind+" ("+k.GroupVersion().String()+")")
		advice[provider(k.Group)] = true
	}
	return "the cluster does not know " + strings.Join(kinds, ", ") + ": install " +
		strings.Join(slices.Sorted(maps.Keys(advice)), " and ") + " first, or remove from the platform file what needs it"
}

// provider of the kinds of a group.
func provider(group string) string {
	switch group {
	case "cert-manager.io":
		return "cert-manager"
	case "gateway.networking.k8s.io":
		return "the CustomResourceDefinitions of the Gateway API"
	case "policies.kyverno.io":
		return "Kyverno 1.19 or later"
	case "admissionregistration.k8s.io":
		return "Kubernetes 1.30 or later"
	}
	return "what brings " + group
}

// applier applies the objects of one platform file.
type applier struct {
	client  dynamic.Interface
	mapper  meta.RESTMapper
	options Options
}

// Apply makes a cluster as the platform says, and returns what became of each object,
// also if it ends with an error. Nothing is written if a kind is missing.
func (p *Platform) Apply(ctx context.Context, client dynamic.Interface, mapper meta.RESTMapper, o Options) ([]Change, error) {
	objects, err := p.Render()
	if err != nil {
		return nil, err
	}
	a := &applier{client: client, mapper: mapper, options: o}
	var missing []schema.GroupVersionKind
	for _, object := range objects {
		kind := object.GroupVersionKind()
		_, err := mapper.RESTMapping(kind.GroupKind(), kind.Version)
		switch {
		case meta.IsNoMatchError(err):
			if !slices.Contains(missing, kind) {
				missing = append(missing, kind)
			}
		case err != nil:
			return nil, err
		}
	}
	if len(missing) > 0 {
		return nil, &MissingKindsError{missing}
	}
	var changes []Change
	for _, object := range objects {
		action, err := a.apply(ctx, object)
		if err != nil {
			return changes, fmt.Errorf("applying %s %s: %w", object.GetKind(), object.GetName(), err)
		}
		changes = append(changes, change(object, action))
	}
	if !o.Prune {
		return changes, nil
	}
	pruned, err := a.prune(ctx, objects)
	return append(changes, pruned...), err
}

func change(o *unstructured.Unstructured, action Action) Change {
	return Change{Kind: o.GetKind(), Namespace: o.GetNamespace(), Name: o.GetName(), Action: action}
}

func (a *applier) resource(kind schema.GroupVersionKind, namespace string) (dynamic.ResourceInterface, error) {
	mapping, err := a.mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, err
	}
	if namespace == "" {
		return a.client.Resource(mapping.Resource), nil
	}
	return a.client.Resource(mapping.Resource).Namespace(namespace), nil
}

func (a *applier) dryRun() []string {
	if a.options.DryRun {
		return []string{metav1.DryRunAll}
	}
	return nil
}

func (a *applier) apply(ctx context.Context, o *unstructured.Unstructured) (Action, error) {
	resource, err := a.resource(o.GroupVersionKind(), o.GetNamespace())
	if err != nil {
		return "", err
	}
	before, err := resource.Get(ctx, o.GetName(), metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return "", err
	}
	existed := err == nil
	body, err := o.MarshalJSON()
	if err != nil {
		return "", err
	}
	after, err := resource.Patch(ctx, o.GetName(), types.ApplyPatchType, body, metav1.PatchOptions{
		FieldManager: FieldManager, FieldValidation: metav1.FieldValidationStrict, Force: &a.options.Force, DryRun: a.dryRun(),
	})
	switch {
	case err != nil && a.options.DryRun && !existed && namespaceMissing(err, o.GetNamespace()):
		return Created, nil // the namespace would be there by then
	case err != nil:
		return "", err
	case !existed:
		return Created, nil
	case same(before, after):
		return Unchanged, nil
	}
	return Changed, nil
}

func namespaceMissing(err error, namespace string) bool {
	var status apierrors.APIStatus
	return errors.As(err, &status) && apierrors.IsNotFound(err) && status.Status().Details != nil &&
		status.Status().Details.Kind == "namespaces" && status.Status().Details.Name == namespace
}

// same compares what was asked for, not how often it was.
func same(a, b *unstructured.Unstructured) bool {
	bare := func(o *unstructured.Unstructured) map[string]any {
		o = o.DeepCopy()
		for _, field := range []string{"managedFields", "resourceVersion", "generation"} {
			unstructured.RemoveNestedField(o.Object, "metadata", field)
		}
		return o.Object
	}
	return equality.Semantic.DeepEqual(bare(a), bare(b))
}

// prune deletes what has the label and is not in the file, except namespaces, with
// which all their Models would go.
func (a *applier) prune(ctx context.Context, wanted []*unstructured.Unstructured) ([]Change, error) {
	keep := map[string]bool{}
	id := func(o *unstructured.Unstructured) string {
		return o.GroupVersionKind().GroupKind().String() + "/" + o.GetNamespace() + "/" + o.GetName()
	}
	for _, o := range wanted {
		keep[id(o)] = true
	}
	var changes []Change
	for _, kind := range Kinds() {
		all, err := a.resource(kind, "")
		if meta.IsNoMatchError(err) {
			continue
		}
		if err != nil {
			return changes, err
		}
		list, err := all.List(ctx, metav1.ListOptions{LabelSelector: Label + "=" + LabelValue})
		if err != nil {
			return changes, fmt.Errorf("looking for %s to prune: %w", kind.Kind, err)
		}
		for _, o := range list.Items {
			if keep[id(&o)] {
				continue
			}
			action := Kept
			if kind.Kind != "Namespace" {
				action = Pruned
				one, err := a.resource(kind, o.GetNamespace())
				if err == nil {
					err = one.Delete(ctx, o.GetName(), metav1.DeleteOptions{DryRun: a.dryRun()})
				}
				if err != nil && !apierrors.IsNotFound(err) {
					return changes, fmt.Errorf("pruning %s %s: %w", kind.Kind, o.GetName(), err)
				}
			}
			changes = append(changes, change(&o, action))
		}
	}
	return changes, nil
}
