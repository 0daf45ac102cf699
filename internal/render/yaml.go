package render

import (
	"bytes"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// YAML writes objects as a stream of documents, in their order. Of each the fields
// come first that people look for first.
func YAML(objects []*unstructured.Unstructured) ([]byte, error) {
	var b bytes.Buffer
	for i, o := range objects {
		if i > 0 {
			b.WriteString("---\n")
		}
		if err := writeObject(&b, o.Object); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

func writeObject(b *bytes.Buffer, object map[string]any) error {
	first := []string{"apiVersion", "kind", "metadata"}
	rest := make(map[string]any, len(object))
	for key, value := range object {
		if !slices.Contains(first, key) {
			rest[key] = value
		}
	}
	for _, key := range first {
		if err := writeYAML(b, map[string]any{key: object[key]}); err != nil {
			return err
		}
	}
	if len(rest) == 0 {
		return nil
	}
	return writeYAML(b, rest)
}

func writeYAML(b *bytes.Buffer, value any) error {
	written, err := yaml.Marshal(value)
	b.Write(written)
	return err
}
