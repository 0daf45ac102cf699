package preprocessing

import (
	"fmt"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// OneHotEncoder builds one column a category. What scikit-learn answers as a
// sparse matrix is dense here.
func OneHotEncoder(r *base.Reader) (base.Estimator, error) {
	columns := readCategories(r)
	handle := r.String("handle_unknown")
	mappings, infrequent := groups(r, columns)
	drops := dropped(r, len(columns))
	kind := readDtype(r).kind
	if r.Err() != nil {
		return nil, r.Err()
	}
	e := &oneHotEncoder{
		check: base.Check{Width: len(columns), Class: r.Class.Name},
		kind:  kind,
	}
	closed := false
	switch handle {
	case "error":
		closed = true
	case "ignore":
	case "infrequent_if_exist":
	case "warn": // behaves as announced only since 1.8
	default:
		return nil, r.Errorf("handle_unknown is %q; error, ignore, infrequent_if_exist and warn are supported", handle)
	}
	toInfrequent := handle == "infrequent_if_exist" || handle == "warn" && r.Since(1, 8)
	for j := range columns {
		h := hot{categories: columns[j], unknown: nowhere}
		switch {
		case closed:
			h.unknown = refused
		case toInfrequent && infrequent[j] >= 0:
			h.unknown = int32(infrequent[j])
		}
		if err := h.place(int32(e.cols), mappings[j], drops[j]); err != nil {
			return nil, r.Errorf("column %d: %v", j, err)
		}
		e.columns = append(e.columns, h)
		e.cols += h.width
	}
	e.input = columnInput(columns, r.FeatureNames(), closed, !closed)
	r.Note("features", len(columns))
	r.Note("categories", counts(columns))
	r.Note("unknown", handle)
	r.Note("columns", e.cols)
	return e, r.Err()
}

// Places of a category that are not a column of the answer.
const (
	nowhere int32 = -1 // all columns stay 0
	refused int32 = -2 // the input is refused
)

// hot is one column of the input.
type hot struct {
	categories
	places  []int32 // of each category: a column of the answer, or nowhere
	unknown int32   // a column of the answer, nowhere or refused
	width   int     // columns of the answer
}

// place gives every group of categories a column of the answer, from column at
// on, but for the dropped one. mapping is nil if every category is a group;
// drop is a group, or -1. Until then, unknown is a group.
func (h *hot) place(at int32, mapping []int64, drop int64) error {
	n := int64(len(h.values))
	if mapping != nil {
		if len(mapping) != len(h.values) {
			return fmt.Errorf("%d groups for %d categories", len(mapping), n)
		}
		n = 0
		for _, g := range mapping {
			n = max(n, g+1)
		}
	}
	if drop >= n {
		return fmt.Errorf("the dropped category is %d of %d", drop, n)
	}
	column := func(group int64) int32 {
		switch {
		case group == drop:
			return nowhere
		case drop >= 0 && group > drop:
			group--
		}
		return at + int32(group)
	}
	h.places = make([]int32, len(h.values))
	for i := range h.places {
		group := int64(i)
		if mapping != nil {
			group = mapping[i]
		}
		h.places[i] = column(group)
	}
	if h.unknown >= 0 {
		h.unknown = column(int64(h.unknown))
	}
	h.width = int(n)
	if drop >= 0 {
		h.width--
	}
	return nil
}

// dropped reads which group of each column has no column of its own; -1 for none.
func dropped(r *base.Reader, n int) []int64 {
	out := make([]int64, n)
	for j := range out {
		out[j] = -1
	}
	// Since 1.2 drop_idx_ is a category; before, it was a group already.
	name := "drop_idx_"
	if r.Has("_drop_idx_after_grouping") {
		name = "_drop_idx_after_grouping"
	}
	if !r.Has(name) {
		return out
	}
	var items []any
	if a, ok := r.Value(name).(*npy.Array); ok && a.Dtype.Kind != 'O' {
		for _, i := range integers(r, name, a) {
			items = append(items, i)
		}
	} else {
		items = r.Items(name)
	}
	if len(items) != n {
		r.Errorf("attribute %s has %d elements, there are %d columns", name, len(items), n)
		return out
	}
	for j, item := range items {
		if item == nil {
			continue
		}
		i, ok := item.(int64)
		if !ok || i < 0 {
			r.Errorf("attribute %s[%d] is %v, expected an index", name, j, item)
			return out
		}
		out[j] = i
	}
	return out
}

// counts is the number of categories of each column.
func counts(columns []categories) []int {
	out := make([]int, len(columns))
	for j := range columns {
		out[j] = len(columns[j].values)
	}
	return out
}

type oneHotEncoder struct {
	check   base.Check
	input   base.Input
	columns []hot
	cols    int // of the answer
	kind    frame.Kind
}

func (e *oneHotEncoder) Input() base.Input { return e.input }

func (e *oneHotEncoder) Outputs() []frame.Output { return transforms(e.kind, e.cols) }

func (e *oneHotEncoder) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	if err := e.check.Shape(x); err != nil {
		return err
	}
	y := frame.Array{Rows: x.Rows, Cols: e.cols, Kind: e.kind}
	var err error
	switch n := x.Rows * e.cols; e.kind {
	case frame.Int64:
		y.Ints = a.Ints(n)
		err = encodeHot(e, x, y.Ints, 1)
	case frame.Boolean:
		y.Bools = a.Bools(n)
		err = encodeHot(e, x, y.Bools, true)
	default:
		y.Floats = a.Floats(n)
		err = encodeHot(e, x, y.Floats, 1)
	}
	answer(out, y)
	return err
}

// encodeHot sets one cell of dst, which is zero, for every cell of x.
func encodeHot[T any](e *oneHotEncoder, x *frame.Frame, dst []T, one T) error {
	for j := range e.columns {
		h := &e.columns[j]
		for i := range x.Rows {
			v := x.Value(i, j)
			if reason := finite(x, j, v, e.check.Class, true); reason != "" {
				return &frame.InputError{Row: i, Column: j, Name: e.input.Features[j].Name, Reason: reason}
			}
			place := h.unknown
			if code, ok := h.code(v); ok {
				place = h.places[code]
			}
			switch place {
			case nowhere:
			case refused:
				return h.unknownError(e.check.Class, i, j, e.input.Features[j].Name, v)
			default:
				dst[i*e.cols+int(place)] = one
			}
		}
	}
	return nil
}
