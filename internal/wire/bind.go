package wire

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"mizzen.dev/internal/nearest"
	"mizzen.dev/model/frame"
)

// Bind makes the frame of a request from its tensors: one tensor of rows,
// whatever its name, or one tensor a column, by the names of the columns. What
// the tensors hold must live as long as the request.
func (r *Request) Bind(tensors []Tensor) error {
	if len(tensors) == 0 {
		return invalid("inputs", "no tensors: send one tensor of rows, or one tensor a column")
	}
	for i := range tensors {
		if err := r.check(&tensors[i], i); err != nil {
			return err
		}
	}
	if len(tensors) == 1 && !r.isColumn(&tensors[0]) {
		return r.bindRows(&tensors[0])
	}
	return r.bindColumns(tensors)
}

// check compares the elements of a tensor with its shape.
func (r *Request) check(t *Tensor, i int) error {
	want, err := r.elements(t, i)
	if err != nil {
		return err
	}
	if err := t.expand(r.Arena, want); err != nil {
		return under(err, inputPath(i, "data"))
	}
	if got := t.count(); got != want {
		return invalid(inputPath(i, "data"), "%s, but the shape %s has %d", counted(got, "element"), shapeText(t.Shape), want)
	}
	return nil
}

// elements returns the number of elements of input i by its shape.
func (r *Request) elements(t *Tensor, i int) (int, error) {
	n, err := r.product(t)
	if err != nil {
		return 0, under(err, inputPath(i, "shape"))
	}
	return n, nil
}

// product is elements without the path in errors.
func (r *Request) product(t *Tensor) (int, error) {
	if len(t.Shape) == 0 {
		return 0, invalid("", "no dimensions: the shape of rows is [rows, columns], that of a column [rows]")
	}
	n := int64(1)
	for _, d := range t.Shape {
		if d < 0 {
			return 0, invalid("", "the dimension %d is negative", d)
		}
		if d > math.MaxInt32 || n*d > int64(r.Schema.Limits.Elements) {
			return 0, r.tooManyElements("")
		}
		n *= d
	}
	if n == 0 {
		return 0, invalid("", "the shape %s has no elements: send at least one row", shapeText(t.Shape))
	}
	return int(n), nil
}

// isColumn tells a tensor of one of several columns from a tensor of rows.
func (r *Request) isColumn(t *Tensor) bool {
	if r.Schema.width == 1 || len(t.Shape) > 2 || len(t.Shape) == 2 && t.Shape[1] != 1 {
		return false
	}
	_, ok := r.Schema.index[t.Name]
	return ok
}

// bindRows makes a frame of a tensor of rows: [rows, columns]; [columns] is one
// row, unless a row is one value.
func (r *Request) bindRows(t *Tensor) error {
	s := r.Schema
	n, cols := int(t.Shape[0]), 1
	switch {
	case len(t.Shape) > 2:
		return invalid("inputs[0].shape", "%d dimensions; rows have two: [rows, columns]", len(t.Shape))
	case len(t.Shape) == 2:
		cols = int(t.Shape[1])
	case s.width != 1:
		n, cols = 1, n
	}
	r.source = source{form: tensorRows, cols: cols, nested: t.Nested && len(t.Shape) == 2, binary: t.Cells == nil && t.Float64s == nil}
	if s.width >= 0 && cols != s.width {
		return s.wrongWidth("inputs[0].shape", cols, "")
	}
	if err := r.checkRows("inputs[0].shape", n); err != nil {
		return err
	}
	r.Frame = frame.Frame{Rows: n, Cols: cols}
	if s.dense {
		if t.Float64s != nil { // as they are: no copy
			r.Frame.Dense = t.Float64s
			return nil
		}
		r.Frame.Dense = r.Arena.Floats(n * cols)
		return r.numbers(t, 0, r.Frame.Dense, span{n: n * cols, step: 1, stride: 1})
	}
	r.Frame.Columns = r.Arena.Columns(cols)
	for j := range cols {
		if err := r.bindColumn(t, 0, j, span{n: n, from: j, step: cols, stride: 1}); err != nil {
			return err
		}
	}
	return nil
}

