// Package ownership tells from an object's managed fields whether the object still is
// as a manager applied it, without the schema of its kind.
//
// A server-side apply changes nothing when the fields that the manager owns are the
// fields that it applies, and their values are the same. Whoever else changes a value
// takes the field from its owner: what is no longer owned has drifted.
package ownership

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/structured-merge-diff/v6/fieldpath"
	"sigs.k8s.io/structured-merge-diff/v6/value"
)

// Kind is how a field differs from what is wanted.
type Kind int

// The kinds of differences.
const (
	// Missing: the object lacks the field.
	Missing Kind = iota
	// Changed: the field has another value.
	Changed
	// Unowned: the field has the value, but it is not the manager's.
	Unowned
	// Extra: the manager owns the field and no longer wants it.
	Extra
)

// Difference is a field that an apply would change.
type Difference struct {
	Kind Kind
	// Path of the field: spec.template.spec.containers[name="server"].image.
	Path string
	// By is another manager who owns the field; "" if nobody does.
	By string
}

// Compare returns what an apply by the manager would change; nothing if it would
// change nothing. Fields beyond those that are wanted belong to others and are let be.
func Compare(desired, live *unstructured.Unstructured, manager string) ([]Difference, error) {
	owned, others, err := managed(desired, live, manager)
	if err != nil {
		return nil, err
	}
	c := &comparer{others: others}
	for _, key := range sortedKeys(desired.Object) {
		switch key {
		case "apiVersion", "kind": // they name the object
		case "metadata":
			c.metadata(owned, desired, live)
		default:
			c.field(owned, fieldpath.FieldNameElement(key), desired.Object[key], live.Object, nil)
		}
	}
	c.extras(owned, nil, func(e fieldpath.PathElement) bool {
		if e.FieldName == nil {
			return false
		}
		_, wanted := desired.Object[*e.FieldName]
		return wanted || *e.FieldName == "metadata" || *e.FieldName == "status"
	})
	return c.found, nil
}

// managed reads what the manager applied to an object, and what others own of it.
func managed(desired, live *unstructured.Unstructured, manager string) (owned *fieldpath.Set, others []other, err error) {
	owned = &fieldpath.Set{}
	for _, entry := range live.GetManagedFields() {
		if entry.FieldsV1 == nil || entry.Subresource != "" {
			continue
		}
		set := &fieldpath.Set{}
		if err := set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())); err != nil {
			return nil, nil, fmt.Errorf("reading the managed fields of %s %s/%s: %w", live.GetKind(), live.GetNamespace(), live.GetName(), err)
		}
		switch {
		case entry.Manager != manager || entry.Operation != metav1.ManagedFieldsOperationApply:
			others = append(others, other{entry.Manager, set})
		case entry.APIVersion == desired.GetAPIVersion():
			owned = set
		}
	}
	return owned, others, nil
}

// Owns says whether the manager applied a field: Owns(o, "mizzen", "spec", "replicas").
func Owns(live *unstructured.Unstructured, manager string, fields ...string) bool {
	path := fieldpath.Path{}
	for _, f := range fields {
		path = append(path, fieldpath.FieldNameElement(f))
	}
	for _, entry := range live.GetManagedFields() {
		if entry.Manager != manager || entry.Operation != metav1.ManagedFieldsOperationApply || entry.Subresource != "" || entry.FieldsV1 == nil {
			continue
		}
		set := &fieldpath.Set{}
		if set.FromJSON(bytes.NewReader(entry.FieldsV1.GetRawBytes())) == nil && set.Has(path) {
			return true
		}
	}
	return false
}

type other struct {
	manager string
	set     *fieldpath.Set
}

type comparer struct {
	others []other
	found  []Difference
}

func (c *comparer) differ(kind Kind, path fieldpath.Path) {
	d := Difference{Kind: kind, Path: strings.TrimPrefix(path.String(), ".")}
	for _, o := range c.others {
		if o.set.Has(path) {
			d.By = o.manager
			break
		}
	}
	c.found = append(c.found, d)
}

// metadata compares what an apply sets there; the name and what the server sets have
// no owner.
func (c *comparer) metadata(owned *fieldpath.Set, desired, live *unstructured.Unstructured) {
	element := fieldpath.FieldNameElement("metadata")
	set, ok := owned.Children.Get(element)
	if !ok {
		set = &fieldpath.Set{}
	}
	wanted, _ := desired.Object["metadata"].(map[string]any)
	have, _ := live.Object["metadata"].(map[string]any)
	path := fieldpath.Path{element}
	for _, key := range []string{"annotations", "finalizers", "labels", "ownerReferences"} {
		if v, ok := wanted[key]; ok {
			c.field(set, fieldpath.FieldNameElement(key), v, have, path)
		}
	}
	c.extras(set, path, func(e fieldpath.PathElement) bool {
		_, ok := wanted[*e.FieldName]
		return ok
	})
}

// field compares parent[e], of which set says whether and how far it is owned.
func (c *comparer) field(set *fieldpath.Set, e fieldpath.PathElement, desired any, parent map[string]any, path fieldpath.Path) {
	live, exists := parent[*e.FieldName]
	c.element(set, e, desired, live, exists, path)
}

// element compares one element of a map or list.
func (c *comparer) element(set *fieldpath.Set, e fieldpath.PathElement, desired, live any, exists bool, path fieldpath.Path) {
	path = append(slices.Clip(path), e)
	whole := set.Members.Has(e)
	child, granular := set.Children.Get(e)
	switch {
	case !exists:
		c.differ(Missing, path)
	case granular:
		c.inside(child, desired, live, path)
	case !covers(desired, live):
		c.differ(Changed, path)
	case !whole:
		c.differ(Unowned, path)
	}
}

