package platform

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/rest"

	"mizzen.dev/api/v1alpha1"
)

// Cluster is what has to be asked. A client of the API's discovery does; one that
// caches would not see what is installed later.
type Cluster interface {
	discovery.ServerResourcesInterface
	discovery.ServerVersionInterface
	RESTClient() rest.Interface
}

// Found is what a cluster offers.
type Found struct {
	// Kinds are all that the API server has, of the same moment as the offers.
	Kinds  map[schema.GroupVersionKind]bool
	Offers Offers
	// Untold are offers about which the cluster does not tell the caller, who may not
	// read what would show them. The platform file has the say about those.
	Untold         Offers
	IngressClasses []IngressClass
	Gateways       []Gateway
	// Notes say why something that seems to be there does not count, or could not be
	// looked up.
	Notes []string
}

// Into puts what was found into a platform. What the cluster offers is what it offers,
// whatever the file says, but for what it does not tell; classes and Gateways that the
// file names itself are kept.
func (f *Found) Into(p *Platform) {
	offers := slices.Clone(f.Offers)
	for _, o := range p.Offers {
		if f.Untold.Has(o) {
			offers = append(offers, o)
		}
	}
	p.Offers = offers
	if p.IngressClasses == nil {
		p.IngressClasses = f.IngressClasses
	}
	if p.Gateways == nil {
		p.Gateways = f.Gateways
	}
}

// FromCluster asks a cluster what it offers. The error says that it could not be asked;
// what the caller may not read is a note, and counts as offered only if the platform file
// says so.
func FromCluster(ctx context.Context, c Cluster) (*Found, error) {
	return discover(ctx, &discoverer{cluster: c, found: &Found{}})
}

// FromClusterAsAllowed is FromCluster for who may have rights in some namespaces alone: it
// first asks whether it may look, for each look that is refused is written down as an
// attempt, and alarms those who read what is.
func FromClusterAsAllowed(ctx context.Context, c Cluster) (*Found, error) {
	return discover(ctx, &discoverer{cluster: c, found: &Found{}, askFirst: true})
}

func discover(ctx context.Context, d *discoverer) (*Found, error) {
	c := d.cluster
	_, lists, err := c.ServerGroupsAndResources()
	if err != nil && !discovery.IsGroupDiscoveryFailedError(err) {
		return nil, fmt.Errorf("asking the cluster what it has: %w", err)
	}
	d.found.Kinds = map[schema.GroupVersionKind]bool{}
	for _, list := range lists {
		gv, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, fmt.Errorf("asking the cluster what it has: %w", err)
		}
		for _, r := range list.APIResources {
			d.found.Kinds[gv.WithKind(r.Kind)] = true
		}
	}
	version, err := c.ServerVersion()
	if err != nil {
		return nil, fmt.Errorf("asking the cluster for its version: %w", err)
	}
	d.gatewayAPI(ctx)
	if d.has("cert-manager.io", "v1", "Certificate") && d.has("cert-manager.io", "v1", "ClusterIssuer") {
		d.offer(CertManager)
	}
	if d.has("monitoring.coreos.com", "v1", "ServiceMonitor") && d.has("monitoring.coreos.com", "v1", "PrometheusRule") {
		d.offer(PrometheusOperator)
	}
	d.ask(MetricsServer, func() bool { return d.available(ctx, "v1beta1.metrics.k8s.io") })
	d.keda(ctx)
	d.ask(ImageVolumes, func() bool { return d.imageVolumes(ctx, version) })
	d.ingressClasses(ctx)
	if d.err != nil {
		return nil, fmt.Errorf("asking the cluster what it has: %w", d.err)
	}
	return d.found, nil
}

// discoverer collects what a cluster offers.
type discoverer struct {
	cluster Cluster
	found   *Found
	// askFirst says to ask whether one may look.
	askFirst bool
	// refused says that the last answer was that the caller may not ask.
	refused bool
	// err is why an answer could not be had, of which nothing follows.
	err error
}

func (d *discoverer) has(group, version, kind string) bool {
	return d.found.Kinds[schema.GroupVersionKind{Group: group, Version: version, Kind: kind}]
}

func (d *discoverer) offer(o Offer) { d.found.Offers = append(d.found.Offers, o) }

// ask offers what is there, and remembers what the caller may not know.
func (d *discoverer) ask(o Offer, there func() bool) {
	d.refused = false
	switch {
	case there():
		d.offer(o)
	case d.refused:
		d.found.Untold = append(d.found.Untold, o)
	}
}

