package platform

import (
	"fmt"
	"slices"
	"strings"

	admissionv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// imagesPolicy is the name of the policies of images.
const imagesPolicy = "mizzen-images"

// imagePolicies are checked when pods and what makes them are written: by the API
// server itself, and by Kyverno where signatures are asked for.
func (p *Platform) imagePolicies() []any {
	var objects []any
	if len(p.Images.AllowedRegistries) > 0 {
		objects = append(objects,
			newObject("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicy", p.metadata(imagesPolicy, ""), p.Images.policy()),
			newObject("admissionregistration.k8s.io/v1", "ValidatingAdmissionPolicyBinding", p.metadata(imagesPolicy, ""),
				admissionv1.ValidatingAdmissionPolicyBindingSpec{
					PolicyName:        imagesPolicy,
					ValidationActions: []admissionv1.ValidationAction{admissionv1.Deny, admissionv1.Audit},
					MatchResources:    &admissionv1.MatchResources{NamespaceSelector: p.Images.selector()},
				}))
	}
	if p.Images.Signatures != nil {
		objects = append(objects, map[string]any{
			"apiVersion": "policies.kyverno.io/v1",
			"kind":       "ImageValidatingPolicy",
			"metadata":   p.plainMetadata(imagesPolicy),
			"spec":       p.Images.signaturePolicy(),
		})
	}
	return objects
}

// WantDigests says that pods of a namespace may only run images that are named by digest.
func (i *Images) WantDigests(namespace string) bool {
	return i != nil && len(i.AllowedRegistries) > 0 && slices.Contains(i.Namespaces, namespace)
}

// selector of the namespaces in which policies hold.
func (i *Images) selector() *metav1.LabelSelector {
	return &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{
		Key: "kubernetes.io/metadata.name", Operator: metav1.LabelSelectorOpIn, Values: i.Namespaces,
	}}}
}

// policy wants digests from allowed registries, of all containers and image volumes.
// Images that were there before the policy are let alone until they change, so that
// what runs can still be labelled, scaled and deleted.
func (i *Images) policy() admissionv1.ValidatingAdmissionPolicySpec {
	rule := func(group string, resources ...string) admissionv1.NamedRuleWithOperations {
		return admissionv1.NamedRuleWithOperations{RuleWithOperations: admissionv1.RuleWithOperations{
			Operations: []admissionv1.OperationType{admissionv1.Create, admissionv1.Update},
			Rule:       admissionv1.Rule{APIGroups: []string{group}, APIVersions: []string{"v1"}, Resources: resources},
		}}
	}
	const pinned = `i.matches('@sha256:[0-9a-f]{64}$')`
	allowed := i.allowed()
	return admissionv1.ValidatingAdmissionPolicySpec{
		MatchConstraints: &admissionv1.MatchResources{ResourceRules: []admissionv1.NamedRuleWithOperations{
			rule("", "pods", "pods/ephemeralcontainers", "replicationcontrollers"),
			rule("apps", "deployments", "replicasets", "statefulsets", "daemonsets"),
			rule("batch", "jobs", "cronjobs"),
		}},
		MatchConditions: []admissionv1.MatchCondition{{
			Name:       "not-exempt",
			Expression: "!(request.userInfo.username in ['" + strings.Join(i.ExemptUsers, "', '") + "'])",
		}},
		Variables: []admissionv1.Variable{
			{Name: "spec", Expression: podSpecOf("object")},
			{Name: "images", Expression: imagesOf("variables.spec")},
			{Name: "oldSpec", Expression: "oldObject == null ? {} : " + podSpecOf("oldObject")},
			{Name: "oldImages", Expression: "oldObject == null ? [] : " + imagesOf("variables.oldSpec")},
			{Name: "added", Expression: "variables.images.filter(i, !(i in variables.oldImages))"},
		},
		Validations: []admissionv1.Validation{
			{
				Expression:        "variables.added.all(i, " + pinned + ")",
				MessageExpression: "'name images by digest, REPOSITORY@sha256:…, so that what was checked is what runs; not so: ' + variables.added.filter(i, !" + pinned + ").join(', ')",
			},
			{
				Expression:        "variables.added.all(i, " + allowed + ")",
				MessageExpression: fmt.Sprintf("'take images from %s; not so: ' + variables.added.filter(i, !%s).join(', ')", strings.Join(i.AllowedRegistries, " or "), allowed),
			},
		},
	}
}

