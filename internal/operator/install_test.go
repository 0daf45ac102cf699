package operator_test

import (
	"path/filepath"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/internal/operator"
	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/crds"
)

// TestInstalledLater holds for kinds of others that come, go and come again while the
// operator of the whole cluster runs.
func TestInstalledLater(t *testing.T) {
	s := apiserver.New(t, apiserver.Options{CRDs: []*apiextensionsv1.CustomResourceDefinition{modelDefinition()}})
	b := newBed(t, s)
	b.operate(func(o *operator.Options) {
		o.Namespaces = nil
		o.LookAround = time.Hour // events alone tell of what is installed
	})
	b.model("iris", spec("expose: {host: iris.example.com, gateway: {parentRef: {name: shared, namespace: gateways}}}"))
	m := b.reconciled("iris")
	if c := condition(m.Status.Conditions, "Exposed"); c == nil || c.Status != metav1.ConditionFalse {
		t.Fatalf("without the Gateway API, Exposed is %+v", c)
	}

	dirs, err := crds.Dirs(t.Context(), crds.GatewayAPI())
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dirs[0], "*.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	install := func() {
		for _, file := range files {
			for _, o := range readObjects(t, file) {
				if o.GetKind() == "CustomResourceDefinition" {
					b.apply(o, "installer")
				}
			}
		}
	}
	route := &unstructured.Unstructured{}
	route.SetAPIVersion("gateway.networking.k8s.io/v1")
	route.SetKind("HTTPRoute")
	for range 2 {
		install()
		b.eventually("there is a route", func() bool {
			return b.Get(t.Context(), client.ObjectKey{Namespace: b.namespace, Name: "iris"}, route) == nil
		})
		for _, file := range files {
			for _, o := range readObjects(t, file) {
				if o.GetName() == "httproutes.gateway.networking.k8s.io" {
					if err := b.Delete(t.Context(), o); err != nil {
						t.Fatal(err)
					}
				}
			}
		}
		b.eventually("the Model says what is missing", func() bool {
			c := condition(b.get("iris").Status.Conditions, "Exposed")
			return c != nil && c.Status == metav1.ConditionFalse
		})
	}
}
