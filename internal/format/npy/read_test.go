package npy_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format"
	"mizzen.dev/internal/format/npy"
)

// numpy wrote the files, and what it reads in them (testdata/make.py).
func TestReadIsWhatNumpyWrote(t *testing.T) {
	var expect map[string]struct {
		Dtype    string
		Shape    []int
		Elements any
	}
	text, err := os.ReadFile("testdata/expect.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &expect); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/*.npy")
	if err != nil || len(files) != len(expect) {
		t.Fatalf("%d files, %d expectations, %v", len(files), len(expect), err)
	}
	for name, want := range expect {
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile("testdata/" + name + ".npy")
			if err != nil {
				t.Fatal(err)
			}
			a, err := npy.Read(data, format.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			// A byte has no order: numpy says |, we say that of the machine.
			dtype := strings.NewReplacer("|i", "<i", "|u", "<u").Replace(want.Dtype)
			if a.Dtype.String() != dtype {
				t.Errorf("dtype %s, want %s", a.Dtype, dtype)
			}
			if diff := cmp.Diff(want.Shape, a.Shape); diff != "" {
				t.Errorf("shape (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(want.Elements, elements(t, a)); diff != "" {
				t.Errorf("elements (-want +got):\n%s", diff)
			}
		})
	}
}

// elements returns the elements as expect.json has them.
func elements(t *testing.T, a *npy.Array) any {
	t.Helper()
	out := []any{}
	var err error
	switch a.Dtype.Kind {
	case 'i', 'u', 'b':
		var n []int64
		n, err = a.Int64s()
		for _, x := range n {
			out = append(out, float64(x))
		}
	case 'f':
		var f []float64
		f, err = a.Float64s()
		for _, x := range f {
			out = append(out, pythonHex(x))
		}
	case 'U', 'S':
		var s []string
		s, err = a.Strings()
		for _, x := range s {
			out = append(out, x)
		}
	default:
		return hex.EncodeToString(a.RowMajor().Data)
	}
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// pythonHex is float.hex of Python.
func pythonHex(f float64) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case f == 0 && math.Signbit(f):
		return "-0x0.0p+0"
	case f == 0:
		return "0x0.0p+0"
	}
	mantissa, exponent, _ := strings.Cut(strconv.FormatFloat(f, 'x', 13, 64), "p")
	n, _ := strconv.Atoi(exponent)
	return fmt.Sprintf("%sp%+d", mantissa, n)
}