func (d *discoverer) note(format string, args ...any) {
	d.found.Notes = append(d.found.Notes, fmt.Sprintf(format, args...))
}

// maxAnswer bounds what is read of one answer of the API server.
const maxAnswer = 16 << 20

// get reads one object or list. What is not there, and what may not be read, is false;
// the latter is noted.
func (d *discoverer) get(ctx context.Context, path string, query map[string]string, into any) bool {
	if d.err != nil {
		return false
	}
	if d.askFirst && !d.may(ctx, path) {
		return false
	}
	request := d.cluster.RESTClient().Get().AbsPath(path).SetHeader("Accept", "application/json")
	for k, v := range query {
		request = request.Param(k, v)
	}
	raw, err := request.Do(ctx).Raw()
	switch {
	case apierrors.IsNotFound(err):
		return false
	case apierrors.IsForbidden(err):
		d.refuse(path)
		return false
	case err != nil:
		d.err = err
		return false
	case len(raw) > maxAnswer:
		d.note("%s is too large to be read", path)
		return false
	}
	if err := json.Unmarshal(raw, into); err != nil {
		d.note("%s could not be understood: %v", path, err)
		return false
	}
	return true
}

func (d *discoverer) refuse(path string) {
	d.refused = true
	d.note("%s could not be read: it is forbidden; what it would tell counts as offered only where the platform file says so", path)
}

// may asks whether the caller may read a resource, and notes it if not. Everybody may ask
// that, and read what is no resource.
func (d *discoverer) may(ctx context.Context, path string) bool {
	attributes, ok := attributesOf(path)
	if !ok {
		return true
	}
	review := &authorizationv1.SelfSubjectAccessReview{
		TypeMeta: metav1.TypeMeta{APIVersion: "authorization.k8s.io/v1", Kind: "SelfSubjectAccessReview"},
		Spec:     authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: attributes},
	}
	body, err := json.Marshal(review)
	if err != nil {
		d.err = err
		return false
	}
	raw, err := d.cluster.RESTClient().Post().AbsPath("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews").
		SetHeader("Content-Type", "application/json").SetHeader("Accept", "application/json").Body(body).Do(ctx).Raw()
	if err == nil {
		err = json.Unmarshal(raw, review)
	}
	if err != nil {
		d.err = err
		return false
	}
	if !review.Status.Allowed {
		d.refuse(path)
	}
	return review.Status.Allowed
}

// attributesOf is what reading at a path is to who authorizes it: of the cluster's, a
// list of a resource or one by its name. Other paths have no resource.
func attributesOf(path string) (*authorizationv1.ResourceAttributes, bool) {
	parts := strings.Split(strings.TrimPrefix(path, "/"), "/")
	a := &authorizationv1.ResourceAttributes{Verb: "list"}
	switch {
	case parts[0] == "api" && len(parts) > 2: // api/VERSION/RESOURCE
		parts = parts[2:]
	case parts[0] == "apis" && len(parts) > 3: // apis/GROUP/VERSION/RESOURCE
		a.Group, parts = parts[1], parts[3:]
	default:
		return nil, false
	}
	a.Resource = parts[0]
	if len(parts) > 1 {
		a.Verb, a.Name = "get", parts[1]
	}
	return a, true
}

// available says whether an aggregated API answers: it is registered long before.
func (d *discoverer) available(ctx context.Context, name string) bool {
	var service struct {
		Status struct {
			Conditions []struct{ Type, Status, Message string }
		}
	}
	if !d.get(ctx, "/apis/apiregistration.k8s.io/v1/apiservices/"+name, nil, &service) {
		return false
	}
	for _, c := range service.Status.Conditions {
		if c.Type == "Available" {
			if c.Status != "True" {
				d.note("the API %s is registered, but not available: %s", name, c.Message)
			}
			return c.Status == "True"
		}
	}
	d.note("the API %s is registered, but nobody has seen it answer", name)
	return false
}

// keda is there if its metrics are: ScaledObjects alone scale nothing.
func (d *discoverer) keda(ctx context.Context) {
	if !d.has("keda.sh", "v1alpha1", "ScaledObject") {
		return
	}
	d.ask(KEDA, func() bool {
		there := d.available(ctx, "v1beta1.external.metrics.k8s.io")
		if !there && !d.refused {
			d.note("ScaledObjects exist, but external metrics are not available: KEDA does not count as installed; look at its metrics server")
		}
		return there
	})
}

