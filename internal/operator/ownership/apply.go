package ownership

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
)

// Apply returns what an apply by the manager would make of live, as far as it can be told
// without the schema of its kind: what the API server would default is not in it, and a
// list whose items the manager does not own one by one is replaced as a whole.
func Apply(desired, live *unstructured.Unstructured, manager string) (*unstructured.Unstructured, error) {
	owned, others, err := managed(desired, live, manager)
	if err != nil {
		return nil, err
	}
	m := &merger{others: others}
	merged := live.DeepCopy()
	for key, value := range desired.DeepCopy().Object {
		if key == "apiVersion" || key == "kind" {
			continue
		}
		e := fieldpath.FieldNameElement(key)
		merged.Object[key] = m.merge(childOf(owned, e), value, merged.Object[key], fieldpath.Path{e})
	}
	return merged, nil
}

// merger applies one part of an object after the other.
type merger struct{ others []other }

func childOf(set *fieldpath.Set, e fieldpath.PathElement) *fieldpath.Set {
	if child, ok := set.Children.Get(e); ok {
		return child
	}
	return &fieldpath.Set{}
}

// gone says whether a field that the manager does not want any more goes: nobody else
// owns it, or a part of it.
func (m *merger) gone(path fieldpath.Path) bool {
	return !slices.ContainsFunc(m.others, func(o other) bool { return o.set.Has(path) || ownsBelow(o.set, path) })
}

// ownsBelow says whether a set has something below a path.
func ownsBelow(set *fieldpath.Set, path fieldpath.Path) bool {
	for _, e := range path {
		child, ok := set.Children.Get(e)
		if !ok {
			return false
		}
		set = child
	}
	return !set.Empty()
}

// merge makes desired out of live, of which set is what the manager owned.
func (m *merger) merge(set *fieldpath.Set, desired, live any, path fieldpath.Path) any {
	switch d := desired.(type) {
	case map[string]any:
		if l, ok := live.(map[string]any); ok {
			return m.mergeMap(set, d, l, path)
		}
	case []any:
		if l, ok := live.([]any); ok {
			return m.mergeList(set, d, l, path)
		}
	}
	if covers(desired, live) {
		return live
	}
	return desired
}

func (m *merger) mergeMap(set *fieldpath.Set, desired, live map[string]any, path fieldpath.Path) any {
	for _, e := range elements(set) {
		if e.FieldName == nil {
			continue
		}
		if _, wanted := desired[*e.FieldName]; !wanted && m.gone(append(slices.Clip(path), e)) {
			delete(live, *e.FieldName)
		}
	}
	for key, value := range desired {
		e := fieldpath.FieldNameElement(key)
		live[key] = m.merge(childOf(set, e), value, live[key], append(slices.Clip(path), e))
	}
	return live
}

// mergeList merges items that the manager owned by their keys; other lists are replaced,
// unless they are the same but for what was defaulted.
func (m *merger) mergeList(set *fieldpath.Set, desired, live []any, path fieldpath.Path) any {
	items := elements(set)
	switch {
	case covers(desired, live):
		return live
	case len(items) == 0:
		return desired
	}
	var merged []any
	taken := make([]bool, len(desired))
	for _, l := range live {
		at := slices.IndexFunc(items, func(e fieldpath.PathElement) bool { return identifies(e, l, false) })
		if at < 0 { // somebody else's
			merged = append(merged, l)
			continue
		}
		e := items[at]
		within := append(slices.Clip(path), e)
		i := slices.IndexFunc(desired, func(d any) bool { return identifies(e, d, true) })
		switch {
		case i >= 0:
			taken[i] = true
			merged = append(merged, m.merge(childOf(set, e), desired[i], l, within))
		case !m.gone(within):
			merged = append(merged, l)
		}
	}
	for i, d := range desired {
		if !taken[i] {
			merged = append(merged, d)
		}
	}
	return merged
}
