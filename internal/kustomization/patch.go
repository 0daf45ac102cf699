package kustomization

import (
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// operation of a JSON patch (RFC 6902).
type operation struct {
	Op    string `json:"op"`
	Path  string `json:"path"`
	Value any    `json:"value,omitempty"`
}

// difference returns the operations that make to out of from. Lists of the same
// length are compared item by item, others are replaced.
func difference(path string, from, to any) []operation {
	if reflect.DeepEqual(from, to) {
		return nil
	}
	switch a := from.(type) {
	case map[string]any:
		if b, ok := to.(map[string]any); ok {
			return differenceOfMaps(path, a, b)
		}
	case []any:
		if b, ok := to.([]any); ok && len(a) == len(b) {
			var all []operation
			for i := range a {
				all = append(all, difference(path+"/"+strconv.Itoa(i), a[i], b[i])...)
			}
			return all
		}
	}
	return []operation{{"replace", path, to}}
}

func differenceOfMaps(path string, a, b map[string]any) []operation {
	var keys []string
	for key := range a {
		keys = append(keys, key)
	}
	for key := range b {
		if _, ok := a[key]; !ok {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	var all []operation
	for _, key := range keys {
		at := path + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(key)
		was, before := a[key]
		is, after := b[key]
		switch {
		case !after:
			all = append(all, operation{"remove", at, nil})
		case !before:
			all = append(all, operation{"add", at, is})
		default:
			all = append(all, difference(at, was, is)...)
		}
	}
	return all
}

// identity of an object in a base, whatever its namespace.
type identity struct{ group, version, kind, name string }

func identityOf(o *unstructured.Unstructured) identity {
	gvk := o.GroupVersionKind()
	return identity{gvk.Group, gvk.Version, gvk.Kind, o.GetName()}
}

// target chooses the object of a patch.
func (i identity) target() map[string]any {
	t := map[string]any{"kind": i.kind, "name": i.name, "version": i.version}
	if i.group != "" {
		t["group"] = i.group
	}
	return t
}

func (i identity) file(suffix string) string {
	return i.name + "-" + strings.ToLower(i.kind) + suffix + ".yaml"
}
