package pickle

import "mizzen.dev/internal/format/npy"

// checkDepth refuses values that are nested more than limit deep, so that
// whoever walks them can recurse. A container that holds itself adds nothing:
// cycles have to be met by who walks. It runs in time proportional to the
// number of containers, and on a stack of its own.
func checkDepth(root any, limit int) error {
	type visit struct {
		container any
		parts     []any
		next      int
		height    int // of the parts seen so far
	}
	const open = -1
	heights := make(map[any]int) // of containers; open: being walked
	var path []visit
	tooDeep := &LimitError{What: "levels of nesting", Limit: int64(limit), Flag: "--max-depth"}
	enter := func(v any) {
		heights[v] = open
		path = append(path, visit{container: v, parts: parts(v)})
	}
	if !isContainer(root) {
		return nil
	}
	enter(root)
	for len(path) > 0 {
		if len(path) > limit {
			return tooDeep
		}
		at := &path[len(path)-1]
		if at.next < len(at.parts) {
			part := at.parts[at.next]
			at.next++
			if !isContainer(part) {
				continue
			}
			height, seen := heights[part]
			switch {
			case !seen:
				enter(part)
			case height != open:
				if len(path)+height > limit {
					return tooDeep
				}
				at.height = max(at.height, height)
			}
			continue
		}
		height := at.height + 1
		heights[at.container] = height
		path = path[:len(path)-1]
		if len(path) > 0 {
			parent := &path[len(path)-1]
			parent.height = max(parent.height, height)
		}
	}
	return nil
}

// isContainer reports whether v holds other values.
func isContainer(v any) bool {
	switch v := v.(type) {
	case *List, *Tuple, *Set, *Dict, *Object:
		return true
	case *npy.Array:
		return v.Objects != nil
	case *npy.Masked:
		return true
	}
	return false
}

// parts returns what a container holds; it may alias.
func parts(v any) []any {
	switch v := v.(type) {
	case *List:
		return v.Items
	case *Tuple:
		return v.Items
	case *Set:
		return v.Items
	case *Dict:
		return append(v.Keys[:len(v.Keys):len(v.Keys)], v.Values...)
	case *Object:
		out := append(v.Args[:len(v.Args):len(v.Args)], v.State)
		if v.Items != nil {
			out = append(out, v.Items)
		}
		if v.Kwargs != nil {
			out = append(out, v.Kwargs)
		}
		return out
	case *npy.Array:
		return v.Objects
	case *npy.Masked:
		return []any{v.Data, v.Fill}
	}
	return nil
}
