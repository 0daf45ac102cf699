package joblib_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"io"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/ulikunitz/xz"

	"mizzen.dev/internal/format/joblib"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/format/pickle/pickletest"
)

func compressed(t *testing.T, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	_, err := io.WriteString(w, content)
	if closeErr := w.Close(); err != nil || closeErr != nil {
		t.Fatal(err, closeErr)
	}
	return out.Bytes()
}

// Streams that follow one another are one content, whose parts may end anywhere.
func TestManyStreams(t *testing.T) {
	content := file(t, "arrays-p4.joblib")
	want, _, err := joblib.Read(content, pickle.Limits{})
	if err != nil {
		t.Fatal(err)
	}
	for name, newWriter := range map[string]func(io.Writer) (io.WriteCloser, error){
		"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriter(w), nil },
		"xz":   func(w io.Writer) (io.WriteCloser, error) { return xz.WriterConfig{BlockSize: 1000}.NewWriter(w) },
	} {
		t.Run(name, func(t *testing.T) {
			var file bytes.Buffer
			for part := range bytes.SplitSeq(content, []byte("kind")) {
				w, err := newWriter(&file)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := w.Write(part); err != nil {
					t.Fatal(err)
				}
				if file.Len() > 0 && !bytes.HasSuffix(content, part) {
					if _, err := w.Write([]byte("kind")); err != nil {
						t.Fatal(err)
					}
				}
				if err := w.Close(); err != nil {
					t.Fatal(err)
				}
			}
			got, _, err := joblib.Read(file.Bytes(), pickle.Limits{})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(pickletest.Show(want), pickletest.Show(got)); diff != "" {
				t.Errorf("value (-one stream +many):\n%s", diff)
			}
		})
	}
}
