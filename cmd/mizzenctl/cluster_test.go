package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
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
	server := startServer(t)
	testscript.Run(t, testscript.Params{
		Dir:           filepath.Join("testdata", "cluster"),
		UpdateScripts: golden.Update(),
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits": commandtest.Exits,
			"seed":  func(ts *testscript.TestScript, neg bool, args []string) { seed(ts, server.client, neg, args) },
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
			return os.WriteFile(path, server.kubeconfig, 0o600)
		},
	})
}

// testServer is an API server and its administrator.
type testServer struct {
	kubeconfig []byte
	client     client.Client
	core       kubernetes.Interface
}

func startServer(t *testing.T) *testServer {
	t.Helper()
	dirs, err := crds.Dirs(t.Context(), crds.GatewayAPI(), crds.KEDA(), crds.CertManager())
	if err != nil {
		t.Fatal(err)
	}
	own := filepath.Join("..", "..", "api", "v1alpha1", "crd.yaml")
	s := apiserver.New(t, apiserver.Options{CRDPaths: append(dirs, own)})
	c, err := client.New(s.Config, client.Options{})
	if err != nil {
		t.Fatal(err)
	}
	core, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	return &testServer{kubeconfig: s.Kubeconfig, client: c, core: core}
}

func (s *testServer) namespace() (string, error) {
	ns, err := s.core.CoreV1().Namespaces().Create(context.Background(),
		&corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "script-"}}, metav1.CreateOptions{})
	if err != nil {
		return "", err
	}
	return ns.Name, nil
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