// allowed is the expression that is true of an image i from one of the registries: the
// registry's whole name, and not only its beginning, stands before a separator.
func (i *Images) allowed() string {
	var starts []string
	for _, r := range i.AllowedRegistries {
		r = strings.TrimSuffix(r, "/")
		starts = append(starts, "'"+r+"/'")
		if strings.Contains(r, "/") { // a repository itself, not a host with another port
			starts = append(starts, "'"+r+"@'", "'"+r+":'")
		}
	}
	return "[" + strings.Join(starts, ", ") + "].exists(s, i.startsWith(s))"
}

func podSpecOf(variable string) string {
	return strings.ReplaceAll("X.kind == 'Pod' ? X.spec : X.kind == 'CronJob' ? X.spec.jobTemplate.spec.template.spec : X.spec.template.spec", "X", variable)
}

func imagesOf(spec string) string {
	return strings.ReplaceAll("(X.?containers.orValue([]) + X.?initContainers.orValue([])).map(c, c.image)"+
		" + X.?ephemeralContainers.orValue([]).map(c, c.image)", "X", spec) + " + " + volumesOf(spec)
}

func volumesOf(spec string) string {
	return spec + ".?volumes.orValue([]).filter(v, has(v.image)).map(v, v.image.reference)"
}

// signaturePolicy wants a signature of cosign on matching images, of containers and of
// image volumes, whenever a pod is given another. It does not change what was applied: the
// other policy wants digests already.
func (i *Images) signaturePolicy() map[string]any {
	s := i.Signatures
	globs := make([]any, len(s.Images))
	for n, image := range s.Images {
		globs[n] = map[string]any{"glob": image}
	}
	namespaces := make([]any, len(i.Namespaces))
	for n, name := range i.Namespaces {
		namespaces[n] = name
	}
	return map[string]any{
		"validationActions":    []any{"Deny"},
		"webhookConfiguration": map[string]any{"timeoutSeconds": int64(15)},
		"matchConstraints": map[string]any{
			"namespaceSelector": map[string]any{"matchExpressions": []any{
				map[string]any{"key": "kubernetes.io/metadata.name", "operator": "In", "values": namespaces},
			}},
			"resourceRules": []any{map[string]any{
				"apiGroups": []any{""}, "apiVersions": []any{"v1"}, "operations": []any{"CREATE", "UPDATE"},
				// Ephemeral containers are not part of pods here unless they are named.
				"resources": []any{"pods", "pods/ephemeralcontainers"},
			}},
		},
		"matchConditions": []any{map[string]any{
			"name": "images-changed", "expression": "request.operation == 'CREATE' || " + imagesOf("object.spec") + " != " + imagesOf("oldObject.spec"),
		}},
		"images":                   []any{map[string]any{"name": "volumes", "expression": volumesOf("object.spec")}},
		"matchImageReferences":     globs,
		"validationConfigurations": map[string]any{"mutateDigest": false},
		"attestors":                []any{map[string]any{"name": "cosign", "cosign": s.attestor()}},
		"validations": []any{map[string]any{
			"expression": "(images.containers + images.initContainers + images.ephemeralContainers + images.volumes).all(image, verifyImageSignatures(image, [attestors.cosign]) > 0)",
			"message":    "the image has no valid signature: sign it with cosign, as the platform asks for",
		}},
	}
}

func (s *Signatures) attestor() map[string]any {
	if s.Keyless != nil {
		return map[string]any{"keyless": map[string]any{"identities": []any{
			map[string]any{"issuer": s.Keyless.Issuer, "subject": s.Keyless.Subject},
		}}}
	}
	attestor := map[string]any{"key": map[string]any{"data": s.PublicKey}}
	if s.TransparencyLog == LogIgnored {
		attestor["ctlog"] = map[string]any{"insecureIgnoreTlog": true, "insecureIgnoreSCT": true}
	}
	return attestor
}
