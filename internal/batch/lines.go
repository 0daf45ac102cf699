package batch

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"mizzen.dev/internal/wire"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// bufferSize is that of files; rows are answered at the latest when the buffer is
// used up.
const bufferSize = 1 << 18

// jsonLines reads one JSON value a line: a list of values, a record, or a single
// value where the model takes those. Empty lines are skipped.
type jsonLines struct {
	in     *bufio.Reader
	line   int
	buf    []byte
	req    *wire.Request
	schema *wire.Schema
}

// NewJSONLines returns a source of JSON lines.
func NewJSONLines(in io.Reader, sig *model.Signature) Source {
	return &jsonLines{in: bufio.NewReaderSize(in, bufferSize), req: wire.NewRequest(),
		schema: wire.NewSchema("", "", sig, wire.Limits{})}
}

// Next implements [Source].
func (j *jsonLines) Next(rows *Rows) (more bool, err error) {
	for {
		if err := j.readLine(); err != nil {
			return false, err
		}
		if len(bytes.TrimSpace(j.buf)) > 0 {
			break
		}
	}
	j.req.Reset()
	j.req.Schema = j.schema
	if err := wire.DecodeRow(j.req, j.buf); err != nil {
		return false, &RowError{Line: j.line, Err: err}
	}
	x := &j.req.Frame
	if err := rows.width(x.Cols); err != nil {
		return false, &RowError{Line: j.line, Err: err}
	}
	rows.lines = append(rows.lines, j.line)
	if rows.dense() {
		rows.floats = append(rows.floats, x.Dense...)
	} else {
		for c := range x.Cols {
			rows.cells = append(rows.cells, own(x.Value(0, c)))
		}
	}
	return j.in.Buffered() > 0, nil
}

// own returns a cell that does not share memory with the line.
func own(v frame.Value) frame.Value {
	if s, ok := v.Text(); ok {
		return frame.String(strings.Clone(s))
	}
	return v
}

// readLine reads the next line into j.buf, without its end.
func (j *jsonLines) readLine() error {
	j.buf = j.buf[:0]
	j.line++
	for {
		part, err := j.in.ReadSlice('\n')
		if len(j.buf)+len(part) > maxRecord {
			return &RowError{Line: j.line, Err: fmt.Errorf("is longer than %d bytes", maxRecord)}
		}
		j.buf = append(j.buf, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case errors.Is(err, io.EOF) && len(j.buf) > 0:
			return nil
		default:
			return err
		}
	}
}
