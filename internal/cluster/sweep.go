package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/discovery"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

const (
	// sweepers is how many kinds are listed at a time.
	sweepers = 16
	// maxSwept bounds the objects of a namespace whose owners are remembered.
	maxSwept = 200_000
)

// certificateAnnotation is how cert-manager says for which Certificate it made a Secret.
const certificateAnnotation = "cert-manager.io/certificate-name"

// Found is an object of a Model.
type Found struct {
	Kind      schema.GroupVersionKind
	Namespace string
	Name      string
	UID       types.UID
	// Ours says that Mizzen made it; not so what others labelled, or made for it.
	Ours bool
	// Owner is the object that it goes with; "" if it stands for itself, or is owned by
	// the Model.
	Owner types.UID
	// WithModel says that it goes with the Model, which owns it by reference.
	WithModel bool
	// Issued is the Certificate of the Model for which cert-manager made this Secret; ""
	// if it is no such Secret.
	Issued types.UID
	// Deleting says that it is on its way out.
	Deleting bool
}

// String is Deployment/iris.
func (f Found) String() string { return f.Kind.Kind + "/" + f.Name }

// Remains is what a namespace holds of a Model.
type Remains struct {
	Objects []Found
	// Unseen are the kinds that could not be looked at.
	Unseen []Unseen
}

// Unseen is a kind, or a group of them, that could not be looked at.
type Unseen struct {
	// What is such as secrets, Why a sentence.
	What, Why string
}

// String is secrets: alice may not list them.
func (u Unseen) String() string { return u.What + ": " + u.Why }

// maxNamed is how many kinds a sentence names.
const maxNamed = 3

// Sentences puts together what was not seen for the same reason.
func Sentences(unseen []Unseen) []string {
	var reasons []string
	kinds := map[string][]string{}
	for _, u := range unseen {
		if kinds[u.Why] == nil {
			reasons = append(reasons, u.Why)
		}
		kinds[u.Why] = append(kinds[u.Why], u.What)
	}
	sentences := make([]string, len(reasons))
	for i, why := range reasons {
		named := kinds[why]
		if more := len(named) - maxNamed; more > 0 {
			named = append(slices.Clone(named[:maxNamed]), fmt.Sprintf("%d more kinds", more))
		}
		sentences[i] = strings.Join(named, ", ") + ": " + why
	}
	return sentences
}

// Sweep looks through every kind of objects that the cluster has in namespaces, and
// returns those of one Model: the Model itself, all that is labelled with its name,
// all that belongs to any of these by owner references, and the Secrets that
// cert-manager made for its Certificates.
func (c *Cluster) Sweep(ctx context.Context, namespace, name string) (*Remains, error) {
	kinds, unseen, err := c.namespacedKinds(ctx)
	if err != nil {
		return nil, err
	}
	lists := make([][]metav1.PartialObjectMetadata, len(kinds))
	failed := make([]error, len(kinds))
	group, inner := errgroup.WithContext(ctx)
	group.SetLimit(sweepers)
	for i, kind := range kinds {
		group.Go(func() error {
			lists[i], failed[i] = c.listMetadata(inner, kind, namespace)
			return inner.Err()
		})
	}
	if err := group.Wait(); err != nil {
		return nil, c.Explain(err)
	}
	n := trawl{model: name, byUID: map[types.UID]*swept{}}
	for i, kind := range kinds { // in the order of what people look for
		switch {
		case apierrors.IsForbidden(failed[i]):
			unseen = append(unseen, unseenFor(kind, failed[i]))
		case failed[i] != nil && !absent(failed[i]) && !apierrors.IsNotFound(failed[i]) && !apierrors.IsMethodNotSupported(failed[i]):
			return nil, c.Explain(fmt.Errorf("listing %s: %w", kind.Kind, failed[i]))
		}
		if err := n.add(kind, lists[i]); err != nil {
			return nil, err
		}
	}
	return &Remains{Objects: n.caught(), Unseen: unseen}, nil
}

func unseenFor(kind schema.GroupVersionKind, err error) Unseen {
	if f := forbiddenError(err); f != nil {
		return Unseen{What: f.Resource, Why: fmt.Sprintf("%s may not list them", f.User)}
	}
	return Unseen{What: kind.Kind, Why: err.Error()}
}

// namespacedKinds returns what can be listed and deleted in namespaces: what cannot,
// such as measurements of pods, is no object that could be left behind.
func (c *Cluster) namespacedKinds(ctx context.Context) (kinds []schema.GroupVersionKind, unseen []Unseen, err error) {
	lists, err := c.discovery.ServerPreferredNamespacedResourcesWithContext(ctx)
	var partial *discovery.ErrGroupDiscoveryFailed
	if errors.As(err, &partial) {
		for _, gv := range slices.SortedFunc(maps.Keys(partial.Groups), func(a, b schema.GroupVersion) int {
			return cmp.Compare(a.String(), b.String())
		}) {
			unseen = append(unseen, Unseen{What: "the kinds of " + gv.String(), Why: partial.Groups[gv].Error()})
		}
	} else if err != nil {
		return nil, nil, c.Explain(err)
	}
	seen := map[schema.GroupKind]bool{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, nil, fmt.Errorf("reading what kinds the cluster has: %w", err)
		}
		for _, r := range list.APIResources {
			kind := gv.WithKind(r.Kind)
			if strings.Contains(r.Name, "/") || seen[kind.GroupKind()] || kind.Kind == "Event" ||
				!slices.Contains(r.Verbs, "list") || !slices.Contains(r.Verbs, "delete") {
				continue
			}
			seen[kind.GroupKind()] = true
			kinds = append(kinds, kind)
		}
	}
	slices.SortStableFunc(kinds, func(a, b schema.GroupVersionKind) int { return cmp.Compare(order(a), order(b)) })
	return kinds, unseen, nil
}

