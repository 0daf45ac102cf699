package npy_test

import (
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/npy"
)

// nodes is a structured array of three records of 24 bytes, as trees have.
func nodes(t *testing.T) *npy.Array {
	t.Helper()
	field := func(name, dtype string, offset int) npy.Field {
		d, err := npy.ParseDtype(dtype)
		if err != nil {
			t.Fatal(err)
		}
		return npy.Field{Name: name, Dtype: d, Offset: offset}
	}
	dtype, err := npy.Structured(24, []npy.Field{field("left", "<i8", 0), field("x", ">f8", 8), field("flag", "u1", 16), field("name", "<U1", 20)})
	if err != nil {
		t.Fatal(err)
	}
	var data []byte
	for i := range 3 {
		data = binary.LittleEndian.AppendUint64(data, uint64(int64(-i)))
		data = binary.BigEndian.AppendUint64(data, math.Float64bits(float64(i)+0.5))
		data = append(data, byte(200+i), 0xee, 0xee, 0xee, byte('a'+i), 0, 0, 0)
	}
	a, err := npy.New(dtype, []int{3}, false, data)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestFields(t *testing.T) {
	a := nodes(t)
	left, err1 := a.FieldInt64s("left")
	x, err2 := a.FieldFloat64s("x")
	flag, err3 := a.FieldBytes("flag")
	column, err4 := a.Column("name")
	names, err5 := column.Strings(nil)
	for _, err := range []error{err1, err2, err3, err4, err5} {
		if err != nil {
			t.Fatal(err)
		}
	}
	type fields struct {
		Left  []int64
		X     []float64
		Flag  []byte
		Names []string
		Raw   []byte
	}
	want := fields{[]int64{0, -1, -2}, []float64{0.5, 1.5, 2.5}, []byte{200, 201, 202}, []string{"a", "b", "c"}, []byte{'c', 0, 0, 0}}
	if diff := cmp.Diff(want, fields{left, x, flag, names, column.Bytes(2)}); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	if _, err := a.Column("right"); err == nil || err.Error() != `the structure [left x flag name] has no field "right"` {
		t.Errorf("missing field: %v", err)
	}
	if _, err := a.FieldBytes("left"); err == nil {
		t.Error("a field of eight bytes was read as one of a byte")
	}
}

// Elements are appended to what the caller has, so that memory can be used again.
func TestColumnsAppend(t *testing.T) {
	column, err := nodes(t).Column("left")
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]int64, 1, 10)
	got, err := column.Int64s(buf)
	if diff := cmp.Diff([]int64{0, 0, -1, -2}, got); err != nil || diff != "" || &got[0] != &buf[0] {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	allocated := testing.AllocsPerRun(10, func() { column.Int64s(buf[:0]) })
	if allocated != 0 {
		t.Errorf("%v allocations", allocated)
	}
}

