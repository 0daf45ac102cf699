// Package pickletest shows values of package pickle as text that is equal
// exactly if the values are: for tests that compare what two readers gave, or
// a reader and Python (testdata/make.py writes the same text).
package pickletest

import (
	"fmt"
	"math"
	"math/big"
	"strings"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
)

// Show returns v as text. A container that was shown before is shown as its
// number, so that shared ones are told from equal ones and cycles end.
func Show(v any) string {
	s := shower{numbers: make(map[any]int)}
	s.show(v)
	return s.String()
}

type shower struct {
	strings.Builder
	numbers map[any]int
}

func (s *shower) show(v any) {
	switch v := v.(type) {
	case nil:
		s.WriteString("None")
	case bool:
		s.WriteString(map[bool]string{true: "True", false: "False"}[v])
	case int64:
		fmt.Fprint(s, v)
	case *big.Int:
		s.WriteString(v.String())
	case float64:
		s.float(v)
	case string:
		s.text(v)
	case pickle.Bytes:
		fmt.Fprintf(s, "b:%x", []byte(v))
	case pickle.Global:
		s.WriteString("<" + name(v) + ">")
	case *npy.Dtype:
		s.dtype(*v)
	default:
		s.container(v)
	}
}

func (s *shower) container(v any) {
	if t, ok := v.(*pickle.Tuple); ok && len(t.Items) == 0 {
		s.WriteString("()") // there is only one in Python
		return
	}
	if n, again := s.numbers[v]; again {
		fmt.Fprintf(s, "*%d", n)
		return
	}
	s.numbers[v] = len(s.numbers)
	switch v := v.(type) {
	case *pickle.List:
		s.list("[", v.Items, "]")
	case *pickle.Tuple:
		s.list("(", v.Items, ")")
	case *pickle.Set:
		s.list("set(", v.Items, ")")
	case *pickle.Dict:
		s.WriteByte('{')
		for i := range v.Keys {
			if i > 0 {
				s.WriteString(", ")
			}
			s.show(v.Keys[i])
			s.WriteString(": ")
			s.show(v.Values[i])
		}
		s.WriteByte('}')
	case *pickle.Object:
		s.object(v)
	case *npy.Array:
		s.array(v)
	case *npy.Masked:
		s.WriteString("masked(")
		s.array(v.Data)
		s.WriteString(", ")
		s.array(v.Mask)
		s.WriteString(", ")
		s.show(v.Fill)
		s.WriteByte(')')
	default:
		fmt.Fprintf(s, "%T", v)
	}
}

func (s *shower) list(open string, items []any, end string) {
	s.WriteString(open)
	for i, item := range items {
		if i > 0 {
			s.WriteString(", ")
		}
		s.show(item)
	}
	s.WriteString(end)
}

func (s *shower) object(o *pickle.Object) {
	s.list(name(o.Class)+"(", o.Args, ")")
	if o.Kwargs != nil {
		s.WriteString("kwargs")
		s.show(o.Kwargs)
	}
	if o.Items != nil {
		s.WriteString("items")
		s.show(o.Items)
	}
	if o.State != nil {
		s.WriteString("state")
		s.show(o.State)
	}
}

// name is that of Python 3.
func name(g pickle.Global) string {
	switch g.Module {
	case "__builtin__":
		g.Module = "builtins"
		if g.Name == "long" {
			g.Name = "int"
		}
	case "copy_reg":
		g.Module = "copyreg"
	}
	return g.String()
}

// float shows the bits, since text rounds; but all NaN are one.
func (s *shower) float(f float64) {
	if math.IsNaN(f) {
		s.WriteString("nan")
		return
	}
	fmt.Fprintf(s, "f:%016x", math.Float64bits(f))
}

func (s *shower) text(t string) {
	s.WriteByte('"')
	for _, c := range t {
		if c < ' ' || c > '~' || c == '"' || c == '\\' {
			fmt.Fprintf(s, "\\{%x}", c)
		} else {
			s.WriteRune(c)
		}
	}
	s.WriteByte('"')
}

func (s *shower) dtype(d npy.Dtype) {
	if d.Fields == nil {
		s.WriteString("dtype:" + d.String())
		return
	}
	fmt.Fprintf(s, "dtype:%d{", d.Size)
	for _, f := range d.Fields {
		fmt.Fprintf(s, "%s@%d ", f.Name, f.Offset)
		s.dtype(f.Dtype)
		s.WriteByte(';')
	}
	s.WriteByte('}')
}

// array shows the elements row-major: as numbers and text where they are that,
// else as bytes.
func (s *shower) array(a *npy.Array) {
	s.WriteString("array(")
	s.dtype(a.Dtype)
	fmt.Fprintf(s, ", %v, ", a.Shape)
	s.elements(a)
	s.WriteByte(')')
}

func (s *shower) elements(a *npy.Array) {
	switch a.Dtype.Kind {
	case 'O':
		s.list("[", a.RowMajor().Objects, "]")
		return
	case 'f':
		if f, err := a.Float64s(); err == nil {
			showEach(s, f, s.float)
			return
		}
	case 'i', 'u', 'b':
		if n, err := a.Int64s(); err == nil {
			showEach(s, n, func(n int64) { fmt.Fprint(s, n) })
			return
		}
	case 'U':
		if t, err := a.Strings(); err == nil {
			showEach(s, t, s.text)
			return
		}
	}
	fmt.Fprintf(s, "b:%x", a.RowMajor().Data)
}

func showEach[T any](s *shower, elements []T, show func(T)) {
	s.WriteByte('[')
	for i, e := range elements {
		if i > 0 {
			s.WriteString(", ")
		}
		show(e)
	}
	s.WriteByte(']')
}
