package cluster

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
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
	// Model is nil if it is not there.
	Model *v1alpha1.Model
	// Deployed says that its Deployment is there, whoever made it.
	Deployed bool
}

// Discovery returns the client with which the cluster is asked what it has.
func (c *Cluster) Discovery() *discovery.DiscoveryClient { return c.discovery }

// Standing reads how a Model stands.
func (c *Cluster) Standing(ctx context.Context, namespace, name string) (*Standing, error) {
	s := &Standing{}
	o := &status.Objects{Namespace: namespace, Name: name}
	var err error
	if s.KnowsModels, err = c.readModel(ctx, o); err != nil {
		return nil, err
	}
	s.Model = o.Model
	d := &appsv1.Deployment{}
	err = c.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, d)
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, c.Explain(err)
	}
	s.Deployed = err == nil && d.Labels[render.ModelLabel] == name
	return s, nil
}

// ConfigMapsRead returns the names of the ConfigMaps that pods of a Model read, those of
// earlier revisions included, which may be gone back to.
func (c *Cluster) ConfigMapsRead(ctx context.Context, namespace, name string) (map[string]bool, error) {
	var sets appsv1.ReplicaSetList
	if err := c.List(ctx, &sets, client.InNamespace(namespace), client.MatchingLabels{render.ModelLabel: name}); err != nil {
		return nil, c.Explain(err)
	}
	reads := map[string]bool{}
	for i := range sets.Items {
		addReads(reads, &sets.Items[i].Spec.Template.Spec)
	}
	return reads, nil
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

// Objects reads the objects of some kinds that have a Model's label. Of a kind that the
// cluster does not know there are none.
func (c *Cluster) Objects(ctx context.Context, namespace, name string, kinds []schema.GroupVersionKind) ([]*unstructured.Unstructured, error) {
	lists := make([]*unstructured.UnstructuredList, len(kinds))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(sweepers)
	for i, kind := range kinds {
		lists[i] = listOf(kind)
		group.Go(func() error {
			err := c.List(inner, lists[i], client.InNamespace(namespace), client.MatchingLabels{render.ModelLabel: name})
			if absent(err) {
				return nil
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, c.Explain(err)
	}
	var all []*unstructured.Unstructured
	for _, list := range lists {
		for i := range list.Items {
			all = append(all, &list.Items[i])
		}
	}
	return all, nil
}

// Pods reads the pods that have a Model's label.
func (c *Cluster) Pods(ctx context.Context, namespace, name string) ([]corev1.Pod, error) {
	var pods corev1.PodList
	if err := c.List(ctx, &pods, client.InNamespace(namespace), client.MatchingLabels{render.ModelLabel: name}); err != nil {
		return nil, c.Explain(err)
	}
	return pods.Items, nil
}

// ModelChange says what would become of the Model itself if it was as in m, and returns
// the Model as the API server would have it then: it is the server that validates and
// defaults it. A number of replicas that was set by kubectl scale stays, as long as m
// says nothing of it.
func (c *Cluster) ModelChange(ctx context.Context, live, m *v1alpha1.Model) (Change, *v1alpha1.Model, error) {
	change := Change{Found: Found{Kind: v1alpha1.GroupVersion().WithKind(v1alpha1.Kind), Namespace: m.Namespace, Name: m.Name}}
	if live == nil {
		stored := m.DeepCopy()
		if err := c.Create(ctx, stored, client.DryRunAll); err != nil {
			return change, nil, fmt.Errorf("%s: %w", change.Found, c.Explain(err))
		}
		change.Action = Create
		return change, stored, change.compareModels(nil, m) // without what the API server adds
	}
	change.UID = live.UID
	stored := live.DeepCopy()
	stored.Spec = *m.Spec.DeepCopy()
	if stored.Spec.Replicas == nil && stored.Spec.Scale == nil {
		stored.Spec.Replicas = live.Spec.Replicas
	}
	stored.Labels, stored.Annotations = merged(live.Labels, m.Labels), merged(live.Annotations, m.Annotations)
	if err := c.WithWatch.Update(ctx, stored, client.DryRunAll); err != nil {
		return change, nil, fmt.Errorf("%s: %w", change.Found, c.Explain(err))
	}
	return change, stored, change.compareModels(live, stored)
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
