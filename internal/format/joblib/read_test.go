package joblib_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/format/joblib"
	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/format/pickle/pickletest"
)

// joblib wrote the same arrays in every protocol and compression, pickle wrote
// them inline, and Python says what they are (../pickle/testdata/make.py).
func TestReadIsWhatJoblibWrote(t *testing.T) {
	text := strings.TrimSpace(string(file(t, "../../pickle/testdata/arrays.txt")))
	type facts struct {
		Format, Compression string
		Protocol            int
		Joblib              bool
		Trailing            int64
	}
	for name, want := range map[string]facts{
		"arrays-p0.joblib":   {"joblib, pickle protocol 0", "", 0, true, 0},
		"arrays-p1.joblib":   {"joblib, pickle protocol 1", "", 1, true, 0},
		"arrays-p2.joblib":   {"joblib, pickle protocol 2", "", 2, true, 0},
		"arrays-p3.joblib":   {"joblib, pickle protocol 3", "", 3, true, 0},
		"arrays-p4.joblib":   {"joblib, pickle protocol 4", "", 4, true, 0},
		"arrays-p5.joblib":   {"joblib, pickle protocol 5", "", 5, true, 0},
		"arrays.zlib.joblib": {"joblib (zlib), pickle protocol 4", "zlib", 4, true, 0},
		"arrays.gzip.joblib": {"joblib (gzip), pickle protocol 4", "gzip", 4, true, 0},
		"arrays.bz2.joblib":  {"joblib (bz2), pickle protocol 4", "bz2", 4, true, 0},
		"arrays.xz.joblib":   {"joblib (xz), pickle protocol 4", "xz", 4, true, 0},
		"arrays.lzma.joblib": {"joblib (lzma), pickle protocol 4", "lzma", 4, true, 0},
		"arrays.lz4.joblib":  {"joblib (lz4), pickle protocol 4", "lz4", 4, true, 0},

		"../../pickle/testdata/arrays-p3.pkl": {"pickle protocol 3", "", 3, false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			value, info, err := joblib.Read(file(t, name), pickle.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.SplitAfter(text, ", "), strings.SplitAfter(pickletest.Show(value), ", ")); diff != "" {
				t.Errorf("value (-want +got):\n%s", diff)
			}
			got := facts{info.Format, info.Compression, info.Protocol, info.Joblib, info.Trailing}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("info (-want +got):\n%s", diff)
			}
		})
	}
}

// An array that is larger than a block of the stream comes whole, and what
// stands behind it is found.
func TestLargeArrayInAStream(t *testing.T) {
	value, _, err := joblib.Read(file(t, "large.zlib.joblib"), pickle.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	large, _ := value.(*pickle.Dict).Get("large")
	array, ok := large.(*npy.Array)
	if !ok {
		t.Fatalf("%T, want an array", large)
	}
	elements, err := array.Float64s()
	if err != nil {
		t.Fatal(err)
	}
	wrong := 0
	for i, x := range elements {
		if x != float64(i/1000) {
			wrong++
		}
	}
	after, _ := value.(*pickle.Dict).Get("after")
	if diff := cmp.Diff([]int{1000, 300}, array.Shape); diff != "" || wrong > 0 || after != "text" {
		t.Errorf("%d wrong elements, then %v; shape (-want +got):\n%s", wrong, after, diff)
	}
}

// A file that is cut short or changed is never read as if it were whole: every
// compression that joblib writes by default has a checksum, or an end.
func TestDamagedFiles(t *testing.T) {
	for _, compression := range []string{"zlib", "gzip", "bz2", "xz", "lzma", "lz4"} {
		data := file(t, "arrays."+compression+".joblib")
		for cut := 0; cut < len(data); cut += 41 {
			if _, _, err := joblib.Read(data[:cut], pickle.Limits{}); err == nil {
				t.Errorf("%s: read although cut to %d of %d bytes", compression, cut, len(data))
			} else if !typed(err) {
				t.Fatalf("%s: untyped error %v", compression, err)
			}
		}
	}
	whole := file(t, "arrays-p4.joblib")
	for cut := 0; cut < len(whole); cut += 17 {
		if _, _, err := joblib.Read(whole[:cut], pickle.Limits{}); err == nil {
			t.Errorf("read although cut to %d of %d bytes", cut, len(whole))
		}
	}
	for _, compression := range []string{"zlib", "gzip", "bz2", "xz"} {
		data := file(t, "arrays."+compression+".joblib")
		data[len(data)-3] ^= 0x10
		if _, _, err := joblib.Read(data, pickle.Limits{}); err == nil {
			t.Errorf("%s: read although a bit at its end is flipped", compression)
		}
	}
}

func TestLimits(t *testing.T) {
	small, large := file(t, "arrays.zlib.joblib"), file(t, "large.zlib.joblib")
	for name, c := range map[string]struct {
		data   []byte
		limits pickle.Limits
		want   string
	}{
		"size of the file": {small, pickle.Limits{Bytes: 100}, "the file has more than 100 bytes; raise the bound with --max-bytes if you trust it"},
		"decompressed":     {small, pickle.Limits{Bytes: 5000}, "the file has more than 5000 bytes once decompressed; raise the bound with --max-bytes if you trust it"},
		"decompressed array": {large, pickle.Limits{Bytes: 1 << 20},
			"the file has more than 1048576 bytes once decompressed; raise the bound with --max-bytes if you trust it"},
		"xz, which tells its size": {file(t, "arrays.xz.joblib"), pickle.Limits{Bytes: 5000}, "the file has more than 5000 bytes once decompressed; raise the bound with --max-bytes if you trust it"},
		"elements":                 {small, pickle.Limits{Elements: 10}, "the file has more than 10 items in its lists, dicts and other containers; raise the bound with --max-elements if you trust it"},
		"memo":                     {small, pickle.Limits{Memo: 10}, "the file has more than 10 memo entries; raise the bound with --max-memo if you trust it"},
		"depth":                    {small, pickle.Limits{Depth: 1}, "the file has more than 1 levels of nesting; raise the bound with --max-depth if you trust it"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := joblib.Read(c.data, c.limits)
			if err == nil || err.Error() != c.want {
				t.Errorf("error %v, want %s", err, c.want)
			}
		})
	}
}

