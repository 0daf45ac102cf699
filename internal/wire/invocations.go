package wire

import (
	"errors"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"

	"mizzen.dev/model/frame"
)

// Invocations is the codec of POST /invocations, as MLflow's scoring server and
// SageMaker's containers have it: JSON in one of four forms, or CSV, as
// Header.ContentType says; {"predictions":…} out.
type Invocations struct{}

// invocationKeys are the names of the rows, and params, which is for models that
// take parameters; scikit-learn's take none.
var invocationKeys = []string{"inputs", "instances", "dataframe_split", "dataframe_records", "params"}

// Decode implements [Codec].
func (Invocations) Decode(req *Request, body []byte) error {
	kind, params, err := bodyKindOf(req.Header.ContentType)
	if err != nil {
		return err
	}
	req.wantDefault(false)
	req.frames = true
	sc := req.newScanner(body)
	switch kind {
	case csvBody:
		return req.readCSV(body, strings.ToLower(params["header"]))
	case splitBody:
		err = req.readSplit(sc, "")
	case recordsBody:
		err = req.readRows(sc, "")
	default:
		err = req.readInvocation(sc)
	}
	if err == nil {
		err = sc.end()
	}
	if err != nil {
		return err
	}
	req.finish()
	return nil
}

// bodyKind is what a body holds by its Content-Type.
type bodyKind uint8

const (
	jsonBody bodyKind = iota
	csvBody
	splitBody   // JSON of pandas, orient="split": MLflow 1
	recordsBody // JSON of pandas, orient="records": MLflow 1
)

// bodyKindOf also returns the parameters of the Content-Type.
func bodyKindOf(contentType string) (bodyKind, map[string]string, error) {
	if contentType == typeJSON { // as most clients send it
		return jsonBody, nil, nil
	}
	media, params, err := mime.ParseMediaType(contentType)
	if err == nil {
		switch {
		case media == "text/csv":
			return csvBody, params, nil
		case media == typeJSON && params["format"] == "pandas-split":
			return splitBody, params, nil
		case media == typeJSON && params["format"] == "pandas-records":
			return recordsBody, params, nil
		case media == typeJSON:
			return jsonBody, params, nil
		}
	}
	return 0, nil, &Error{Status: http.StatusUnsupportedMediaType,
		Reason: fmt.Sprintf("the Content-Type %q cannot be read: send application/json or text/csv", clip(contentType))}
}

// readInvocation reads an object that holds the rows in one of the forms.
func (r *Request) readInvocation(sc *scanner) error {
	const example = `send {"dataframe_split":{"columns":[…],"data":[…]}}, {"dataframe_records":[…]}, {"inputs":…} or {"instances":[…]}`
	if sc.peek() != '{' {
		return sc.expected("an object; " + example)
	}
	sc.i++
	var keys keySet
	rows := ""
	for n := 0; ; n++ {
		key, more, err := sc.newMember(&keys, n)
		if err != nil {
			return err
		}
		if !more {
			break
		}
		switch key {
		case "inputs", "instances", "dataframe_split", "dataframe_records":
			if rows != "" {
				return invalid("", "both %s and %s: send one of them", rows, key)
			}
			rows = invocationKeys[slices.Index(invocationKeys, key)] // key is a part of the body
			if rows == "dataframe_split" {
				err = r.readSplit(sc, rows)
			} else {
				err = r.readRows(sc, rows)
			}
		case "params":
			err = sc.skip()
		default:
			err = sc.skipKey(key, &keys, invocationKeys)
		}
		if err != nil {
			return at(err, keyPath(key))
		}
	}
	if rows == "" {
		return invalid("", "no rows: "+example)
	}
	return nil
}

