package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mizzen.dev/internal/config"
)

// newCert makes a certificate of its own for localhost.
func newCert(t *testing.T, name string) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalECPrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER}))
}

func TestTLS(t *testing.T) {
	dir := t.TempDir()
	certFile, keyFile := filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	put := func(cert, key string) { replaceFile(t, keyFile, key); replaceFile(t, certFile, cert) }
	put(newCert(t, "first"))
	s := start(t, func(c *config.Config) { c.TLSCert, c.TLSKey = certFile, keyFile })
	s.watching(t)

	name := func() string {
		conn, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true})
		if err != nil {
			t.Fatal(err)
		}
		defer conn.Close()
		return conn.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if got := name(); got != "first" {
		t.Errorf("got %q", got)
	}
	put(newCert(t, "second"))
	eventually(t, "the new certificate is shown", func() bool { return name() == "second" })
	writeFile(t, certFile, "broken")
	eventually(t, "a broken one is complained about", func() bool { return strings.Contains(s.log.String(), "the former stays") })
	if got := name(); got != "second" {
		t.Errorf("a broken file took the certificate away: got %q", got)
	}

	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}
	resp, err := client.Post("https://"+s.Addr().String()+"/predict", "", strings.NewReader(irisBody))
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != 200 || resp.ProtoMajor != 2 {
		t.Errorf("got %d over %s, want HTTP/2", resp.StatusCode, resp.Proto)
	}
	if _, err := tls.Dial("tcp", s.Addr().String(), &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS11}); err == nil {
		t.Error("TLS 1.1 is let in")
	}
}

func TestTLSFilesThatAreNone(t *testing.T) {
	dir := t.TempDir()
	cert, _ := newCert(t, "a")
	_, key := newCert(t, "b")
	writeFile(t, filepath.Join(dir, "cert"), cert)
	writeFile(t, filepath.Join(dir, "key"), key)
	for name, files := range map[string][2]string{
		"missing":     {filepath.Join(dir, "none"), filepath.Join(dir, "key")},
		"not a pair":  {filepath.Join(dir, "cert"), filepath.Join(dir, "key")},
		"wrong order": {filepath.Join(dir, "key"), filepath.Join(dir, "cert")},
	} {
		if _, err := newCertificate(files[0], files[1]); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
