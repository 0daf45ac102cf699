package operator

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// modelIndex is the index of the caches by the Model whose label an object has.
const modelIndex = "mizzen.dev/model"

// modelOf is the index's function.
func modelOf(o client.Object) []string {
	if name := o.GetLabels()[render.ModelLabel]; name != "" {
		return []string{name}
	}
	return nil
}

// observe reads all that is known of a Model from the caches.
func (r *Reconciler) observe(ctx context.Context, name types.NamespacedName) (*state, error) {
	s := &state{model: &v1alpha1.Model{}, facts: r.Facts.get(), live: map[id]*unstructured.Unstructured{}}
	if err := r.Client.Get(ctx, name, s.model); err != nil {
		return nil, err
	}
	r.memory.recall(s.model)
	s.model.SetGroupVersionKind(v1alpha1.GroupVersion().WithKind(v1alpha1.Kind))
	its := []client.ListOption{client.InNamespace(name.Namespace), client.MatchingFields{modelIndex: name.Name}}
	for _, k := range Kinds() {
		if !s.facts.has(k) {
			continue
		}
		list := &unstructured.UnstructuredList{}
		list.SetGroupVersionKind(k.GroupVersion().WithKind(k.Kind + "List"))
		if err := r.Client.List(ctx, list, its...); err != nil {
			return nil, fmt.Errorf("listing %s: %w", k.Resource, err)
		}
		for i := range list.Items {
			o, err := unpack(&list.Items[i])
			if err != nil {
				return nil, err
			}
			s.live[idOf(o)] = o
		}
	}
	pods := &corev1.PodList{}
	if err := r.Client.List(ctx, pods, its...); err != nil {
		return nil, fmt.Errorf("listing pods: %w", err)
	}
	s.pods = pods.Items
	return s, nil
}

// ownerReference is by which objects belong to a Model and go with it.
func ownerReference(m *v1alpha1.Model) *metav1.OwnerReference {
	return metav1.NewControllerRef(m, v1alpha1.GroupVersion().WithKind(v1alpha1.Kind))
}
