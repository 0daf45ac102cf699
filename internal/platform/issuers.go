package platform

import "encoding/base64"

// issuer is a ClusterIssuer of cert-manager.
func (p *Platform) issuer(i Issuer) any {
	spec := map[string]any{}
	switch {
	case i.ACME != nil:
		spec["acme"] = i.ACME.spec(i.Name)
	case i.CASecretName != "":
		spec["ca"] = map[string]any{"secretName": i.CASecretName}
	default:
		spec["selfSigned"] = map[string]any{}
	}
	return map[string]any{
		"apiVersion": "cert-manager.io/v1",
		"kind":       "ClusterIssuer",
		"metadata":   p.plainMetadata(i.Name),
		"spec":       spec,
	}
}

func (a *ACME) spec(name string) map[string]any {
	spec := map[string]any{
		"server": a.Server,
		// cert-manager makes the Secret in its own namespace, and keeps the account in it.
		"privateKeySecretRef": map[string]any{"name": name + "-account"},
		"solvers":             []any{map[string]any{"http01": a.solver()}},
	}
	if a.Email != "" {
		spec["email"] = a.Email
	}
	if len(a.CABundle) > 0 {
		spec["caBundle"] = base64.StdEncoding.EncodeToString(a.CABundle)
	}
	return spec
}

// solver answers challenges. A Certificate of a Model whose Gateway is its own names
// that one by an annotation.
func (a *ACME) solver() map[string]any {
	if a.Gateway == nil {
		return map[string]any{"ingress": map[string]any{"ingressClassName": a.IngressClassName}}
	}
	parent := map[string]any{"kind": "Gateway", "name": a.Gateway.Name, "namespace": a.Gateway.Namespace}
	if a.Gateway.SectionName != "" {
		parent["sectionName"] = a.Gateway.SectionName
	}
	return map[string]any{"gatewayHTTPRoute": map[string]any{"parentRefs": []any{parent}}}
}
