//go:build e2e

package edge

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
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
// certificate is issued over HTTP-01. Its pods share a volume, into which the model is
// fetched once. Deleted, it leaves neither certificate nor claim.
func TestIngressWithACME(t *testing.T) {
	b := shared.Get(t)
	b.NeedsOwn(t, "a DNS in which the hosts of the tests are")
	ns := b.RestrictedNamespace(t, "ingress")
	dir := b.SharedVolume(t, ns, "iris-cache")
	yaml := b.Iris(t, ns, "iris", "0.1.0", "replicas: 2\nexpose: {host: iris.example.com, ingress: {className: nginx}, tls: {issuerRef: {name: acme}}}\n")
	b.MustApply(t, strings.Replace(yaml, "secretRef: {name: store}", "secretRef: {name: store}\n    cache: {claim: {size: 1Gi}}", 1))
	b.Condition(t, ns, "iris", v1alpha1.ConditionExposed, metav1.ConditionTrue, "")
	m := b.Ready(t, ns, "iris")
	if m.Status.URL != "https://iris.example.com" {
		t.Errorf("the URL is %s", m.Status.URL)
	}
	answers(t, b, m, acmeRoots(t))
	fetchedOnce(t, b, ns, dir)

	out, err := b.Mizzenctl(t.Context(), "delete", "iris", "-n", ns, "--yes", "--wait")
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, kind := range []string{"Secret", "PersistentVolumeClaim", "Certificate", "Ingress"} {
		if !strings.Contains(out, kind) {
			t.Errorf("delete does not say that it touched a %s:\n%s", kind, out)
		}
	}
	b.NothingLeft(t, ns, "iris")
}

// fetchedOnce has the file in a shared volume fetched by one of two pods, and found there
// by the other.
func fetchedOnce(t *testing.T, b *bed.Bed, ns, dir string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*", "iris", "0.1.0", "model.pkl"))
	if err != nil || len(files) != 1 {
		t.Errorf("models in the volume: %q, %v", files, err)
	}
	pods, err := b.Pods(t.Context(), ns, "iris")
	if err != nil || len(pods) != 2 {
		t.Fatalf("%d pods, %v", len(pods), err)
	}
	said := map[string]int{}
	for _, p := range pods {
		out, err := b.Kubectl(t.Context(), "-n", ns, "logs", p.Name, "-c", "fetch")
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{`"there_already":false`, `"there_already":true`} {
			said[word] += strings.Count(out, word)
		}
	}
	if diff := cmp.Diff(map[string]int{`"there_already":false`: 1, `"there_already":true`: 1}, said); diff != "" {
		t.Errorf("what the two said that fetched (-want +got):\n%s", diff)
	}
}

// TestBelowPath has a prefix taken away by each means, and the pages for people work
// below it.
func TestBelowPath(t *testing.T) {
	b := shared.Get(t)
	tests := map[string]string{
		"ingress": "{host: path-ingress.example.com, path: /models/iris, ingress: {className: nginx}}",
		"gateway": "{host: path-gateway.example.com, path: /models/iris, gateway: {className: " + edge.GatewayClass + "}}",
	}
	for name, expose := range tests {
		t.Run(name, func(t *testing.T) {
			ns := b.RestrictedNamespace(t, "path")
			m := exposed(t, b, ns, expose)
			answers(t, b, m, nil)
			below(t, m.Status.URL)
		})
	}
}

// link finds what a page refers to.
var link = regexp.MustCompile(`(?:href|src)="([^"#]+)"`)

// below follows the links of the page for people as a browser would: none leaves the
// prefix, and all lead somewhere.
func below(t *testing.T, at string) {
	t.Helper()
	docs, err := url.Parse(at + "/docs")
	if err != nil {
		t.Fatal(err)
	}
	page, docs := get(t, docs)
	links := link.FindAllStringSubmatch(page, -1)
	if len(links) == 0 {
		t.Errorf("%s has no links", docs)
	}
	for _, l := range links {
		target, err := docs.Parse(l[1])
		if err != nil {
			t.Fatal(err)
		}
		if target.Host != docs.Host {
			continue // of others
		}
		if !strings.HasPrefix(target.String(), at+"/") {
			t.Errorf("the link %s of %s leaves %s", l[1], docs, at)
			continue
		}
		get(t, target)
	}
}

// get returns a page, and where it was found in the end.
func get(t *testing.T, u *url.URL) (string, *url.URL) {
	t.Helper()
	res, err := outside(nil).Get(u.String())
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		t.Errorf("%s: %s, %v", u, res.Status, err)
	}
	return string(page), res.Request.URL
}

// fewThousand calls are enough for a load that goes the long way; test/e2e/core has more.
const fewThousand = 3000

// TestRollingUpdate replaces a version under load, without one failed call through an
// Ingress or a Gateway.
func TestRollingUpdate(t *testing.T) {
	b := shared.Get(t)
	tests := map[string]string{
		"ingress": "{host: roll-ingress.example.com, ingress: {className: nginx}}",
		"gateway": "{host: roll-gateway.example.com, gateway: {className: " + edge.GatewayClass + "}}",
	}
	for name, expose := range tests {
		t.Run(name, func(t *testing.T) {
			ns := b.RestrictedNamespace(t, "roll")
			more := "replicas: 2\nexpose: " + expose + "\n"
			b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", more))
			b.Condition(t, ns, "iris", v1alpha1.ConditionExposed, metav1.ConditionTrue, "")
			m := b.Ready(t, ns, "iris")
			answers(t, b, m, nil)
			l := bed.StartLoadBy(&http.Transport{DialContext: dialEdge}, m.Status.URL)
			b.Roll(t, ns, "0.2.0", more)
			bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
				n := l.Total.Load()
				return n >= fewThousand, fmt.Sprintf("%d calls", n)
			})
			total, failed, errors := l.Stop()
			t.Logf("%d calls, %d failed", total, failed)
			if failed != 0 || total < fewThousand {
				t.Errorf("%d of %d calls failed: %v", failed, total, errors)
			}
		})
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

// TestGatewayOfThePlatform attaches a route to a Gateway that others made, and that has
// no TLS, as the operator has found out.
func TestGatewayOfThePlatform(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "parent")
	m := exposed(t, b, ns, "{host: iris.platform.example.com, gateway: {parentRef: {name: public, namespace: "+edge.Namespace+"}}}")
	if m.Status.URL != "http://iris.platform.example.com" {
		t.Errorf("the URL is %s", m.Status.URL)
	}
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
