package serve

import (
	"crypto/tls"
	"fmt"
	"sync/atomic"
)

// certificate is a certificate that is read again when its files change.
type certificate struct {
	certFile, keyFile string
	print             [2]fingerprint
	current           atomic.Pointer[tls.Certificate]
}

func newCertificate(certFile, keyFile string) (*certificate, error) {
	c := &certificate{certFile: certFile, keyFile: keyFile}
	if _, err := c.Refresh(); err != nil {
		return nil, err
	}
	return c, nil
}

// Refresh reads the files again if they have changed, and says whether they
// did. If that fails the certificate stays what it was: the two files cannot be
// replaced in one moment, so a pair that does not match is a matter of time.
func (c *certificate) Refresh() (changed bool, err error) {
	var print [2]fingerprint
	for i, path := range []string{c.certFile, c.keyFile} {
		if print[i], err = fingerprintOf(path); err != nil {
			return false, fmt.Errorf("reading the TLS certificate: %w", err)
		}
	}
	if print == c.print {
		return false, nil
	}
	pair, err := tls.LoadX509KeyPair(c.certFile, c.keyFile)
	if err != nil {
		return false, fmt.Errorf("reading the TLS certificate: %w", err)
	}
	c.print = print
	c.current.Store(&pair)
	return true, nil
}

// config returns the configuration of a listener that follows the certificate.
func (c *certificate) config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load(), nil
		},
	}
}
