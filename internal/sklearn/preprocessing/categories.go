package preprocessing

import (
	"fmt"
	"math"
	"strings"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// categories are the values of one column that an encoder learned.
type categories struct {
	values []frame.Value
	// codes maps the key of a value to its position: equality is Python's, and
	// all NaNs are one.
	codes map[frame.Value]int32
}

// readCategories reads categories_: one array a column.
func readCategories(r *base.Reader) []categories {
	items := r.Items("categories_")
	if len(items) == 0 {
		r.Errorf("attribute categories_ is empty")
	}
	out := make([]categories, len(items))
	for j, item := range items {
		values, err := base.Cells(item)
		if err != nil {
			r.Errorf("attribute categories_[%d]: %v", j, err)
			return nil
		}
		if len(values) == 0 {
			r.Errorf("attribute categories_[%d] is empty", j)
			return nil
		}
		out[j] = newCategories(values)
	}
	r.Width(len(out))
	return out
}

func newCategories(values []frame.Value) categories {
	c := categories{values, make(map[frame.Value]int32, len(values))}
	for i, v := range values {
		c.codes[v.Key()] = int32(i)
	}
	return c
}

// code returns the position of a value.
func (c *categories) code(v frame.Value) (int32, bool) {
	i, ok := c.codes[v.Key()]
	return i, ok
}

// feature describes a column that takes these values. closed is true if others
// are refused; missing, if NaN and None pass though they are not among them.
func (c *categories) feature(closed, missing bool) frame.Feature {
	f := frame.Feature{Type: c.kind(), Missing: missing, Categories: c.values, Closed: closed, Example: c.values[0]}
	for _, v := range c.values {
		if v.IsNone() || v.IsNaN() {
			f.Missing = true
		}
	}
	return f
}

// kind is Number or Text if all values but the missing ones are. Numbers beside
// None are of any type, for null is NaN in a column of numbers; so are integers
// that float64 does not hold.
func (c *categories) kind() frame.Type {
	var numbers, texts, nones int
	for _, v := range c.values {
		switch v.Kind() {
		case frame.KindInt:
			if v.Key().Kind() == frame.KindInt {
				return frame.Any
			}
			numbers++
		case frame.KindFloat:
			if !v.IsNaN() {
				numbers++
			}
		case frame.KindString:
			texts++
		case frame.KindNone:
			nones++
		default:
			return frame.Any
		}
	}
	switch {
	case numbers > 0 && texts == 0 && nones == 0:
		return frame.Number
	case texts > 0 && numbers == 0:
		return frame.Text
	}
	return frame.Any
}

// maxListed is the number of known categories that an error lists.
const maxListed = 6

// unknownError says that a value is not among the categories.
func (c *categories) unknownError(class string, row, column int, name string, v frame.Value) error {
	var known strings.Builder
	for i, k := range c.values {
		if i == maxListed {
			fmt.Fprintf(&known, " and %d more", len(c.values)-i)
			break
		}
		if i > 0 {
			known.WriteString(", ")
		}
		known.WriteString(k.String())
	}
	return &frame.InputError{Row: row, Column: column, Name: name, Reason: fmt.Sprintf("unknown category %s: %s knows %s", v, class, &known)}
}

// columnInput is the input of an encoder with these columns.
func columnInput(columns []categories, names []string, closed, missing bool) base.Input {
	in := base.Input{Width: len(columns), Features: make([]frame.Feature, len(columns))}
	for j := range columns {
		in.Features[j] = columns[j].feature(closed, missing)
		if len(names) == len(columns) {
			in.Features[j].Name = names[j]
		}
	}
	return in
}

// finite is what check_array does to a cell of an encoder: infinities among
// numbers are refused, and NaN by those that take none. Objects are not searched
// for infinities.
func finite(x *frame.Frame, j int, v frame.Value, class string, allowNaN bool) string {
	f, ok := v.Float64()
	switch {
	case !ok:
	case math.IsNaN(f) && !allowNaN:
		return class + " takes no missing value (NaN) here; put a SimpleImputer before it"
	case math.IsInf(f, 0) && (x.Columns == nil || x.Columns[j].Floats != nil):
		return class + " takes no infinity"
	}
	return ""
}

// groups reads the mapping from categories to groups of an encoder that puts
// infrequent ones together (since 1.1; OrdinalEncoder since 1.3): for every
// column the group of each category and the group of the infrequent ones, or nil
// and -1 where nothing was put together.
func groups(r *base.Reader, columns []categories) (mappings [][]int64, infrequent []int64) {
	mappings, infrequent = make([][]int64, len(columns)), make([]int64, len(columns))
	for j := range infrequent {
		infrequent[j] = -1
	}
	if !r.BoolOr("_infrequent_enabled", false) {
		return mappings, infrequent
	}
	maps, rare := r.Items("_default_to_infrequent_mappings"), r.Items("_infrequent_indices")
	if len(maps) != len(columns) || len(rare) != len(columns) {
		r.Errorf("infrequent categories are listed for %d and %d columns, there are %d", len(maps), len(rare), len(columns))
		return mappings, infrequent
	}
	for j := range columns {
		if maps[j] == nil && rare[j] == nil {
			continue
		}
		where := fmt.Sprintf("_default_to_infrequent_mappings[%d]", j)
		mapping, first := integers(r, where, maps[j]), integers(r, fmt.Sprintf("_infrequent_indices[%d]", j), rare[j])
		if r.Err() != nil {
			return mappings, infrequent
		}
		// A NaN among the categories of an OrdinalEncoder has no group.
		if n := len(columns[j].values); len(mapping) != n && len(mapping) != n-1 || len(first) == 0 || first[0] < 0 || first[0] >= int64(len(mapping)) {
			r.Errorf("%s does not fit %d categories", where, n)
			return mappings, infrequent
		}
		for _, g := range mapping {
			if g < 0 || g >= int64(len(mapping)) {
				r.Errorf("%s names the group %d", where, g)
				return mappings, infrequent
			}
		}
		mappings[j], infrequent[j] = mapping, mapping[first[0]]
	}
	return mappings, infrequent
}

func integers(r *base.Reader, where string, v any) []int64 {
	a, ok := v.(*npy.Array)
	if !ok {
		r.Errorf("attribute %s is %s, expected an array", where, pickle.TypeName(v))
		return nil
	}
	n, err := a.Int64s()
	if err != nil {
		r.Errorf("attribute %s: %v", where, err)
	}
	return n
}
