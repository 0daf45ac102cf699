package pickle_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/format/pickle/pickletest"
)

// Whatever the bytes are, reading ends with a value or a typed error, and a
// stream gives what the file gives: the same value, or an error too.
func FuzzPickle(f *testing.F) {
	files, err := filepath.Glob("testdata/*.pkl")
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
	limits := pickle.Limits{Bytes: 1 << 20, Depth: 50, Memo: 5000, Elements: 20_000}
	size := &pickle.LimitError{Limit: limits.Bytes}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, info, err := pickle.Read(data, limits)
		again, infoAgain, errAgain := pickle.ReadFrom(bytes.NewReader(data), size, limits)
		if (err == nil) != (errAgain == nil) {
			t.Fatalf("the file gives %v, a stream of it %v", err, errAgain)
		}
		if err != nil {
			if !typed(err) || !typed(errAgain) {
				t.Fatalf("untyped errors %v, %v", err, errAgain)
			}
			return
		}
		if a, b := pickletest.Show(value), pickletest.Show(again); a != b {
			t.Fatalf("the file gives\n%s\na stream of it\n%s", a, b)
		}
		if info.Size != infoAgain.Size || info.Size+info.Trailing != int64(len(data)) {
			t.Fatalf("%d bytes and %d behind, then %d, of %d", info.Size, info.Trailing, infoAgain.Size, len(data))
		}
	})
}

func typed(err error) bool {
	var format *pickle.FormatError
	var limit *pickle.LimitError
	var unsupported *pickle.UnsupportedError
	return errors.As(err, &format) || errors.As(err, &limit) || errors.As(err, &unsupported)
}
