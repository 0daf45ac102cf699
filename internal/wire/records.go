package wire

import (
	"slices"

	"mizzen.dev/internal/nearest"
	"mizzen.dev/model/frame"
)

// readRecord reads a row that comes as an object: its cells by the names of
// their columns, in any order.
func (r *Request) readRecord(sc *scanner, row int) error {
	if r.Schema.index == nil && (!r.frames || r.Schema.width < 0) {
		return r.fail(invalid("", "the model's file holds no column names: send rows (lists), not records"), row, -1)
	}
	if sc.peek() != '{' {
		return r.fail(sc.expected("a record (an object), as those before it"), row, -1)
	}
	sc.i++
	if r.frames && opensColumns(*sc) {
		return r.readColumns(sc, row)
	}
	r.Frame.Cols = len(r.Schema.Signature.Features)
	if err := r.room(r.Frame.Cols); err != nil {
		return err
	}
	r.blank()
	return r.readMembers(sc, row, func(j int) error {
		return r.fail(r.put(sc, j), row, j)
	})
}

// readMembers reads an object by the names of columns behind its bracket. read
// takes the value of column j, at which the scanner then stands.
func (r *Request) readMembers(sc *scanner, row int, read func(j int) error) error {
	s := r.Schema
	r.record++
	r.seen = slices.Grow(r.seen, r.Frame.Cols)[:r.Frame.Cols]
	var extra keySet
	unknown, isUnknown, next, found := "", false, 0, 0
	for n := 0; ; n++ {
		key, more, err := sc.member(n)
		if err != nil {
			return r.fail(err, row, -1)
		}
		if !more {
			break
		}
		j, ok := r.columnOf(key, next)
		if !ok {
			if !extra.add(key) {
				return r.twice(key, row)
			}
			if !isUnknown {
				unknown, isUnknown = key, true
			}
			if err := sc.skip(); err != nil {
				return r.fail(err, row, -1)
			}
			continue
		}
		if r.seen[j] == r.record {
			return r.twice(key, row)
		}
		r.seen[j], next = r.record, j+1
		if !s.unused(j) {
			found++
		}
		if err := read(j); err != nil {
			return err
		}
	}
	if found == r.required() && (!isUnknown || s.Signature.ExtraIgnored) {
		return nil
	}
	return r.fail(r.wrongRecord(unknown, isUnknown), row, -1)
}

func (r *Request) twice(key string, row int) error {
	return r.fail(invalid("", "the key %q is there twice", clip(key)), row, -1)
}

// required is the number of columns that a record must have.
func (r *Request) required() int {
	if r.Schema.index == nil {
		return r.Frame.Cols
	}
	return len(r.Schema.features)
}

// columnOf returns the column of that name. Records tend to have their columns
// in one order: next is tried first.
func (r *Request) columnOf(key string, next int) (int, bool) {
	s := r.Schema
	if s.index != nil {
		if next < len(s.Signature.Features) && s.Signature.Features[next].Name == key {
			return next, true
		}
		j, ok := s.index[key]
		return j, ok
	}
	// A frame of a model without names: the order of the first record is that of
	// the columns, as in scikit-learn.
	j, ok := r.order[key]
	if ok || r.record > 1 || len(r.order) == r.Frame.Cols {
		return j, ok
	}
	if r.order == nil {
		r.order = map[string]int{}
	}
	j = len(r.order)
	r.order[key] = j
	return j, true
}

// wrongRecord explains a record whose columns are not those of the model.
func (r *Request) wrongRecord(unknown string, isUnknown bool) error {
	s := r.Schema
	if s.index == nil {
		if isUnknown {
			return invalid("", "got the column %q beside %s; the model takes %d", clip(unknown), counted(len(r.order), "other"), r.Frame.Cols)
		}
		return invalid("", "got too few columns; the model takes %d, the same in each record", r.Frame.Cols)
	}
	missing := s.missing(func(j int) bool { return r.seen[j] != r.record })
	if isUnknown && (!s.Signature.ExtraIgnored || nearest.Name(unknown, missing) != "") {
		return invalid("", "%s", s.unknownColumn(unknown, missing))
	}
	return invalid("", "missing: %s", joinNames(missing))
}

