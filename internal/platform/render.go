package platform

import (
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
)

// Label is on every object that comes from the platform file, and on nothing else.
// Pruning looks at it.
const (
	Label      = "mizzen.dev/part-of"
	LabelValue = "platform"
)

// Render returns what belongs to the cluster or to a namespace, in the order in which
// it is applied: always the same for the same file, and nothing of any Model.
func (p *Platform) Render() ([]*unstructured.Unstructured, error) {
	var objects []any
	for _, ns := range p.Namespaces {
		objects = append(objects, p.namespace(ns)...)
	}
	objects = append(objects, p.access()...)
	if c := p.GatewayClass; c != nil {
		objects = append(objects, map[string]any{
			"apiVersion": "gateway.networking.k8s.io/v1",
			"kind":       "GatewayClass",
			"metadata":   p.plainMetadata(c.Name),
			"spec":       map[string]any{"controllerName": c.ControllerName},
		})
	}
	for _, issuer := range p.Issuers {
		objects = append(objects, p.issuer(issuer))
	}
	if p.Images != nil {
		objects = append(objects, p.imagePolicies()...)
	}
	written := make([]*unstructured.Unstructured, len(objects))
	for i, o := range objects {
		var err error
		if written[i], err = plain(o); err != nil {
			return nil, err
		}
	}
	return written, nil
}

// Kinds are the groups and kinds of what Render may return: where pruning looks for
// what the file no longer has.
func Kinds() []schema.GroupVersionKind {
	of := func(group, version, kind string) schema.GroupVersionKind {
		return schema.GroupVersionKind{Group: group, Version: version, Kind: kind}
	}
	return []schema.GroupVersionKind{
		of("policies.kyverno.io", "v1", "ImageValidatingPolicy"),
		of("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicyBinding"),
		of("admissionregistration.k8s.io", "v1", "ValidatingAdmissionPolicy"),
		of("cert-manager.io", "v1", "ClusterIssuer"),
		of("gateway.networking.k8s.io", "v1", "GatewayClass"),
		of("rbac.authorization.k8s.io", "v1", "RoleBinding"),
		of("rbac.authorization.k8s.io", "v1", "ClusterRole"),
		of("", "v1", "ResourceQuota"),
		of("networking.k8s.io", "v1", "NetworkPolicy"),
		of("", "v1", "Namespace"),
	}
}

func (p *Platform) labels() map[string]string {
	return map[string]string{"app.kubernetes.io/managed-by": "mizzen", Label: LabelValue}
}

func (p *Platform) metadata(name, namespace string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: p.labels()}
}

func (p *Platform) plainMetadata(name string) map[string]any {
	labels := map[string]any{}
	for k, v := range p.labels() {
		labels[k] = v
	}
	return map[string]any{"name": name, "labels": labels}
}

// usesACME says whether challenges are solved in the namespaces of Models.
func (p *Platform) usesACME() bool {
	return p.Offers.Has(CertManager) || slices.ContainsFunc(p.Issuers, func(i Issuer) bool { return i.ACME != nil })
}