// A small file can be made of many items, or many bytes, for its size: the
// bound is that of the ratio, and says so.
func TestRatio(t *testing.T) {
	const n = 17 << 20
	for name, c := range map[string]struct{ content, want string }{
		"bytes": {"\x80\x04B\x00\x00\x10\x01" + strings.Repeat("\x00", n) + ".", "bytes once decompressed, too many for its size"},
		"items": {"\x80\x04](" + strings.Repeat("N", 2_200_000) + "e.", "items in its lists, dicts and other containers, too many for its size"},
		"memo":  {"\x80\x04N" + strings.Repeat("\x94", 2_200_000) + ".", "memo entries, too many for its size"},
	} {
		t.Run(name, func(t *testing.T) {
			_, _, err := joblib.Read(compressed(t, c.content), pickle.Limits{Ratio: 50})
			var limit *pickle.LimitError
			if !errors.As(err, &limit) || limit.Flag != "--max-ratio" || limit.What != c.want {
				t.Errorf("error %v, want %s and --max-ratio", err, c.want)
			}
			if _, _, err := joblib.Read(compressed(t, c.content), pickle.Limits{Ratio: 1_000_000}); err != nil {
				t.Errorf("with a higher ratio: %v", err)
			}
		})
	}
}

func TestZFileIsRefusedByName(t *testing.T) {
	_, _, err := joblib.Read([]byte("ZF0x10              "), pickle.Limits{})
	want := "malformed ZFile stream at byte 0: this is the ZFile format of joblib before 0.10; load it there and dump it again"
	if err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

// Whatever the bytes are, reading ends with a value or a typed error, gives the
// same again, and no more than the limits allow.
func FuzzJoblib(f *testing.F) {
	files, err := filepath.Glob("testdata/arrays*.joblib")
	if err != nil || len(files) == 0 {
		f.Fatal("no files to start from", err)
	}
	for _, name := range files {
		f.Add(file(f, filepath.Base(name)))
	}
	limits := pickle.Limits{Bytes: 1 << 20, Depth: 50, Memo: 5000, Elements: 20_000}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, info, err := joblib.Read(data, limits)
		again, _, errAgain := joblib.Read(bytes.Clone(data), limits)
		if (err == nil) != (errAgain == nil) {
			t.Fatalf("first %v, then %v", err, errAgain)
		}
		if err != nil {
			if !typed(err) {
				t.Fatalf("untyped error %v", err)
			}
			return
		}
		if a, b := pickletest.Show(value), pickletest.Show(again); a != b {
			t.Fatalf("first\n%s\nthen\n%s", a, b)
		}
		if info.Size+info.Trailing > limits.Bytes {
			t.Fatalf("%d bytes, limit %d", info.Size+info.Trailing, limits.Bytes)
		}
	})
}

func typed(err error) bool {
	var format *pickle.FormatError
	var limit *pickle.LimitError
	var unsupported *pickle.UnsupportedError
	return errors.As(err, &format) || errors.As(err, &limit) || errors.As(err, &unsupported)
}

func file(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}
