package batch

import (
	"bufio"
	"encoding/csv"
	"io"
	"strconv"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// prediction is what predict's answers are called, as in the native API.
const prediction = "prediction"

func answerName(m frame.Method) string {
	if m == frame.Predict {
		return prediction
	}
	return m.String()
}

// jsonSink writes one object a row: {"prediction":"setosa","predict_proba":[…]}.
type jsonSink struct {
	out   *bufio.Writer
	names []string
	buf   []byte
}

// NewJSONSink returns a sink of JSON lines.
func NewJSONSink(out io.Writer, methods []frame.Method) Sink {
	s := &jsonSink{out: bufio.NewWriter(out)}
	for _, m := range methods {
		s.names = append(s.names, answerName(m))
	}
	return s
}

// Write implements [Sink].
func (s *jsonSink) Write(out []frame.Array, rows int) error {
	for i := range rows {
		b := append(s.buf[:0], '{')
		for k := range out {
			if k > 0 {
				b = append(b, ',')
			}
			b = append(b, '"')
			b = append(b, s.names[k]...) // a method's name needs no escapes
			b = append(b, '"', ':')
			b = appendRow(b, &out[k], i)
		}
		s.buf = append(b, '}', '\n')
		if _, err := s.out.Write(s.buf); err != nil {
			return err
		}
	}
	return s.out.Flush()
}

// appendRow appends row i: a value, a list, or a list of lists for a list of
// matrices.
func appendRow(b []byte, a *frame.Array, i int) []byte {
	if a.Kind == frame.List {
		b = append(b, '[')
		for p := range a.Parts {
			if p > 0 {
				b = append(b, ',')
			}
			b = appendRow(b, &a.Parts[p], i)
		}
		return append(b, ']')
	}
	if a.Vector() {
		return a.At(i).AppendJSON(b)
	}
	b = append(b, '[')
	for j := range a.Cols {
		if j > 0 {
			b = append(b, ',')
		}
		b = a.At(i*a.Cols + j).AppendJSON(b)
	}
	return append(b, ']')
}

// csvSink writes one line a row, and one column a value of the answers.
type csvSink struct {
	out     *csv.Writer
	outputs []frame.Output
	header  bool // still to be written
	record  []string
}

// NewCSVSink returns a sink of comma-separated values, with a header or without.
// Columns are called after the methods, with the class or the position behind it
// where there are several: prediction, predict_proba_setosa.
func NewCSVSink(out io.Writer, sig *model.Signature, methods []frame.Method, header bool) Sink {
	s := &csvSink{out: csv.NewWriter(out), header: header}
	for _, m := range methods {
		output, _ := sig.Output(m)
		s.outputs = append(s.outputs, output)
	}
	return s
}

// Write implements [Sink].
func (s *csvSink) Write(out []frame.Array, rows int) error {
	if s.header {
		s.header = false
		s.record = s.record[:0]
		for k := range out {
			s.record = columns(s.record, &s.outputs[k], &out[k])
		}
		if err := s.out.Write(s.record); err != nil {
			return err
		}
	}
	for i := range rows {
		s.record = s.record[:0]
		for k := range out {
			s.record = cells(s.record, &out[k], i)
		}
		if err := s.out.Write(s.record); err != nil {
			return err
		}
	}
	s.out.Flush()
	return s.out.Error()
}

// columns appends the names of an answer's columns.
func columns(names []string, o *frame.Output, a *frame.Array) []string {
	name := answerName(o.Method)
	if a.Kind == frame.List {
		for p := range a.Parts {
			var classes *frame.Classes
			if p < len(o.Classes) {
				classes = o.Classes[p]
			}
			names = numbered(names, name+"_"+strconv.Itoa(p), a.Parts[p].Cols, classes)
		}
		return names
	}
	if a.Vector() {
		return append(names, name)
	}
	var classes *frame.Classes
	if a.Kind != frame.Label && len(o.Classes) == 1 {
		classes = o.Classes[0]
	}
	return numbered(names, name, a.Cols, classes)
}

func numbered(names []string, name string, n int, classes *frame.Classes) []string {
	for j := range n {
		if classes != nil && len(classes.Values) == n {
			names = append(names, name+"_"+plain(classes.Values[j]))
		} else {
			names = append(names, name+"_"+strconv.Itoa(j))
		}
	}
	return names
}

// cells appends the fields of row i.
func cells(record []string, a *frame.Array, i int) []string {
	for p := range a.Parts {
		record = cells(record, &a.Parts[p], i)
	}
	if a.Kind != frame.List {
		for j := range a.Width() {
			record = append(record, plain(a.At(i*a.Width()+j)))
		}
	}
	return record
}

// plain writes a cell as pandas.DataFrame.to_csv does: nothing for a missing value.
func plain(v frame.Value) string {
	if s, ok := v.Text(); ok {
		return s
	}
	if v.IsNone() || v.IsNaN() {
		return ""
	}
	return v.String()
}
