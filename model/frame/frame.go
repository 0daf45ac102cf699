// Package frame holds what goes into a model and what comes out of it: a [Frame]
// of rows, an [Array] of answers, the cells ([Value]) of columns that are not
// numbers, and the [Arena] from which evaluators take their scratch memory.
package frame

import "fmt"

// Frame is a batch of rows. It is either a dense matrix of numbers (Dense is
// set) or a list of columns (Columns is set), never both. Columns stand in the
// order in which the model was trained.
type Frame struct {
	Rows, Cols int
	// Dense is row-major, Rows×Cols; NaN is a missing number.
	Dense []float64
	// Columns has Cols entries of Rows cells each.
	Columns []Column
}

// Column is one column of a [Frame]: numbers or cells of any type; exactly one
// of the two is set, unless the frame has no rows or the column was left out.
type Column struct {
	Floats  []float64 // NaN is a missing number
	Objects []Value   // None and NaN are told apart
}

// Absent reports whether the caller gave no such column. Only columns that the
// model does not look at may be absent.
func (c Column) Absent() bool { return c.Floats == nil && c.Objects == nil }

// Value returns the cell in row i.
func (c Column) Value(i int) Value {
	if c.Floats != nil {
		return Float(c.Floats[i])
	}
	if c.Objects != nil {
		return c.Objects[i]
	}
	return None()
}

// Matrix returns a frame over a row-major matrix; it does not copy.
func Matrix(data []float64, rows, cols int) Frame {
	return Frame{Rows: rows, Cols: cols, Dense: data}
}

// Check reports whether the frame holds as many cells as it says.
func (f *Frame) Check() error {
	if f.Columns == nil {
		if f.Rows < 0 || f.Cols < 0 || len(f.Dense) != f.Rows*f.Cols {
			return fmt.Errorf("a frame of %d rows and %d columns has %d numbers", f.Rows, f.Cols, len(f.Dense))
		}
		return nil
	}
	if len(f.Columns) != f.Cols {
		return fmt.Errorf("a frame of %d columns has %d", f.Cols, len(f.Columns))
	}
	for j, c := range f.Columns {
		if n := max(len(c.Floats), len(c.Objects)); !c.Absent() && n != f.Rows {
			return fmt.Errorf("column %d of a frame of %d rows has %d cells", j, f.Rows, n)
		}
	}
	return nil
}

// Value returns the cell in row i, column j.
func (f *Frame) Value(i, j int) Value {
	if f.Columns == nil {
		return Float(f.Dense[i*f.Cols+j])
	}
	return f.Columns[j].Value(i)
}

// Column returns column j; one of a dense frame is copied into a.
func (f *Frame) Column(a *Arena, j int) Column {
	if f.Columns != nil {
		return f.Columns[j]
	}
	out := a.Floats(f.Rows)
	for i := range out {
		out[i] = f.Dense[i*f.Cols+j]
	}
	return Column{Floats: out}
}

// Select returns the columns at the given positions, in that order.
func (f *Frame) Select(a *Arena, positions []int) Frame {
	out := Frame{Rows: f.Rows, Cols: len(positions)}
	if f.Columns != nil {
		out.Columns = a.Columns(len(positions))
		for k, j := range positions {
			out.Columns[k] = f.Columns[j]
		}
		return out
	}
	out.Dense = a.Floats(f.Rows * len(positions))
	for i := range f.Rows {
		row := f.Dense[i*f.Cols : (i+1)*f.Cols]
		for k, j := range positions {
			out.Dense[i*len(positions)+k] = row[j]
		}
	}
	return out
}

// Slice returns rows lo to hi as a frame over the same memory.
func (f *Frame) Slice(a *Arena, lo, hi int) Frame {
	out := Frame{Rows: hi - lo, Cols: f.Cols}
	if f.Columns == nil {
		out.Dense = f.Dense[lo*f.Cols : hi*f.Cols]
		return out
	}
	out.Columns = a.Columns(f.Cols)
	for j, c := range f.Columns {
		if c.Floats != nil {
			out.Columns[j].Floats = c.Floats[lo:hi]
		}
		if c.Objects != nil {
			out.Columns[j].Objects = c.Objects[lo:hi]
		}
	}
	return out
}

// InputError says which cell of the input the model refuses, and why. The
// protocols turn it into a path of their own, such as inputs[3][2].
type InputError struct {
	Row    int    // -1: the whole input
	Column int    // position in training order; -1: the whole row
	Name   string // the column's name, if it has one
	Reason string // what is wrong and what to do
}

func (e *InputError) Error() string {
	where := "the input"
	switch {
	case e.Row >= 0 && e.Column >= 0 && e.Name != "":
		where = fmt.Sprintf("row %d, column %q", e.Row, e.Name)
	case e.Row >= 0 && e.Column >= 0:
		where = fmt.Sprintf("row %d, column %d", e.Row, e.Column)
	case e.Row >= 0:
		where = fmt.Sprintf("row %d", e.Row)
	case e.Column >= 0 && e.Name != "":
		where = fmt.Sprintf("column %q", e.Name)
	case e.Column >= 0:
		where = fmt.Sprintf("column %d", e.Column)
	}
	return where + ": " + e.Reason
}