// readSplit reads {"columns":[…],"index":[…],"data":[[…]]}, as pandas writes a
// frame with orient="split".
func (r *Request) readSplit(sc *scanner, root string) error {
	if sc.peek() != '{' {
		return at(sc.expected(`an object such as {"columns":[…],"data":[[…]]}`), root)
	}
	sc.i++
	var keys keySet
	columns, data := -1, -1
	for n := 0; ; n++ {
		key, more, err := sc.newMember(&keys, n)
		if err != nil {
			return at(err, root)
		}
		if !more {
			break
		}
		switch key {
		case "columns":
			columns = sc.i
		case "data":
			data = sc.i
		}
		if err := sc.skip(); err != nil { // the columns may come after the data
			return at(err, root)
		}
	}
	end := sc.i
	if data < 0 {
		return invalid(root, `no "data": send {"columns":[…],"data":[[…]]}`)
	}
	names, err := readNames(sc, columns, inRoot(root, "columns"))
	if err != nil {
		return err
	}
	if err := r.bindTable(names, inRoot(root, "columns")); err != nil {
		return err
	}
	r.source.form, r.source.root = rows, inRoot(root, "data")
	sc.i = data
	if sc.peek() != '[' {
		return at(sc.expected("a list of rows"), r.source.root)
	}
	sc.i++
	if names == nil {
		err = r.readList(sc, (*Request).readRow)
	} else {
		err = r.readList(sc, (*Request).readTable)
	}
	if err == nil && r.Frame.Rows == 0 {
		return invalid(r.source.root, "no rows: send at least one")
	}
	sc.i = end
	return err
}

func inRoot(root, key string) string {
	if root == "" {
		return key
	}
	return root + "." + key
}

// readNames reads the list of columns at a place of the body. It returns nil if
// there is none, or if the columns are numbered, which says nothing but their
// order.
func readNames(sc *scanner, place int, path string) ([]string, error) {
	if place < 0 {
		return nil, nil
	}
	sc.i = place
	if sc.peek() != '[' {
		return nil, at(sc.expected("a list of names"), path)
	}
	sc.i++
	names, numbers := []string{}, 0
	for n := 0; ; n++ {
		more, err := sc.element(n)
		if err != nil {
			return nil, at(err, path)
		}
		if !more {
			break
		}
		v, err := sc.cell()
		if err != nil {
			return nil, at(err, path+element(n))
		}
		name, ok := v.Text()
		if !ok {
			if _, ok := v.Int64(); !ok {
				return nil, invalid(path+element(n), "expected the name of a column, found %s", quoteCell(v))
			}
			numbers++
			name = quoteCell(v)
		}
		names = append(names, name)
	}
	if numbers == len(names) && numbers > 0 {
		return nil, nil
	}
	return names, nil
}

// bindTable finds the column of the model for each column of a table, and sets
// r.at. No names mean the order of training. A model without names takes the
// columns in their order, as scikit-learn does.
func (r *Request) bindTable(names []string, path string) error {
	s := r.Schema
	r.at = r.at[:0]
	if names == nil {
		return nil
	}
	if s.index == nil {
		if s.width >= 0 && len(names) != s.width {
			return invalid(path, "%s, expected %d", counted(len(names), "column"), s.width)
		}
		for j := range names {
			r.at = append(r.at, j)
		}
		r.Frame.Cols = len(names)
		return nil
	}
	positions, err := s.Signature.Bind(names)
	if err != nil {
		return invalid(path, "%s", err.Error())
	}
	for range names {
		r.at = append(r.at, -1)
	}
	for j, i := range positions {
		if i >= 0 {
			r.at[i] = j
		}
	}
	r.source.at = r.at
	r.Frame.Cols = len(positions)
	return nil
}

// Encode implements [Codec].
func (Invocations) Encode(dst []byte, req *Request, out []frame.Array) ([]byte, error) {
	return encodePredictions(dst, req, out)
}

// AppendError implements [Codec], in the form of MLflow's scoring server.
func (Invocations) AppendError(dst []byte, err error) []byte {
	dst = append(dst, `{"error_code":"`...)
	dst = append(dst, errorCode(err)...)
	dst = append(dst, `","message":`...)
	dst = appendString(dst, err.Error())
	return append(dst, '}')
}

// errorCode is MLflow's name for what went wrong.
func errorCode(err error) string {
	var e *Error
	if !errors.As(err, &e) {
		return "INTERNAL_ERROR"
	}
	switch e.Status {
	case http.StatusUnauthorized:
		return "UNAUTHENTICATED"
	case http.StatusForbidden:
		return "PERMISSION_DENIED"
	case http.StatusNotFound:
		return "RESOURCE_DOES_NOT_EXIST"
	case http.StatusTooManyRequests:
		return "REQUEST_LIMIT_EXCEEDED"
	case http.StatusServiceUnavailable:
		return "TEMPORARILY_UNAVAILABLE"
	case http.StatusGatewayTimeout:
		return "DEADLINE_EXCEEDED"
	}
	return "BAD_REQUEST"
}
