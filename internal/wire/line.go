package wire

// DecodeRow reads one row that stands alone, such as a line of a file of JSON
// lines: a list of values, a record, or a single value where the model takes
// those. It is read as in the inputs of [Native], and asks for no method.
func DecodeRow(req *Request, line []byte) error {
	sc := req.newScanner(line)
	if err := req.readLine(sc); err != nil {
		return err
	}
	if req.Frame.Rows != 1 {
		return invalid("", "expected one row, found %d", req.Frame.Rows)
	}
	if err := sc.end(); err != nil {
		return err
	}
	req.finish()
	return nil
}

func (r *Request) readLine(sc *scanner) error {
	if c := sc.peek(); !r.Schema.Signature.Values || c == '[' || c == '{' {
		return r.readRows(sc, "")
	}
	r.source.form = samples
	r.Frame.Rows, r.Frame.Cols = 1, 1
	return r.readSample(sc, 0)
}
