package batch

import (
	"bufio"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"

	"mizzen.dev/internal/wire"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// Header says whether the first line of a CSV file names the columns.
type Header int

// A file has a header, has none, or is looked at.
const (
	DetectHeader Header = iota
	WithHeader
	WithoutHeader
)

// CSV reads comma-separated values with or without a header. With one, the columns
// of a model that was trained on names may stand in any order.
type CSV struct {
	in     *bounded
	buffer *bufio.Reader
	reader *csv.Reader
	sig    *model.Signature
	header Header
	// at has the column of the file for each column of the model, -1 for one that
	// is not there; nil if the file's order is the model's.
	at []int
	// names are those of the header, for errors.
	names []string
	// first is the first line, if it was read to look at it and is a row.
	first     []string
	firstLine int
	started   bool
	known     []map[string]frame.Value // by column
}

// NewCSV returns a source of comma-separated values.
func NewCSV(in io.Reader, sig *model.Signature, header Header) *CSV {
	c := &CSV{in: &bounded{in: in, left: maxRecord}, sig: sig, header: header}
	c.buffer = bufio.NewReaderSize(c.in, bufferSize)
	c.reader = csv.NewReader(c.buffer) // takes the buffer as it is
	c.reader.ReuseRecord = true
	c.reader.FieldsPerRecord = -1 // a wrong number of fields has an error of ours
	for _, f := range sig.Features {
		c.known = append(c.known, known(f))
	}
	return c
}

func (c *CSV) knownOf(j int) map[string]frame.Value {
	if j < len(c.known) {
		return c.known[j]
	}
	return nil
}

// Start reads the header, if there is one, and reports whether there was. It is
// called by Next if it was not before.
func (c *CSV) Start() (hadHeader bool, err error) {
	if c.started {
		return c.names != nil, nil
	}
	c.started = true
	if mark, err := c.buffer.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" { // a byte-order mark
		_, _ = c.buffer.Discard(len(mark)) // what was peeked at is there
	}
	if mark, err := c.buffer.Peek(2); err == nil && (string(mark) == "\xff\xfe" || string(mark) == "\xfe\xff") {
		return false, errors.New("the rows are UTF-16; save them as UTF-8")
	}
	if c.header == WithoutHeader {
		return false, nil
	}
	record, line, err := c.read()
	if errors.Is(err, io.EOF) {
		return false, nil // Next says so too
	}
	if err != nil {
		return false, err
	}
	record = append([]string(nil), record...)
	if c.header == DetectHeader && !c.looksLikeHeader(record) {
		c.first, c.firstLine = record, line
		return false, nil
	}
	c.names = record
	if c.sig.Named {
		if c.at, err = c.sig.Bind(record); err != nil {
			return false, &RowError{Line: line, Err: err}
		}
	}
	return true, nil
}

// looksLikeHeader reports whether a line names the columns: it has one of the
// model's names in it, or, for a model that has no names and takes numbers, as
// many fields as a row and no number.
func (c *CSV) looksLikeHeader(record []string) bool {
	if c.sig.Named {
		for _, f := range c.sig.Features {
			for _, name := range record {
				if f.Name == name {
					return true
				}
			}
		}
		return false
	}
	if !c.sig.Numeric || c.sig.Width >= 0 && len(record) != c.sig.Width {
		return false
	}
	for _, text := range record {
		if _, err := number(text); err == nil {
			return false
		}
	}
	return true
}

// Next implements [Source].
func (c *CSV) Next(rows *Rows) (more bool, err error) {
	if _, err := c.Start(); err != nil {
		return false, err
	}
	record, line := c.first, c.firstLine
	if c.first = nil; record == nil {
		if record, line, err = c.read(); err != nil {
			return false, err
		}
	}
	if err := c.add(rows, record); err != nil {
		return false, &RowError{Line: line, Err: err}
	}
	rows.lines = append(rows.lines, line)
	return c.buffer.Buffered() > 0, nil
}

// read reads a record of bounded size.
func (c *CSV) read() (record []string, line int, err error) {
	c.in.left = maxRecord
	record, err = c.reader.Read()
	if err == nil {
		line, _ = c.reader.FieldPos(0)
		return record, line, nil
	}
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return nil, 0, &RowError{Line: parse.StartLine, Err: parse.Err}
	case errors.Is(err, errTooLong):
		return nil, 0, fmt.Errorf("a row behind byte %d is longer than %d bytes: is a quote missing?", c.reader.InputOffset(), maxRecord)
	}
	return nil, 0, err
}

