package pickle_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/format/pickle/pickletest"
)

// Python wrote the files, and the text that their values are (testdata/make.py).
func TestReadIsWhatPythonWrote(t *testing.T) {
	for _, name := range []string{"values", "arrays"} {
		want := strings.TrimSpace(string(file(t, name+".txt")))
		for protocol := range 6 {
			t.Run(fmt.Sprintf("%s protocol=%d", name, protocol), func(t *testing.T) {
				data := file(t, fmt.Sprintf("%s-p%d.pkl", name, protocol))
				value, info, err := pickle.Read(data, pickle.Limits{})
				if err != nil {
					t.Fatal(err)
				}
				if diff := cmp.Diff(lines(want), lines(pickletest.Show(value))); diff != "" {
					t.Errorf("value (-want +got):\n%s", diff)
				}
				info.Globals = nil
				if diff := cmp.Diff(pickle.Info{Protocol: protocol, Size: int64(len(data))}, info); diff != "" {
					t.Errorf("info (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// A stream is read in blocks, and gives what the whole file gives.
func TestReadFromIsRead(t *testing.T) {
	size := &pickle.LimitError{Limit: 1 << 20}
	for protocol := range 6 {
		for _, name := range []string{"values", "arrays"} {
			data := append(file(t, fmt.Sprintf("%s-p%d.pkl", name, protocol)), "behind"...)
			whole, wholeInfo, err := pickle.Read(data, pickle.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			value, info, err := pickle.ReadFrom(iotest.HalfReader(bytes.NewReader(data)), size, pickle.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(pickletest.Show(whole), pickletest.Show(value)); diff != "" {
				t.Errorf("%s protocol %d (-whole +stream):\n%s", name, protocol, diff)
			}
			if diff := cmp.Diff(wholeInfo, info); diff != "" || info.Trailing != int64(len("behind")) {
				t.Errorf("%s protocol %d, info (-whole +stream):\n%s", name, protocol, diff)
			}
		}
	}
}

func TestReadFromSeesErrorsAtTheEnd(t *testing.T) {
	checksum := errors.New("wrong checksum")
	src := func() *bytes.Reader { return bytes.NewReader([]byte("N.")) }
	_, _, err := pickle.ReadFrom(&failing{src(), checksum}, &pickle.LimitError{Limit: 100}, pickle.Limits{})
	if !errors.Is(err, checksum) {
		t.Errorf("error %v, want %v", err, checksum)
	}
	size := &pickle.LimitError{Limit: 1}
	if _, _, err := pickle.ReadFrom(src(), size, pickle.Limits{}); !errors.Is(err, size) {
		t.Errorf("error %v, want %v", err, size)
	}
}

// failing gives err in the place of the end of the file.
type failing struct {
	*bytes.Reader
	err error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.Reader.Read(p)
	if err != nil {
		err = f.err
	}
	return n, err
}

func TestArraysAliasTheFile(t *testing.T) {
	data := file(t, "arrays-p4.pkl")
	value, _, err := pickle.Read(data, pickle.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	strided, _ := value.(*pickle.Dict).Get("strided")
	array := strided.(*npy.Array)
	at := bytes.Index(data, array.Data)
	data[at+7] = 0xff // the sign and exponent of the first element
	if array.Data[7] != 0xff {
		t.Error("the array has a copy of its data")
	}
}

// What Python never wrote, and what a file asks of others, is refused with the
// place where it stands.
func TestReadRefuses(t *testing.T) {
	for name, c := range map[string]struct{ stream, want string }{
		"nothing":             {"", "malformed pickle at byte 0: the file ends in the middle of the pickle"},
		"no stop":             {"N", "malformed pickle at byte 1: the file ends in the middle of the pickle"},
		"two values":          {"NN.", "malformed pickle at byte 2: 1 values and 0 marks are left at the end"},
		"unknown opcode":      {"\x80\x02\xff.", "malformed pickle at byte 2: unknown opcode 0xff"},
		"protocol":            {"\x80\x06N.", "malformed pickle at byte 0: protocol 6; the highest is 5"},
		"persistent id":       {"Pid\n.", "malformed pickle at byte 0: it refers to a persistent id outside of the file, which saved models never do"},
		"extension":           {"\x82\x01.", "malformed pickle at byte 0: it refers to the extension registry outside of the file, which saved models never do"},
		"buffer":              {"\x97.", "malformed pickle at byte 0: it refers to a buffer outside of the file, which saved models never do"},
		"length":              {"\x8e\xff\xff\xff\xff\xff\xff\xff\xffa.", "malformed pickle at byte 0: 18446744073709551615 bytes announced, 2 left in the file"},
		"long integer":        {"\x8b\x00\x00\x00\x70.", "malformed pickle at byte 0: an integer of 1879048192 bytes"},
		"pop below a mark":    {"N(R.", "malformed pickle at byte 2: the stack is empty"},
		"append to a tuple":   {")Na.", "malformed pickle at byte 2: appending to a tuple"},
		"list as a key":       {"}]Ns.", "malformed pickle at byte 3: a list as a key"},
		"call of a string":    {"S'a'\n)R.", "malformed pickle at byte 6: calling a str"},
		"arguments":           {"cm\nf\nNR.", "malformed pickle at byte 6: arguments that are None"},
		"state twice":         {"cm\nC\n)\x81}b}b.", "malformed pickle at byte 10: a m.C gets its state twice"},
		"state of a class":    {"cm\nC\n}b.", "malformed pickle at byte 6: giving a state to m.C"},
		"class without name":  {"c\nC\n.", "malformed pickle at byte 0: a class without a name"},
		"memo":                {"h\x05.", "malformed pickle at byte 0: the memo has no entry 5"},
		"not UTF-8":           {"\x8c\x01\xff.", "malformed pickle at byte 0: a string that is not valid UTF-8"},
		"not ASCII":           {"U\x01\xff.", "malformed pickle at byte 0: a string of Python 2 that is not ASCII"},
		"surrogate":           {"V\\ud800\n.", "malformed pickle at byte 0: a string with an invalid escape"},
		"integer":             {"Iabc\n.", `malformed pickle at byte 0: "abc" is not an integer`},
		"float":               {"Fabc\n.", `malformed pickle at byte 0: "abc" is not a float`},
		"encoding":            {"c_codecs\nencode\n(S'a'\nS'idna'\ntR.", "malformed pickle at byte 31: an encoding that is not Latin-1"},
		"joblib before 0.10":  {"cjoblib.numpy_pickle\nNDArrayWrapper\n)\x81.", "joblib.numpy_pickle.NDArrayWrapper is not supported; its arrays are in files of their own, as joblib before 0.10 wrote them; load it there and dump it again"},
		"array of a subclass": {"cjoblib.numpy_pickle\nNumpyArrayWrapper\n)\x81}S'subclass'\ncnumpy\nmatrix\nsb.", "numpy.matrix is not supported; arrays are supported as plain numpy.ndarray"},
		"new array":           {"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I9\ntS'b'\ntR.", "malformed pickle at byte 63: a new array of shape [9], expected [0]"},
		"dtype":               {"cnumpy\ndtype\n(S'f3'\ntR.", `malformed pickle at byte 21: dtype "f3" does not exist`},
	} {
		t.Run(name, func(t *testing.T) {
			value, _, err := pickle.Read([]byte(c.stream), pickle.Limits{})
			if err == nil {
				t.Fatalf("read as %s, want error %q", pickletest.Show(value), c.want)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
		})
	}
}

// Each bound holds, names its flag, and what is just inside it is read.
func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("]", n) + strings.Repeat("a", n-1) + "." }
	// Lists that are put into one another from the outside in: each is shallow
	// when it gets its item.
	outsideIn := func(n int) string {
		var s strings.Builder
		for i := range n {
			fmt.Fprintf(&s, "]p%d\n0", i)
		}
		for i := range n - 1 {
			fmt.Fprintf(&s, "g%d\ng%d\na0", i, i+1)
		}
		return s.String() + "g0\n."
	}
	for name, c := range map[string]struct {
		limits         pickle.Limits
		inside, beyond string
		flag           string
	}{
		"bytes":                 {pickle.Limits{Bytes: 3}, "N.", "NN0.", "--max-bytes"},
		"depth":                 {pickle.Limits{Depth: 10}, nested(10), nested(11), "--max-depth"},
		"depth, outside in":     {pickle.Limits{Depth: 10}, outsideIn(10), outsideIn(11), "--max-depth"},
		"depth through objects": {pickle.Limits{Depth: 3}, "cm\nC\n)\x81]]ab.", "cm\nC\n)\x81]]]aab.", "--max-depth"},
		"memo":                  {pickle.Limits{Memo: 2}, "Np0\np1\n.", "Np0\np1\np2\n.", "--max-memo"},
		"memo with gaps":        {pickle.Limits{Memo: 2}, "Np70\np1\n.", "Np70\np1\np99\n.", "--max-memo"},
		"elements of a list":    {pickle.Limits{Elements: 7}, "](NNNe.", "](NNNNe.", "--max-elements"},
		"containers":            {pickle.Limits{Elements: 16}, "]0]0]0].", "]0]0]0]0].", "--max-elements"},
		"objects":               {pickle.Limits{Elements: 28}, "cm\nC\np0\n)\x81.", "cm\nC\np0\n)\x810g0\n)\x81.", "--max-elements"},
		"stack":                 {pickle.Limits{Elements: 4}, "NNNN000.", "NNNNN0000.", "--max-elements"},
		"marks":                 {pickle.Limits{Elements: 4}, "((((1111N.", "((((((111111N.", "--max-elements"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := pickle.Read([]byte(c.inside), c.limits); err != nil {
				t.Errorf("inside the limit: %v", err)
			}
			_, _, err := pickle.Read([]byte(c.beyond), c.limits)
			var limit *pickle.LimitError
			if !errors.As(err, &limit) || limit.Flag != c.flag {
				t.Errorf("beyond the limit: error %v, want one that names %s", err, c.flag)
			}
		})
	}
}

// A short file cannot hold what takes for ever to walk, because its values share
// theirs.
func TestSharing(t *testing.T) {
	text := "X\xa0\x86\x01\x00" + strings.Repeat("x", 100_000) + "q\x000"
	doubled := func(levels int) string {
		file := "]q\x00"
		for k := range levels {
			file += "0](h" + string(rune(k)) + "h" + string(rune(k)) + "eq" + string(rune(k+1))
		}
		return file + "."
	}
	for name, c := range map[string]struct {
		file string
		ok   bool
	}{
		"lists of lists":            {doubled(10), true},
		"lists of lists, many":      {doubled(60), false},
		"a text in a list":          {text + "](" + strings.Repeat("h\x00", 5) + "e.", true},
		"a text in a list, often":   {text + "](" + strings.Repeat("h\x00", 1000) + "e.", false},
		"a list that holds itself":  {"]q\x00(" + strings.Repeat("h\x00", 100_000) + "e.", true},
		"a text in lists of a list": {text + "](" + strings.Repeat("](h\x00h\x00h\x00h\x00h\x00h\x00e", 100) + "e.", false},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := pickle.Read([]byte(c.file), pickle.Limits{})
			var malformed *pickle.FormatError
			if c.ok && err != nil || !c.ok && (!errors.As(err, &malformed) || malformed.Reason != "the same values are put into others again and again") {
				t.Errorf("got %v; accepted: want %v", err, c.ok)
			}
		})
	}
}

// A short file cannot make much of little by using it again and again.
func TestRepetition(t *testing.T) {
	text := "V" + strings.Repeat("x", 100_000) + "\n"
	items := "](" + strings.Repeat("N", 100_000) + "e"
	const dtype = "cnumpy\ndtype\n(S'i1'\ntRp1\n0"
	for name, c := range map[string]struct{ start, again, want string }{
		"text to bytes": {"c_codecs\nencode\np0\n0(" + text + "S'latin1'\ntp1\n0", "g0\ng1\nR0", "the same bytes are used again and again"},
		"sets":          {"c__builtin__\nset\np0\n0(" + items + "tp1\n0", "g0\ng1\nR0", "the same items are put into containers again and again"},
		"arrays": {"cnumpy.core.numeric\n_frombuffer\np0\n0" + dtype + "(B\xa0\x86\x01\x00" + strings.Repeat("x", 100_000) + "g1\n(I100000\ntS'C'\ntp2\n0",
			"g0\ng2\nR0", "the same bytes are used again and again"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := pickle.Read([]byte(c.start+c.again+"N."), pickle.Limits{}); err != nil {
				t.Errorf("used once: %v", err)
			}
			_, _, err := pickle.Read([]byte(c.start+strings.Repeat(c.again, 10)+"N."), pickle.Limits{})
			var malformed *pickle.FormatError
			if !errors.As(err, &malformed) || malformed.Reason != c.want {
				t.Errorf("used ten times: %v, want %s", err, c.want)
			}
		})
	}
}

// A name is reported wherever it stands, also where the value does not hold it.
func TestGlobalsAreReported(t *testing.T) {
	const system = "cos\nsystem\n"
	call := system + "(S'echo'\ntR"
	for name, stream := range map[string]string{
		"result":       call + ".",
		"thrown away":  call + "0N.",
		"as a key":     "}" + call + "Ns.",
		"through memo": system + "p0\n0g0\n(S'echo'\ntR.",
		"default":      "ccollections\ndefaultdict\n(" + system + "tR.",
		"instance":     "(S'echo'\nios\nsystem\n.",
		"object":       "(" + system + "S'echo'\no.",
		"dtype":        "cnumpy.core.multiarray\nscalar\n(cnumpy\ndtype\n(S'O8'\ntR" + call + "tR.",
	} {
		t.Run(name, func(t *testing.T) {
			_, info, err := pickle.Read([]byte(stream), pickle.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			found := false
			for _, g := range info.Globals {
				found = found || g == pickle.Global{Module: "os", Name: "system"}
			}
			if !found {
				t.Errorf("globals %v, want os.system among them", info.Globals)
			}
		})
	}
}

// A name with dots stays one name.
func TestDottedNamesStayWhole(t *testing.T) {
	value, info, err := pickle.Read([]byte("\x80\x04\x8c\x01a\x8c\x03b.c\x93."), pickle.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	want := pickle.Global{Module: "a", Name: "b.c"}
	if diff := cmp.Diff(any(want), value); diff != "" {
		t.Errorf("value (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]pickle.Global{want}, info.Globals); diff != "" {
		t.Errorf("globals (-want +got):\n%s", diff)
	}
}

// Objects keep what they were made of.
func TestObjects(t *testing.T) {
	for name, c := range map[string]struct{ stream, want string }{
		"REDUCE":           {"cm\nf\n(I1\ntR.", "m.f(1)"},
		"NEWOBJ and BUILD": {"cm\nC\n)\x81}S'a'\nI1\nsb.", `m.C()state{"a": 1}`},
		"NEWOBJ_EX":        {"cm\nC\n(I1\nt}S'a'\nI2\ns\x92.", `m.C(1)kwargs{"a": 2}`},
		"__newobj__":       {"ccopy_reg\n__newobj__\n(cm\nC\nI1\ntR.", "m.C(1)"},
		"dict subclass":    {"cm\nC\n)\x81S'a'\nI1\ns.", `m.C()items{"a": 1}`},
		"list subclass":    {"cm\nC\n)\x81I5\na.", "m.C()items{0: 5}"},
		"_reconstructor":   {"ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\nobject\nNtR}b.", "m.C()state{}"},
		"dict of protocol 0": {"ccopy_reg\n_reconstructor\n(cm\nC\nc__builtin__\ndict\n(dS'a'\nI1\nstR.",
			`m.C()items{"a": 1}`},
		"called result": {"cm\nf\n)R(I1\ntR.", "m.f()(m.f(), (1))"},
		"subclass of arrays": {"cnumpy.core.multiarray\n_reconstruct\n(cm\nC\n(I0\ntS'b'\ntR(I1\ntb.",
			"m.C()state(1)"},
	} {
		t.Run(name, func(t *testing.T) {
			value, _, err := pickle.Read([]byte(c.stream), pickle.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(c.want, pickletest.Show(value)); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDictGet(t *testing.T) {
	d := &pickle.Dict{}
	for i := range 100 { // both without an index and with one
		d.Set(int64(i), "other")
		d.Set(strconv.Itoa(i), int64(i))
		d.Set(strconv.Itoa(i), int64(i+1))
	}
	for i := range 100 {
		if v, ok := d.Get(strconv.Itoa(i)); !ok || v != int64(i+1) {
			t.Errorf("key %d: %v, %v", i, v, ok)
		}
	}
	if v, ok := d.Get("100"); ok || len(d.Keys) != 200 {
		t.Errorf("missing key: %v, %v; %d keys", v, ok, len(d.Keys))
	}
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lines breaks the text of a value for a readable difference.
func lines(s string) []string { return strings.SplitAfter(s, ", ") }
