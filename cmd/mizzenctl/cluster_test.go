package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/yaml"
	clientgoscheme "k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/command/commandtest"
	"mizzen.dev/internal/golden"
	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/crds"
)

// TestClusterScripts runs the command lines of testdata/cluster against a real API
// server that knows Models, Gateways, ScaledObjects and Certificates. $NS is a
// namespace for the script alone. There are no controllers: what they would write,
// the script writes with seed.
func TestClusterScripts(t *testing.T) {
	clusterScripts(t, startServer(t), "cluster")
}

// clusterScripts runs the command lines of a directory of testdata against a server.
func clusterScripts(t *testing.T, server *testServer, dir string) {
	t.Helper()
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", dir),
		UpdateScripts: golden.Update(),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": commandtest.Exits,
			"seed":  func(ts *testscript.TestScript, neg bool, args []string) { seed(ts, server.Client, neg, args) },
			"login": func(ts *testscript.TestScript, neg bool, args []string) { server.login(ts, neg, args) },
		},
		Setup: func(env *testscript.Env) error {
			ns, err := server.namespace()
			if err != nil {
				return err
			}
			env.Setenv("NS", ns)
			env.Setenv("HOME", env.WorkDir)
			path := filepath.Join(env.WorkDir, "kubeconfig")
			env.Setenv("KUBECONFIG", path)
			return os.WriteFile(path, server.Kubeconfig, 0o600)
		},
	})
}

// testServer is an API server and its administrator.
type testServer struct {
	*apiserver.Server
	client.Client
}

// startServer returns the server that the tests share, which knows the kinds of others.
func startServer(t *testing.T) *testServer {
	t.Helper()
	s, err := sharedServer()
	if err != nil {
		t.Fatal(err)
	}
	return newTestServer(t, s)
}

func newTestServer(t *testing.T, s *apiserver.Server) *testServer {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{clientgoscheme.AddToScheme, v1alpha1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	c, err := client.New(s.Config, client.Options{Scheme: scheme})
	if err != nil {
		t.Fatal(err)
	}
	return &testServer{Server: s, Client: c}
}

// stopServer stops the server that the tests shared, if one of them started it.
var stopServer = func() error { return nil }

var sharedServer = sync.OnceValues(func() (*apiserver.Server, error) {
	files, err := crds.Written(context.Background(), crds.GatewayAPI(), crds.KEDA(), crds.CertManager())
	if err != nil {
		return nil, err
	}
	own := filepath.Join("..", "..", "api", "v1alpha1", "crd.yaml")
	s, err := apiserver.Start(context.Background(), apiserver.Options{CRDPaths: append(files, own)})
	if err == nil {
		stopServer = s.Stop
	}
	return s, err
})

// allTests runs the tests, and ends what they share.
type allTests struct{ *testing.M }

func (m allTests) Run() int {
	code := m.M.Run()
	if err := stopServer(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

func (s *testServer) namespace() (string, error) {
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "script-"}}
	err := s.Create(context.Background(), ns)
	return ns.Name, err
}

// login becomes a user: login NAME [ROLE], where the ClusterRole is bound in the
// namespace.
func (s *testServer) login(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: login name [role]")
	}
	if len(args) == 2 {
		binding := &rbacv1.RoleBinding{ObjectMeta: metav1.ObjectMeta{Name: args[0], Namespace: ts.Getenv("NS")},
			Subjects: []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: args[0]}},
			RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: args[1]}}
		ts.Check(s.Create(context.Background(), binding))
	}
	kubeconfig, err := s.as(args[0])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.Getenv("KUBECONFIG"), kubeconfig, 0o600))
}

// as is a kubeconfig with which one is that user: the administrator may pass for anybody.
func (s *testServer) as(user string) ([]byte, error) {
	config, err := clientcmd.Load(s.Kubeconfig)
	if err != nil {
		return nil, err
	}
	for _, info := range config.AuthInfos {
		info.Impersonate = user
	}
	return clientcmd.Write(*config)
}

// seed puts the objects of a file into the namespace, with their status: seed FILE
// [KIND/NAME], which owns them. An event finds the object that it is about.
func seed(ts *testscript.TestScript, c client.Client, neg bool, args []string) {
	if neg || len(args) < 1 || len(args) > 2 {
		ts.Fatalf("usage: seed file [owner]")
	}
	decoder := yaml.NewYAMLOrJSONDecoder(bytes.NewReader([]byte(ts.ReadFile(args[0]))), 4096)
	for {
		o := &unstructured.Unstructured{}
		if err := decoder.Decode(&o.Object); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			ts.Fatalf("%s: %v", args[0], err)
		}
		o.SetNamespace(ts.Getenv("NS"))
		if len(args) == 2 {
			ts.Check(own(c, o, args[1]))
		}
		ts.Check(refer(c, o))
		ts.Check(put(c, o))
	}
}

func put(c client.Client, o *unstructured.Unstructured) error {
	ctx := context.Background()
	status, has := o.Object["status"]
	delete(o.Object, "status")
	o.SetManagedFields(nil)
	if err := c.Apply(ctx, client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("seed"), client.ForceOwnership); err != nil {
		return fmt.Errorf("%s %s: %w", o.GetKind(), o.GetName(), err)
	}
	if !has {
		return nil
	}
	o.Object["status"] = status
	if err := c.Status().Update(ctx, o); err != nil {
		return fmt.Errorf("status of %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}

// own makes owner, KIND/NAME, the owner of an object.
func own(c client.Client, o *unstructured.Unstructured, owner string) error {
	dir, name := filepath.Split(owner)
	kind := filepath.Clean(dir)
	versions := map[string]string{"Model": v1alpha1.GroupVersion().String(), "Deployment": "apps/v1", "ReplicaSet": "apps/v1"}
	found := &unstructured.Unstructured{}
	found.SetAPIVersion(versions[kind])
	found.SetKind(kind)
	if err := c.Get(context.Background(), client.ObjectKey{Namespace: o.GetNamespace(), Name: name}, found); err != nil {
		return err
	}
	o.SetOwnerReferences([]metav1.OwnerReference{*metav1.NewControllerRef(found, found.GroupVersionKind())})
	return nil
}

// refer completes the reference of an event.
func refer(c client.Client, o *unstructured.Unstructured) error {
	ref, ok := o.Object["involvedObject"].(map[string]any)
	if !ok {
		return nil
	}
	about := &unstructured.Unstructured{Object: map[string]any{"apiVersion": ref["apiVersion"], "kind": ref["kind"]}}
	if err := c.Get(context.Background(), client.ObjectKey{Namespace: o.GetNamespace(), Name: fmt.Sprint(ref["name"])}, about); err != nil {
		return err
	}
	ref["uid"], ref["namespace"] = string(about.GetUID()), o.GetNamespace()
	return nil
}