func TestReadRefuses(t *testing.T) {
	file := func(header string, data ...byte) string {
		return npy.Magic + "\x01\x00" + string(binary.LittleEndian.AppendUint16(nil, uint16(len(header)))) + header + string(data)
	}
	of := func(descr, shape string) string {
		return file("{'descr': "+descr+", 'fortran_order': False, 'shape': "+shape+"}", make([]byte, 64)...)
	}
	for name, c := range map[string]struct{ data, want string }{
		"nothing":            {"", "malformed .npy file at byte 0: it does not start with numpy's magic"},
		"cut":                {npy.Magic + "\x01", "malformed .npy file at byte 0: the header is cut short"},
		"version":            {npy.Magic + "\x09\x00\x00\x00\x00\x00", "malformed .npy file at byte 0: version 9; known are 1 to 3"},
		"header length":      {npy.Magic + "\x02\x00\xff\xff\xff\xff", "malformed .npy file at byte 0: a header of 4294967295 bytes; 0 are left, and at most 65536 are allowed"},
		"no literal":         {file("__import__('os')"), "malformed .npy file at byte 10: neither a string, an integer, a list, a tuple nor a dict at character 0 of the header"},
		"nested":             {file(strings.Repeat("(", 100)), "malformed .npy file at byte 10: more than 8 levels of nesting at character 9 of the header"},
		"behind the dict":    {file("{} + 1"), "malformed .npy file at byte 10: text behind the header's dict, at character 3"},
		"no shape":           {file("{'descr': '<f8'}"), "malformed .npy file at byte 10: the header is not a dict of descr, fortran_order and shape"},
		"key twice":          {file("{'descr': 'f8', 'descr': 'f8'}"), "malformed .npy file at byte 10: a key that is no string or is there twice at character 23 of the header"},
		"data too short":     {of("'<f8'", "(9,)"), "malformed .npy file at byte 65: an array of shape [9] and type <f8 needs 72 bytes, 64 are there"},
		"negative":           {of("'<f8'", "(-1,)"), "malformed .npy file at byte 66: an array with a negative dimension, -1"},
		"overflow":           {of("'<f8'", "(4611686018427387904,)"), "malformed .npy file at byte 83: an array whose shape [4611686018427387904] overflows"},
		"wraps to 8":         {of("'<f8'", "(2305843009213693953, 8)"), "malformed .npy file at byte 85: an array whose shape [2305843009213693953 8] overflows"},
		"zero hides nothing": {of("'<f8'", "(0, 4611686018427387904, 4)"), "malformed .npy file at byte 88: an array whose shape [0 4611686018427387904 4] overflows"},
		"no size":            {of("'<U0'", "(1000000,)"), "malformed .npy file at byte 71: 1000000 elements of no bytes"},
		"objects":            {of("'|O'", "(1,)"), "malformed .npy file at byte 64: objects have no bytes of their own"},
		"dtype as a dict":    {of("{'names': ['a'], 'formats': ['<f8'], 'offsets': [4096]}", "(1,)"), "malformed .npy file at byte 10: a descr that is neither a type nor a list of fields"},
		"field twice":        {of("[('a', '<f8'), ('a', '<f8')]", "(1,)"), `malformed .npy file at byte 10: field "a" twice`},
		"objects in fields":  {of("[('a', '|O')]", "(1,)"), `malformed .npy file at byte 10: field "a" holds objects, which is not supported`},
		"large fields":       {of("[('a', 'V2000000000'), ('b', 'V2000000000')]", "(1,)"), "malformed .npy file at byte 10: a structure of more than 2147483648 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := npy.Read([]byte(c.data), format.Limits{})
			if err == nil {
				t.Fatalf("no error, want %q", c.want)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
	var limit *format.LimitError
	if _, err := npy.Read([]byte(of("'<f8'", "(1,)")), format.Limits{Bytes: 10}); !errors.As(err, &limit) || limit.Flag != "--max-bytes" {
		t.Errorf("error %v, want one that names --max-bytes", err)
	}
}

// What is read can be written, and is then read as the same.
func FuzzNPY(f *testing.F) {
	files, err := filepath.Glob("testdata/*.npy")
	if err != nil || len(files) == 0 {
		f.Fatal("no files to start from", err)
	}
	for _, name := range files {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := npy.Read(data, format.Limits{Bytes: 1 << 20})
		if err != nil {
			var malformed *format.Error
			var limit *format.LimitError
			if !errors.As(err, &malformed) && !errors.As(err, &limit) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if len(a.Data) != a.Len()*a.Dtype.Size {
			t.Fatalf("%d bytes for %d elements of %s", len(a.Data), a.Len(), a.Dtype)
		}
		if row := a.RowMajor(); len(row.Data) != len(a.Data) {
			t.Fatalf("%d bytes row-major, %d as they were", len(row.Data), len(a.Data))
		}
		again, err := npy.Read(write(a), format.Limits{})
		if err != nil {
			t.Fatalf("reading what was written: %v", err)
		}
		if diff := cmp.Diff(a, again); diff != "" {
			t.Fatalf("array (-first +again):\n%s", diff)
		}
	})
}

// write makes an .npy file, version 3.
func write(a *npy.Array) []byte {
	order := "False"
	if a.Fortran {
		order = "True"
	}
	var shape strings.Builder
	for _, d := range a.Shape {
		fmt.Fprintf(&shape, "%d, ", d)
	}
	header := fmt.Sprintf("{'descr': %s, 'fortran_order': %s, 'shape': (%s), }\n", descr(a.Dtype), order, &shape)
	var out bytes.Buffer
	out.WriteString(npy.Magic + "\x03\x00")
	out.Write(binary.LittleEndian.AppendUint32(nil, uint32(len(header))))
	out.WriteString(header)
	out.Write(a.Data)
	return out.Bytes()
}

func descr(d npy.Dtype) string {
	if d.Fields == nil {
		// V and the like have no order in their names: give it, so that it is kept.
		name := d.String()
		if d.BigEndian {
			name = ">" + strings.TrimLeft(name, "<>|")
		}
		quote := "'"
		if strings.Contains(name, quote) {
			quote = `"`
		}
		return quote + name + quote
	}
	var out strings.Builder
	end := 0
	for _, f := range d.Fields {
		if f.Offset > end {
			fmt.Fprintf(&out, "('', '|V%d'), ", f.Offset-end)
		}
		quote := "'"
		if strings.Contains(f.Name, quote) {
			quote = `"`
		}
		fmt.Fprintf(&out, "(%s%s%s, %s), ", quote, f.Name, quote, descr(f.Dtype))
		end = f.Offset + f.Dtype.Size
	}
	if d.Size > end {
		fmt.Fprintf(&out, "('', '|V%d'), ", d.Size-end)
	}
	return "[" + out.String() + "]"
}
