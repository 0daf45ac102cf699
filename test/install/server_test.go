// Package install_test holds the ways in which the operator is installed to each other,
// and to what an API server makes of them.
package install_test

import (
	"encoding/json"
	"os"
	"slices"
	"testing"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/internal/operator"
	"mizzen.dev/test/cluster/apiserver"
)

var server = apiserver.NewShared(apiserver.Options{})

func TestMain(m *testing.M) { os.Exit(server.Run(m)) }

// TestAccepted holds for the plain files: an API server that checks every field takes
// them, and lets the pods into a restricted namespace.
func TestAccepted(t *testing.T) {
	c, err := client.New(server.Get(t).Config, client.Options{Scheme: clientgoscheme.Scheme})
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"namespace.yaml", "crd.yaml", "rbac.yaml", "deployment.yaml"} {
		for name, o := range config(t, file) {
			// Applies are strict about fields.
			if err := c.Apply(t.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("test")); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
	template, _, err := unstructured.NestedMap(config(t, "deployment.yaml")["Deployment mizzen-system/mizzen-operator"].Object, "spec", "template")
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(template, pod); err != nil {
		t.Fatal(err)
	}
	pod.Name, pod.Namespace = "operator", "mizzen-system"
	pod.Spec.ServiceAccountName = "" // there is no controller that makes its token
	pod.Spec.AutomountServiceAccountToken = new(false)
	if err := c.Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: "default", Namespace: "mizzen-system"}}); err != nil {
		t.Fatal(err)
	}
	if err := c.Create(t.Context(), pod); err != nil {
		t.Errorf("the pod is not let in: %v", err)
	}
}

// TestLeastPrivilege holds for the operator's rights: all that it needs for the kinds
// that Models are made of, and nothing that reads a Secret, a log, or everything.
func TestLeastPrivilege(t *testing.T) {
	rules := rulesOf(t, config(t, "rbac.yaml")["ClusterRole /mizzen-operator"])
	for _, k := range operator.Kinds() {
		for _, verb := range []string{"get", "list", "watch", "create", "patch", "delete"} {
			if !allows(rules, k.Group, k.Resource, verb) {
				t.Errorf("the operator may not %s %s", verb, k.Resource)
			}
		}
		if allows(rules, k.Group, k.Resource, "update") || allows(rules, k.Group, k.Resource, "deletecollection") {
			t.Errorf("the operator may do more with %s than it does", k.Resource)
		}
	}
	for _, o := range config(t, "rbac.yaml") {
		for _, r := range rulesOf(t, o) {
			for _, word := range slices.Concat(r.APIGroups, r.Resources, r.Verbs) {
				if word == "*" || word == "secrets" || word == "pods/log" || word == "pods/exec" || word == "impersonate" || word == "bind" || word == "escalate" {
					t.Errorf("%s %s has %q", o.GetKind(), o.GetName(), word)
				}
			}
		}
	}
}

func rulesOf(t *testing.T, o *unstructured.Unstructured) []rbacv1.PolicyRule {
	t.Helper()
	raw, err := json.Marshal(o.Object["rules"])
	if err != nil {
		t.Fatal(err)
	}
	var rules []rbacv1.PolicyRule
	if err := json.Unmarshal(raw, &rules); err != nil {
		t.Fatal(err)
	}
	return rules
}

func allows(rules []rbacv1.PolicyRule, group, resource, verb string) bool {
	return slices.ContainsFunc(rules, func(r rbacv1.PolicyRule) bool {
		return slices.Contains(r.APIGroups, group) && slices.Contains(r.Resources, resource) && slices.Contains(r.Verbs, verb)
	})
}
