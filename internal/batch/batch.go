// Package batch predicts the rows of a file of any length in bounded memory: a
// [Source] reads rows of CSV or JSON lines, a [Sink] writes the answers in the
// same form.
package batch

import (
	"context"
	"errors"
	"fmt"
	"io"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// Bounds of what is held at a time.
const (
	maxRows   = 4096
	maxCells  = 1 << 20
	maxRecord = 4 << 20 // bytes of one row in a file
)

// Predictor is a model: [model.Model] is one.
type Predictor interface {
	Signature() *model.Signature
	Predict(ctx context.Context, a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error
}

// Source reads rows.
type Source interface {
	// Next reads a row into rows. At the end it returns io.EOF; any other error
	// says what is wrong with the row, and ends the reading. more is false if the
	// next row has not come yet: what was read should be answered first.
	Next(rows *Rows) (more bool, err error)
}

// Sink writes answers.
type Sink interface {
	// Write writes the answers of the methods for all rows.
	Write(out []frame.Array, rows int) error
}

// RowError says which line of the input is wrong.
type RowError struct {
	Line int // of the row's first byte, from 1
	Err  error
}

func (e *RowError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *RowError) Unwrap() error { return e.Err }

// Run predicts all rows of src and writes the answers to dst, in order. If a row
// is wrong, the answers of those before it are written, and the error names it.
func Run(ctx context.Context, m Predictor, methods []frame.Method, src Source, dst Sink) error {
	var arena frame.Arena
	rows := newRows(m.Signature())
	for {
		more, err := true, error(nil)
		for more && err == nil && !rows.full() {
			more, err = src.Next(rows)
		}
		if failed := answer(ctx, m, methods, &arena, rows, dst); failed != nil {
			return failed
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		rows.reset()
	}
}

func answer(ctx context.Context, m Predictor, methods []frame.Method, arena *frame.Arena, rows *Rows, dst Sink) error {
	if len(rows.lines) == 0 {
		return nil
	}
	defer arena.Reset()
	x := rows.frame(arena)
	out := arena.Arrays(len(methods))
	err := m.Predict(ctx, arena, &x, methods, out)
	var input *frame.InputError
	if errors.As(err, &input) && input.Row >= 0 && input.Row < len(rows.lines) {
		return rows.explain(ctx, m, methods, arena, dst, input)
	}
	if err != nil {
		return err
	}
	return dst.Write(out, x.Rows)
}

// explain names the line of a row that the model refuses, once those before it
// are answered.
func (r *Rows) explain(ctx context.Context, m Predictor, methods []frame.Method, arena *frame.Arena, dst Sink, input *frame.InputError) error {
	line := r.lines[input.Row]
	r.truncate(input.Row)
	if err := answer(ctx, m, methods, arena, r, dst); err != nil {
		return err
	}
	cell := *input
	cell.Row = -1
	return &RowError{Line: line, Err: &cell}
}

// Rows collects rows, in training order.
type Rows struct {
	sig   *model.Signature
	lines []int // of each row
	cols  int
	// The cells, row-major: numbers of a model that takes nothing else, cells of
	// any other.
	floats []float64
	cells  []frame.Value
}

func newRows(sig *model.Signature) *Rows {
	r := &Rows{sig: sig, cols: sig.Width}
	if sig.Values {
		r.cols = 1
	}
	return r
}

func (r *Rows) full() bool {
	return len(r.lines) >= maxRows || len(r.floats)+len(r.cells) >= maxCells
}

func (r *Rows) reset() {
	r.lines, r.floats = r.lines[:0], r.floats[:0]
	clear(r.cells)
	r.cells = r.cells[:0]
}

func (r *Rows) truncate(n int) {
	r.lines = r.lines[:n]
	if r.dense() {
		r.floats = r.floats[:n*r.cols]
	} else {
		r.cells = r.cells[:n*r.cols]
	}
}

func (r *Rows) dense() bool { return r.sig.Numeric }

// column returns the type of column j.
func (r *Rows) column(j int) frame.Type {
	switch {
	case r.dense():
		return frame.Number
	case j < len(r.sig.Features):
		return r.sig.Features[j].Type
	}
	return frame.Any
}

// width checks the width of a row. A model that takes any number of columns takes
// that of the first row.
func (r *Rows) width(got int) error {
	if r.cols < 0 {
		r.cols = got
	}
	if got != r.cols {
		return fmt.Errorf("has %d values, expected %d", got, r.cols)
	}
	return nil
}

// frame returns the rows as the model takes them.
func (r *Rows) frame(arena *frame.Arena) frame.Frame {
	n := len(r.lines)
	if r.dense() {
		return frame.Matrix(r.floats, n, r.cols)
	}
	x := frame.Frame{Rows: n, Cols: r.cols, Columns: arena.Columns(r.cols)}
	for j := range x.Columns {
		if r.column(j) == frame.Number {
			floats := arena.Floats(n)
			for i := range floats {
				floats[i], _ = r.cells[i*r.cols+j].Float64()
			}
			x.Columns[j].Floats = floats
			continue
		}
		objects := arena.Values(n)
		for i := range objects {
			objects[i] = r.cells[i*r.cols+j]
		}
		x.Columns[j].Objects = objects
	}
	return x
}
