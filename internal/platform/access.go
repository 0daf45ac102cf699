package platform

import (
	"maps"
	"slices"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
)

var (
	reading = []string{"get", "list", "watch"}
	writing = []string{"create", "update", "patch", "delete", "deletecollection"}
)

// access is who may work with Models: roles for people who have nothing else in a
// namespace, and what the cluster's own view and edit learn of Models.
func (p *Platform) access() []any {
	if len(p.Access) == 0 {
		return nil
	}
	aggregate := func(role string) map[string]string {
		return map[string]string{"rbac.authorization.k8s.io/aggregate-to-" + role: "true"}
	}
	objects := []any{
		// admin has what edit has, and edit what view has: the cluster sees to it.
		p.clusterRole("mizzen-models-view", aggregate("view"), readModels()),
		p.clusterRole("mizzen-models-edit", aggregate("edit"), writeModels()),
		p.clusterRole(RoleView.clusterRole(), nil, readModels(), readAround()),
		p.clusterRole(RoleEdit.clusterRole(), nil, readModels(), readAround(), writeModels()),
		p.clusterRole(RoleAdmin.clusterRole(), nil, readModels(), readAround(), writeModels(), administer()),
	}
	// People named in several entries of one namespace and role stand in one binding.
	type place struct {
		namespace string
		role      Role
	}
	subjects := map[place][]rbacv1.Subject{}
	var order []place
	for _, a := range p.Access {
		at := place{a.Namespace, a.Role}
		if _, known := subjects[at]; !known {
			order = append(order, at)
		}
		for _, g := range a.Groups {
			subjects[at] = append(subjects[at], rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "Group", Name: g})
		}
		for _, u := range a.Users {
			subjects[at] = append(subjects[at], subject(u))
		}
	}
	for _, at := range order {
		objects = append(objects, &rbacv1.RoleBinding{
			TypeMeta:   metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "RoleBinding"},
			ObjectMeta: p.metadata(at.role.clusterRole(), at.namespace),
			Subjects:   subjects[at],
			RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: at.role.clusterRole()},
		})
	}
	return objects
}

// subject is a user, or a ServiceAccount where the name is that of one.
func subject(user string) rbacv1.Subject {
	if account, ok := strings.CutPrefix(user, "system:serviceaccount:"); ok {
		if namespace, name, ok := strings.Cut(account, ":"); ok {
			return rbacv1.Subject{Kind: "ServiceAccount", Namespace: namespace, Name: name}
		}
	}
	return rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: "User", Name: user}
}

func (r Role) clusterRole() string { return "mizzen-" + strings.ToLower(string(r)) }

func (p *Platform) clusterRole(name string, labels map[string]string, rules ...[]rbacv1.PolicyRule) any {
	role := &rbacv1.ClusterRole{
		TypeMeta:   metav1.TypeMeta{APIVersion: "rbac.authorization.k8s.io/v1", Kind: "ClusterRole"},
		ObjectMeta: p.metadata(name, ""),
		Rules:      slices.Concat(rules...),
	}
	maps.Copy(role.Labels, labels)
	return role
}

func rule(group string, verbs []string, resources ...string) rbacv1.PolicyRule {
	return rbacv1.PolicyRule{APIGroups: []string{group}, Resources: resources, Verbs: verbs}
}

func readModels() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{rule(v1alpha1.Group, reading, "models", "models/status", "models/scale")}
}

func writeModels() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule(v1alpha1.Group, writing, "models"),
		rule(v1alpha1.Group, []string{"update", "patch"}, "models/scale"),
	}
}

// readAround is what mizzenctl status, logs and diff look at. Secrets are not in it.
func readAround() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule("", reading, "pods", "pods/log", "events", "services", "configmaps", "persistentvolumeclaims", "serviceaccounts"),
		rule("events.k8s.io", reading, "events"),
		rule("apps", reading, "deployments", "replicasets"),
		rule("autoscaling", reading, "horizontalpodautoscalers"),
		rule("policy", reading, "poddisruptionbudgets"),
		rule("networking.k8s.io", reading, "ingresses", "networkpolicies"),
		rule("gateway.networking.k8s.io", reading, "gateways", "httproutes", "grpcroutes"),
		rule("cert-manager.io", reading, "certificates"),
		rule("keda.sh", reading, "scaledobjects"),
		rule("monitoring.coreos.com", reading, "servicemonitors", "podmonitors", "prometheusrules"),
	}
}

// administer keeps the Secrets that Models name, and passes on what others may have.
func administer() []rbacv1.PolicyRule {
	return []rbacv1.PolicyRule{
		rule("", slices.Concat(reading, writing), "secrets"),
		rule("rbac.authorization.k8s.io", slices.Concat(reading, writing), "rolebindings"),
		{
			APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles"}, Verbs: []string{"bind"},
			ResourceNames: []string{RoleView.clusterRole(), RoleEdit.clusterRole()},
		},
	}
}
