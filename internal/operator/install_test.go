package operator_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/operator"
	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/crds"
)

// TestInstalledLater holds for kinds of others that come, go and come again while the
// operator of the whole cluster runs, and for a Gateway of the platform that comes after
// its kind and is changed: the address of a Model follows.
func TestInstalledLater(t *testing.T) {
	t.Parallel() // it waits most of the time
	s := apiserver.New(t, apiserver.Options{CRDs: []*apiextensionsv1.CustomResourceDefinition{modelDefinition()}})
	b := newBed(t, s)
	b.operate(func(o *operator.Options) {
		o.Namespaces = nil
		o.LookAround = time.Hour // events alone tell of what is installed
	})
	b.model("iris", spec("expose: {host: iris.example.com, gateway: {parentRef: {name: shared}}}"))
	m := b.reconciled("iris")
	if c := condition(m.Status.Conditions, "Exposed"); c == nil || c.Status != metav1.ConditionFalse {
		t.Fatalf("without the Gateway API, Exposed is %+v", c)
	}

	files, err := crds.Written(t.Context(), crds.GatewayAPI())
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
		for _, scheme := range []string{"http", "https"} {
			b.eventually("there is a Gateway of "+scheme, func() bool { return b.shareGateway(scheme) })
			b.eventually("the address has "+scheme, func() bool {
				return b.get("iris").Status.URL == scheme+"://iris.example.com"
			})
		}
		b.withdraw("httproutes.gateway.networking.k8s.io")
		b.eventually("the Model says what is missing", func() bool {
			c := condition(b.get("iris").Status.Conditions, "Exposed")
			return c != nil && c.Status == metav1.ConditionFalse
		})
	}
}

// withdraw deletes a definition, and waits until it is gone: while it goes, it cannot be made
// again.
func (b *bed) withdraw(name string) {
	b.Helper()
	crd := &apiextensionsv1.CustomResourceDefinition{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if err := b.Delete(b.Context(), crd); err != nil {
		b.Fatal(err)
	}
	b.eventually(name+" is gone", func() bool {
		return apierrors.IsNotFound(b.Get(b.Context(), client.ObjectKeyFromObject(crd), crd))
	})
}

// shareGateway makes or changes the Gateway of the platform. It is false as long as the
// API server does not know the kind.
func (b *bed) shareGateway(scheme string) bool {
	b.Helper()
	tls := ""
	if scheme == "https" {
		tls = ", tls: {certificateRefs: [{name: shared}]}"
	}
	o := &unstructured.Unstructured{}
	text := fmt.Sprintf(`{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: shared, namespace: %s}, spec: {gatewayClassName: any,
  listeners: [{name: web, port: 8443, protocol: %s, allowedRoutes: {namespaces: {from: All}}%s}]}}`, b.namespace, strings.ToUpper(scheme), tls)
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		b.Fatal(err)
	}
	err := b.Apply(b.Context(), client.ApplyConfigurationFromUnstructured(o), client.FieldOwner("platform"), client.ForceOwnership)
	if err != nil && !meta.IsNoMatchError(err) && !apierrors.IsNotFound(err) {
		b.Fatal(err)
	}
	return err == nil
}
