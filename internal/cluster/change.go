package cluster

import (
	"context"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Action is what happens to an object.
type Action string

// The actions.
const (
	Keep   Action = "keep"
	Create Action = "create"
	Update Action = "update"
	Delete Action = "delete"
	// Wait is to be created, but not before something else is gone.
	Wait Action = "wait"
)

// Change is what happens to one object.
type Change struct {
	Action Action
	Found
	// Before is the object as it is, nil if it is created; After as it would be, nil if
	// it is deleted. Neither has what the API server alone writes.
	Before, After *unstructured.Unstructured
	// Guessed is why the API server was not asked: After lacks what it would add. Else nil.
	Guessed *ForbiddenError
}

// Desired is what should be in the cluster of one Model.
type Desired struct {
	Namespace, Name string
	// Objects in the order in which they are applied.
	Objects []*unstructured.Unstructured
	// Manager is in whose name they are applied.
	Manager string
	// MayTake says of an object that is there why it is not to be applied; nil if it is.
	MayTake func(live *unstructured.Unstructured) error
	// Guess says what an apply would make of an object that is there, for who may not ask the
	// API server; nil if that is an error. It returns nil if the object would not change.
	Guess func(desired, live *unstructured.Unstructured) (*unstructured.Unstructured, error)
	// Scope says which of the Model's objects that are no longer desired are deleted; nil
	// if none.
	Scope func(Found) bool
}

// Changes says what Apply would do, without doing it. The API server itself is asked,
// with all its schemas, defaults and admission.
func (c *Cluster) Changes(ctx context.Context, d Desired) ([]Change, error) {
	return c.each(ctx, d, client.DryRunAll)
}

// Apply makes it so, and says what it did.
func (c *Cluster) Apply(ctx context.Context, d Desired) ([]Change, error) {
	return c.each(ctx, d)
}

func (c *Cluster) each(ctx context.Context, d Desired, options ...client.ApplyOption) ([]Change, error) {
	var (
		changes []Change
		failed  []error
	)
	wanted := map[types.UID]bool{}
	for _, o := range d.Objects {
		change, err := c.apply(ctx, d, o, options...)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s/%s: %w", o.GetKind(), o.GetName(), c.Explain(err)))
			continue
		}
		wanted[change.UID] = true
		changes = append(changes, change)
	}
	if len(failed) > 0 {
		return changes, errors.Join(failed...)
	}
	dry := slices.Contains(options, client.ApplyOption(client.DryRunAll))
	pruned, err := c.prune(ctx, d, wanted, dry)
	return append(changes, pruned...), err
}

// apply applies one object, and compares what was with what is then.
func (c *Cluster) apply(ctx context.Context, d Desired, o *unstructured.Unstructured, options ...client.ApplyOption) (Change, error) {
	change := Change{Found: Found{Kind: o.GroupVersionKind(), Namespace: d.Namespace, Name: o.GetName()}}
	before := &unstructured.Unstructured{}
	before.SetGroupVersionKind(o.GroupVersionKind())
	err := c.Get(ctx, client.ObjectKey{Namespace: d.Namespace, Name: o.GetName()}, before)
	if err != nil && !apierrors.IsNotFound(err) {
		return change, err
	}
	absent := err != nil
	if !absent {
		if err := d.MayTake(before); err != nil {
			return change, err
		}
	}
	after := o.DeepCopy()
	after.SetNamespace(d.Namespace)
	options = append(slices.Clone(options), client.FieldOwner(d.Manager), client.ForceOwnership)
	change.UID = before.GetUID()
	if err := c.WithWatch.Apply(ctx, client.ApplyConfigurationFromUnstructured(after), options...); err != nil {
		if f := forbiddenError(err); f != nil && d.Guess != nil {
			change.Guessed = f
			return change, change.guess(d, o, before, absent)
		}
		return change, err
	}
	if absent {
		change.Action, change.After, change.UID = Create, plain(o), after.GetUID()
		return change, nil
	}
	change.Before, change.After = plain(before), plain(after)
	change.Action = Update
	if equal(change.Before, change.After) {
		change.Action = Keep
	}
	return change, nil
}

