package operator

import (
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"mizzen.dev/api/v1alpha1"
)

// Kind is a kind of object that Models are made of.
type Kind struct {
	schema.GroupVersionKind
	// Resource is its plural, by which RBAC names it.
	Resource string
	// Condition is what a failure to write it is reported under.
	Condition string
	// Optional kinds are those of other projects: they may come and go while the
	// operator runs.
	Optional bool
}

// Kinds returns every kind that Models are made of. The operator touches no other, and
// of these only objects that a Model owns.
func Kinds() []Kind {
	builtin := func(group, version, kind, resource, condition string) Kind {
		return Kind{schema.GroupVersionKind{Group: group, Version: version, Kind: kind}, resource, condition, false}
	}
	optional := func(group, version, kind, resource, condition string) Kind {
		return Kind{schema.GroupVersionKind{Group: group, Version: version, Kind: kind}, resource, condition, true}
	}
	return []Kind{
		builtin("", "v1", "ServiceAccount", "serviceaccounts", v1alpha1.ConditionWorkloadReady),
		builtin("", "v1", "ConfigMap", "configmaps", v1alpha1.ConditionWorkloadReady),
		builtin("", "v1", "PersistentVolumeClaim", "persistentvolumeclaims", v1alpha1.ConditionSourceReady),
		builtin("networking.k8s.io", "v1", "NetworkPolicy", "networkpolicies", v1alpha1.ConditionIsolated),
		builtin("", "v1", "Service", "services", v1alpha1.ConditionWorkloadReady),
		builtin("apps", "v1", "Deployment", "deployments", v1alpha1.ConditionWorkloadReady),
		builtin("policy", "v1", "PodDisruptionBudget", "poddisruptionbudgets", v1alpha1.ConditionWorkloadReady),
		builtin("autoscaling", "v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", v1alpha1.ConditionScaledBy),
		builtin("networking.k8s.io", "v1", "Ingress", "ingresses", v1alpha1.ConditionExposed),
		optional("keda.sh", "v1alpha1", "ScaledObject", "scaledobjects", v1alpha1.ConditionScaledBy),
		optional("cert-manager.io", "v1", "Certificate", "certificates", v1alpha1.ConditionExposed),
		optional("gateway.networking.k8s.io", "v1", kindGateway, "gateways", v1alpha1.ConditionExposed),
		optional("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes", v1alpha1.ConditionExposed),
		optional("gateway.networking.k8s.io", "v1", "GRPCRoute", "grpcroutes", v1alpha1.ConditionExposed),
		optional("monitoring.coreos.com", "v1", "ServiceMonitor", "servicemonitors", v1alpha1.ConditionObserved),
		optional("monitoring.coreos.com", "v1", "PrometheusRule", "prometheusrules", v1alpha1.ConditionObserved),
	}
}

// newMapper knows the kinds that the operator works with, and asks nobody: one that
// learned from discovery what there is would have to be told when that changes.
func newMapper(*rest.Config, *http.Client) (meta.RESTMapper, error) {
	m := meta.NewDefaultRESTMapper(nil)
	add := func(gvk schema.GroupVersionKind, resource string, scope meta.RESTScope) {
		gv := gvk.GroupVersion()
		for _, kind := range []string{gvk.Kind + "List", gvk.Kind} { // the latter is what the resource is of
			m.AddSpecific(gv.WithKind(kind), gv.WithResource(resource), gv.WithResource(strings.ToLower(gvk.Kind)), scope)
		}
	}
	for _, k := range Kinds() {
		add(k.GroupVersionKind, k.Resource, meta.RESTScopeNamespace)
	}
	add(v1alpha1.GroupVersion().WithKind(v1alpha1.Kind), "models", meta.RESTScopeNamespace)
	add(corev1.SchemeGroupVersion.WithKind("Pod"), "pods", meta.RESTScopeNamespace)
	add(apiextensionsv1.SchemeGroupVersion.WithKind("CustomResourceDefinition"), "customresourcedefinitions", meta.RESTScopeRoot)
	return m, nil
}

// kindOf returns the entry of an object's kind.
func kindOf(o *unstructured.Unstructured) (Kind, bool) {
	gvk := o.GroupVersionKind()
	all := Kinds()
	i := slices.IndexFunc(all, func(k Kind) bool { return k.GroupVersionKind == gvk })
	if i < 0 {
		return Kind{}, false
	}
	return all[i], true
}

// id names an object among those of a namespace.
type id struct {
	kind schema.GroupKind
	name string
}

func idOf(o *unstructured.Unstructured) id {
	return id{o.GroupVersionKind().GroupKind(), o.GetName()}
}

func (i id) String() string { return i.kind.Kind + " " + i.name }

// The kinds that decisions speak of.
const (
	kindDeployment   = "Deployment"
	kindConfigMap    = "ConfigMap"
	kindHPA          = "HorizontalPodAutoscaler"
	kindScaledObject = "ScaledObject"
	kindGateway      = "Gateway"
)
