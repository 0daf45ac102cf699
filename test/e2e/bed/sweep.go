//go:build linux

package bed

import (
	"context"
	"fmt"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
)

// NothingLeft looks at every namespaced kind that the API server can list for objects
// that are labelled with the Model, owned by it, or named after it. Events remember.
func (b *Bed) NothingLeft(t *testing.T, ns, name string) {
	t.Helper()
	Eventually(t, Patience, func(ctx context.Context) (bool, string) {
		left, err := b.remains(ctx, ns, name)
		if err != nil {
			return false, err.Error()
		}
		return len(left) == 0, strings.Join(left, ", ")
	})
}

func (b *Bed) remains(ctx context.Context, ns, name string) ([]string, error) {
	config := b.Config()
	config.WarningHandler = rest.NoWarnings{} // kinds that are old are looked at, too
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	lists, err := discovery.ServerPreferredNamespacedResources(b.Client().Discovery())
	if err != nil {
		return nil, err
	}
	var left []string
	for _, list := range discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list"}}, lists) {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, r := range list.APIResources {
			if r.Kind == "Event" || gv.Group == "metrics.k8s.io" {
				continue
			}
			objects, err := client.Resource(gv.WithResource(r.Name)).Namespace(ns).List(ctx, metav1.ListOptions{})
			if err != nil {
				return nil, fmt.Errorf("listing %s: %w", r.Name, err)
			}
			for _, o := range objects.Items {
				if of(&o, name) {
					left = append(left, r.Kind+"/"+o.GetName())
				}
			}
		}
	}
	return left, nil
}

func of(o *unstructured.Unstructured, name string) bool {
	if o.GetLabels()["mizzen.dev/model"] == name || o.GetName() == name || strings.HasPrefix(o.GetName(), name+"-") {
		return true
	}
	for _, owner := range o.GetOwnerReferences() {
		if owner.Kind == "Model" && owner.Name == name {
			return true
		}
	}
	return false
}
