package sklearn

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
)

// Build compiles the estimator that value holds. globals are the names that the
// file holds, or nil if they are not known; one that is not known to these
// estimators is a *pickle.UnsupportedError, wherever in the file it stands. The
// node describes what was read, also when an error is returned.
func Build(value any, globals []pickle.Global) (base.Estimator, *base.Node, error) {
	unknown := check(value, globals)
	builder := base.Builder{Lookup: Lookup, Help: help}
	if unknown == nil {
		return builder.Build(value)
	}
	// The rest is built all the same, for people to look at; and an estimator
	// knows best why it takes no such thing.
	_, node, err := builder.Build(value)
	if reason := (*pickle.UnsupportedError)(nil); errors.As(err, &reason) {
		return nil, node, reason
	}
	return nil, node, unknown
}

// check returns an error about the first name that is not known.
func check(value any, globals []pickle.Global) error {
	var first *pickle.Global
	for i, g := range globals {
		if !Known(g) {
			first = &globals[i]
			break
		}
	}
	if first == nil && globals != nil {
		return nil
	}
	w := walker{seen: make(map[any]struct{})}
	found, err := w.find(value)
	if err != nil {
		return err
	}
	if found != nil {
		return &pickle.UnsupportedError{Global: *found, Path: w.path(), Help: help(*found)}
	}
	for _, g := range globals {
		// What nobody holds on to has no place, but is refused all the same.
		if !Known(g) && !IsMethod(g) {
			return &pickle.UnsupportedError{Global: g, Help: help(g)}
		}
	}
	return nil
}

// IsMethod reports whether g is the function with which Python pickles bound
// methods.
func IsMethod(g pickle.Global) bool {
	return g.Name == "getattr" && (g.Module == "builtins" || g.Module == "__builtin__")
}

// method reports whether o is a method of a distribution of scipy, which hold
// on to some of their own.
func method(o *pickle.Object) bool {
	if !IsMethod(o.Class) || len(o.Args) != 2 {
		return false
	}
	_, named := o.Args[1].(string)
	owner, ok := o.Args[0].(*pickle.Object)
	return ok && named && (owner.Class.Module == "scipy.stats._discrete_distns" || owner.Class.Module == "scipy.stats._continuous_distns") && Known(owner.Class)
}

// maxWalk bounds how deep values are nested in one another when the walker
// looks for a name: deeper than any estimator, and than the reader lets a file
// nest without sharing.
const maxWalk = 10_000

// walker looks for an unknown name in a value. It keeps its own stack, whose
// labels are the way from the root to where it stands.
type walker struct {
	seen  map[any]struct{}
	stack []place
}

// place is a container on the way, and the child that is being looked at.
type place struct {
	children []child
	next     int
	label    string // of the container itself, in its parent
}

type child struct {
	label string
	value any
}

// find returns the first unknown name below root; path then says where it is.
func (w *walker) find(root any) (*pickle.Global, error) {
	if g := w.enter(child{value: root}); g != nil {
		return g, nil
	}
	for len(w.stack) > 0 {
		top := &w.stack[len(w.stack)-1]
		if top.next == len(top.children) {
			w.stack = w.stack[:len(w.stack)-1]
			continue
		}
		c := top.children[top.next]
		top.next++
		if g := w.enter(c); g != nil {
			return g, nil
		}
		if len(w.stack) > maxWalk {
			return nil, &base.Error{Path: w.path(), Reason: fmt.Sprintf("values are nested more than %d deep", maxWalk)}
		}
	}
	return nil, nil
}

// enter looks at one value and puts it on the stack if it has children.
func (w *walker) enter(c child) *pickle.Global {
	var children []child
	switch v := c.value.(type) {
	case pickle.Global:
		if !Known(v) {
			w.stack = append(w.stack, place{label: c.label})
			return &v
		}
		return nil
	case *pickle.Object:
		if !Known(v.Class) && !method(v) {
			w.stack = append(w.stack, place{label: c.label})
			return &v.Class
		}
		if !w.visit(v) {
			return nil
		}
		if _, estimator := builds[v.Class]; estimator {
			c.label += "." + v.Class.Name
		}
		children = attributes(v)
	case *pickle.Dict:
		if !w.visit(v) {
			return nil
		}
		children = entries(v, false)
	case *pickle.List:
		if !w.visit(v) {
			return nil
		}
		children = elements(v.Items)
	case *pickle.Tuple:
		if !w.visit(v) {
			return nil
		}
		children = elements(v.Items)
		if pair(v.Items) {
			for i := range children {
				children[i].label = ""
			}
		}
	case *pickle.Set:
		if !w.visit(v) {
			return nil
		}
		children = elements(v.Items)
	case *npy.Array:
		if v.Objects == nil || !w.visit(v) {
			return nil
		}
		children = elements(v.Objects)
	case *npy.Masked:
		children = []child{{value: v.Data}, {value: v.Fill}}
	default:
		return nil
	}
	if len(children) > 0 {
		w.stack = append(w.stack, place{children: children, label: c.label})
	}
	return nil
}

// visit reports whether a container is met for the first time.
func (w *walker) visit(v any) bool {
	if _, again := w.seen[v]; again {
		return false
	}
	w.seen[v] = struct{}{}
	return true
}

// path returns where the walker stands, in Python's notation.
func (w *walker) path() string {
	var b strings.Builder
	for _, p := range w.stack {
		b.WriteString(p.label)
	}
	return strings.TrimPrefix(b.String(), ".")
}

// attributes returns what an object holds: its attributes by name, and the
// arguments it was made with.
func attributes(o *pickle.Object) []child {
	children := elements(o.Args)
	if o.Kwargs != nil {
		children = append(children, entries(o.Kwargs, true)...)
	}
	switch state := o.State.(type) {
	case *pickle.Dict:
		children = append(children, entries(state, true)...)
	case *pickle.Tuple:
		for _, part := range state.Items {
			if d, ok := part.(*pickle.Dict); ok {
				children = append(children, entries(d, true)...)
			} else {
				children = append(children, child{value: part})
			}
		}
	default:
		children = append(children, child{value: state})
	}
	if o.Items != nil {
		children = append(children, entries(o.Items, false)...)
	}
	return children
}

// entries returns the values of a dict, and its keys where these hold names.
func entries(d *pickle.Dict, attributes bool) []child {
	children := make([]child, 0, len(d.Keys))
	for i, key := range d.Keys {
		label := ""
		switch k := key.(type) {
		case string:
			label = "[" + strconv.Quote(k) + "]"
			if attributes {
				label = "." + k
			}
		case int64:
			label = "[" + strconv.FormatInt(k, 10) + "]"
		default:
			children = append(children, child{value: key})
		}
		children = append(children, child{label, d.Values[i]})
	}
	return children
}

func elements(items []any) []child {
	children := make([]child, len(items))
	for i, item := range items {
		children[i] = child{"[" + strconv.Itoa(i) + "]", item}
	}
	return children
}

// pair reports whether a tuple is a name and what it names, as the steps of a
// Pipeline are: its place in the list says enough.
func pair(items []any) bool {
	if len(items) < 2 {
		return false
	}
	_, named := items[0].(string)
	return named
}
