package pickle

import (
	"errors"

	"mizzen.dev/internal/format/npy"
)

// Real models share random states and settings: with all that is shared counted
// each time they have at most two parts for each byte.
const (
	partsPerByte = 8
	partsAtLeast = 1 << 18 // that a small file may have in any case
)

// checkExtent refuses values that are nested too deep, and values that share their
// parts too much.
func (r *reader) checkExtent(root any) error {
	err := checkWithin(root, r.lim.Depth, partsPerByte*r.info.Size+partsAtLeast)
	if errors.Is(err, errShared) {
		return r.malformed("%v", err)
	}
	return err
}

// checkWithin refuses values that are nested more than depth levels deep, so that
// whoever walks them can recurse, and values that have more than size parts when
// each is counted as often as it stands in another: a few containers that share
// their parts again and again are a short file, and more than whoever walks them
// can ever see. A container that holds itself adds nothing: cycles have to be met
// by who walks. It runs in time proportional to the number of containers, and on
// a stack of its own.
func checkWithin(root any, depth int, size int64) error {
	w := walk{extents: make(map[any]extent)}
	if isContainer(root) {
		w.enter(root)
	}
	for len(w.path) > 0 {
		if len(w.path) > depth {
			return tooDeep(depth)
		}
		at := &w.path[len(w.path)-1]
		part, ok := at.next()
		if at.size > size {
			return errShared
		}
		if !ok {
			w.leave()
			continue
		}
		e, seen := flat(part)
		if !seen {
			e, seen = w.extents[part]
		}
		switch {
		case !seen:
			w.enter(part)
		case e.height == open:
		case len(w.path)+e.height > depth:
			return tooDeep(depth)
		default:
			at.add(e)
		}
	}
	return nil
}

func tooDeep(limit int) error {
	return &LimitError{What: "levels of nesting", Limit: int64(limit), Flag: "--max-depth"}
}

// errShared says that a value has too many parts.
var errShared = errors.New("the same values are put into others again and again")

// extent is how large a container is.
type extent struct {
	height int
	size   int64 // parts, those of its parts, and so on: items, elements, bytes of text
}

// walk is the path from the root to a container, and the extents of all
// containers that were left.
type walk struct {
	path    []visit
	extents map[any]extent
}

// visit is a container on the path, and which of its parts come next.
type visit struct {
	container     any
	parts, parts2 []any
	extent        // of the parts seen so far
}

// open is the height of a container on the path.
const open = -1

func (w *walk) enter(container any) {
	w.extents[container] = extent{height: open}
	v := visit{container: container}
	v.parts, v.parts2 = parts(container)
	w.path = append(w.path, v)
}

func (w *walk) leave() {
	at := w.path[len(w.path)-1]
	done := extent{at.height + 1, at.size + 1}
	w.extents[at.container] = done
	w.path = w.path[:len(w.path)-1]
	if n := len(w.path); n > 0 {
		w.path[n-1].add(done)
	}
}

// add adds a part that is a container.
func (v *visit) add(part extent) {
	v.height = max(v.height, part.height)
	v.size += part.size
}

// next returns the next part that is a container itself, and adds those before it.
func (v *visit) next() (any, bool) {
	for {
		if len(v.parts) == 0 {
			v.parts, v.parts2 = v.parts2, nil
		}
		if len(v.parts) == 0 {
			return nil, false
		}
		part := v.parts[0]
		v.parts = v.parts[1:]
		if isContainer(part) {
			return part, true
		}
		v.size += plainSize(part)
	}
}

// plainSize is the size of what is no container.
func plainSize(v any) int64 {
	const most = 1 << 36 // no sum of these overflows; elements may have no bytes
	switch v := v.(type) {
	case string:
		return 1 + min(int64(len(v)), most)
	case Bytes:
		return 1 + min(int64(len(v)), most)
	case *npy.Array:
		return 1 + min(int64(v.Len()), most)
	}
	return 1
}

// isContainer reports whether v holds other values.
func isContainer(v any) bool {
	switch v := v.(type) {
	case *List, *Tuple, *Set, *Dict, *Object:
		return true
	case *npy.Array:
		return len(v.Objects) > 0
	case *npy.Masked:
		return true
	}
	return false
}

// flat returns the extent of a container that is small and holds no other one: it
// needs no entry among the extents.
func flat(v any) (extent, bool) {
	const small = 8
	a, b := parts(v)
	if len(a)+len(b) > small {
		return extent{}, false
	}
	e := extent{height: 1, size: 1}
	for _, list := range [2][]any{a, b} {
		for _, part := range list {
			if isContainer(part) {
				return extent{}, false
			}
			e.size += plainSize(part)
		}
	}
	return e, true
}

// parts returns what a container holds; it may alias.
func parts(v any) (a, b []any) {
	switch v := v.(type) {
	case *List:
		return v.Items, nil
	case *Tuple:
		return v.Items, nil
	case *Set:
		return v.Items, nil
	case *Dict:
		return v.Keys, v.Values
	case *Object:
		if v.Items == nil && v.Kwargs == nil {
			return v.Args, []any{v.State}
		}
		b = []any{v.State}
		if v.Items != nil {
			b = append(b, v.Items)
		}
		if v.Kwargs != nil {
			b = append(b, v.Kwargs)
		}
		return v.Args, b
	case *npy.Array:
		return v.Objects, nil
	case *npy.Masked:
		return []any{v.Data}, []any{v.Fill}
	}
	return nil, nil
}
