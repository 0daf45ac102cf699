package pickle

import "mizzen.dev/internal/format/npy"

// checkDepth refuses values that are nested more than limit deep, so that
// whoever walks them can recurse. A container that holds itself adds nothing:
// cycles have to be met by who walks. It runs in time proportional to the
// number of containers, and on a stack of its own.
func checkDepth(root any, limit int) error {
	w := walk{heights: make(map[any]int)}
	if isContainer(root) {
		w.enter(root)
	}
	for len(w.path) > 0 {
		if len(w.path) > limit {
			return tooDeep(limit)
		}
		at := &w.path[len(w.path)-1]
		part, ok := at.next()
		if !ok {
			w.leave()
			continue
		}
		height, seen := 1, true
		if !isFlat(part) {
			height, seen = w.heights[part]
		}
		switch {
		case !seen:
			w.enter(part)
		case height == open:
		case len(w.path)+height > limit:
			return tooDeep(limit)
		default:
			at.height = max(at.height, height)
		}
	}
	return nil
}

func tooDeep(limit int) error {
	return &LimitError{What: "levels of nesting", Limit: int64(limit), Flag: "--max-depth"}
}

// walk is the path from the root to a container, and the heights of all
// containers that were left.
type walk struct {
	path    []visit
	heights map[any]int
}

// visit is a container on the path, and which of its parts come next.
type visit struct {
	container     any
	parts, parts2 []any
	height        int // of the parts seen so far
}

// open is the height of a container on the path.
const open = -1

func (w *walk) enter(container any) {
	w.heights[container] = open
	v := visit{container: container}
	v.parts, v.parts2 = parts(container)
	w.path = append(w.path, v)
}

func (w *walk) leave() {
	at := w.path[len(w.path)-1]
	w.heights[at.container] = at.height + 1
	w.path = w.path[:len(w.path)-1]
	if n := len(w.path); n > 0 {
		parent := &w.path[n-1]
		parent.height = max(parent.height, at.height+1)
	}
}

// next returns the next part that is a container itself.
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
	}
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

// isFlat reports whether a container is small and holds no other one: it needs
// no entry among the heights.
func isFlat(v any) bool {
	const small = 8
	a, b := parts(v)
	if len(a)+len(b) > small {
		return false
	}
	for _, part := range a {
		if isContainer(part) {
			return false
		}
	}
	for _, part := range b {
		if isContainer(part) {
			return false
		}
	}
	return true
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
