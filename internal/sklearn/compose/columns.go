package compose

import (
	"fmt"
	"slices"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// table is what column specifications refer to: the columns of the training data.
type table struct {
	width int
	names []string       // empty if they had none
	index map[string]int // of the names
}

// name gives the columns names. Of two that are the same the first one is meant.
func (t *table) name(names []string) {
	t.names, t.index = names, make(map[string]int, len(names))
	for j, name := range slices.Backward(names) {
		t.index[name] = j
	}
}

// resolve returns the positions that a column specification selects, by the
// rules of sklearn.utils._indexing._get_column_indices: a position (negative
// ones count from the end), a name, a slice of either, a list of either, or a
// boolean mask.
func (t table) resolve(spec any) ([]int, error) {
	switch v := spec.(type) {
	case string, int64:
		j, err := t.position(v)
		return []int{j}, err
	case *pickle.Object:
		return t.object(v)
	case *pickle.List, *pickle.Tuple, *npy.Array:
		cells, err := base.Cells(v)
		if err != nil {
			return nil, err
		}
		return t.list(cells)
	}
	return nil, fmt.Errorf("columns given as %s are not supported", pickle.TypeName(spec))
}

// object resolves what is no plain value in a pickle.
func (t table) object(o *pickle.Object) ([]int, error) {
	switch o.Class {
	case pickle.Global{Module: "builtins", Name: "slice"}, pickle.Global{Module: "__builtin__", Name: "slice"}:
		if len(o.Args) != 3 {
			return nil, fmt.Errorf("a slice has %d parts, expected 3", len(o.Args))
		}
		return t.slice(o.Args[0], o.Args[1], o.Args[2])
	case pickle.Global{Module: "sklearn.compose._column_transformer", Name: "_RemainderColsList"}:
		if data, ok := o.Attr("data"); ok {
			return t.resolve(data)
		}
	case pickle.Global{Module: "pandas.core.indexes.base", Name: "_new_Index"}:
		if len(o.Args) == 2 {
			if state, ok := o.Args[1].(*pickle.Dict); ok {
				if data, ok := state.Get("data"); ok {
					return t.resolve(data)
				}
			}
		}
	}
	return nil, fmt.Errorf("columns given as %s are not supported", pickle.TypeName(o))
}

func (t table) list(cells []frame.Value) ([]int, error) {
	mask := len(cells) > 0 && !slices.ContainsFunc(cells, func(c frame.Value) bool { return c.Kind() != frame.KindBool })
	if mask && len(cells) != t.width {
		return nil, fmt.Errorf("a mask of %d columns does not fit %d features", len(cells), t.width)
	}
	positions := make([]int, 0, len(cells))
	for i, c := range cells {
		if mask {
			if on, _ := c.Truth(); on {
				positions = append(positions, i)
			}
			continue
		}
		var key any
		if n, ok := c.Int64(); ok {
			key = n
		} else if s, ok := c.Text(); ok {
			key = s
		}
		j, err := t.position(key)
		if err != nil {
			return nil, err
		}
		positions = append(positions, j)
	}
	return positions, nil
}

// position resolves one name or number.
func (t table) position(key any) (int, error) {
	switch v := key.(type) {
	case int64:
		if v < -int64(t.width) || v >= int64(t.width) {
			return 0, fmt.Errorf("column %d is not among %d features", v, t.width)
		}
		if v < 0 {
			v += int64(t.width)
		}
		return int(v), nil
	case string:
		j, ok := t.index[v]
		if !ok {
			return 0, fmt.Errorf("column %q is not among the features of the training data", v)
		}
		return j, nil
	}
	return 0, fmt.Errorf("a column is given as %s, expected a name or a position", pickle.TypeName(key))
}

// slice resolves a slice. One of names includes its end, as in pandas.
func (t table) slice(start, stop, step any) ([]int, error) {
	_, named := start.(string)
	if _, ok := stop.(string); ok {
		named = true
	}
	stride := int64(1)
	if step != nil {
		var ok bool
		if stride, ok = step.(int64); !ok || stride == 0 {
			return nil, fmt.Errorf("the step of a slice is %s, expected an int other than 0", pickle.TypeName(step))
		}
	}
	lo, hi := 0, t.width
	if stride < 0 {
		lo, hi = t.width-1, -1
	}
	if named {
		if stride < 0 {
			return nil, fmt.Errorf("a slice of column names that goes backwards is not supported")
		}
		var err error
		if start != nil {
			if lo, err = t.position(start); err != nil {
				return nil, err
			}
		}
		if stop != nil {
			if hi, err = t.position(stop); err != nil {
				return nil, err
			}
			hi++
		}
		stride = 1 // scikit-learn does not look at the step of such a slice
	} else {
		var err error
		if lo, err = t.bound(start, lo, stride < 0); err != nil {
			return nil, err
		}
		if hi, err = t.bound(stop, hi, stride < 0); err != nil {
			return nil, err
		}
	}
	positions := []int{}
	for j := int64(lo); j != int64(hi) && (j < int64(hi)) == (stride > 0) && j >= 0 && j < int64(t.width); j += stride {
		positions = append(positions, int(j))
	}
	return positions, nil
}

// bound clips one end of a slice of positions as Python's slice.indices does.
func (t table) bound(v any, unset int, backwards bool) (int, error) {
	if v == nil {
		return unset, nil
	}
	i, ok := v.(int64)
	if !ok {
		return 0, fmt.Errorf("an end of a slice is %s, expected an int or a str", pickle.TypeName(v))
	}
	least, most := int64(0), int64(t.width)
	if backwards {
		least, most = -1, int64(t.width)-1
	}
	if i < 0 {
		i += int64(t.width)
	}
	return int(min(max(i, least), most)), nil
}
