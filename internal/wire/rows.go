package wire

import (
	"errors"
	"math"
	"slices"
	"strings"

	"mizzen.dev/model/frame"
)

// readRows reads the rows that root holds: one row, a list of rows, one record
// or a list of records. Where a row is one value a flat list is the samples.
func (r *Request) readRows(sc *scanner, root string) error {
	r.source.root = root
	switch sc.peek() {
	case '{':
		r.source.form = oneRecord
		r.Frame.Rows = 1
		return r.readRecord(sc, 0)
	case '[':
	default:
		return at(sc.expected("a row (a list), a list of rows, or records"), root)
	}
	sc.i++
	switch sc.peek() {
	case ']':
		sc.i++
		return invalid(root, "no rows: send at least one")
	case '[':
		r.source.form = rows
		return r.readList(sc, (*Request).readRow)
	case '{':
		r.source.form = records
		return r.readList(sc, (*Request).readRecord)
	}
	if r.Schema.Signature.Values {
		r.source.form = samples
		r.Frame.Cols = 1
		return r.readList(sc, (*Request).readSample)
	}
	r.source.form = oneRow
	r.Frame.Rows = 1
	return r.readCells(sc, 0)
}

// readList reads a list of rows behind its bracket.
func (r *Request) readList(sc *scanner, read func(r *Request, sc *scanner, row int) error) error {
	for n := 0; ; n++ {
		more, err := sc.element(n)
		if err != nil || !more {
			return at(err, r.source.root)
		}
		row := r.Frame.Rows
		if err := r.checkRows(r.source.root, row+1); err != nil {
			return err
		}
		r.Frame.Rows++
		if err := read(r, sc, row); err != nil {
			return err
		}
	}
}

// readRow reads one row of a list of rows.
func (r *Request) readRow(sc *scanner, row int) error {
	if sc.peek() != '[' {
		return r.fail(sc.expected("a row (a list), as the rows before it"), row, -1)
	}
	sc.i++
	return r.readCells(sc, row)
}

func (r *Request) readSample(sc *scanner, row int) error {
	if c := sc.peek(); c == '[' || c == '{' {
		return r.fail(sc.expected("a value, as those before it"), row, -1)
	}
	if err := r.room(1); err != nil {
		return err
	}
	if r.Schema.dense {
		f, err := sc.number()
		r.floats = append(r.floats, f)
		return r.fail(err, row, -1)
	}
	v, err := r.readCell(sc, 0)
	r.cells = append(r.cells, v)
	return r.fail(err, row, -1)
}

// readCells reads the cells of a row behind its bracket, in training order.
func (r *Request) readCells(sc *scanner, row int) error {
	want := r.Schema.width
	if want < 0 && row > 0 {
		want = r.Frame.Cols
	}
	if err := r.room(max(want, 0)); err != nil {
		return err
	}
	var n int
	var err error
	if r.Schema.dense {
		n, err = r.denseCells(sc, row, want)
	} else {
		n, err = r.mixedCells(sc, row, want)
	}
	if err != nil {
		return err
	}
	if row == 0 {
		r.Frame.Cols = n
	}
	if n == want {
		return nil
	}
	return r.wrongRow(row, n, want)
}

// wrongRow explains a row that is not as wide as the model or the first row is.
func (r *Request) wrongRow(row, n, want int) error {
	path, _ := r.source.path(r.Schema, row, -1)
	switch {
	case r.Schema.width >= 0:
		hint := ""
		if r.source.form == oneRow && want == 1 {
			hint = "; a flat list is one row: write [[1], [2]] for two rows of one value"
		}
		return r.Schema.wrongWidth(path, n, hint)
	case n == 0:
		return invalid(path, "the row is empty")
	case row > 0:
		return invalid(path, "got %s, but the first row has %d", counted(n, "value"), want)
	}
	return nil
}

// denseCells reads the numbers of a row behind its bracket, and returns how
// many there were; want is their number, -1 if it is not known. What is more is
// read but not kept.
func (r *Request) denseCells(sc *scanner, row, want int) (n int, err error) {
	limit := want
	if want < 0 {
		limit = r.Schema.Limits.Elements - len(r.floats)
	}
	for n = r.plainNumbers(sc, limit); ; n++ {
		more, err := sc.element(n)
		if err != nil {
			return n, r.fail(err, row, n)
		}
		if !more {
			return n, nil
		}
		f, err := sc.number()
		if err != nil {
			return n, r.fail(err, row, n)
		}
		if n < limit {
			r.floats = append(r.floats, f)
		} else if want < 0 {
			return n, r.room(1)
		}
	}
}