// guess fills in a change about which the API server may not be asked.
func (c *Change) guess(d Desired, o, before *unstructured.Unstructured, absent bool) error {
	if absent {
		c.Action, c.After = Create, plain(o)
		return nil
	}
	after, err := d.Guess(o, before)
	if err != nil {
		return err
	}
	c.Action, c.Before = Keep, plain(before)
	if c.After = c.Before; after != nil {
		c.After = plain(after)
	}
	if !equal(c.Before, c.After) {
		c.Action = Update
	}
	return nil
}

// prune deletes those of the Model's objects that are no longer desired.
func (c *Cluster) prune(ctx context.Context, d Desired, wanted map[types.UID]bool, dry bool) ([]Change, error) {
	if d.Scope == nil {
		return nil, nil
	}
	rest, err := c.Sweep(ctx, d.Namespace, d.Name)
	if err != nil {
		return nil, err
	}
	var changes []Change
	for _, f := range rest.Objects {
		// A Secret is wanted as long as the Certificate is that it was made for.
		if wanted[f.UID] || f.Issued != "" && wanted[f.Issued] || f.Owner != "" || f.Deleting || !f.Ours || isModel(f.Kind) || !d.Scope(f) {
			continue
		}
		o := &unstructured.Unstructured{}
		o.SetGroupVersionKind(f.Kind)
		if err := c.Get(ctx, client.ObjectKey{Namespace: f.Namespace, Name: f.Name}, o); err != nil {
			if apierrors.IsNotFound(err) {
				continue
			}
			return changes, c.Explain(err)
		}
		if !dry {
			if err := c.remove(ctx, f); err != nil {
				return changes, err
			}
		}
		changes = append(changes, Change{Action: Delete, Found: f, Before: plain(o)})
	}
	return changes, nil
}

// Planned returns the change that somebody else is going to make.
func Planned(action Action, o *unstructured.Unstructured) Change {
	c := Change{Action: action, Found: Found{Kind: o.GroupVersionKind(), Namespace: o.GetNamespace(), Name: o.GetName(), UID: o.GetUID()}}
	if action == Delete {
		c.Before = plain(o)
	} else {
		c.After = plain(o)
	}
	return c
}

// serverFields are written by the API server and by controllers, and are never part
// of what somebody wants.
var serverFields = [][]string{
	{"status"},
	{"metadata", "managedFields"},
	{"metadata", "resourceVersion"},
	{"metadata", "uid"},
	{"metadata", "creationTimestamp"},
	{"metadata", "generation"},
	{"metadata", "selfLink"},
	{"metadata", "annotations", "deployment.kubernetes.io/revision"},
	// What the operator keeps of the pods that it made.
	{"metadata", "annotations", "mizzen.dev/applied-template"},
	{"metadata", "annotations", "mizzen.dev/made-from"},
	{"metadata", "annotations", "kubectl.kubernetes.io/last-applied-configuration"},
}

// plain returns a copy without what the API server and controllers write.
func plain(o *unstructured.Unstructured) *unstructured.Unstructured {
	p := o.DeepCopy()
	for _, field := range serverFields {
		unstructured.RemoveNestedField(p.Object, field...)
	}
	if len(p.GetAnnotations()) == 0 {
		unstructured.RemoveNestedField(p.Object, "metadata", "annotations")
	}
	// A Model that is yet to come has no UID to compare by.
	owners, _, _ := unstructured.NestedSlice(p.Object, "metadata", "ownerReferences")
	for _, o := range owners {
		delete(o.(map[string]any), "uid")
	}
	if len(owners) > 0 {
		_ = unstructured.SetNestedSlice(p.Object, owners, "metadata", "ownerReferences")
	}
	return p
}