// opensColumns reports whether the first member of the object in which the
// scanner stands holds a list or an object: columns, not cells.
func opensColumns(sc scanner) bool {
	_, more, err := sc.member(0)
	return err == nil && more && (sc.peek() == '[' || sc.peek() == '{')
}

// readColumns reads rows that come as an object of columns, each of which is a
// list, or an object by row as pandas writes it. row is the first of them; it is
// counted already. The columns are kept as they come until all are known to be
// there: a short body must not make a large frame.
func (r *Request) readColumns(sc *scanner, row int) error {
	if r.source.form == oneRecord {
		r.source.form = byColumn
	} else {
		r.source.form = frames
	}
	cols := len(r.Schema.Signature.Features)
	r.Frame.Cols, r.column = cols, r.column[:0]
	starts := slices.Grow(r.at[:0], cols)[:cols]
	r.at = starts
	for j := range starts {
		starts[j] = -1
	}
	rows := -1
	err := r.readMembers(sc, row, func(j int) error {
		starts[j] = len(r.column)
		if err := r.readColumn(sc, row, j); err != nil {
			return err
		}
		n := len(r.column) - starts[j]
		if rows >= 0 && n != rows {
			path, where := r.source.path(r.Schema, -1, j)
			return invalid(path, "%sgot %s, but the column before has %d", where, counted(n, "row"), rows)
		}
		rows = n
		return nil
	})
	switch {
	case err != nil:
		return err
	case rows < 0:
		return r.fail(invalid("", "no columns that the model knows"), row, -1)
	}
	if err := r.addRows(rows); err != nil {
		return err
	}
	for j, start := range starts {
		if start >= 0 {
			r.fillColumn(row, j, r.column[start:start+rows])
		}
	}
	return nil
}

// fillColumn sets column j from a row on.
func (r *Request) fillColumn(row, j int, column []frame.Value) {
	for i, v := range column {
		k := (row+i)*r.Frame.Cols + j
		if r.Schema.dense {
			r.floats[k], _ = cellNumber(v)
		} else {
			r.cells[k] = v
		}
	}
}

// addRows makes place for rows of which one is counted already.
func (r *Request) addRows(n int) error {
	if n == 0 {
		return invalid(r.source.root, "no rows: send at least one")
	}
	if err := r.checkRows(r.source.root, r.Frame.Rows-1+n); err != nil {
		return err
	}
	if err := r.room(n * r.Frame.Cols); err != nil {
		return err
	}
	r.Frame.Rows += n - 1
	for range n {
		r.blank()
	}
	return nil
}

// readColumn appends the cells of column j to r.column.
func (r *Request) readColumn(sc *scanner, row, j int) error {
	open := sc.peek()
	if open != '[' && open != '{' {
		return r.fail(sc.expected("a column (a list)"), -1, j)
	}
	sc.i++
	var keys keySet
	for n := 0; ; n++ {
		var more bool
		var err error
		if open == '[' {
			more, err = sc.element(n)
		} else {
			_, more, err = sc.newMember(&keys, n)
		}
		if err != nil {
			return r.fail(err, row+n, j)
		}
		if !more {
			return nil
		}
		if err := r.room(len(r.column) + 1); err != nil {
			return err
		}
		v, err := r.readCell(sc, j)
		if err != nil {
			return r.fail(err, row+n, j)
		}
		r.column = append(r.column, v)
	}
}

// readTable reads rows whose cells are in the order of r.at: the column of the
// model for each, -1 for one that is ignored.
func (r *Request) readTable(sc *scanner, row int) error {
	if sc.peek() != '[' {
		return r.fail(sc.expected("a row (a list)"), row, -1)
	}
	sc.i++
	if err := r.room(r.Frame.Cols); err != nil {
		return err
	}
	r.blank()
	n := 0
	for ; ; n++ {
		more, err := sc.element(n)
		if err != nil {
			return r.fail(err, row, -1)
		}
		if !more {
			break
		}
		switch {
		case n < len(r.at) && r.at[n] >= 0:
			err = r.put(sc, r.at[n])
		default:
			err = sc.skip()
		}
		if err != nil {
			path, _ := r.source.path(r.Schema, row, -1)
			return at(err, path+element(n))
		}
	}
	if n != len(r.at) {
		path, _ := r.source.path(r.Schema, row, -1)
		return invalid(path, "got %s, but there are %s", counted(n, "value"), counted(len(r.at), "column"))
	}
	return nil
}