// plainNumbers reads the cells of a row as long as they are numbers as programs
// write them, and returns how many it read. It stands at what follows the last.
func (r *Request) plainNumbers(sc *scanner, limit int) (n int) {
	b, i := sc.b, sc.i
	for n < limit {
		f, next, state := scanNumber(b, i)
		if state != whole && state != fraction {
			break
		}
		r.floats = append(r.floats, f)
		n++
		sc.i = next
		if next >= len(b) || b[next] != ',' {
			break
		}
		i = next + 1
		if i < len(b) && b[i] == ' ' {
			i++
		}
	}
	return n
}

// mixedCells is denseCells for cells of any type.
func (r *Request) mixedCells(sc *scanner, row, want int) (n int, err error) {
	limit := want
	if want < 0 {
		limit = r.Schema.Limits.Elements - len(r.cells)
	}
	for ; ; n++ {
		more, err := sc.element(n)
		if err != nil {
			return n, r.fail(err, row, n)
		}
		if !more {
			return n, nil
		}
		v, err := r.readCell(sc, n)
		if err != nil {
			return n, r.fail(err, row, n)
		}
		if n < limit {
			r.cells = append(r.cells, v)
		} else if want < 0 {
			return n, r.room(1)
		}
	}
}

// readCell reads a cell of column j.
func (r *Request) readCell(sc *scanner, j int) (frame.Value, error) {
	if r.Schema.column(j) == frame.Number {
		f, err := sc.number()
		return frame.Float(f), err
	}
	return sc.cell()
}

// room checks that n more cells are within the limit.
func (r *Request) room(n int) error {
	if len(r.floats)+len(r.cells)+n > r.Schema.Limits.Elements {
		return r.tooManyElements(r.source.root)
	}
	return nil
}

func (r *Request) tooManyElements(path string) error {
	return tooLarge(path, "more than %s in a request (--max-values)", counted(r.Schema.Limits.Elements, "value"))
}

// finish makes the frame of the rows that were read.
func (r *Request) finish() {
	f := &r.Frame
	if r.Schema.dense {
		f.Dense = r.floats
		return
	}
	f.Columns = r.Arena.Columns(f.Cols)
	for j := range f.Columns {
		if r.Schema.column(j) != frame.Number {
			objects := r.Arena.Values(f.Rows)
			for i := range objects {
				objects[i] = r.cells[i*f.Cols+j]
			}
			f.Columns[j].Objects = objects
			continue
		}
		floats := r.Arena.Floats(f.Rows)
		for i := range floats {
			floats[i], _ = cellNumber(r.cells[i*f.Cols+j])
		}
		f.Columns[j].Floats = floats
	}
}

// fail places an error of the scanner at a cell.
func (r *Request) fail(err error, row, col int) error {
	if err == nil {
		return nil
	}
	path, where := r.source.path(r.Schema, row, col)
	var e *Error
	if errors.As(err, &e) && e.Path == "" {
		e.Path, e.Reason = path, where+e.Reason
	}
	return err
}

// at gives an error that has no path one.
func at(err error, path string) error {
	if err == nil {
		return nil
	}
	var e *Error
	if errors.As(err, &e) && e.Path == "" {
		e.Path = strings.Clone(path) // it may be a part of the body
	}
	return err
}

// blank appends a row of missing cells.
func (r *Request) blank() {
	if r.Schema.dense {
		n := len(r.floats)
		r.floats = slices.Grow(r.floats, r.Frame.Cols)[:n+r.Frame.Cols]
		for i := n; i < len(r.floats); i++ {
			r.floats[i] = math.NaN()
		}
		return
	}
	n := len(r.cells)
	r.cells = slices.Grow(r.cells, r.Frame.Cols)[:n+r.Frame.Cols]
	clear(r.cells[n:])
}

// put sets column j of the last row to the value at which the scanner stands.
func (r *Request) put(sc *scanner, j int) (err error) {
	if r.Schema.dense {
		r.floats[len(r.floats)-r.Frame.Cols+j], err = sc.number()
		return err
	}
	r.cells[len(r.cells)-r.Frame.Cols+j], err = r.readCell(sc, j)
	return err
}
