package wire

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// form is how the rows of a request were written.
type form uint8

const (
	unread     form = iota
	oneRow          // inputs[column]
	rows            // inputs[row][column]
	samples         // inputs[row]
	oneRecord       // inputs.column
	records         // inputs[row].column
	byColumn        // inputs.column[row]
	frames          // inputs[any], an object of columns each
	table           // records of a CSV body
	tensorRows      // inputs[0].data[row][column] or [element]
	tensorByColumn
)

// source says where the rows of a request stood in its body.
type source struct {
	form form
	// root is the path of the rows: inputs, instances, dataframe_split.data.
	root string
	// at are the columns of a table, as they came; nil for the order of training.
	at []int
	// cols is the width of a tensor of rows.
	cols int
	// nested says that the data of a tensor of rows was nested.
	nested bool
	// binary says that the tensors have no elements to point at in JSON.
	binary bool
	// tensors are the tensors of the columns, in training order; -1 for none.
	tensors []int
}

// path returns the place of a cell in the body. What the path cannot tell is in
// where, to be written before the reason. A row or column of -1 means all.
func (s *source) path(schema *Schema, row, col int) (path, where string) {
	if row < 0 || s.form == unread {
		switch {
		case s.form == tensorByColumn && col >= 0 && col < len(s.tensors) && s.tensors[col] >= 0:
			return fmt.Sprintf("inputs[%d].data", s.tensors[col]), ""
		case col >= 0:
			return s.whole(), schema.columnName(col) + ": "
		}
		return s.whole(), ""
	}
	index := "[" + strconv.Itoa(row) + "]"
	switch s.form {
	case oneRow:
		return s.root + element(col), ""
	case rows:
		if s.at != nil && col >= 0 {
			col = slices.Index(s.at, col)
		}
		return s.root + index + element(col), ""
	case samples:
		return s.root + index, ""
	case oneRecord, records:
		path = s.root
		if s.form == records {
			path += index
		}
		if schema.index == nil && col >= 0 {
			return path, schema.columnName(col) + ": "
		}
		return path + schema.member(col), ""
	case byColumn, frames:
		if s.form == byColumn && schema.index != nil && col >= 0 {
			return s.root + schema.member(col) + index, ""
		}
		where = "row " + strconv.Itoa(row)
		if col >= 0 {
			where += ", " + schema.columnName(col)
		}
		return s.root, where + ": "
	case table:
		path = "record " + strconv.Itoa(row+1)
		if col >= 0 {
			path += ", " + schema.columnName(col)
		}
		return path, ""
	case tensorByColumn:
		if col < 0 || col >= len(s.tensors) || s.tensors[col] < 0 {
			return "inputs", "row " + strconv.Itoa(row) + ": "
		}
		path = fmt.Sprintf("inputs[%d].data", s.tensors[col])
	case tensorRows:
		path = "inputs[0].data"
		switch {
		case s.nested:
			return path + index + element(col), ""
		case col < 0:
			return path, "row " + strconv.Itoa(row) + ": "
		}
		index = "[" + strconv.Itoa(row*s.cols+col) + "]"
	}
	where = "row " + strconv.Itoa(row)
	if s.form == tensorRows {
		where += ", " + schema.columnName(col)
	}
	if !s.binary {
		path += index
	}
	return path, where + ": "
}

// whole is the path of all rows.
func (s *source) whole() string {
	switch s.form {
	case tensorRows:
		return "inputs[0].data"
	case tensorByColumn:
		return "inputs"
	}
	return s.root
}

func element(i int) string {
	if i < 0 {
		return ""
	}
	return "[" + strconv.Itoa(i) + "]"
}

// member is the path of a column within a record.
func (s *Schema) member(col int) string {
	if col < 0 || col >= len(s.Signature.Features) {
		return ""
	}
	return memberOf(s.Signature.Features[col].Name)
}

// memberOf is the path of a member of an object, as JSONPath writes it.
func memberOf(key string) string {
	for i, c := range []byte(key) {
		letter := c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return "[" + strconv.Quote(clip(key)) + "]"
		}
	}
	if key == "" {
		return `[""]`
	}
	return "." + clip(key)
}

// keyPath is the path of a member of the whole body. It is a copy: a key is a
// part of the body.
func keyPath(key string) string { return strings.TrimPrefix(memberOf(key), ".") }

// columnName names a column in a sentence.
func (s *Schema) columnName(col int) string {
	if col >= 0 && col < len(s.Signature.Features) && s.Signature.Features[col].Name != "" {
		return "column " + strconv.Quote(s.Signature.Features[col].Name)
	}
	return "column " + strconv.Itoa(col)
}

// maxShown bounds what an error repeats of a body, and the names that it lists.
const maxShown = 40

// clip shortens what an error repeats of a body.
func clip(s string) string {
	if len(s) <= maxShown {
		return s
	}
	cut := maxShown
	for cut > 0 && s[cut]&0xc0 == 0x80 { // not in the middle of a letter
		cut--
	}
	return s[:cut] + "…"
}

// counted writes a number of things.
func counted(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return strconv.Itoa(n) + " " + thing + "s"
}

// joinNames lists names in an error.
func joinNames(names []string) string {
	if len(names) > maxShown {
		return strings.Join(names[:maxShown], ", ") + fmt.Sprintf(" and %d more", len(names)-maxShown)
	}
	return strings.Join(names, ", ")
}
