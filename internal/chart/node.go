package chart

import (
	"maps"
	"slices"
)

// node is an object, or a part of one, as a function of the variables.
type node interface {
	// eval returns the value, and whether there is one.
	eval(at assignment) (any, bool)
}

// fixed is a subtree that never changes.
type fixed struct{ value any }

func (f fixed) eval(assignment) (any, bool) { return f.value, true }

// leaf is a scalar that changes.
type leaf struct{ expression }

func (l leaf) eval(at assignment) (any, bool) { return l.expression.eval(at), true }

// mapping has entries by name. A few names change: they stand here with tokens, and
// names says how they are made.
type mapping struct {
	entries map[string]node
	names   map[string]expression
}

func (m mapping) eval(at assignment) (any, bool) {
	values := map[string]any{}
	for key, n := range m.entries {
		if v, ok := n.eval(at); ok {
			if name := m.names[key]; name != nil {
				key = name.eval(at).(string)
			}
			values[key] = v
		}
	}
	return values, true
}

func (m mapping) keys() []string { return slices.Sorted(maps.Keys(m.entries)) }

// sequence is a list.
type sequence struct{ items []node }

func (s sequence) eval(at assignment) (any, bool) {
	values := make([]any, 0, len(s.items))
	for _, n := range s.items {
		if v, ok := n.eval(at); ok {
			values = append(values, v)
		}
	}
	return values, true
}

// choice is one of two forms; nil is none.
type choice struct {
	when    predicate
	yes, no node
}

func (c choice) eval(at assignment) (any, bool) {
	n := c.no
	if c.when.holds(at) {
		n = c.yes
	}
	if n == nil {
		return nil, false
	}
	return n.eval(at)
}