// bindColumns makes a frame of one tensor a column.
func (r *Request) bindColumns(tensors []Tensor) error {
	s := r.Schema
	of, err := r.columnsByName(tensors)
	if err != nil {
		return err
	}
	n, first := -1, 0
	for _, i := range of {
		if i < 0 {
			continue
		}
		t := &tensors[i]
		if len(t.Shape) > 2 || len(t.Shape) == 2 && t.Shape[1] != 1 {
			return invalid(inputPath(i, "shape"), "the shape %s is not that of a column: [rows] or [rows, 1]", shapeText(t.Shape))
		}
		if n >= 0 && int(t.Shape[0]) != n {
			return invalid(inputPath(i, "shape"), "%s, but inputs[%d] has %d", counted(int(t.Shape[0]), "row"), first, n)
		}
		if n < 0 {
			n, first = int(t.Shape[0]), i
		}
	}
	if err := r.checkRows("inputs", n); err != nil {
		return err
	}
	if n*len(of) > s.Limits.Elements {
		return r.tooManyElements("inputs")
	}
	t := &tensors[first]
	r.source = source{form: tensorByColumn, tensors: of, binary: t.Cells == nil && t.Float64s == nil}
	r.Frame = frame.Frame{Rows: n, Cols: len(of)}
	if s.dense {
		r.Frame.Dense = r.Arena.Floats(n * len(of))
	} else {
		r.Frame.Columns = r.Arena.Columns(len(of))
	}
	for j, i := range of {
		switch {
		case i >= 0 && s.dense:
			err = r.numbers(&tensors[i], i, r.Frame.Dense, span{n: n, step: 1, to: j, stride: len(of)})
		case i >= 0:
			err = r.bindColumn(&tensors[i], i, j, span{n: n, step: 1, stride: 1})
		case s.dense:
			for k := range n {
				r.Frame.Dense[k*len(of)+j] = math.NaN()
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// bindColumn fills column j of the frame with elements of tensor i.
func (r *Request) bindColumn(t *Tensor, i, j int, sp span) error {
	if r.Schema.column(j) == frame.Number {
		r.Frame.Columns[j].Floats = r.Arena.Floats(sp.n)
		return r.numbers(t, i, r.Frame.Columns[j].Floats, sp)
	}
	cells := r.Arena.Values(sp.n)
	for k := range cells {
		cells[k] = t.cell(sp.from + k*sp.step)
	}
	r.Frame.Columns[j].Objects = cells
	return nil
}

// numbers fills dst with elements of tensor i that must be numbers.
func (r *Request) numbers(t *Tensor, i int, dst []float64, sp span) error {
	bad := t.floats(dst, sp)
	if bad < 0 {
		return nil
	}
	if r.source.binary {
		return invalid(inputPath(i, "datatype"), "expected numbers, found %s (element %d is %s)", t.Datatype, bad, quoteCell(t.cell(bad)))
	}
	path := inputPath(i, "data") + element(bad)
	if r.source.nested {
		path = inputPath(i, "data") + element(bad/r.source.cols) + element(bad%r.source.cols)
	}
	return invalid(path, "expected a number, found %s", quoteCell(t.cell(bad)))
}

// checkRows compares a number of rows with the limit.
func (r *Request) checkRows(path string, n int) error {
	if n > r.Schema.Limits.Rows {
		return tooLarge(path, "more than %s in a request (--max-rows)", counted(r.Schema.Limits.Rows, "row"))
	}
	return nil
}

// columnsByName returns the tensor of each column; -1 for one that was left out
// and that the model does not look at.
func (r *Request) columnsByName(tensors []Tensor) ([]int, error) {
	s := r.Schema
	if s.width >= 0 {
		r.at = slices.Grow(r.at[:0], s.width)[:s.width]
	} else {
		r.at = slices.Grow(r.at[:0], len(tensors))[:len(tensors)]
	}
	for j := range r.at {
		r.at[j] = -1
	}
	if s.index == nil {
		return r.at, r.columnsByNumber(tensors)
	}
	unknown := -1
	for i := range tensors {
		j, ok := s.index[tensors[i].Name]
		switch {
		case !ok && !s.Signature.ExtraIgnored && unknown < 0:
			unknown = i
		case ok && r.at[j] >= 0:
			return nil, invalid(inputPath(i, "name"), "the column %q is there twice", tensors[i].Name)
		case ok:
			r.at[j] = i
		}
	}
	missing := s.missing(func(j int) bool { return r.at[j] < 0 })
	if unknown >= 0 {
		return nil, invalid(inputPath(unknown, "name"), "%s", s.unknownColumn(tensors[unknown].Name, missing))
	}
	if len(missing) > 0 {
		return nil, invalid("inputs", "missing: %s", joinNames(missing))
	}
	return r.at, nil
}

// columnsByNumber places the tensors of a model whose columns have no names: by
// the names that the metadata gives them, else in the order in which they came.
func (r *Request) columnsByNumber(tensors []Tensor) error {
	if len(tensors) != len(r.at) {
		return invalid("inputs", "%s; expected one tensor of rows, or %d of a column each", counted(len(tensors), "tensor"), len(r.at))
	}
	for i := range tensors {
		r.at[i] = i
	}
	numbered := make([]int, len(tensors))
	for i := range tensors {
		j, ok := columnNumber(tensors[i].Name)
		if !ok || j >= len(tensors) {
			return nil // other names: they say nothing
		}
		numbered[j]++
		if numbered[j] > 1 {
			return invalid(inputPath(i, "name"), "%q is there twice", tensors[i].Name)
		}
		r.at[j] = i
	}
	return nil
}

// columnNumber reads the name that the metadata gives to a column without one.
func columnNumber(name string) (int, bool) {
	digits, ok := strings.CutPrefix(name, inputPrefix)
	j, err := strconv.Atoi(digits)
	return j, ok && err == nil && j >= 0 && strconv.Itoa(j) == digits
}

// missing names the columns that the model looks at and that were left out.
func (s *Schema) missing(absent func(j int) bool) []string {
	var names []string
	for j, f := range s.Signature.Features {
		if absent(j) && !f.Unused {
			names = append(names, f.Name)
		}
	}
	return names
}

// unknownColumn explains a column that the model does not have.
func (s *Schema) unknownColumn(name string, missing []string) string {
	known := missing
	if len(known) == 0 {
		known = s.features
	}
	reason := fmt.Sprintf("the model has no column %q", clip(name)) + nearest.DidYouMean(name, known)
	if len(missing) > 0 {
		reason += " (missing: " + joinNames(missing) + ")"
	}
	return reason
}

// inputPath is the path of a field of an input tensor.
func inputPath(i int, field string) string {
	return "inputs[" + strconv.Itoa(i) + "]." + field
}

func shapeText(shape []int64) string {
	b := []byte{'['}
	for i, d := range shape {
		if i > 0 {
			b = append(b, ", "...)
		}
		b = strconv.AppendInt(b, d, 10)
	}
	return string(append(b, ']'))
}

// quoteCell shows a cell in an error, as JSON writes it.
func quoteCell(v frame.Value) string {
	if s, ok := v.Text(); ok {
		return strconv.Quote(clip(s))
	}
	return string(appendCell(nil, v))
}
