package cluster

import (
	"cmp"
	"context"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
	"mizzen.dev/internal/status"
)

// Models reads what a table of Models needs: of a namespace, or of all if it is empty.
// Those that were applied as files are among them. If there are none because the cluster
// does not know Models, the error is a *NoModelsError.
func (c *Cluster) Models(ctx context.Context, namespace string) ([]*status.Objects, error) {
	all := models{}
	known, err := c.addModels(ctx, all, namespace)
	if err != nil {
		return nil, c.Explain(err)
	}
	for _, read := range []func(context.Context, models, string) error{c.addDeployments, c.addAutoscalers, c.addWaysIn} {
		if err := read(ctx, all, namespace); err != nil {
			return nil, c.Explain(err)
		}
	}
	list := all.sorted()
	if len(list) == 0 && !known {
		return list, &NoModelsError{}
	}
	return list, nil
}

// models are what was read, by namespace and name.
type models map[client.ObjectKey]*status.Objects

func (m models) of(namespace, name string) *status.Objects {
	key := client.ObjectKey{Namespace: namespace, Name: name}
	if m[key] == nil {
		m[key] = &status.Objects{Namespace: namespace, Name: name}
	}
	return m[key]
}

func (m models) sorted() []*status.Objects {
	list := make([]*status.Objects, 0, len(m))
	for _, o := range m {
		if o.Model != nil || len(o.Deployments) > 0 {
			list = append(list, o)
		}
	}
	slices.SortFunc(list, func(a, b *status.Objects) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	return list
}

// addModels reports whether the cluster knows Models.
func (c *Cluster) addModels(ctx context.Context, all models, namespace string) (known bool, err error) {
	var list v1alpha1.ModelList
	if err := c.List(ctx, &list, client.InNamespace(namespace)); err != nil {
		if absent(err) {
			return false, nil
		}
		return false, err
	}
	for i := range list.Items {
		m := &list.Items[i]
		all.of(m.Namespace, m.Name).Model = m
	}
	return true, nil
}

func labelled(namespace string) []client.ListOption {
	return []client.ListOption{client.InNamespace(namespace), client.HasLabels{render.ModelLabel}}
}

func (c *Cluster) addDeployments(ctx context.Context, all models, namespace string) error {
	var list appsv1.DeploymentList
	if err := c.List(ctx, &list, labelled(namespace)...); err != nil {
		return err
	}
	for _, d := range list.Items {
		o := all.of(d.Namespace, d.Labels[render.ModelLabel])
		o.Deployments = append(o.Deployments, d)
	}
	var sets appsv1.ReplicaSetList
	if err := optional(c.List(ctx, &sets, labelled(namespace)...)); err != nil {
		return err
	}
	for _, s := range sets.Items {
		o := all.of(s.Namespace, s.Labels[render.ModelLabel])
		o.ReplicaSets = append(o.ReplicaSets, s)
	}
	return nil
}

func (c *Cluster) addAutoscalers(ctx context.Context, all models, namespace string) error {
	var hpas autoscalingv2.HorizontalPodAutoscalerList
	if err := optional(c.List(ctx, &hpas, labelled(namespace)...)); err != nil {
		return err
	}
	for _, h := range hpas.Items {
		o := all.of(h.Namespace, h.Labels[render.ModelLabel])
		o.HPAs = append(o.HPAs, h)
	}
	scaled := listOf(scaledObjectKind)
	if err := optional(c.List(ctx, scaled, labelled(namespace)...)); err != nil {
		return err
	}
	for _, s := range scaled.Items {
		o := all.of(s.GetNamespace(), s.GetLabels()[render.ModelLabel])
		o.ScaledObjects = append(o.ScaledObjects, s)
	}
	return nil
}

func (c *Cluster) addWaysIn(ctx context.Context, all models, namespace string) error {
	var ingresses networkingv1.IngressList
	if err := optional(c.List(ctx, &ingresses, labelled(namespace)...)); err != nil {
		return err
	}
	for _, in := range ingresses.Items {
		o := all.of(in.Namespace, in.Labels[render.ModelLabel])
		o.Ingresses = append(o.Ingresses, in)
	}
	routes := listOf(httpRouteKind)
	if err := optional(c.List(ctx, routes, labelled(namespace)...)); err != nil {
		return err
	}
	for _, r := range routes.Items {
		o := all.of(r.GetNamespace(), r.GetLabels()[render.ModelLabel])
		o.HTTPRoutes = append(o.HTTPRoutes, r)
	}
	return nil
}

// optional forgives that a kind is not known, or not to be seen: a table can do without.
func optional(err error) error {
	if absent(err) || apierrors.IsForbidden(err) {
		return nil
	}
	return err
}