// listMetadata lists what stands above the specs of all objects of a kind.
func (c *Cluster) listMetadata(ctx context.Context, kind schema.GroupVersionKind, namespace string) ([]metav1.PartialObjectMetadata, error) {
	var all []metav1.PartialObjectMetadata
	next := ""
	for {
		list := &metav1.PartialObjectMetadataList{}
		list.SetGroupVersionKind(kind.GroupVersion().WithKind(kind.Kind + "List"))
		err := c.List(ctx, list, client.InNamespace(namespace), client.Limit(pageSize), client.Continue(next))
		if err != nil {
			return nil, err
		}
		all = append(all, list.Items...)
		if next = list.Continue; next == "" || len(all) > maxSwept {
			return all, nil
		}
	}
}

// trawl catches the objects of a Model.
type trawl struct {
	model string
	byUID map[types.UID]*swept
}

// swept is an object that may be one of the Model.
type swept struct {
	Found
	owners      []metav1.OwnerReference
	certificate string // for which cert-manager made it
	caught      bool
}

func (n *trawl) add(kind schema.GroupVersionKind, list []metav1.PartialObjectMetadata) error {
	if len(n.byUID)+len(list) > maxSwept {
		return fmt.Errorf("the namespace has more than %d objects: that is more than can be searched for what a Model left", maxSwept)
	}
	for i := range list {
		o := &list[i]
		s := &swept{owners: o.OwnerReferences, Found: Found{Kind: kind, Namespace: o.Namespace, Name: o.Name, UID: o.UID,
			Deleting: o.DeletionTimestamp != nil}}
		s.Ours = o.Labels["app.kubernetes.io/managed-by"] == render.ManagedBy
		s.caught = o.Labels[render.ModelLabel] == n.model || isModel(kind) && o.Name == n.model
		if kind.Group == "" && kind.Kind == "Secret" {
			s.certificate = o.Annotations[certificateAnnotation]
		}
		n.byUID[o.UID] = s
	}
	return nil
}

func isModel(kind schema.GroupVersionKind) bool {
	return kind.Group == v1alpha1.Group && kind.Kind == v1alpha1.Kind
}

// caught follows owners and certificates until nothing more is found.
func (n *trawl) caught() []Found {
	for n.follow() {
	}
	found := []Found{}
	for _, s := range n.byUID {
		if s.caught {
			s.Owner = n.ownerOf(s)
			s.WithModel = slices.ContainsFunc(s.owners, func(o metav1.OwnerReference) bool {
				owner := n.byUID[o.UID]
				return owner != nil && isModel(owner.Kind)
			})
			found = append(found, s.Found)
		}
	}
	slices.SortFunc(found, func(a, b Found) int {
		return cmp.Or(cmp.Compare(order(a.Kind), order(b.Kind)), cmp.Compare(a.Kind.Group, b.Kind.Group),
			cmp.Compare(a.Kind.Kind, b.Kind.Kind), cmp.Compare(a.Name, b.Name))
	})
	return found
}

// follow catches what belongs to something that is caught.
func (n *trawl) follow() (more bool) {
	certificates := map[string]types.UID{}
	for _, s := range n.byUID {
		if s.caught && s.Kind.GroupKind() == certificateKind.GroupKind() {
			certificates[s.Name] = s.UID
		}
	}
	for _, s := range n.byUID {
		if s.certificate != "" {
			s.Issued = certificates[s.certificate]
		}
		if s.caught {
			continue
		}
		if s.Issued != "" || slices.ContainsFunc(s.owners, func(o metav1.OwnerReference) bool {
			owner := n.byUID[o.UID]
			return owner != nil && owner.caught
		}) {
			s.caught, more = true, true
		}
	}
	return more
}

// ownerOf is the object, other than the Model, with which s goes when that goes.
func (n *trawl) ownerOf(s *swept) types.UID {
	for _, o := range s.owners {
		if owner := n.byUID[o.UID]; owner != nil && owner.caught && !isModel(owner.Kind) {
			return o.UID
		}
	}
	// The endpoints of a Service have its labels, and go with it, but do not say so.
	if s.Kind.Group == "" && s.Kind.Kind == "Endpoints" {
		for _, service := range n.byUID {
			if service.Kind.Group == "" && service.Kind.Kind == "Service" && service.Name == s.Name && service.caught {
				return service.UID
			}
		}
	}
	return ""
}

// order is the place of a kind on lists for people, and the order in which objects
// are deleted: first what brings requests, then what runs, then what that needs.
func order(kind schema.GroupVersionKind) int {
	kinds := []string{"Model", "Ingress", "HTTPRoute", "GRPCRoute", "Gateway", "Certificate", "ScaledObject",
		"HorizontalPodAutoscaler", "PrometheusRule", "ServiceMonitor", "Service", "PodDisruptionBudget", "Deployment",
		"ReplicaSet", "Pod", "NetworkPolicy", "PersistentVolumeClaim", "ConfigMap", "Secret", "ServiceAccount"}
	if i := slices.Index(kinds, kind.Kind); i >= 0 {
		return i
	}
	return len(kinds)
}
