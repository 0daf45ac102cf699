package base

import (
	"errors"
	"fmt"

	"mizzen.dev/model/frame"
)

// Transforms is what composed estimators ask of their parts.
var Transforms = []frame.Method{frame.Transform}

// Identity reports whether the estimator answers its input, whatever it is: a
// FunctionTransformer without a function. Compositions treat it as
// "passthrough".
func Identity(est Estimator) bool {
	i, ok := est.(interface{ Identity() bool })
	return ok && i.Identity()
}

// Passer is a transformer that hands on some columns of its input unchanged.
// What stands behind it says what these columns may hold.
type Passer interface {
	Estimator
	// Passes returns, for every column of transform's answer, the position of
	// the input column that it is, or -1 if it was computed. Nil if the number
	// of columns is not known.
	Passes() []int
	// Narrow returns the transformer for columns of which more is known:
	// features has an entry a column of the input.
	Narrow(features []frame.Feature) Estimator
}

// Output returns the description of one method of an estimator.
func Output(est Estimator, m frame.Method) (frame.Output, bool) {
	for _, o := range est.Outputs() {
		if o.Method == m {
			return o, true
		}
	}
	return frame.Output{}, false
}

// Demands collects what several estimators ask of the same columns.
type Demands struct {
	features []frame.Feature
	used     []bool
}

// NewDemands returns the demands on n columns, which nobody has asked for yet.
func NewDemands(n int) *Demands {
	return &Demands{make([]frame.Feature, n), make([]bool, n)}
}

// Add says that an estimator takes f at column j. A column that several take
// must suit all of them; where one takes numbers and one strings the column is
// of any type.
func (d *Demands) Add(j int, f frame.Feature) {
	if f.Unused {
		return
	}
	have := &d.features[j]
	if !d.used[j] {
		d.used[j] = true
		f.Name = ""
		*have = f
		return
	}
	switch {
	case have.Type == frame.Any && have.Categories == nil:
		have.Type = f.Type
	case f.Type == frame.Any && f.Categories == nil:
	case have.Type != f.Type:
		have.Type = frame.Any
	}
	have.Missing = have.Missing && f.Missing
	if have.Categories == nil || f.Closed && !have.Closed {
		have.Categories, have.Closed = f.Categories, f.Closed
		if !f.Example.IsNone() {
			have.Example = f.Example
		}
	}
}

// Feature returns what column j takes; ok is false if nobody asked for it.
func (d *Demands) Feature(j int) (f frame.Feature, ok bool) { return d.features[j], d.used[j] }

// Pass returns the columns of x as an array of kind Float64 or Object.
func Pass(a *frame.Arena, x *frame.Frame, kind frame.Kind) (frame.Array, error) {
	out := frame.Array{Rows: x.Rows, Cols: x.Cols, Kind: kind}
	if kind == frame.Object {
		out.Values = a.Values(x.Rows * x.Cols)
		for i := range x.Rows {
			for j := range x.Cols {
				out.Values[i*x.Cols+j] = x.Value(i, j)
			}
		}
		return out, nil
	}
	var err error
	out.Floats, err = Check{Width: -1, AllowInf: true}.Dense(a, x)
	return out, err
}

// Stack puts blocks of columns side by side in one matrix of the given kind:
// Float64, Int64, Boolean or Object, as numpy's hstack does when it has found
// the common type.
func Stack(a *frame.Arena, rows int, blocks []frame.Array, kind frame.Kind) (frame.Array, error) {
	out := frame.Array{Rows: rows, Kind: kind}
	for i := range blocks {
		out.Cols += blocks[i].Width()
	}
	n := rows * out.Cols
	switch kind {
	case frame.Float64:
		out.Floats = a.Floats(n)
	case frame.Int64:
		out.Ints = a.Ints(n)
	case frame.Boolean:
		out.Bools = a.Bools(n)
	case frame.Object:
		out.Values = a.Values(n)
	default:
		return out, fmt.Errorf("columns of kind %d cannot be put side by side", kind)
	}
	at := 0
	for i := range blocks {
		if err := put(&out, at, &blocks[i]); err != nil {
			return out, err
		}
		at += blocks[i].Width()
	}
	return out, nil
}

