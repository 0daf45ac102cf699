package operator

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"

	"mizzen.dev/internal/platform"
)

// Discovery surveys a cluster by its API's discovery.
type Discovery struct {
	Cluster platform.Cluster
	// Namespaced says that the operator may have rights in some namespaces alone.
	Namespaced bool
}

// Survey implements Surveyor.
func (d Discovery) Survey(ctx context.Context) (*Survey, error) {
	// A group whose own server is down fails alone, and none of the kinds that Models
	// are made of has such a server.
	groups, lists, err := d.Cluster.ServerGroupsAndResources()
	asked := discovered{d.Cluster, groups, lists, err}
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, fmt.Errorf("asking the cluster what it has: %w", err)
	}
	kinds := map[schema.GroupVersionKind]bool{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("asking the cluster what it has: %w", err)
		}
		for _, r := range list.APIResources {
			kinds[gv.WithKind(r.Kind)] = true
		}
	}
	look := platform.FromCluster
	if d.Namespaced {
		look = platform.FromClusterAsAllowed
	}
	found, err := look(ctx, asked)
	if err != nil {
		return nil, err
	}
	return &Survey{Into: found.Into, Kinds: kinds}, nil
}

// discovered is a cluster whose discovery has answered: what a platform offers, and which
// kinds there are, must not be of two moments.
type discovered struct {
	platform.Cluster
	groups []*metav1.APIGroup
	lists  []*metav1.APIResourceList
	err    error
}

// ServerGroupsAndResources returns the answer.
func (d discovered) ServerGroupsAndResources() ([]*metav1.APIGroup, []*metav1.APIResourceList, error) {
	return d.groups, d.lists, d.err
}