func TestWrongElementTypes(t *testing.T) {
	array := func(dtype string, data ...byte) *npy.Array {
		d, err := npy.ParseDtype(dtype)
		if err != nil {
			t.Fatal(err)
		}
		a, err := npy.New(d, []int{1}, false, data)
		if err != nil {
			t.Fatal(err)
		}
		return a
	}
	eight := make([]byte, 8)
	for name, c := range map[string]struct {
		read func() error
		want string
	}{
		"text as numbers":     {func() error { _, err := array("<U1", 65, 0, 0, 0).Float64s(); return err }, "elements of type <U1 are not numbers of at most 64 bits"},
		"long double":         {func() error { _, err := array("<f16", make([]byte, 16)...).Float64s(); return err }, "elements of type <f16 are not numbers of at most 64 bits"},
		"floats as integers":  {func() error { _, err := array("<f8", eight...).Int64s(); return err }, "elements of type <f8 are not integers"},
		"numbers as text":     {func() error { _, err := array("<f8", eight...).Strings(); return err }, "elements of type <f8 are not strings"},
		"numbers as booleans": {func() error { _, err := array("<i8", eight...).Bools(); return err }, "elements of type <i8 are not booleans"},
		"beyond 63 bits":      {func() error { _, err := array("<u8", 1, 0, 0, 0, 0, 0, 0, 0x80).Int64s(); return err }, "the unsigned integer 9223372036854775809 is beyond 63 bits"},
		"surrogate":           {func() error { _, err := array("<U1", 0, 0xd8, 0, 0).Strings(); return err }, "element 0 has the invalid code point 0xd800"},
		"no code point":       {func() error { _, err := array("<U1", 0, 0, 0, 0xff).Strings(); return err }, "element 0 has the invalid code point 0xff000000"},
	} {
		t.Run(name, func(t *testing.T) {
			err := c.read()
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
	if f, err := array("<u8", 0, 0, 0, 0, 0, 0, 0, 0x80).Float64s(); err != nil || f[0] != 1<<63 {
		t.Errorf("2^63 as a float: %v, %v", f, err)
	}
}

func TestOrders(t *testing.T) {
	d, _ := npy.ParseDtype("i1")
	c, err := npy.New(d, []int{2, 3}, false, []byte{0, 1, 2, 3, 4, 5})
	if err != nil {
		t.Fatal(err)
	}
	f, err := npy.New(d, []int{2, 3}, true, []byte{0, 3, 1, 4, 2, 5})
	if err != nil {
		t.Fatal(err)
	}
	objects := &npy.Array{Dtype: npy.Dtype{Kind: 'O', Size: 8}, Shape: []int{2, 2}, Fortran: true, Objects: []any{"a", "c", "b", "d"}}
	for name, pair := range map[string][2]any{
		"C order is itself": {c, c.RowMajor()},
		"Fortran order":     {c.Data, f.RowMajor().Data},
		"objects":           {[]any{"a", "b", "c", "d"}, objects.RowMajor().Objects},
		"transposed":        {&npy.Array{Dtype: d, Shape: []int{3, 2}, Data: []byte{0, 3, 1, 4, 2, 5}}, c.Transpose([]int{1, 0})},
	} {
		if diff := cmp.Diff(pair[0], pair[1]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	if c.RowMajor() != c {
		t.Error("an array in C order was copied")
	}
}

func TestParseDtype(t *testing.T) {
	for name, want := range map[string]string{
		"f8": "<f8", "<f8": "<f8", ">f4": ">f4", "=i2": "<i2", "b1": "|b1", "?": "|b1", "|u1": "<u1", "U3": "<U3", ">U3": ">U3", "S5": "|S5", "V64": "|V64",
		"O8": "object", "O": "object", "M8[ns]": "<M8[ns]", "m8[25s]": "<m8[25s]", "c16": "<c16", "f16": "<f16",
	} {
		d, err := npy.ParseDtype(name)
		if err != nil || d.String() != want {
			t.Errorf("%s: %s, %v; want %s", name, d, err, want)
		}
	}
	for _, name := range []string{"", "<", "f", "f3", "i7", "zz", "f8f8", "U1000000000", "V99999999999", "f-8", "f8[ns]", "<<f8", "?2"} {
		if d, err := npy.ParseDtype(name); err == nil {
			t.Errorf("%q was read as %s", name, d)
		}
	}
}

func TestStructuredRefuses(t *testing.T) {
	f8 := npy.Dtype{Kind: 'f', Size: 8}
	inner, err := npy.Structured(8, []npy.Field{{Name: "a", Dtype: f8}})
	if err != nil {
		t.Fatal(err)
	}
	middle, err := npy.Structured(8, []npy.Field{{Name: "a", Dtype: inner}})
	if err != nil {
		t.Fatal(err)
	}
	for want, c := range map[string]struct {
		size   int
		fields []npy.Field
	}{
		`field "b" at 4 overlaps the one before it`:                 {16, []npy.Field{{Name: "a", Dtype: f8}, {Name: "b", Dtype: f8, Offset: 4}}},
		`field "a" of 8 bytes at 4 ends outside its structure of 8`: {8, []npy.Field{{Name: "a", Dtype: f8, Offset: 4}}},
		`field "a" at -8 overlaps the one before it`:                {8, []npy.Field{{Name: "a", Dtype: f8, Offset: -8}}},
		`field "a" is nested more than two deep`:                    {8, []npy.Field{{Name: "a", Dtype: middle}}},
		"a structure of 300 fields; at most 256 are supported":      {8, make([]npy.Field, 300)},
		"a structure of -1 bytes":                                   {-1, nil},
	} {
		if _, err := npy.Structured(c.size, c.fields); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
}
