package archive

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// FuzzUnpack checks of any bytes that either what is wrong with them is said, or that
// what lies in the directory is what was told of it, within its bounds, and cannot be
// left by any link.
func FuzzUnpack(f *testing.F) {
	for _, items := range [][]item{plain()[1:], {{name: "1/a", text: "text"}, {name: "now", text: "1", kind: '2'}}} {
		f.Add(tarOf(f, items...))
		f.Add(zipOf(f, items...))
		f.Add(gz(f, tarOf(f, items...)))
	}
	f.Add(read(f, "gnu.tar.gz"))
	f.Add(read(f, "infozip.zip"))
	const seed = 64 << 10
	for _, h := range hostile(f) {
		if len(h.data) < seed {
			f.Add(h.data)
		}
	}
	const most = 1 << 20
	f.Fuzz(func(t *testing.T, data []byte) {
		dir, entries, err := unpackBytes(t, t.Context(), data, Options{MaxBytes: most})
		confined(t, dir)
		if err != nil {
			if !typed(err) {
				t.Errorf("the error is a %T: %v", err, err)
			}
			return
		}
		there := tree(t, dir)
		if len(there) != len(entries) {
			t.Errorf("%d entries, but there are %d: %v", len(entries), len(there), there)
		}
		total, folded := 0, map[string]bool{}
		for _, e := range entries {
			text, ok := there[e.Path]
			if !ok || e.Dir != (text == "/") && e.Size != 1 || e.Link != "" && text != "-> "+e.Link {
				t.Errorf("%+v is %q", e, text)
			}
			if !e.Dir && e.Link == "" {
				if int64(len(text)) != e.Size {
					t.Errorf("%+v has %d bytes", e, len(text))
				}
				total += len(text)
			}
			if lower := strings.ToLower(e.Path); folded[lower] {
				t.Errorf("%s hides another file", e.Path)
			} else {
				folded[lower] = true
			}
			inside(t, dir, e)
		}
		if total > most {
			t.Errorf("%d bytes", total)
		}
	})
}

// inside complains of what is reached by an entry, as others will, and lies elsewhere.
func inside(t *testing.T, dir string, e Entry) {
	t.Helper()
	real, err := filepath.EvalSymlinks(filepath.Join(dir, e.Path))
	root, rootErr := filepath.EvalSymlinks(dir)
	if err != nil || rootErr != nil || real != root && !strings.HasPrefix(real, root+string(filepath.Separator)) {
		t.Errorf("%s leads to %s, %v, %v", e.Path, real, err, rootErr)
		return
	}
	if info, err := os.Stat(real); err != nil || info.Mode()&(fs.ModeSetuid|fs.ModeSetgid|fs.ModeSticky) != 0 {
		t.Errorf("%s: %v, %v", e.Path, info.Mode(), err)
	}
}