// inside compares what is owned piece by piece.
func (c *comparer) inside(set *fieldpath.Set, desired, live any, path fieldpath.Path) {
	switch d := desired.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			c.differ(Changed, path)
			return
		}
		for _, key := range sortedKeys(d) {
			c.field(set, fieldpath.FieldNameElement(key), d[key], l, path)
		}
		c.extras(set, path, func(e fieldpath.PathElement) bool {
			if e.FieldName == nil {
				return false
			}
			_, wanted := d[*e.FieldName]
			return wanted
		})
	case []any:
		l, ok := live.([]any)
		if !ok {
			c.differ(Changed, path)
			return
		}
		c.items(set, d, l, path)
	default: // it was a map or list, and is to be a scalar
		c.differ(Changed, path)
	}
}

// items compares the items of an associative list, which are found by their keys.
func (c *comparer) items(set *fieldpath.Set, desired, live []any, path fieldpath.Path) {
	wanted := map[string]bool{}
	elements := elements(set)
	for i, item := range desired {
		at := slices.IndexFunc(elements, func(e fieldpath.PathElement) bool { return identifies(e, item, true) })
		if at < 0 {
			c.differ(Missing, append(slices.Clip(path), fieldpath.PathElement{Index: &i}))
			continue
		}
		e := elements[at]
		wanted[e.String()] = true
		j := slices.IndexFunc(live, func(l any) bool { return identifies(e, l, false) })
		if j < 0 {
			c.differ(Missing, append(slices.Clip(path), e))
			continue
		}
		if e.Key != nil { // the keys of an item are its name: they need no owner
			c.item(set, e, item, live[j], path)
		}
	}
	c.extras(set, path, func(e fieldpath.PathElement) bool { return wanted[e.String()] })
}

func (c *comparer) item(set *fieldpath.Set, e fieldpath.PathElement, desired, live any, path fieldpath.Path) {
	child, granular := set.Children.Get(e)
	if !granular { // an item that is owned as a whole, such as an owner reference
		if !covers(desired, live) {
			c.differ(Changed, append(slices.Clip(path), e))
		}
		return
	}
	d, _ := desired.(map[string]any)
	l, _ := live.(map[string]any)
	isKey := map[string]bool{}
	for _, k := range *e.Key {
		isKey[k.Name] = true
	}
	path = append(slices.Clip(path), e)
	for _, key := range sortedKeys(d) {
		if !isKey[key] {
			c.field(child, fieldpath.FieldNameElement(key), d[key], l, path)
		}
	}
	c.extras(child, path, func(e fieldpath.PathElement) bool {
		if e.FieldName == nil {
			return false
		}
		_, wanted := d[*e.FieldName]
		return wanted || isKey[*e.FieldName]
	})
}

// extras reports what is owned and not wanted.
func (c *comparer) extras(set *fieldpath.Set, path fieldpath.Path, wanted func(fieldpath.PathElement) bool) {
	for _, e := range elements(set) {
		if !wanted(e) {
			c.differ(Extra, append(slices.Clip(path), e))
		}
	}
}

// elements returns what a set has directly below it, in order.
func elements(set *fieldpath.Set) []fieldpath.PathElement {
	var all []fieldpath.PathElement
	for e := range set.Members.All() {
		all = append(all, e)
	}
	for e := range set.Children.All() {
		if !set.Members.Has(e) {
			all = append(all, e)
		}
	}
	slices.SortFunc(all, func(a, b fieldpath.PathElement) int { return a.Compare(b) })
	return all
}

// identifies says whether e names the item. A key that a wanted item does not have is
// one that the schema defaults.
func identifies(e fieldpath.PathElement, item any, defaulted bool) bool {
	switch {
	case e.Value != nil:
		return equal(item, (*e.Value).Unstructured())
	case e.Key == nil:
		return false
	}
	fields, ok := item.(map[string]any)
	if !ok {
		return false
	}
	for _, key := range *e.Key {
		v, ok := fields[key.Name]
		if !ok && defaulted {
			continue
		}
		if !ok || !equal(v, unstructuredOf(key.Value)) {
			return false
		}
	}
	return true
}

func unstructuredOf(v value.Value) any { return v.Unstructured() }

// covers says whether live has all that desired has. Maps may have more, which the
// server added by defaulting; lists may not.
func covers(desired, live any) bool {
	switch d := desired.(type) {
	case map[string]any:
		l, ok := live.(map[string]any)
		if !ok {
			return false
		}
		for key, v := range d {
			lv, ok := l[key]
			if !ok || !covers(v, lv) {
				return false
			}
		}
		return true
	case []any:
		l, ok := live.([]any)
		if !ok || len(d) != len(l) {
			return false
		}
		for i := range d {
			if !covers(d[i], l[i]) {
				return false
			}
		}
		return true
	}
	return equal(desired, live)
}

// equal compares scalars; numbers by their value, whichever type they came in.
func equal(a, b any) bool {
	x, aIsNumber := number(a)
	y, bIsNumber := number(b)
	if aIsNumber && bIsNumber {
		return x == y
	}
	return reflect.DeepEqual(a, b)
}

func number(v any) (float64, bool) {
	switch n := v.(type) {
	case int64:
		return float64(n), true
	case int32:
		return float64(n), true
	case int:
		return float64(n), true
	case float64:
		return n, true
	case json.Number:
		f, err := n.Float64()
		return f, err == nil
	}
	return 0, false
}

func sortedKeys(m map[string]any) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
