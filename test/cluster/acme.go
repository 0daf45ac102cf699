//go:build linux

package cluster

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"time"

	"mizzen.dev/test/cluster/binary"
)

const (
	// challengeDNSPort is of the DNS that says where names outside the cluster are.
	challengeDNSPort     = "8053"
	challengeControlPort = "8055"
	acmePort             = "14000"
	acmeControlPort      = "15000"
	// acmeTimeout bounds the start of the ACME server, which takes a moment.
	acmeTimeout = 30 * time.Second
	// maxRoot bounds a certificate in PEM.
	maxRoot = 1 << 16
)

// ACME is a server that issues certificates to who answers its challenges, as
// Let's Encrypt does. It asks at port 80.
type ACME struct {
	// Directory is what an issuer has as its server.
	Directory string
	// CABundle is what an issuer trusts the directory by, in PEM.
	CABundle []byte

	control string
	client  *http.Client
}

// StartACME starts an ACME server on this machine, to whom, as to the cluster's own
// pods, each name outside the cluster is at the given address: that of Traefik.
func (c *Cluster) StartACME(ctx context.Context, address string) (*ACME, error) {
	if !c.Own() {
		return nil, &ForeignError{Want: "a DNS in which the names of the tests are"}
	}
	if err := c.build(ctx, binary.Pebble()); err != nil {
		return nil, err
	}
	dns := exec.Command(c.program("pebble", "pebble-challtestsrv"), "-dnsserver", c.upstream(), "-defaultIPv4", address, "-defaultIPv6", "",
		"-management", c.site.host()+":"+challengeControlPort, "-http01", "", "-https01", "", "-tlsalpn01", "", "-doh", "")
	if _, err := c.startProcess("challenge-dns", dns); err != nil {
		return nil, err
	}
	if _, _, err := c.authority.issue("pebble", "pebble", nil, []string{c.site.host()}); err != nil {
		return nil, err
	}
	config, err := c.writePebbleConfig()
	if err != nil {
		return nil, err
	}
	pebble := exec.Command(c.program("pebble", "pebble"), "-config", config, "-dnsserver", c.upstream())
	// Its misbehaviour on purpose, for those who test clients: waiting and refusing.
	pebble.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_WFE_NONCEREJECT=0")
	p, err := c.startProcess("pebble", pebble)
	if err != nil {
		return nil, err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(c.authority.pem)
	a := &ACME{
		Directory: "https://" + c.site.host() + ":" + acmePort + "/dir",
		CABundle:  c.authority.pem,
		control:   "https://" + c.site.host() + ":" + acmeControlPort,
		client:    &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12}}},
	}
	return a, waitForHTTP(ctx, p, a.client, a.Directory, acmeTimeout)
}

func (c *Cluster) writePebbleConfig() (string, error) {
	config := map[string]any{"pebble": map[string]any{
		"listenAddress": c.site.host() + ":" + acmePort, "managementListenAddress": c.site.host() + ":" + acmeControlPort,
		"certificate": c.authority.crt("pebble"), "privateKey": c.authority.keyFile("pebble"),
		"httpPort": httpPort, "tlsPort": httpsPort, "ocspResponderURL": "", "externalAccountBindingRequired": false,
		// How long a client is told to wait before it asks again.
		"retryAfter": map[string]int{"authz": 1, "order": 1}, "keyAlgorithm": "ecdsa",
		"profiles": map[string]any{"default": map[string]any{"description": "as usual", "validityPeriod": int((90 * 24 * time.Hour).Seconds())}},
	}}
	content, err := json.Marshal(config)
	if err != nil {
		return "", err
	}
	path := c.site.path("pebble.json")
	return path, writeFile(path, content)
}

// Root returns the certificate, in PEM, that those it has issued are trusted by.
func (a *ACME) Root(ctx context.Context) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.control+"/roots/0", nil)
	if err != nil {
		return nil, err
	}
	res, err := a.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the ACME server answers %s when asked for its root", strconv.Itoa(res.StatusCode))
	}
	return io.ReadAll(io.LimitReader(res.Body, maxRoot))
}
