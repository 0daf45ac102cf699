package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
	"mizzen.dev/internal/status"
)

// Standing is how a Model stands in the cluster before a change.
type Standing struct {
	// KnowsModels says that the cluster has the kind Model.
	KnowsModels bool
	// Model and Deployment are nil if they are not there.
	Model      *v1alpha1.Model
	Deployment *appsv1.Deployment
	// Reads are the ConfigMaps that pods of the Model read, those of earlier revisions
	// included, which may be gone back to.
	Reads map[string]bool
}

// Discovery returns the client with which the cluster is asked what it has.
func (c *Cluster) Discovery() *discovery.DiscoveryClient { return c.discovery }

// Standing reads how a Model stands.
func (c *Cluster) Standing(ctx context.Context, namespace, name string) (*Standing, error) {
	s := &Standing{Reads: map[string]bool{}}
	o := &status.Objects{Namespace: namespace, Name: name}
	var err error
	if s.KnowsModels, err = c.readModel(ctx, o); err != nil {
		return nil, err
	}
	s.Model = o.Model
	d := &appsv1.Deployment{}
	switch err := c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, d); {
	case err == nil && d.Labels[render.ModelLabel] == name:
		s.Deployment = d
	case err != nil && !apierrors.IsNotFound(err):
		return nil, c.explain(err)
	}
	var sets appsv1.ReplicaSetList
	if err := c.List(ctx, &sets, client.InNamespace(namespace), client.MatchingLabels{render.ModelLabel: name}); err != nil {
		return nil, c.explain(err)
	}
	for i := range sets.Items {
		addReads(s.Reads, &sets.Items[i].Spec.Template.Spec)
	}
	return s, nil
}

// addReads adds the ConfigMaps that a pod needs when it starts.
func addReads(reads map[string]bool, spec *corev1.PodSpec) {
	for _, v := range spec.Volumes {
		if v.ConfigMap != nil {
			reads[v.ConfigMap.Name] = true
		}
	}
	for _, c := range slices.Concat(spec.InitContainers, spec.Containers) {
		for _, from := range c.EnvFrom {
			if from.ConfigMapRef != nil {
				reads[from.ConfigMapRef.Name] = true
			}
		}
		for _, e := range c.Env {
			if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil {
				reads[e.ValueFrom.ConfigMapKeyRef.Name] = true
			}
		}
	}
}

// ModelChange says what would become of the Model itself if it was as in m: it is the
// API server that validates and defaults it. A number of replicas that was set by
// kubectl scale stays, as long as m says nothing of it.
func (c *Cluster) ModelChange(ctx context.Context, live, m *v1alpha1.Model) (Change, error) {
	change := Change{Found: Found{Kind: v1alpha1.GroupVersion().WithKind(v1alpha1.Kind), Namespace: m.Namespace, Name: m.Name}}
	var after *v1alpha1.Model
	if live == nil {
		change.Action = Create
		after = m.DeepCopy()
		if err := c.Create(ctx, after, client.DryRunAll); err != nil {
			return change, fmt.Errorf("%s: %w", change.Found, c.explain(err))
		}
		after = m.DeepCopy() // without what the API server adds
	} else {
		change.UID = live.UID
		after = live.DeepCopy()
		after.Spec = *m.Spec.DeepCopy()
		if after.Spec.Replicas == nil && after.Spec.Scale == nil {
			after.Spec.Replicas = live.Spec.Replicas
		}
		after.Labels, after.Annotations = merged(live.Labels, m.Labels), merged(live.Annotations, m.Annotations)
		if err := c.WithWatch.Update(ctx, after, client.DryRunAll); err != nil {
			return change, fmt.Errorf("%s: %w", change.Found, c.explain(err))
		}
	}
	return change, change.compareModels(live, after)
}

func (c *Change) compareModels(before, after *v1alpha1.Model) error {
	var err error
	if c.After, err = plainModel(after); err != nil || before == nil {
		return err
	}
	if c.Before, err = plainModel(before); err != nil {
		return err
	}
	c.Action = Update
	if equal(c.Before, c.After) {
		c.Action = Keep
	}
	return nil
}

func merged(a, b map[string]string) map[string]string {
	m := maps.Clone(a)
	if m == nil {
		m = map[string]string{}
	}
	maps.Copy(m, b)
	if len(m) == 0 {
		return nil
	}
	return m
}

func plainModel(m *v1alpha1.Model) (*unstructured.Unstructured, error) {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(m)
	if err != nil {
		return nil, fmt.Errorf("reading the Model %s: %w", m.Name, err)
	}
	u := &unstructured.Unstructured{Object: object}
	u.SetGroupVersionKind(v1alpha1.GroupVersion().WithKind(v1alpha1.Kind))
	return plain(u), nil
}