// add appends a record to rows, in training order.
func (c *CSV) add(rows *Rows, record []string) error {
	if c.names != nil && len(record) != len(c.names) {
		return fmt.Errorf("has %d values, the header has %d", len(record), len(c.names))
	}
	if c.at == nil {
		if err := rows.width(len(record)); err != nil {
			return fmt.Errorf("%w%s", err, otherSeparator(record))
		}
	}
	start := len(rows.floats) + len(rows.cells)
	for j := range rows.cols {
		k := j
		if c.at != nil {
			k = c.at[j]
		}
		var err error
		switch {
		case rows.dense():
			f := math.NaN() // a column that the model does not look at
			if k >= 0 {
				f, err = number(record[k])
			}
			rows.floats = append(rows.floats, f)
		case k < 0:
			rows.cells = append(rows.cells, frame.Float(math.NaN()))
		default:
			var v frame.Value
			v, err = cell(record[k], rows.column(j), c.knownOf(j))
			rows.cells = append(rows.cells, v)
		}
		if err != nil {
			rows.drop(start)
			return fmt.Errorf("%s: %w", c.columnName(j), err)
		}
	}
	return nil
}

// otherSeparator says which separator a file has that is not a comma.
func otherSeparator(record []string) string {
	if len(record) == 1 {
		for _, separator := range []string{";", "\t", "|"} {
			if strings.Contains(record[0], separator) {
				return fmt.Sprintf(": are they separated by %q? Only commas are read", separator)
			}
		}
	}
	return ""
}

// drop takes back a row that was not read whole.
func (r *Rows) drop(start int) {
	if r.dense() {
		r.floats = r.floats[:start]
	} else {
		r.cells = r.cells[:start]
	}
}

// columnName names column j of the model, by the header if the model has no names.
func (c *CSV) columnName(j int) string {
	switch {
	case j < len(c.sig.Features) && c.sig.Features[j].Name != "":
		return "column " + strconv.Quote(c.sig.Features[j].Name)
	case c.names != nil:
		return "column " + strconv.Quote(c.names[j])
	}
	return "column " + strconv.Itoa(j)
}

// number reads a field of a column of numbers.
func number(text string) (float64, error) {
	if f, ok := wire.CSVNumber(text); ok {
		return f, nil
	}
	return 0, fmt.Errorf("expected a number, found %s", strconv.Quote(shorten(text)))
}

// known are the values that a column of any type has had in training, by their
// text: a field 3 is the integer, the float or the string that the model knows.
func known(f frame.Feature) map[string]frame.Value {
	if f.Type != frame.Any {
		return nil
	}
	values := make(map[string]frame.Value, len(f.Categories))
	for _, v := range f.Categories {
		values[plain(v)] = v
	}
	return values
}

// cell reads a field of a column of any type. Its type does not depend on other
// rows, unlike in pandas.read_csv: they may not have been read yet.
func cell(text string, t frame.Type, known map[string]frame.Value) (frame.Value, error) {
	if t == frame.Number {
		f, err := number(text)
		return frame.Float(f), err
	}
	if wire.CSVMissing(text) {
		return frame.Float(math.NaN()), nil
	}
	if v, ok := known[text]; ok {
		return v, nil
	}
	if t == frame.Any {
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			return frame.Int(i), nil
		}
		if strings.EqualFold(text, "true") || strings.EqualFold(text, "false") {
			return frame.Bool(strings.EqualFold(text, "true")), nil
		}
		if f, ok := wire.CSVNumber(text); ok {
			return frame.Float(f), nil
		}
	}
	return frame.String(strings.Clone(text)), nil
}

// shorten bounds what an error repeats.
func shorten(s string) string {
	if len(s) > 40 {
		return strings.ToValidUTF8(s[:40], "") + "…"
	}
	return s
}

// bounded reads a bounded number of bytes until it is told to go on.
type bounded struct {
	in   io.Reader
	left int
}

var errTooLong = errors.New("the row is too long")

// Read implements [io.Reader].
func (b *bounded) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errTooLong
	}
	n, err := b.in.Read(p)
	b.left -= n
	return n, err
}
