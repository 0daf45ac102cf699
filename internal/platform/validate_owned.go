package platform

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/mail"
	"regexp"
	"strings"
)

// validateOwned checks what the platform makes.
func (p *Platform) validateOwned(v *validator) {
	seen := map[string]bool{}
	for i, ns := range p.Namespaces {
		path := fmt.Sprintf("namespaces[%d]", i)
		v.label(path+".name", ns.Name)
		v.unique(path+".name", ns.Name, seen)
		v.labels(path+".labels", ns.Labels)
		for name := range ns.Labels {
			if strings.HasPrefix(name, podSecurity) {
				v.fail(path+".labels", "%s is set already: namespaces for Models are restricted", name)
			}
		}
	}
	seen = map[string]bool{}
	for i, issuer := range p.Issuers {
		path := fmt.Sprintf("issuers[%d]", i)
		v.subdomain(path+".name", issuer.Name)
		v.unique(path+".name", issuer.Name, seen)
		v.issuer(path, issuer)
	}
	if c := p.GatewayClass; c != nil {
		v.subdomain("gatewayClass.name", c.Name)
		if c.ControllerName == "" || !strings.Contains(c.ControllerName, "/") {
			v.fail("gatewayClass.controllerName", "must be the name that the controller documents, such as traefik.io/gateway-controller")
		}
	}
	if p.Images != nil {
		p.Images.validate(v)
	}
	for i, a := range p.Access {
		path := fmt.Sprintf("access[%d]", i)
		v.label(path+".namespace", a.Namespace)
		v.oneOf(path+".role", string(a.Role), string(RoleView), string(RoleEdit), string(RoleAdmin))
		if len(a.Groups)+len(a.Users) == 0 {
			v.fail(path, "names nobody: set groups or users")
		}
	}
}

func (v *validator) issuer(path string, issuer Issuer) {
	kinds := 0
	for _, set := range []bool{issuer.ACME != nil, issuer.CASecretName != "", issuer.SelfSigned != nil} {
		if set {
			kinds++
		}
	}
	if kinds != 1 {
		v.fail(path, "set exactly one of acme, caSecretName and selfSigned")
		return
	}
	if issuer.CASecretName != "" {
		v.subdomain(path+".caSecretName", issuer.CASecretName)
	}
	a := issuer.ACME
	if a == nil {
		return
	}
	path += ".acme"
	v.url(path+".server", a.Server)
	if a.Email != "" {
		if _, err := mail.ParseAddress(a.Email); err != nil {
			v.fail(path+".email", "%q is no address", a.Email)
		}
	}
	if len(a.CABundle) > 0 && !x509.NewCertPool().AppendCertsFromPEM(a.CABundle) {
		v.fail(path+".caBundle", "must be certificates in PEM, in base64")
	}
	switch {
	case (a.IngressClassName != "") == (a.Gateway != nil):
		v.fail(path, "set exactly one of ingressClassName and gateway: challenges are solved through it")
	case a.Gateway != nil:
		v.gatewayRef(path+".gateway", a.Gateway)
		if a.Gateway.Namespace == "" {
			v.fail(path+".gateway.namespace", "a ClusterIssuer has no namespace of its own: say where the Gateway is")
		}
	default:
		v.subdomain(path+".ingressClassName", a.IngressClassName)
	}
}

// registry is a host, with a port and further parts of repositories if need be. It has
// no character that would mean something in the expression that it becomes part of.
var registry = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?(/[a-z0-9]+([._-]+[a-z0-9]+)*)*/?$`)

// user is a name as authenticators give them, without what would end a string.
var user = regexp.MustCompile(`^[A-Za-z0-9@._:/+-]+$`)

func (i *Images) validate(v *validator) {
	for n, r := range i.AllowedRegistries {
		if !registry.MatchString(r) {
			v.fail(fmt.Sprintf("images.allowedRegistries[%d]", n), "%q must be a registry, or the start of its repositories, such as registry.example.com/models", r)
		}
	}
	for n, u := range i.ExemptUsers {
		if !user.MatchString(u) {
			v.fail(fmt.Sprintf("images.exemptUsers[%d]", n), "%q is no name of a user, such as %s", u, certManagerUser)
		}
	}
	if len(i.Namespaces) == 0 {
		v.fail("images.namespaces", "policies of images need namespaces: name some here or in namespaces")
	}
	for n, name := range i.Namespaces {
		v.label(fmt.Sprintf("images.namespaces[%d]", n), name)
	}
	if len(i.AllowedRegistries) == 0 && i.Signatures == nil {
		v.fail("images", "set allowedRegistries or signatures, or remove images")
	}
	if i.Signatures != nil {
		i.Signatures.validate(v)
	}
}

func (s *Signatures) validate(v *validator) {
	const path = "images.signatures"
	if len(s.Images) == 0 {
		v.fail(path+".images", "say which images must be signed, such as registry.example.com/*")
	}
	v.oneOf(path+".transparencyLog", string(s.TransparencyLog), string(LogRequired), string(LogIgnored))
	switch {
	case (s.PublicKey != "") == (s.Keyless != nil):
		v.fail(path, "set exactly one of publicKey and keyless")
	case s.PublicKey != "":
		if block, _ := pem.Decode([]byte(s.PublicKey)); block == nil || block.Type != "PUBLIC KEY" {
			v.fail(path+".publicKey", "must be the content of cosign.pub: -----BEGIN PUBLIC KEY-----…")
		}
	default:
		if s.Keyless.Issuer == "" || s.Keyless.Subject == "" {
			v.fail(path+".keyless", "set issuer and subject: without both, anybody's signature would do")
		}
		if s.TransparencyLog == LogIgnored {
			v.fail(path+".transparencyLog", "a keyless signature is proved by the log: use Required")
		}
	}
}
