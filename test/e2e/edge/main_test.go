//go:build e2e

// Package edge has Models reached from outside of the cluster: through Gateways and
// Ingresses, with certificates that are issued over ACME or by an authority.
package edge

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"testing"
	"time"

	"mizzen.dev/test/cluster"
	"mizzen.dev/test/e2e/bed"
)

var (
	shared = bed.NewShared(prepare)
	edge   *cluster.Edge
	acme   *cluster.ACME
)

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

// platform is what the cluster's owners say of it.
const platform = `
peers:
  ingress:
  - namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %s}}
`

// public is a Gateway of theirs.
const public = `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: public, namespace: %s}
spec:
  gatewayClassName: %s
  listeners: [{name: web, protocol: HTTP, port: 80, hostname: "*.platform.example.com", allowedRoutes: {namespaces: {from: All}}}]
`

// owned is what they have mizzenctl make in it.
const owned = `
apiVersion: mizzen.dev/v1alpha1
kind: Platform
issuers:
- name: authority
  caSecretName: authority
`

// overACME is an issuer who asks at the hosts of the tests.
const overACME = `
- name: acme
  acme: {server: %q, email: platform@example.com, caBundle: %s, ingressClassName: nginx}
`

func prepare(ctx context.Context, b *bed.Bed) (err error) {
	if edge, acme, err = b.StartEdge(ctx); err != nil {
		return err
	}
	issuers := owned
	if acme != nil {
		issuers += fmt.Sprintf(overACME, acme.Directory, base64.StdEncoding.EncodeToString(acme.CABundle))
	}
	b.Remove("-n", edge.Namespace, "gateway/public")
	b.Remove("-n", "cert-manager", "clusterissuer/authority", "clusterissuer/self-signed", "certificate/authority", "secret/authority")
	if err = b.Apply(ctx, fmt.Sprintf(public, edge.Namespace, edge.GatewayClass)); err != nil {
		return err
	}
	b.Platform = fmt.Sprintf(platform, edge.Namespace)
	dir, err := os.MkdirTemp("", "mizzen-e2e-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "platform.yaml")
	if err := os.WriteFile(file, []byte(issuers), 0o600); err != nil {
		return err
	}
	_, err = b.Mizzenctl(ctx, "platform", "apply", "-f", file)
	return err
}

// outside is a client that finds every host at the edge, whatever DNS says of it.
func outside(roots *x509.CertPool) *http.Client {
	return &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		DialContext:       dialEdge,
	}}
}

func dialEdge(ctx context.Context, network, address string) (net.Conn, error) {
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	return (&net.Dialer{}).DialContext(ctx, network, net.JoinHostPort(edge.Address, port))
}

// acmeRoots are what certificates of the ACME server are trusted by.
func acmeRoots(t *testing.T) *x509.CertPool {
	t.Helper()
	pem, err := acme.Root(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return pool(t, pem)
}

func pool(t *testing.T, pem []byte) *x509.CertPool {
	t.Helper()
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(pem) {
		t.Fatalf("no certificate in %q", pem)
	}
	return roots
}
