package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Deletion is what deleting a Model touches.
type Deletion struct {
	Namespace, Name string
	// Roots are deleted, in this order: the Model first, so that nobody makes the others
	// again.
	Roots []Found
	// Dependents go with them, by the cluster's garbage collector.
	Dependents []Found
	// Foreign carry the Model's label but were not made by Mizzen; they are left alone.
	Foreign []Found
	// Unseen are the kinds that could not be looked at.
	Unseen []Unseen
}

// PlanDeletion finds all that there is of a Model. It returns a *NotFoundError if that
// is nothing.
func (c *Cluster) PlanDeletion(ctx context.Context, namespace, name string) (*Deletion, error) {
	all, err := c.Sweep(ctx, namespace, name)
	if err != nil {
		return nil, err
	}
	d := &Deletion{Namespace: namespace, Name: name, Unseen: all.Unseen}
	for _, f := range all.Objects {
		switch {
		case f.Owner != "":
			d.Dependents = append(d.Dependents, f)
		case f.Ours || f.Issued != "" || isModel(f.Kind):
			d.Roots = append(d.Roots, f)
		default:
			d.Foreign = append(d.Foreign, f)
		}
	}
	if len(d.Roots) == 0 {
		return d, &NotFoundError{Namespace: namespace, Name: name, Unseen: all.Unseen}
	}
	return d, nil
}

// Delete deletes the roots of a deletion and tells of each. What is gone already is
// no error, nor is what the caller may not delete and goes with the Model.
func (c *Cluster) Delete(ctx context.Context, d *Deletion, deleted func(Found)) error {
	for _, f := range d.Roots {
		err := c.remove(ctx, f)
		var forbidden *ForbiddenError
		if f.WithModel && errors.As(err, &forbidden) {
			continue
		}
		if err != nil {
			return err
		}
		deleted(f)
	}
	return nil
}

// remove deletes the very object that was found, not one of the same name that
// somebody has made since, and lets the cluster collect what it owns.
func (c *Cluster) remove(ctx context.Context, f Found) error {
	// Not its metadata alone: of what a finalizer holds the answer is the object, which
	// the client of metadata cannot read.
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(f.Kind)
	o.SetNamespace(f.Namespace)
	o.SetName(f.Name)
	err := c.WithWatch.Delete(ctx, o, client.Preconditions{UID: &f.UID}, client.PropagationPolicy(metav1.DeletePropagationBackground))
	if err == nil || apierrors.IsNotFound(err) || apierrors.IsConflict(err) {
		return nil
	}
	return fmt.Errorf("deleting %s: %w", f, c.Explain(err))
}

// gonePeriod is how often it is looked whether all is gone: there is nothing to watch
// that covers all kinds.
const gonePeriod = time.Second

// WaitGone waits until nothing is left of a Model but what is not Mizzen's, and
// returns what is left when ctx ends, and what could not be looked at.
func (c *Cluster) WaitGone(ctx context.Context, d *Deletion, progress func(left []Found)) (*Remains, error) {
	foreign := map[string]bool{}
	for _, f := range d.Foreign {
		foreign[string(f.UID)] = true
	}
	left := &Remains{}
	err := wait.PollUntilContextCancel(ctx, gonePeriod, true, func(ctx context.Context) (bool, error) {
		all, err := c.Sweep(ctx, d.Namespace, d.Name)
		if err != nil {
			return false, err
		}
		left = &Remains{Unseen: all.Unseen}
		for _, f := range all.Objects {
			if !foreign[string(f.UID)] && !foreign[string(f.Owner)] {
				left.Objects = append(left.Objects, f)
			}
		}
		progress(left.Objects)
		return len(left.Objects) == 0, nil
	})
	if ctx.Err() != nil && len(left.Objects) > 0 {
		return left, nil
	}
	return left, err
}
