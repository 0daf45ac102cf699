package cluster

import (
	"bytes"
	"fmt"
	"reflect"

	"github.com/rogpeppe/go-internal/diff"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

func equal(a, b *unstructured.Unstructured) bool { return reflect.DeepEqual(a.Object, b.Object) }

// Diff returns the change as a unified diff of YAML; "" if nothing changes. The values
// of Secrets are not in it, only that they differ.
func (c Change) Diff() (string, error) {
	if c.Action == Keep {
		return "", nil
	}
	before, after := c.Before, c.After
	if c.Kind.Group == "" && c.Kind.Kind == "Secret" {
		before, after = masked(c.Before, c.After)
	}
	left, err := text(before)
	if err != nil {
		return "", err
	}
	right, err := text(after)
	if err != nil {
		return "", err
	}
	name := c.String()
	unified := diff.Diff("live/"+name, left, "new/"+name, right)
	// The first line names the files once more.
	_, unified, _ = bytes.Cut(unified, []byte("\n"))
	return string(unified), nil
}

func text(o *unstructured.Unstructured) ([]byte, error) {
	if o == nil {
		return nil, nil
	}
	out, err := yaml.Marshal(o.Object)
	if err != nil {
		return nil, fmt.Errorf("writing %s/%s as YAML: %w", o.GetKind(), o.GetName(), err)
	}
	return out, nil
}

// masked replaces the values of Secrets; those that differ still do.
func masked(before, after *unstructured.Unstructured) (b, a *unstructured.Unstructured) {
	const hidden, hiddenBefore, hiddenAfter = "***", "*** (before)", "*** (after)"
	values := func(o *unstructured.Unstructured, field string) map[string]any {
		if o == nil {
			return nil
		}
		m, _, _ := unstructured.NestedMap(o.Object, field)
		return m
	}
	mask := func(o, other *unstructured.Unstructured, differing string) *unstructured.Unstructured {
		if o == nil {
			return nil
		}
		o = o.DeepCopy()
		for _, field := range []string{"data", "stringData"} {
			theirs := values(other, field)
			m := values(o, field)
			for k, v := range m {
				m[k] = hidden
				if was, ok := theirs[k]; ok && was != v {
					m[k] = differing
				}
			}
			if m != nil {
				o.Object[field] = m
			}
		}
		return o
	}
	return mask(before, after, hiddenBefore), mask(after, before, hiddenAfter)
}