// put copies a block into out, from column at.
func put(out *frame.Array, at int, b *frame.Array) error {
	w := b.Width()
	for i := range out.Rows {
		row := i*out.Cols + at
		switch {
		case out.Kind == frame.Float64 && b.Kind == frame.Float64:
			copy(out.Floats[row:row+w], b.Floats[i*w:])
		case out.Kind == frame.Float64:
			for j := range w {
				f, ok := Number(b.At(i*w + j))
				if !ok {
					return &frame.InputError{Row: i, Column: -1, Reason: fmt.Sprintf("expected a number, found %s", b.At(i*w+j))}
				}
				out.Floats[row+j] = f
			}
		case out.Kind == frame.Int64 && b.Kind == frame.Int64:
			copy(out.Ints[row:row+w], b.Ints[i*w:])
		case out.Kind == frame.Int64 && b.Kind == frame.Boolean:
			for j := range w {
				if b.Bools[i*w+j] {
					out.Ints[row+j] = 1
				}
			}
		case out.Kind == frame.Boolean && b.Kind == frame.Boolean:
			copy(out.Bools[row:row+w], b.Bools[i*w:])
		case out.Kind == frame.Object:
			for j := range w {
				out.Values[row+j] = b.At(i*w + j)
			}
		default:
			return fmt.Errorf("kind %d does not fit into kind %d", b.Kind, out.Kind)
		}
	}
	return nil
}

// StackKind returns the kind of blocks put side by side, as numpy promotes.
func StackKind(kinds ...frame.Kind) frame.Kind {
	rank := func(k frame.Kind) int {
		switch k {
		case frame.Boolean:
			return 0
		case frame.Int64:
			return 1
		case frame.Float64:
			return 2
		}
		return 3
	}
	order := [...]frame.Kind{frame.Boolean, frame.Int64, frame.Float64, frame.Object}
	top := 0
	for _, k := range kinds {
		top = max(top, rank(k))
	}
	return order[top]
}

// Scale multiplies a block by a transformer's weight.
func Scale(a *frame.Arena, b *frame.Array, weight float64) error {
	n := b.Rows * b.Width()
	floats := a.Floats(n)
	switch b.Kind {
	case frame.Float64:
		for i, v := range b.Floats {
			floats[i] = v * weight
		}
	default:
		for i := range n {
			f, ok := b.At(i).Float64()
			if !ok {
				return &frame.InputError{Row: i / b.Width(), Column: -1, Reason: fmt.Sprintf("%s cannot be multiplied by the transformer's weight", b.At(i))}
			}
			floats[i] = f * weight
		}
	}
	*b = frame.Array{Rows: b.Rows, Cols: b.Cols, Kind: frame.Float64, Floats: floats}
	return nil
}

// NextFrame returns what one step answered as the input of the next. It may
// alias out.
func NextFrame(a *frame.Arena, out *frame.Array) (*frame.Frame, error) {
	cols := out.Width()
	next := &a.Frames(1)[0]
	next.Rows, next.Cols = out.Rows, cols
	switch out.Kind {
	case frame.Float64:
		next.Dense = out.Floats
	case frame.Int64, frame.Boolean:
		next.Dense = a.Floats(out.Rows * cols)
		for i, v := range out.Ints {
			next.Dense[i] = float64(v)
		}
		for i, v := range out.Bools {
			if v {
				next.Dense[i] = 1
			}
		}
	case frame.Object, frame.Label:
		next.Columns = a.Columns(cols)
		cells := a.Values(out.Rows * cols)
		for j := range cols {
			column := cells[j*out.Rows : (j+1)*out.Rows : (j+1)*out.Rows]
			for i := range column {
				column[i] = out.At(i*cols + j)
			}
			next.Columns[j].Objects = column
		}
	default:
		return nil, fmt.Errorf("an answer of kind %d cannot be the input of another estimator", out.Kind)
	}
	return next, nil
}

// Relocate says where in the outer input an error stands that speaks of columns
// of an inner one. outer maps the columns; one that was computed (-1, or beyond
// the map) leaves only the row.
func Relocate(err error, outer []int) error {
	var input *frame.InputError
	if !errors.As(err, &input) || input.Column < 0 {
		return err
	}
	placed := *input
	placed.Name = ""
	if placed.Column < len(outer) {
		placed.Column = outer[placed.Column]
	} else {
		placed.Column = -1
	}
	return &placed
}
