package wire

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"mizzen.dev/model/frame"
)

// readCSV reads rows as RFC 4180 has them, with or without a header, which the
// Content-Type may tell (declared): header=present or header=absent. A cell is
// missing (NaN) where pandas.read_csv says so, as MLflow's server does.
func (r *Request) readCSV(body []byte, declared string) error {
	in := csv.NewReader(bytes.NewReader(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf"))))
	in.FieldsPerRecord, in.ReuseRecord = -1, true // the width is checked here
	record, err := in.Read()
	switch {
	case errors.Is(err, io.EOF):
		return invalid("", "no rows: send at least one")
	case err != nil:
		return invalid("", "malformed CSV: %v", err)
	}
	header := declared == "present" || declared != "absent" && r.isHeader(record)
	if err := r.bindRecord(record, header); err != nil {
		return err
	}
	r.source.form = table
	if !header {
		err = r.readRecordCSV(record)
	}
	for err == nil {
		if record, err = in.Read(); err == nil {
			err = r.readRecordCSV(record)
		}
	}
	var parse *csv.ParseError
	switch {
	case errors.As(err, &parse):
		return invalid("", "malformed CSV: %v", err)
	case !errors.Is(err, io.EOF):
		return err
	case r.Frame.Rows == 0:
		return invalid("", "no rows behind the header: send at least one")
	}
	r.inferTypes()
	r.finish()
	return nil
}

// isHeader tells a header from a row: names that the model has, or only texts where
// it takes numbers. A row with one field that is no number must not pass for a
// header, or it would go without an answer and without a word.
func (r *Request) isHeader(record []string) bool {
	s := r.Schema
	known, numbers, texts := 0, 0, 0
	for j, field := range record {
		if _, ok := s.index[field]; ok {
			known++
		}
		if s.column(j) != frame.Number || CSVMissing(field) {
			continue
		}
		if _, ok := CSVNumber(field); ok {
			numbers++
		} else {
			texts++
		}
	}
	return known > 0 && 2*known >= len(record) || texts > 0 && numbers == 0
}

// bindRecord sets the order of the columns by the first record.
func (r *Request) bindRecord(record []string, header bool) error {
	if header {
		return r.bindTable(slices.Clone(record), "header")
	}
	if r.Schema.width >= 0 && len(record) != r.Schema.width {
		return r.Schema.wrongWidth("record 1", len(record), "")
	}
	r.Frame.Cols = len(record)
	r.at = r.at[:0]
	for j := range record {
		r.at = append(r.at, j)
	}
	return nil
}

func (r *Request) readRecordCSV(record []string) error {
	row := r.Frame.Rows
	if err := r.checkRows("", row+1); err != nil {
		return err
	}
	r.Frame.Rows++
	if len(record) != len(r.at) {
		return r.fail(invalid("", "got %s, expected %d", counted(len(record), "field"), len(r.at)), row, -1)
	}
	if err := r.room(r.Frame.Cols); err != nil {
		return err
	}
	r.blank()
	for k, field := range record {
		j := r.at[k]
		if j < 0 {
			continue
		}
		if r.Schema.column(j) != frame.Number {
			v := frame.Float(math.NaN())
			if !CSVMissing(field) {
				v = frame.String(strings.Clone(field)) // not the whole record
			}
			r.cells[len(r.cells)-r.Frame.Cols+j] = v
			continue
		}
		f, ok := CSVNumber(field)
		if !ok {
			return r.fail(invalid("", "expected a number, found %s", strconv.Quote(clip(field))), row, j)
		}
		if r.Schema.dense {
			r.floats[len(r.floats)-r.Frame.Cols+j] = f
		} else {
			r.cells[len(r.cells)-r.Frame.Cols+j] = frame.Float(f)
		}
	}
	return nil
}

// CSVMissing reports whether pandas.read_csv takes a field for a missing value.
func CSVMissing(field string) bool {
	switch field {
	case "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
		"<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null":
		return true
	}
	return false
}

// CSVNumber reads a field of a column of numbers.
func CSVNumber(field string) (float64, bool) {
	field = strings.TrimSpace(field)
	switch {
	case CSVMissing(field):
		return math.NaN(), true
	case strings.EqualFold(field, "true"):
		return 1, true
	case strings.EqualFold(field, "false"):
		return 0, true
	case strings.ContainsAny(field, "xX_"): // Go's own forms
		return 0, false
	}
	f, err := strconv.ParseFloat(field, 64)
	return f, err == nil
}

// inferTypes gives the columns that take any type the one that all their fields
// have, as pandas.read_csv does: integers, floats, booleans, else strings.
func (r *Request) inferTypes() {
	for j := range r.Frame.Cols {
		if r.Schema.column(j) != frame.Any {
			continue
		}
		for _, parse := range []func(string) (frame.Value, bool){csvInt, csvFloat, csvBool} {
			if r.convertColumn(j, parse) {
				break
			}
		}
	}
}

// convertColumn converts the strings of a column, if all of them convert.
func (r *Request) convertColumn(j int, parse func(string) (frame.Value, bool)) bool {
	for i := range r.Frame.Rows {
		if s, ok := r.cells[i*r.Frame.Cols+j].Text(); ok {
			if _, ok := parse(s); !ok {
				return false
			}
		}
	}
	for i := range r.Frame.Rows {
		if s, ok := r.cells[i*r.Frame.Cols+j].Text(); ok {
			r.cells[i*r.Frame.Cols+j], _ = parse(s)
		}
	}
	return true
}

func csvInt(s string) (frame.Value, bool) {
	i, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	return frame.Int(i), err == nil
}

func csvFloat(s string) (frame.Value, bool) {
	if csvBoolean(s) {
		return frame.None(), false
	}
	f, ok := CSVNumber(s)
	return frame.Float(f), ok
}

func csvBool(s string) (frame.Value, bool) {
	return frame.Bool(strings.EqualFold(s, "true")), csvBoolean(s)
}

func csvBoolean(s string) bool {
	return strings.EqualFold(s, "true") || strings.EqualFold(s, "false")
}