func (d *discoverer) gatewayAPI(ctx context.Context) {
	const group = "gateway.networking.k8s.io"
	if !d.has(group, "v1", "Gateway") || !d.has(group, "v1", "HTTPRoute") {
		return
	}
	d.offer(GatewayAPI)
	if d.has(group, "v1", "GRPCRoute") {
		d.offer(GRPCRoute)
	}
	var document struct {
		Components struct {
			Schemas map[string]json.RawMessage
		}
	}
	if d.get(ctx, "/openapi/v3/apis/gateway.networking.k8s.io/v1", nil, &document) {
		for name, schema := range document.Components.Schemas {
			if strings.HasSuffix(name, ".HTTPRoute") && strings.Contains(string(schema), `"sessionPersistence"`) {
				d.offer(SessionPersistence)
			}
		}
	}
	d.gateways(ctx)
}

// gateways that routes may attach to. A listener in plain text beside one with TLS has an
// entry of its own.
func (d *discoverer) gateways(ctx context.Context) {
	var list struct {
		Items []struct {
			Metadata struct{ Name, Namespace string }
			Spec     struct {
				Listeners []struct{ Name, Protocol string }
			}
		}
	}
	query := listing()
	query["labelSelector"] = "!" + v1alpha1.ModelLabel // those of Models are theirs alone
	if !d.get(ctx, "/apis/gateway.networking.k8s.io/v1/gateways", query, &list) {
		return
	}
	for _, g := range list.Items {
		gateway := Gateway{Name: g.Metadata.Name, Namespace: g.Metadata.Namespace, Scheme: SchemeHTTP}
		var plain []Gateway
		for _, l := range g.Spec.Listeners {
			switch l.Protocol {
			case "HTTPS":
				gateway.Scheme = SchemeHTTPS
			case "HTTP":
				plain = append(plain, Gateway{Name: gateway.Name, Namespace: gateway.Namespace, SectionName: l.Name, Scheme: SchemeHTTP})
			}
		}
		d.found.Gateways = append(d.found.Gateways, gateway)
		if gateway.Scheme == SchemeHTTPS {
			d.found.Gateways = append(d.found.Gateways, plain...)
		}
	}
}

func (d *discoverer) ingressClasses(ctx context.Context) {
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Spec     struct{ Controller string }
		}
	}
	if !d.get(ctx, "/apis/networking.k8s.io/v1/ingressclasses", listing(), &list) {
		return
	}
	for _, c := range list.Items {
		d.found.IngressClasses = append(d.found.IngressClasses, IngressClass{Name: c.Metadata.Name, Controller: c.Spec.Controller})
	}
}

// maxListed bounds lists: of the nodes, so many tell of all.
const maxListed = 500

func listing() map[string]string { return map[string]string{"limit": strconv.Itoa(maxListed)} }

// imageVolumesMinor is the minor version of Kubernetes 1 from which on image volumes
// need no feature gate.
const imageVolumesMinor = 35

// imageVolumes need a Kubernetes and, on every node, a container runtime that has them.
func (d *discoverer) imageVolumes(ctx context.Context, v *version.Info) bool {
	minor, err := strconv.Atoi(strings.TrimRight(v.Minor, "+"))
	if err != nil || v.Major != "1" || minor < imageVolumesMinor {
		return false
	}
	var list struct {
		Items []struct {
			Metadata struct{ Name string }
			Status   struct {
				NodeInfo struct{ ContainerRuntimeVersion string }
			}
		}
	}
	if !d.get(ctx, "/api/v1/nodes", listing(), &list) || len(list.Items) == 0 {
		return false
	}
	for _, n := range list.Items {
		if !mountsImages(n.Status.NodeInfo.ContainerRuntimeVersion) {
			d.note("the node %s runs %s, which mounts no images: image volumes do not count as offered", n.Metadata.Name, n.Status.NodeInfo.ContainerRuntimeVersion)
			return false
		}
	}
	return true
}

// mountsImages says whether a container runtime, NAME://VERSION, has image volumes.
func mountsImages(runtime string) bool {
	name, version, _ := strings.Cut(runtime, "://")
	numbers := strings.SplitN(version, ".", 3)
	if len(numbers) < 2 {
		return false
	}
	major, err1 := strconv.Atoi(numbers[0])
	minor, err2 := strconv.Atoi(numbers[1])
	if err1 != nil || err2 != nil {
		return false
	}
	at := []int{major, minor}
	switch name {
	case "containerd":
		return slices.Compare(at, []int{2, 1}) >= 0
	case "cri-o":
		return slices.Compare(at, []int{1, 31}) >= 0
	}
	return false
}
