//go:build e2e

package edge_test

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"mizzen.dev/test/cluster"
)

var (
	shared = cluster.NewShared(cluster.Options{}, prepare)
	edge   *cluster.Edge
	acme   *cluster.ACME
)

func prepare(ctx context.Context, c *cluster.Cluster) (err error) {
	edge, acme, err = c.StartEdge(ctx)
	return err
}

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

// call calls a host at the edge, whatever DNS says of it.
func call(ctx context.Context, url string, roots *x509.CertPool) (status int, body string, err error) {
	client := http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots},
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(edge.Address, port))
		},
	}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	content, err := io.ReadAll(res.Body)
	return res.StatusCode, string(content), err
}

// answers waits until the probe behind a URL answers.
func answers(t *testing.T, c *cluster.Cluster, ns, url string, roots *x509.CertPool) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), 200*time.Millisecond, 2*time.Minute, true, func(ctx context.Context) (bool, error) {
		status, body, err := call(ctx, url, roots)
		last = fmt.Sprintf("%d %q, %v", status, body, err)
		return err == nil && status == http.StatusOK && strings.HasPrefix(body, "probe-"), nil
	})
	if err != nil {
		certificates, _ := c.Kubectl(context.Background(), "-n", ns, "get", "certificates,certificaterequests,orders.acme.cert-manager.io,challenges.acme.cert-manager.io,ingresses,gateways,httproutes", "-o", "yaml")
		t.Fatalf("%s: last %s\n%s\n%s", url, last, c.Describe(context.Background(), ns), certificates)
	}
}

func start(t *testing.T, c *cluster.Cluster, name string) (ns string) {
	t.Helper()
	ns = c.Namespace(t, name, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	if _, err := c.StartProbe(t.Context(), ns, "probe", 1, nil); err != nil {
		t.Fatal(err)
	}
	return ns
}

func apply(t *testing.T, c *cluster.Cluster, yaml string) {
	t.Helper()
	if err := c.Apply(t.Context(), yaml); err != nil {
		t.Fatal(err)
	}
}

func TestGateway(t *testing.T) {
	c := shared.Get(t)
	ns := start(t, c, "gateway")
	apply(t, c, `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: `+ns+`}
spec: {gatewayClassName: `+edge.GatewayClass+`, listeners: [{name: web, protocol: HTTP, port: 80, hostname: gateway.example.com}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: `+ns+`}
spec:
  parentRefs: [{name: g}]
  hostnames: [gateway.example.com]
  rules: [{matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: probe, port: 80}]}]
`)
	answers(t, c, ns, "http://gateway.example.com/", nil)
	if _, err := c.Kubectl(t.Context(), "-n", ns, "wait", "--for=condition=Programmed", "gateway/g", "--timeout=30s"); err != nil {
		t.Error(err)
	}
}

// ingress makes an Ingress with a certificate of an issuer of the namespace.
func ingress(t *testing.T, c *cluster.Cluster, ns, class, host string) {
	t.Helper()
	apply(t, c, `
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {name: i, namespace: `+ns+`, annotations: {cert-manager.io/issuer: issuer}}
spec:
  ingressClassName: `+class+`
  tls: [{hosts: [`+host+`], secretName: tls}]
  rules: [{host: `+host+`, http: {paths: [{path: /, pathType: Prefix, backend: {service: {name: probe, port: {number: 80}}}}]}}]
`)
}

// issuer is one of the namespace, of certificates over ACME.
func issuer(ns, solver string) string {
	return `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: issuer, namespace: ` + ns + `}
spec:
  acme:
    server: ` + acme.Directory + `
    caBundle: ` + base64.StdEncoding.EncodeToString(acme.CABundle) + `
    privateKeySecretRef: {name: account}
    solvers: [{http01: ` + solver + `}]
`
}

// acmeRoots trust what the ACME server issues.
func acmeRoots(t *testing.T) *x509.CertPool {
	t.Helper()
	root, err := acme.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return poolOf(t, root)
}

func poolOf(t *testing.T, root []byte) *x509.CertPool {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(root) {
		t.Fatalf("the root is %q", root)
	}
	return roots
}

// TestACME has a certificate issued over HTTP-01, through either class of Ingress.
func TestACME(t *testing.T) {
	c, roots := shared.Get(t), acmeRoots(t)
	for _, class := range []string{edge.IngressClass, edge.NginxClass} {
		t.Run(class, func(t *testing.T) {
			ns := start(t, c, "acme")
			apply(t, c, issuer(ns, "{ingress: {ingressClassName: "+class+"}}"))
			host := class + ".acme.example.com"
			ingress(t, c, ns, class, host)
			answers(t, c, ns, "https://"+host+"/", roots)
		})
	}
}

// TestACMEThroughGateway has the challenge answered by a route, and the certificate
// presented by a listener.
func TestACMEThroughGateway(t *testing.T) {
	c, roots := shared.Get(t), acmeRoots(t)
	ns := start(t, c, "acme-gateway")
	const host = "tls.gateway.example.com"
	apply(t, c, issuer(ns, "{gatewayHTTPRoute: {parentRefs: [{name: g, kind: Gateway, group: gateway.networking.k8s.io}]}}")+`---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: g, namespace: `+ns+`, annotations: {cert-manager.io/issuer: issuer}}
spec:
  gatewayClassName: `+edge.GatewayClass+`
  listeners:
  - {name: web, protocol: HTTP, port: 80, hostname: `+host+`}
  - {name: websecure, protocol: HTTPS, port: 443, hostname: `+host+`, tls: {mode: Terminate, certificateRefs: [{name: tls}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: r, namespace: `+ns+`}
spec:
  parentRefs: [{name: g}]
  hostnames: [`+host+`]
  rules: [{matches: [{path: {type: PathPrefix, value: /}}], backendRefs: [{name: probe, port: 80}]}]
`)
	answers(t, c, ns, "https://"+host+"/", roots)
}

// TestAuthority has a certificate of an authority of the namespace's own.
func TestAuthority(t *testing.T) {
	c := shared.Get(t)
	ns := start(t, c, "authority")
	apply(t, c, `
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: self-signed, namespace: `+ns+`}
spec: {selfSigned: {}}
---
apiVersion: cert-manager.io/v1
kind: Certificate
metadata: {name: ca, namespace: `+ns+`}
spec: {isCA: true, commonName: authority, secretName: ca, issuerRef: {name: self-signed}}
---
apiVersion: cert-manager.io/v1
kind: Issuer
metadata: {name: issuer, namespace: `+ns+`}
spec: {ca: {secretName: ca}}
`)
	if _, err := c.Kubectl(t.Context(), "-n", ns, "wait", "--for=condition=Ready", "certificate/ca", "--timeout=60s"); err != nil {
		t.Fatal(err)
	}
	encoded, err := c.Kubectl(t.Context(), "-n", ns, "get", "secret", "ca", "-o", "jsonpath={.data.tls\\.crt}")
	if err != nil {
		t.Fatal(err)
	}
	root, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		t.Fatal(err)
	}
	const host = "authority.example.com"
	ingress(t, c, ns, edge.IngressClass, host)
	answers(t, c, ns, "https://"+host+"/", poolOf(t, root))
}
