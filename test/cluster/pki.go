//go:build linux

package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// validity is longer than any cluster lives.
const validity = 30 * 24 * time.Hour

// authority signs certificates and keeps them, with their keys, in a directory.
type authority struct {
	dir  string
	name string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

// newAuthority makes an authority whose certificate is in name.crt.
func newAuthority(dir, name string) (*authority, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	template, err := newTemplate(name)
	if err != nil {
		return nil, err
	}
	template.IsCA, template.BasicConstraintsValid = true, true
	template.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	a := &authority{dir: dir, name: name, cert: template, key: key}
	crt, _, err := a.write(name, template, key)
	if err != nil {
		return nil, err
	}
	a.pem = crt
	block, _ := pem.Decode(crt)
	a.cert, err = x509.ParseCertificate(block.Bytes)
	return a, err
}

func newTemplate(name string, groups ...string) (*x509.Certificate, error) {
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		return nil, err
	}
	return &x509.Certificate{
		SerialNumber: serial,
		Subject:      pkix.Name{CommonName: name, Organization: groups},
		NotBefore:    time.Now().Add(-time.Hour), // clocks of one machine, but be kind
		NotAfter:     time.Now().Add(validity),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}, nil
}

// issue makes a certificate for a user in groups, or for a server of the given names
// and addresses, in file.crt and file.key.
func (a *authority) issue(file, user string, groups, hosts []string) (crt, key []byte, err error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	template, err := newTemplate(user, groups...)
	if err != nil {
		return nil, nil, err
	}
	for _, host := range hosts {
		if ip := net.ParseIP(host); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, host)
		}
	}
	return a.write(file, template, private)
}

func (a *authority) write(file string, template *x509.Certificate, key *ecdsa.PrivateKey) (crt, private []byte, err error) {
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	if err != nil {
		return nil, nil, fmt.Errorf("signing the certificate of %s: %w", template.Subject.CommonName, err)
	}
	keyDER, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, nil, err
	}
	crt = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	private = pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: keyDER})
	if err := os.WriteFile(a.crt(file), crt, 0o600); err != nil {
		return nil, nil, err
	}
	return crt, private, os.WriteFile(a.keyFile(file), private, 0o600)
}

func (a *authority) crt(file string) string     { return filepath.Join(a.dir, file+".crt") }
func (a *authority) keyFile(file string) string { return filepath.Join(a.dir, file+".key") }

// kubeconfig writes a configuration for a user in groups.
func (a *authority) kubeconfig(file, server, user string, groups ...string) error {
	crt, key, err := a.issue(file, user, groups, nil)
	if err != nil {
		return err
	}
	const name = "mizzen-test"
	config := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: server, CertificateAuthorityData: a.pem}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {ClientCertificateData: crt, ClientKeyData: key}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}
	return clientcmd.WriteToFile(config, filepath.Join(a.dir, file+".kubeconfig"))
}
