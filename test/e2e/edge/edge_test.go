//go:build e2e

package edge

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/wire/inference"
	"mizzen.dev/test/e2e/bed"
)

// exposed applies a Model and waits until it is reached as its status says.
func exposed(t *testing.T, b *bed.Bed, ns, expose string) *v1alpha1.Model {
	t.Helper()
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", "replicas: 1\nexpose: "+expose+"\n"))
	b.Condition(t, ns, "iris", v1alpha1.ConditionExposed, metav1.ConditionTrue, "")
	return b.Ready(t, ns, "iris")
}

// answers waits until a prediction comes from outside: routes take a moment to arrive.
func answers(t *testing.T, b *bed.Bed, m *v1alpha1.Model, roots *x509.CertPool) {
	t.Helper()
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
		err := bed.Predict(outside(roots), m.Status.URL)
		return err == nil, fmt.Sprintf("%s: %v", m.Status.URL, err)
	})
}

// TestIngressWithACME is the Model of the README: an Ingress of nginx, whose
// certificate is issued over HTTP-01.
func TestIngressWithACME(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "ingress")
	m := exposed(t, b, ns, "{host: iris.example.com, ingress: {className: nginx}, tls: {issuerRef: {name: acme}}}")
	if m.Status.URL != "https://iris.example.com" {
		t.Errorf("the URL is %s", m.Status.URL)
	}
	answers(t, b, m, acmeRoots(t))

	out, err := b.Mizzenctl(t.Context(), "delete", "iris", "-n", ns, "--yes", "--wait")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if !strings.Contains(out, "Secret") {
		t.Errorf("delete does not name the Secret of the certificate:\n%s", out)
	}
	b.NothingLeft(t, ns, "iris")
}

// TestIngressBelowPath has a prefix taken away, and the pages for people work below it.
func TestIngressBelowPath(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "path")
	m := exposed(t, b, ns, "{host: path.example.com, path: /models/iris, ingress: {className: nginx}}")
	answers(t, b, m, nil)
	docs := m.Status.URL + "/docs"
	res, err := outside(nil).Get(docs)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%s: %s, %v", docs, res.Status, err)
	}
	if strings.Contains(string(page), `="/`) {
		t.Errorf("the page has links that leave %s:\n%s", docs, page)
	}
}

// TestGatewayOfItsOwn has a Gateway with a listener and a certificate of an authority,
// through which HTTP and gRPC are answered.
func TestGatewayOfItsOwn(t *testing.T) {
	b := shared.Get(t)
	roots := authority(t, b)
	ns := b.RestrictedNamespace(t, "gateway")
	m := exposed(t, b, ns, "{host: gateway.example.com, protocols: [HTTP, GRPC], gateway: {className: "+edge.GatewayClass+"}, tls: {issuerRef: {name: authority}}}")
	answers(t, b, m, roots)

	conn, err := grpc.NewClient("passthrough:///gateway.example.com:443",
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, "gateway.example.com")),
		grpc.WithContextDialer(func(ctx context.Context, address string) (net.Conn, error) {
			return dialEdge(ctx, "tcp", address)
		}))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	bed.Eventually(t, bed.Patience, func(ctx context.Context) (bool, string) {
		reply, err := inference.NewGRPCInferenceServiceClient(conn).ModelReady(ctx, &inference.ModelReadyRequest{Name: "iris"})
		return err == nil && reply.Ready, fmt.Sprint(reply, err)
	})
}

// authority makes the CA of the ClusterIssuer of that name.
func authority(t *testing.T, b *bed.Bed) *x509.CertPool {
	t.Helper()
	b.MustApply(t, `
apiVersion: cert-manager.io/v1
kind: ClusterIssuer
metadata: {name: self-signed}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: authority, namespace: cert-manager}
spec: {isCA: true, commonName: authority, secretName: authority, issuerRef: {name: self-signed, kind: ClusterIssuer}}
`)
	if _, err := b.Kubectl(t.Context(), "-n", "cert-manager", "wait", "--for=condition=Ready", "certificate/authority", "--timeout=60s"); err != nil {
		t.Fatal(err)
	}
	var secret corev1.Secret
	if err := b.Objects.Get(t.Context(), client.ObjectKey{Namespace: "cert-manager", Name: "authority"}, &secret); err != nil {
		t.Fatal(err)
	}
	return pool(t, secret.Data["tls.crt"])
}

// TestGatewayOfThePlatform attaches a route to a Gateway that others made.
func TestGatewayOfThePlatform(t *testing.T) {
	b := shared.Get(t)
	b.MustApply(t, `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: `+edge.Namespace+`}
spec:
  gatewayClassName: `+edge.GatewayClass+`
  listeners: [{name: web, protocol: HTTP, port: 80, hostname: "*.platform.example.com", allowedRoutes: {namespaces: {from: All}}}]
`)
	ns := b.RestrictedNamespace(t, "parent")
	m := exposed(t, b, ns, "{host: iris.platform.example.com, gateway: {parentRef: {name: public, namespace: "+edge.Namespace+"}}}")
	m.Status.URL = strings.Replace(m.Status.URL, "https://", "http://", 1) // this Gateway has no TLS
	answers(t, b, m, nil)
}

// TestRefused says in a condition what a way in cannot do, and leaves the rest alone.
func TestRefused(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "refused")
	b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", "replicas: 1\nexpose: {host: sticky.example.com, gateway: {className: "+edge.GatewayClass+"}, stickySessions: {}}\n"))
	c := b.Condition(t, ns, "iris", v1alpha1.ConditionExposed, metav1.ConditionFalse, "")
	if !strings.Contains(c.Message, "stickySessions") {
		t.Errorf("Exposed says %s: %s", c.Reason, c.Message)
	}
	b.Condition(t, ns, "iris", v1alpha1.ConditionWorkloadReady, metav1.ConditionTrue, "")
}
