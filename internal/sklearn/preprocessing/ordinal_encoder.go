package preprocessing

import (
	"math"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// OrdinalEncoder builds one number a category.
func OrdinalEncoder(r *base.Reader) (base.Estimator, error) {
	columns := readCategories(r)
	mappings, _ := groups(r, columns)
	missing := missingIndices(r, columns)
	dtype := readDtype(r)
	e := &ordinalEncoder{
		check: base.Check{Width: len(columns), Class: r.Class.Name},
		kind:  dtype.kind,
		// Before 1.0 missing values were refused, in fit as well.
		allowNaN: r.Has("_missing_indices"),
	}
	handle := r.String("handle_unknown")
	switch handle {
	case "error":
		e.closed = true
	case "use_encoded_value":
		e.unknown = r.Float("unknown_value")
	default:
		r.Errorf("handle_unknown is %q; error and use_encoded_value are supported", handle)
	}
	encodedMissing := math.NaN() // 1.0 has no other
	if r.Has("encoded_missing_value") {
		encodedMissing = r.Float("encoded_missing_value")
	}
	for j := range columns {
		o := ordinal{categories: columns[j], numbers: make([]float64, len(columns[j].values))}
		for i := range o.numbers {
			switch {
			case missing[j] == i:
				o.numbers[i] = encodedMissing
			case mappings[j] == nil:
				o.numbers[i] = float64(i)
			case i < len(mappings[j]):
				o.numbers[i] = float64(mappings[j][i])
			default:
				r.Errorf("column %d: category %d is in no group", j, i)
			}
		}
		if !dtype.holds(o.numbers...) {
			r.Errorf("column %d: dtype does not hold the numbers of all categories", j)
		}
		e.columns = append(e.columns, o)
	}
	if !e.closed && !dtype.holds(e.unknown) {
		r.Errorf("dtype does not hold unknown_value, which is %v", e.unknown)
	}
	e.input = columnInput(columns, r.FeatureNames(), e.closed, !e.closed)
	r.Note("features", len(columns))
	r.Note("categories", counts(columns))
	r.Note("unknown", handle)
	return e, r.Err()
}

// missingIndices reads which category of each column is NaN; -1 for none.
func missingIndices(r *base.Reader, columns []categories) []int {
	out := make([]int, len(columns))
	for j := range out {
		out[j] = -1
	}
	if !r.Has("_missing_indices") {
		return out
	}
	d, ok := r.Value("_missing_indices").(*pickle.Dict)
	if !ok {
		r.Errorf("attribute _missing_indices is %s, expected a dict", pickle.TypeName(r.Value("_missing_indices")))
		return out
	}
	for k := range d.Keys {
		j, ok := d.Keys[k].(int64)
		i, isInt := d.Values[k].(int64)
		if !ok || !isInt || j < 0 || j >= int64(len(columns)) || i < 0 || i >= int64(len(columns[j].values)) {
			r.Errorf("attribute _missing_indices has the entry %v: %v", d.Keys[k], d.Values[k])
			return out
		}
		out[j] = int(i)
	}
	return out
}

// ordinal is one column.
type ordinal struct {
	categories
	numbers []float64 // of each category
}

type ordinalEncoder struct {
	check    base.Check
	input    base.Input
	columns  []ordinal
	kind     frame.Kind
	closed   bool // unknown categories are refused
	unknown  float64
	allowNaN bool
}

func (e *ordinalEncoder) Input() base.Input { return e.input }

func (e *ordinalEncoder) Outputs() []frame.Output { return transforms(e.kind, len(e.columns)) }

func (e *ordinalEncoder) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	if err := e.check.Shape(x); err != nil {
		return err
	}
	y := frame.Array{Rows: x.Rows, Cols: len(e.columns), Kind: e.kind}
	var err error
	switch n := x.Rows * y.Cols; e.kind {
	case frame.Int64:
		y.Ints = a.Ints(n)
		err = encodeOrdinal(e, x, y.Ints, func(f float64) int64 { return int64(f) })
	case frame.Boolean:
		y.Bools = a.Bools(n)
		err = encodeOrdinal(e, x, y.Bools, func(f float64) bool { return f != 0 })
	default:
		y.Floats = a.Floats(n)
		err = encodeOrdinal(e, x, y.Floats, func(f float64) float64 { return f })
	}
	answer(out, y)
	return err
}

func encodeOrdinal[T any](e *ordinalEncoder, x *frame.Frame, dst []T, convert func(float64) T) error {
	for j := range e.columns {
		o := &e.columns[j]
		for i := range x.Rows {
			v := x.Value(i, j)
			if reason := finite(x, j, v, e.check.Class, e.allowNaN); reason != "" {
				return &frame.InputError{Row: i, Column: j, Name: e.input.Features[j].Name, Reason: reason}
			}
			number := e.unknown
			if code, ok := o.code(v); ok {
				number = o.numbers[code]
			} else if e.closed {
				return o.unknownError(e.check.Class, i, j, e.input.Features[j].Name, v)
			}
			dst[i*len(e.columns)+j] = convert(number)
		}
	}
	return nil
}
