package apiserver_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/audit"
	"mizzen.dev/test/cluster/binary"
)

var server = apiserver.NewShared(apiserver.Options{})

func TestMain(m *testing.M) { os.Exit(server.Run(m)) }

func client(t *testing.T, config *rest.Config) *kubernetes.Clientset {
	t.Helper()
	c, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestVersion(t *testing.T) {
	version, err := client(t, server.Get(t).Config).ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	if version.GitVersion != binary.KubeVersion {
		t.Errorf("the server is %s, expected %s", version.GitVersion, binary.KubeVersion)
	}
}

// TestLeastPrivilege holds for a user who may do what a Role says, and nothing else,
// and the audit log tells who did what.
func TestLeastPrivilege(t *testing.T) {
	s := server.Get(t)
	ns := s.Namespace(t)
	admin := client(t, s.Config)
	role := &rbacv1.Role{ObjectMeta: metav1.ObjectMeta{Name: "writer"}, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{""}, Resources: []string{"configmaps"}, Verbs: []string{"create"}}}}
	if _, err := admin.RbacV1().Roles(ns).Create(t.Context(), role, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: "writer"},
		RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: "writer"},
		Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: "User", Name: "alice"}}}
	if _, err := admin.RbacV1().RoleBindings(ns).Create(t.Context(), binding, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	config, err := s.AddUser("alice")
	if err != nil {
		t.Fatal(err)
	}
	alice, start := client(t, config), time.Now()

	cm := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "hers"}}
	// RBAC is read from a cache of the server's, which learns of the binding a moment later.
	err = wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 30*time.Second, true, func(ctx context.Context) (bool, error) {
		_, err := alice.CoreV1().ConfigMaps(ns).Create(ctx, cm, metav1.CreateOptions{})
		if apierrors.IsForbidden(err) {
			return false, nil
		}
		return true, err
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := alice.CoreV1().Secrets(ns).List(t.Context(), metav1.ListOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("reading secrets gives %v", err)
	}

	err = wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
		events, err := audit.Writes(s.AuditLog(), "alice", start)
		if err != nil || len(events) == 0 {
			return false, err
		}
		last := events[len(events)-1]
		return last.Response.Code == 201 && last.Object.Name == "hers" && last.Object.Namespace == ns, nil
	})
	if err != nil {
		t.Errorf("the audit log does not say that alice wrote: %v", err)
	}
}

func TestMissingCRDs(t *testing.T) {
	_, err := apiserver.Start(t.Context(), apiserver.Options{CRDPaths: []string{filepath.Join(t.TempDir(), "none")}})
	if err == nil || !strings.Contains(err.Error(), "none") {
		t.Errorf("a path of CRDs that is missing gives %v", err)
	}
}

func TestNamespaces(t *testing.T) {
	s := server.Get(t)
	a, b := s.Namespace(t), s.Namespace(t)
	if a == b || !strings.HasPrefix(a, "testnamespaces-") {
		t.Errorf("the namespaces are %s and %s", a, b)
	}
}
