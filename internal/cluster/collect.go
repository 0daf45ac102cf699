package cluster

import (
	"context"
	"fmt"
	"net"
	"time"

	"golang.org/x/sync/errgroup"
	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
	"mizzen.dev/internal/status"
)

const (
	// pageSize is how many objects one answer of the API server has at most.
	pageSize = 500
	// maxEvents is how many events of a namespace are looked at.
	maxEvents = 10_000
	// resolveTimeout is how long a name server may take.
	resolveTimeout = 2 * time.Second
)

// Kinds of others that Models have objects of. The versions are those that render
// writes.
var (
	scaledObjectKind = schema.GroupVersionKind{Group: "keda.sh", Version: "v1alpha1", Kind: "ScaledObject"}
	httpRouteKind    = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "HTTPRoute"}
	gatewayKind      = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "Gateway"}
	grpcRouteKind    = schema.GroupVersionKind{Group: "gateway.networking.k8s.io", Version: "v1", Kind: "GRPCRoute"}
	certificateKind  = schema.GroupVersionKind{Group: "cert-manager.io", Version: "v1", Kind: "Certificate"}
)

// Collect reads what there is of a Model in a namespace. It returns a *NotFoundError
// if there is nothing.
func (c *Cluster) Collect(ctx context.Context, namespace, name string) (*status.Objects, error) {
	o := &status.Objects{Namespace: namespace, Name: name, KubectlFlags: c.flags}
	known, err := c.readModel(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := c.readObjects(ctx, o); err != nil {
		return nil, c.Explain(err)
	}
	if o.Model == nil && len(o.Deployments) == 0 && len(o.Pods) == 0 && len(o.Services) == 0 {
		return nil, &NotFoundError{Namespace: namespace, Name: name, NoCRD: !known}
	}
	c.readParents(ctx, o)
	c.resolve(ctx, o)
	return o, nil
}

// readModel reports whether the cluster knows Models.
func (c *Cluster) readModel(ctx context.Context, o *status.Objects) (known bool, err error) {
	m := &v1alpha1.Model{}
	err = c.Get(ctx, client.ObjectKey{Namespace: o.Namespace, Name: o.Name}, m)
	switch {
	case err == nil:
		o.Model = m
		return true, nil
	case absent(err):
		return false, nil
	case apierrors.IsNotFound(err):
		return true, nil
	}
	return false, c.Explain(err)
}

// readObjects reads, at once, all that is labelled with the Model's name.
func (c *Cluster) readObjects(ctx context.Context, o *status.Objects) error {
	labelled := []client.ListOption{client.InNamespace(o.Namespace), client.MatchingLabels{render.ModelLabel: o.Name}}
	group, ctx := errgroup.WithContext(ctx)
	notes := make(chan string, 16) // more than there are reads
	read := func(list client.ObjectList, optional bool, take func()) {
		group.Go(func() error {
			err := c.List(ctx, list, labelled...)
			switch {
			case err == nil:
				take()
			case optional && absent(err):
			case optional && apierrors.IsForbidden(err):
				notes <- err.Error()
			default:
				return err
			}
			return nil
		})
	}
	var (
		deployments appsv1.DeploymentList
		sets        appsv1.ReplicaSetList
		pods        corev1.PodList
		services    corev1.ServiceList
		hpas        autoscalingv2.HorizontalPodAutoscalerList
		ingresses   networkingv1.IngressList
	)
	read(&deployments, false, func() { o.Deployments = deployments.Items })
	read(&pods, false, func() { o.Pods = pods.Items })
	read(&sets, true, func() { o.ReplicaSets = sets.Items })
	read(&services, true, func() { o.Services = services.Items })
	read(&hpas, true, func() { o.HPAs = hpas.Items })
	read(&ingresses, true, func() { o.Ingresses = ingresses.Items })
	for kind, into := range map[schema.GroupVersionKind]*[]unstructured.Unstructured{
		scaledObjectKind: &o.ScaledObjects, httpRouteKind: &o.HTTPRoutes, gatewayKind: &o.Gateways,
	} {
		list := listOf(kind)
		read(list, true, func() { *into = list.Items })
	}
	var others []*unstructured.UnstructuredList
	for _, kind := range []schema.GroupVersionKind{corev1.SchemeGroupVersion.WithKind("PersistentVolumeClaim"), certificateKind, grpcRouteKind} {
		list := listOf(kind)
		others = append(others, list)
		read(list, true, func() {})
	}
	group.Go(func() error {
		err := c.readEvents(ctx, o, notes)
		if apierrors.IsForbidden(err) {
			notes <- err.Error()
			return nil
		}
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	for _, list := range others {
		o.Others = append(o.Others, list.Items...)
	}
	close(notes)
	for n := range notes {
		o.Notes = append(o.Notes, n)
	}
	return nil
}

func listOf(kind schema.GroupVersionKind) *unstructured.UnstructuredList {
	list := &unstructured.UnstructuredList{}
	kind.Kind += "List"
	list.SetGroupVersionKind(kind)
	return list
}

// readEvents reads the events of the namespace, page by page, up to a bound.
func (c *Cluster) readEvents(ctx context.Context, o *status.Objects, notes chan<- string) error {
	next := ""
	for {
		var page corev1.EventList
		err := c.List(ctx, &page, client.InNamespace(o.Namespace), client.Limit(pageSize), client.Continue(next))
		if err != nil {
			return err
		}
		o.Events = append(o.Events, page.Items...)
		next = page.Continue
		switch {
		case next == "":
			return nil
		case len(o.Events) >= maxEvents:
			notes <- fmt.Sprintf("only %d events of the namespace were looked at: newer ones may be missing", len(o.Events))
			return nil
		}
	}
}

// readParents reads the platform's Gateways that routes attach to. Who may not look at
// them misses their address alone.
func (c *Cluster) readParents(ctx context.Context, o *status.Objects) {
	seen := map[client.ObjectKey]bool{}
	for i := range o.Gateways {
		seen[client.ObjectKeyFromObject(&o.Gateways[i])] = true
	}
	for i := range o.HTTPRoutes {
		parents, _, _ := unstructured.NestedSlice(o.HTTPRoutes[i].Object, "spec", "parentRefs")
		for _, p := range parents {
			parent, _ := p.(map[string]any)
			key := client.ObjectKey{Namespace: o.Namespace}
			if ns, ok := parent["namespace"].(string); ok {
				key.Namespace = ns
			}
			key.Name, _ = parent["name"].(string)
			if key.Name == "" || seen[key] {
				continue
			}
			seen[key] = true
			g := unstructured.Unstructured{}
			g.SetGroupVersionKind(gatewayKind)
			if c.Get(ctx, key, &g) == nil {
				o.Gateways = append(o.Gateways, g)
			}
		}
	}
}

// resolve asks whether name servers know the host under which the Model is exposed.
func (c *Cluster) resolve(ctx context.Context, o *status.Objects) {
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	o.Resolves = map[string]bool{}
	for _, host := range status.Hosts(o) {
		_, err := net.DefaultResolver.LookupHost(ctx, host)
		o.Resolves[host] = err == nil
	}
}
