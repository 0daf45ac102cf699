// Package pickle reads Python's pickles, protocols 0 to 5, as data: nothing is
// imported and nothing is called, whatever the file says. Classes become
// [Object] values that hold their name and their state; numpy arrays, scalars
// and dtypes become those of package npy.
//
// The opcodes are those of CPython's Lib/pickletools.py.
package pickle

import (
	"fmt"
	"slices"
	"strings"

	"mizzen.dev/internal/format"
)

// A value of a pickle is one of
//
//	nil                      None
//	bool, int64, float64     also for numpy scalars of these kinds
//	*big.Int                 an integer beyond 64 bits
//	string                   also for numpy strings
//	Bytes                    bytes and bytearray
//	*List, *Tuple, *Set      in the order of the file
//	*Dict                    in the order of the file
//	Global                   a class or function by name
//	*Object                  an instance, or the result of a call that was not made
//	*npy.Array, *npy.Dtype   numpy's; a scalar of another kind is a 0-d array
//	*npy.Masked              a masked array
//
// Containers may be shared and may form cycles: whoever walks them bounds the
// depth and remembers where it was.

// Bytes is a bytes or bytearray object; it may alias the file's memory.
type Bytes []byte

// List is a list.
type List struct{ Items []any }

// Tuple is a tuple.
type Tuple struct{ Items []any }

// Set is a set or frozenset.
type Set struct{ Items []any }

// Dict is a dict; keys that are strings can be looked up.
type Dict struct {
	Keys, Values []any
	index        map[string]int // of the string keys, once there are many
}

// indexed is the number of keys from which a dict has an index: looking at each
// is faster for the attributes of an estimator.
const indexed = 32

// Get returns the value at a string key.
func (d *Dict) Get(key string) (any, bool) {
	if d == nil {
		return nil, false
	}
	if i := d.find(key); i >= 0 {
		return d.Values[i], true
	}
	return nil, false
}

// find returns the position of a string key, or -1.
func (d *Dict) find(key string) int {
	if d.index != nil {
		if i, ok := d.index[key]; ok {
			return i
		}
		return -1
	}
	for i, k := range d.Keys {
		if s, ok := k.(string); ok && s == key {
			return i
		}
	}
	return -1
}

// Set adds an entry; a string key that is there already gets a new value.
func (d *Dict) Set(key, value any) {
	s, ok := key.(string)
	if ok {
		if i := d.find(s); i >= 0 {
			d.Values[i] = value
			return
		}
	}
	d.Keys = append(d.Keys, key)
	d.Values = append(d.Values, value)
	switch {
	case d.index != nil && ok:
		d.index[s] = len(d.Keys) - 1
	case d.index == nil && len(d.Keys) > indexed:
		d.index = make(map[string]int, 2*len(d.Keys))
		for i, k := range d.Keys {
			if s, ok := k.(string); ok {
				d.index[s] = i
			}
		}
	}
}

// grow makes room for n more entries.
func (d *Dict) grow(n int) {
	d.Keys, d.Values = slices.Grow(d.Keys, n), slices.Grow(d.Values, n)
}

// Global names a class or a function: module and qualified name, as in the file.
type Global struct{ Module, Name string }

func (g Global) String() string { return g.Module + "." + g.Name }

// Object is an instance of a class that was not made, or the result of a call
// that was not carried out: a SciPy matrix, a random state, an index of pandas
// as well as an estimator. Whoever knows the class finds its parts in the
// arguments, the state and the items.
type Object struct {
	Class Global
	// Args are the arguments of the call (REDUCE) or of __new__ (NEWOBJ).
	Args []any
	// Kwargs are the keyword arguments of __new__ (NEWOBJ_EX); mostly nil.
	Kwargs *Dict
	// State is what BUILD was given: mostly the *Dict of the attributes.
	State any
	// Items are what SETITEM added to an object that is a dict of a class of its
	// own, or what APPEND added to a list, under the keys int64(0), int64(1) ...
	Items *Dict
}

// Attr returns an attribute of the object's state, if that is a dict, or the
// dict or the slots of a (dict, slots) pair.
func (o *Object) Attr(name string) (any, bool) {
	switch s := o.State.(type) {
	case *Dict:
		return s.Get(name)
	case *Tuple:
		for _, part := range s.Items {
			if d, ok := part.(*Dict); ok {
				if v, ok := d.Get(name); ok {
					return v, true
				}
			}
		}
	}
	return nil, false
}

// Limits bound what a file can make the reader do.
type Limits = format.Limits

// FormatError says that a file is malformed: not what Python would have written.
type FormatError = format.Error

// LimitError says that a file exceeds a bound, and which flag raises it.
type LimitError = format.LimitError

// UnsupportedError names a class or function that no part of Mizzen knows, and
// where in the object it stands.
type UnsupportedError struct {
	Global Global
	Path   string // e.g. Pipeline.steps[1]
	Help   string // what is supported, or what to do
}

func (e *UnsupportedError) Error() string {
	var b strings.Builder
	if e.Path != "" {
		fmt.Fprintf(&b, "%s: ", e.Path)
	}
	fmt.Fprintf(&b, "%s is not supported", e.Global)
	if e.Help != "" {
		fmt.Fprintf(&b, "; %s", e.Help)
	}
	return b.String()
}
