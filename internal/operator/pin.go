package operator

import (
	"bytes"
	"compress/flate"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// Annotations of a Deployment, by which a later version of the operator knows what the
// pods were made from. docs/decisions/0011-what-pods-run-is-kept.md says why.
const (
	// templateAnnotation holds the pod template as it was applied, compressed.
	templateAnnotation = "mizzen.dev/applied-template"
	// madeFromAnnotation is GENERATION/HASH of the Model's spec when it was.
	madeFromAnnotation = "mizzen.dev/made-from"
)

// maxTemplate bounds the annotation; all annotations of an object share 256 KiB. Pods
// whose template does not fit are made anew by a version that renders them otherwise.
const maxTemplate = 128 << 10

// pin is what the pods of a Deployment were made from.
type pin struct {
	generation int64
	specHash   string
	template   map[string]any
}

// covers says whether the Model still asks for the pods that were made. A generation
// that is the same says so even if a later version of the schema has further defaults.
func (p *pin) covers(m *v1alpha1.Model) bool {
	return p.generation == m.Generation || p.specHash == podsHash(&m.Spec)
}

func (p *pin) revision() string {
	labels, _, _ := unstructured.NestedStringMap(p.template, "metadata", "labels")
	return labels[render.RevisionLabel]
}

// podSpec is the pin's template as a pod.
func (p *pin) podSpec() *corev1.PodSpec {
	t := &corev1.PodTemplateSpec{}
	if runtime.DefaultUnstructuredConverter.FromUnstructured(p.template, t) != nil {
		return &corev1.PodSpec{}
	}
	return &t.Spec
}

// image is that of the server.
func (p *pin) image() string {
	for _, c := range p.podSpec().Containers {
		if c.Name == serverContainer {
			return c.Image
		}
	}
	return ""
}

// serverContainer is the name of the container with the model server.
const serverContainer = "server"

// readPin returns what a Deployment's annotations say; nil if they say nothing that
// can be read, and the pods are made anew from the Model.
func readPin(deployment *unstructured.Unstructured) *pin {
	annotations := deployment.GetAnnotations()
	generation, hash, ok := strings.Cut(annotations[madeFromAnnotation], "/")
	if !ok {
		return nil
	}
	p := &pin{specHash: hash}
	var err error
	if p.generation, err = strconv.ParseInt(generation, 10, 64); err != nil {
		return nil
	}
	packed, err := base64.StdEncoding.DecodeString(annotations[templateAnnotation])
	if err != nil || len(packed) == 0 {
		return nil
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(packed)), maxUnpacked))
	if err != nil {
		return nil
	}
	// As from the API server: whole numbers are int64.
	template := &unstructured.Unstructured{}
	if err := template.UnmarshalJSON([]byte(`{"apiVersion":"v1","kind":"PodTemplate","template":` + string(raw) + `}`)); err != nil {
		return nil
	}
	p.template, _, err = unstructured.NestedMap(template.Object, "template")
	if err != nil || p.revision() == "" {
		return nil
	}
	return p
}

// write puts the pin into the Deployment that is to be applied.
func (p *pin) write(deployment *unstructured.Unstructured) error {
	raw, err := json.Marshal(p.template)
	if err != nil {
		return fmt.Errorf("packing the pod template: %w", err)
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestCompression)
	if err != nil {
		return err
	}
	if _, err := w.Write(raw); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	packed := base64.StdEncoding.EncodeToString(b.Bytes())
	if len(packed) > maxTemplate {
		return nil
	}
	annotations := deployment.GetAnnotations()
	if annotations == nil {
		annotations = map[string]string{}
	}
	annotations[templateAnnotation] = packed
	annotations[madeFromAnnotation] = fmt.Sprintf("%d/%s", p.generation, p.specHash)
	deployment.SetAnnotations(annotations)
	return nil
}

// pinned puts the kept template into the objects that were rendered. ConfigMaps that
// only the new rendering of the pods would read are left out; those that the kept pods
// read are not pruned as long as a pod reads them.
func (p *pin) pinned(objects []*unstructured.Unstructured) ([]*unstructured.Unstructured, error) {
	var kept []*unstructured.Unstructured
	reads := configMaps(p.podSpec())
	for _, o := range objects {
		switch {
		case o.GetKind() == kindDeployment:
			rendered := newTemplateReads(o)
			o = o.DeepCopy()
			if err := unstructured.SetNestedMap(o.Object, p.template, "spec", "template"); err != nil {
				return nil, err
			}
			if err := p.write(o); err != nil {
				return nil, err
			}
			kept = slices.DeleteFunc(kept, func(c *unstructured.Unstructured) bool {
				return c.GetKind() == kindConfigMap && slices.Contains(rendered, c.GetName()) && !slices.Contains(reads, c.GetName())
			})
		}
		kept = append(kept, o)
	}
	return kept, nil
}

// newTemplateReads are the ConfigMaps that the pods of a rendered Deployment would read.
func newTemplateReads(deployment *unstructured.Unstructured) []string {
	template, _, _ := unstructured.NestedMap(deployment.Object, "spec", "template")
	return configMaps((&pin{template: template}).podSpec())
}

// holds says whether all that the kept pods read and that is the Model's own is there
// or will be: a new version may name or fill its ConfigMaps otherwise.
func (p *pin) holds(objects []*unstructured.Unstructured, live map[id]*unstructured.Unstructured) bool {
	for _, name := range configMaps(p.podSpec()) {
		desired := slices.ContainsFunc(objects, func(o *unstructured.Unstructured) bool {
			return o.GetKind() == kindConfigMap && o.GetName() == name
		})
		if _, there := live[configMapID(name)]; !desired && !there {
			return false
		}
	}
	return true
}

func configMapID(name string) id {
	i := id{name: name}
	i.kind.Kind = kindConfigMap
	return i
}

// podsHash is over the part of a spec that pods are made from. What is left out is
// known not to reach them; whatever is added to the spec later is in it until somebody
// says otherwise.
func podsHash(spec *v1alpha1.ModelSpec) string {
	s := spec.DeepCopy()
	s.Replicas, s.Scale, s.Rollout, s.Isolation = nil, nil, nil, nil
	if t := s.Telemetry; t != nil {
		t.Scrape, t.Dashboard, t.Alerts = nil, nil, nil
		if t.Tracing == nil {
			s.Telemetry = nil
		}
	}
	if e := s.Expose; e != nil {
		s.Expose = &v1alpha1.Expose{Path: e.Path, Protocols: e.Protocols, BodySize: e.BodySize, RateLimit: e.RateLimit, Timeouts: e.Timeouts}
	}
	raw, err := json.Marshal(s)
	if err != nil { // the type has no value that JSON lacks
		panic(err)
	}
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:8])
}
