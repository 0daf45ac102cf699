package serve

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"

	"mizzen.dev/internal/wire"
	"mizzen.dev/model/frame"
)

const (
	// warmRows is the size of the batch of a warm-up, if it has and is answered with
	// at most maxWarmValues.
	warmRows      = 16
	maxWarmValues = 1 << 20
	// maxWarmLine bounds a line of a file of requests.
	maxWarmLine = 16 << 20
)

// warm runs a model before it is ready, so that the first caller does not wait
// for memory that comes and code that is read for the first time: the requests
// of a file if there is one, else rows made from the signature. It returns the
// number of calls.
func warm(ctx context.Context, s *Served, file string) (calls int, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			err = fmt.Errorf("fault: %v", fault)
		}
	}()
	if file != "" {
		return warmFromFile(ctx, s, file)
	}
	return warmFromSignature(ctx, s)
}

func warmFromFile(ctx context.Context, s *Served, path string) (calls int, err error) {
	f, err := os.Open(path)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxWarmLine)
	req := wire.NewRequest()
	for n := 1; lines.Scan(); n++ {
		body := bytes.TrimSpace(lines.Bytes())
		if len(body) == 0 {
			continue
		}
		if err := warmCall(ctx, s, req, body); err != nil {
			return calls, fmt.Errorf("%s, line %d: %w", path, n, err)
		}
		calls++
	}
	return calls, lines.Err()
}

func warmCall(ctx context.Context, s *Served, req *wire.Request, body []byte) error {
	defer req.Reset()
	req.Schema = s.Schema
	codec := wire.Native{}
	if err := codec.Decode(req, body); err != nil {
		return err
	}
	out := make([]frame.Array, len(req.Methods))
	if err := s.Model.Predict(ctx, req.Arena, &req.Frame, req.Methods, out); err != nil {
		return req.Explain(err)
	}
	_, err := codec.Encode(nil, req, out)
	return err
}

// warmFromSignature predicts one row and a batch, for every method. An input
// that the model refuses is no fault of the model: its signature cannot tell
// everything that it asks of its rows.
func warmFromSignature(ctx context.Context, s *Served) (calls int, err error) {
	sig := s.Model.Signature()
	arena := &frame.Arena{}
	width := sig.Width
	for _, output := range sig.Outputs {
		width = max(width, output.Cols)
	}
	for _, rows := range []int{1, warmRows} {
		if rows > 1 && rows*width > maxWarmValues {
			break
		}
		x := exampleFrame(s, rows)
		for _, output := range sig.Outputs {
			var out [1]frame.Array
			err := s.Model.Predict(ctx, arena, &x, []frame.Method{output.Method}, out[:])
			var input *frame.InputError
			if err != nil && !errors.As(err, &input) {
				return calls, err
			}
			calls++
			arena.Reset()
		}
	}
	return calls, nil
}

// exampleFrame makes rows of the examples of the features.
func exampleFrame(s *Served, rows int) frame.Frame {
	sig := s.Model.Signature()
	width := sig.Width
	if width < 0 {
		width = 1
	}
	if sig.Values {
		width = 1
	}
	example := func(j int) frame.Value {
		if j < len(sig.Features) {
			return sig.Features[j].Example
		}
		return frame.Float(0)
	}
	if sig.Numeric {
		data := make([]float64, rows*width)
		for i := range data {
			data[i], _ = example(i % width).Float64()
		}
		return frame.Matrix(data, rows, width)
	}
	x := frame.Frame{Rows: rows, Cols: width, Columns: make([]frame.Column, width)}
	for j := range x.Columns {
		if j < len(sig.Features) && sig.Features[j].Type == frame.Number {
			x.Columns[j].Floats = make([]float64, rows)
			for i := range rows {
				x.Columns[j].Floats[i], _ = example(j).Float64()
			}
			continue
		}
		x.Columns[j].Objects = make([]frame.Value, rows)
		for i := range rows {
			x.Columns[j].Objects[i] = example(j)
		}
	}
	return x
}
