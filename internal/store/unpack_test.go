package store

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/archive"
)

// packed is a .tar.gz of files, and of links: a text that begins with an arrow.
func packed(t testing.TB, files map[string]string) []byte {
	t.Helper()
	var out bytes.Buffer
	zip := gzip.NewWriter(&out)
	w := tar.NewWriter(zip)
	for name, text := range files {
		h := &tar.Header{Name: name, Mode: 0o644, Typeflag: tar.TypeReg, Size: int64(len(text))}
		if strings.HasSuffix(name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if target, ok := strings.CutPrefix(text, "-> "); ok {
			h.Typeflag, h.Linkname, h.Size = tar.TypeSymlink, target, 0
		}
		err := w.WriteHeader(h)
		if err == nil && h.Size > 0 {
			_, err = w.Write([]byte(text))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zip.Close()); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// below is what lies below a directory, but for the note: contents of files, and where
// links point, after an arrow.
func below(t testing.TB, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == noteName {
			return err
		}
		name, err := filepath.Rel(dir, path)
		if err != nil {
			return err
		}
		if d.Type() == fs.ModeSymlink {
			target, err := os.Readlink(path)
			found[name] = "-> " + target
			return err
		}
		text, err := os.ReadFile(path)
		found[name] = string(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// archives serves what can be changed, and counts how often it is asked for.
type archives struct {
	url      string
	data     atomic.Pointer[[]byte]
	requests atomic.Int64
}

func serveArchive(t *testing.T, files map[string]string) *archives {
	t.Helper()
	a := &archives{}
	a.set(t, files)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		a.requests.Add(1)
		_, _ = w.Write(*a.data.Load())
	}))
	t.Cleanup(server.Close)
	a.url = server.URL + "/model.tar.gz"
	return a
}

func (a *archives) set(t *testing.T, files map[string]string) {
	t.Helper()
	data := packed(t, files)
	a.data.Store(&data)
}

func (a *archives) digest() string { return digestOf(string(*a.data.Load())) }

// alone complains of what lies beside the directory.
func alone(t *testing.T, dir string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(dir))
	if err != nil || len(entries) != 1 || entries[0].Name() != filepath.Base(dir) {
		t.Errorf("beside it are %v, %v", entries, err)
	}
}

func savedModel() map[string]string {
	return map[string]string{"saved_model.pb": "a graph", "variables/variables.index": "an index", "latest": "-> variables"}
}

// An archive is unpacked once. What is there is not fetched again, unless somebody has
// changed it, it is of another digest, or laid out for another server.
func TestUnpack(t *testing.T) {
	a := serveArchive(t, savedModel())
	dir := filepath.Join(t.TempDir(), "deep", "model")
	req := Request{URI: a.url, Path: dir, Unpack: AsIs, Digest: a.digest()}
	fetch := func(wantRequests int64, want map[string]string) {
		t.Helper()
		before := a.requests.Load()
		got, err := fetchNow(t.Context(), t, req)
		size := int64(len(*a.data.Load()))
		if err != nil || got != (Result{Digest: a.digest(), Bytes: size, Files: 3, Fetched: wantRequests > 0}) {
			t.Fatalf("got %+v, %v", got, err)
		}
		if n := a.requests.Load() - before; n != wantRequests {
			t.Errorf("%d requests, want %d", n, wantRequests)
		}
		if diff := cmp.Diff(want, below(t, dir)); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		alone(t, dir)
	}
	fetch(1, savedModel())
	fetch(0, savedModel())
	if err := os.WriteFile(filepath.Join(dir, "saved_model.pb"), []byte("A graph"), 0o600); err != nil {
		t.Fatal(err)
	}
	fetch(1, savedModel())
	if err := os.Remove(filepath.Join(dir, "latest")); err != nil {
		t.Fatal(err)
	}
	fetch(1, savedModel())
	req.Unpack = TFServing
	laidOut := map[string]string{}
	for name, text := range savedModel() {
		laidOut["1/"+name] = text
	}
	fetch(1, laidOut)
	fetch(0, laidOut)
	req.Unpack = AsIs
	other := map[string]string{"saved_model.pb": "another", "a": "a", "b": "b"}
	a.set(t, other)
	req.Digest = a.digest()
	fetch(1, other)
}

// Without a digest the archive is fetched each time, but a directory that somebody may
// be serving is left alone while nothing in it changes.
func TestUnpackNotPinned(t *testing.T) {
	a := serveArchive(t, savedModel())
	dir := filepath.Join(t.TempDir(), "model")
	fetch := func(wantNew bool) {
		t.Helper()
		before, _ := os.Stat(dir)
		got, err := fetchNow(t.Context(), t, Request{URI: a.url, Path: dir, Unpack: AsIs})
		if err != nil || got.Digest != a.digest() || got.Fetched != wantNew {
			t.Fatalf("got %+v, %v", got, err)
		}
		if after, err := os.Stat(dir); err != nil || os.SameFile(before, after) == wantNew {
			t.Errorf("the directory is another: %t, want %t (%v)", !wantNew, wantNew, err)
		}
		alone(t, dir)
	}
	fetch(true)
	fetch(false)
	a.set(t, map[string]string{"saved_model.pb": "another"})
	fetch(true)
	if diff := cmp.Diff(map[string]string{"saved_model.pb": "another"}, below(t, dir)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// Many that want the same directory make it once.
func TestUnpackOnce(t *testing.T) {
	for _, pinned := range []bool{true, false} {
		a := serveArchive(t, savedModel())
		digest := ""
		if pinned {
			digest = a.digest()
		}
		dir := filepath.Join(t.TempDir(), "model")
		const processes = 8
		var all, others sync.WaitGroup
		others.Add(processes - 1)
		var fetched atomic.Int64
		for range processes {
			all.Go(func() {
				log := slog.New(&onMessage{message: "waiting for another process that fetches the file", do: sync.OnceFunc(others.Done)})
				unpacking := func(int64, int64) { others.Wait() } // all but this one wait for it
				got, err := fetchNow(t.Context(), t, Request{URI: a.url, Path: dir, Unpack: AsIs, Digest: digest, Options: Options{Log: log, Unpacking: unpacking}})
				if err != nil || got.Digest != a.digest() || got.Files != 3 {
					t.Errorf("got %+v, %v", got, err)
				}
				if got.Fetched {
					fetched.Add(1)
				}
			})
		}
		all.Wait()
		if a.requests.Load() != 1 || fetched.Load() != 1 {
			t.Errorf("pinned %t: %d requests by %d processes, want one", pinned, a.requests.Load(), fetched.Load())
		}
		alone(t, dir)
	}
}

// What goes wrong leaves what was there, and nothing else.
func TestUnpackFails(t *testing.T) {
	hostile := map[string]string{"../evil": "x"}
	tests := map[string]struct {
		files  map[string]string
		layout Layout
		digest string
		max    int64
		want   string
	}{
		"wrong digest": {files: savedModel(), digest: digestOf("another"), want: "expected sha256:"},
		"hostile":      {files: hostile, want: `the archive is refused: "../evil" leads out of the archive`},
		"too large":    {files: map[string]string{"a": strings.Repeat("a", 1000)}, max: 500, want: "more bytes than --max-bytes allows; the limit is 500"},
		"no model":     {files: map[string]string{"model.pb": "x"}, layout: TFServing, want: "the archive holds no SavedModel: there is no saved_model.pb in it"},
		"our own note": {files: map[string]string{noteName: "{}"}, want: `".mizzen.json" has a name that mizzen writes itself`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			a := serveArchive(t, savedModel())
			dir := filepath.Join(t.TempDir(), "model")
			if test.layout == "" {
				test.layout = AsIs
			}
			req := Request{URI: a.url, Path: dir, Unpack: test.layout, MaxBytes: 1 << 20}
			if _, err := fetchNow(t.Context(), t, req); err != nil {
				t.Fatal(err)
			}
			before := below(t, dir)
			a.set(t, test.files)
			req.Digest = test.digest
			if test.max != 0 {
				req.MaxBytes = test.max
			}
			_, err := fetchNow(t.Context(), t, req)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
			if diff := cmp.Diff(before, below(t, dir)); diff != "" {
				t.Errorf("-before +after:\n%s", diff)
			}
			alone(t, dir)
		})
	}
}

// Nothing that fetch has not made is replaced.
func TestUnpackReplacesItsOwn(t *testing.T) {
	a := serveArchive(t, savedModel())
	for name, test := range map[string]struct {
		make func(path string) error
		want string // of the error; "" for none
	}{
		"nothing":      {func(string) error { return nil }, ""},
		"an empty one": {func(path string) error { return os.Mkdir(path, 0o700) }, ""},
		"somebody's files": {func(path string) error {
			return errors.Join(os.Mkdir(path, 0o700), os.WriteFile(path+"/thesis.tex", nil, 0o600))
		}, "a directory with files that were not unpacked there: name a directory"},
		"a file": {func(path string) error { return os.WriteFile(path, nil, 0o600) }, "is no directory"},
		"a link": {func(path string) error { return os.Symlink(filepath.Dir(path), path) }, "is no directory"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "model")
			if err := test.make(dir); err != nil {
				t.Fatal(err)
			}
			before := a.requests.Load()
			_, err := fetchNow(t.Context(), t, Request{URI: a.url, Path: dir, Unpack: AsIs})
			var replace *ReplaceError
			if test.want == "" && err != nil || test.want != "" && (!errors.As(err, &replace) || !strings.Contains(err.Error(), test.want)) {
				t.Errorf("got %v, want %q", err, test.want)
			}
			if asked := a.requests.Load() > before; asked != (test.want == "") {
				t.Errorf("the store was asked: %t", asked)
			}
			alone(t, dir)
		})
	}
}

// A process that ends while it unpacks leaves the archive to the next one, which need
// not fetch it again, and clears what else there is.
func TestUnpackGoesOn(t *testing.T) {
	a := serveArchive(t, savedModel())
	dir := filepath.Join(t.TempDir(), "model")
	ctx, cancel := context.WithCancel(t.Context())
	req := Request{URI: a.url, Path: dir, Unpack: AsIs, Digest: a.digest(), Options: Options{Unpacking: func(int64, int64) { cancel() }}}
	if _, err := fetchNow(ctx, t, req); !errors.Is(err, context.Canceled) {
		t.Fatalf("got %v", err)
	}
	if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("there is a directory: %v", err)
	}
	// One that was killed leaves more.
	if err := os.MkdirAll(filepath.Join(filepath.Dir(dir), ".model.unpacking-17", "archive", "variables"), 0o700); err != nil {
		t.Fatal(err)
	}
	req.Unpacking = nil
	got, err := fetchNow(t.Context(), t, req)
	if err != nil || !got.Fetched || a.requests.Load() != 1 {
		t.Errorf("got %+v, %v after %d requests, want one", got, err, a.requests.Load())
	}
	if diff := cmp.Diff(savedModel(), below(t, dir)); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	alone(t, dir)
}

// Each layout finds its models wherever people pack them.
func TestLayouts(t *testing.T) {
	tests := map[string]struct {
		layout Layout
		files  map[string]string // to where they go; "" for nowhere
		want   string            // of the error
	}{
		"tfserving, the SavedModel itself": {TFServing, map[string]string{"saved_model.pb": "1/saved_model.pb", "variables/v": "1/variables/v"}, ""},
		"tfserving, its directory":         {TFServing, map[string]string{"export/saved_model.pb": "1/saved_model.pb", "export/assets/a": "1/assets/a"}, ""},
		"tfserving, as for SageMaker":      {TFServing, map[string]string{"ranking/3/saved_model.pb": "3/saved_model.pb", "code/inference.py": ""}, ""},
		"tfserving, as text":               {TFServing, map[string]string{"0007/saved_model.pbtxt": "0007/saved_model.pbtxt"}, ""},
		"tfserving, none":                  {TFServing, map[string]string{"model.h5": ""}, "holds no SavedModel"},
		"tfserving, two":                   {TFServing, map[string]string{"1/saved_model.pb": "", "2/saved_model.pb": ""}, "holds more than one SavedModel, in 1 and 2: pack one"},
		"torchserve":                       {TorchServe, map[string]string{"MAR-INF/MANIFEST.json": "MAR-INF/MANIFEST.json", "model.pt": "model.pt"}, ""},
		"torchserve, its directory":        {TorchServe, map[string]string{"m/MAR-INF/MANIFEST.json": "MAR-INF/MANIFEST.json", "m/model.pt": "model.pt"}, ""},
		"torchserve, none":                 {TorchServe, map[string]string{"model.pt": ""}, "there is no MAR-INF/MANIFEST.json in it"},
		"triton, a model":                  {Triton, map[string]string{"config.pbtxt": "made/config.pbtxt", "1/model.onnx": "made/1/model.onnx"}, ""},
		"triton, a version alone":          {Triton, map[string]string{"1/model.onnx": "made/1/model.onnx"}, ""},
		"triton, a repository":             {Triton, map[string]string{"resnet/config.pbtxt": "resnet/config.pbtxt", "resnet/1/model.onnx": "resnet/1/model.onnx"}, ""},
		"triton, its directory":            {Triton, map[string]string{"models/resnet/1/model.savedmodel/7/x": "resnet/1/model.savedmodel/7/x", "README": ""}, ""},
		"triton, an ensemble": {Triton, map[string]string{"all/config.pbtxt": "all/config.pbtxt", "all/1/": "all/1/", "pre/1/model.py": "pre/1/model.py",
			"net/1/model.plan": "net/1/model.plan"}, ""},
		"triton, none":             {Triton, map[string]string{"resnet/model.onnx": ""}, "holds no model of Triton: there is neither MODEL/config.pbtxt nor MODEL/1 in it"},
		"triton, here and there":   {Triton, map[string]string{"a/x/1/model.onnx": "", "b/y/1/model.onnx": ""}, "in different directories, a/x and b/y"},
		"a link that stays":        {TFServing, map[string]string{"m/saved_model.pb": "1/saved_model.pb", "m/assets/v": "1/assets/v", "m/link -> assets/v": "1/link"}, ""},
		"a link to what is left":   {TFServing, map[string]string{"m/saved_model.pb": "", "other": "", "m/link -> ../other": ""}, "is a link out of the archive"},
		"a link that is then out":  {TFServing, map[string]string{"a/b/c/saved_model.pb": "", "x/y": "", "a/b/c/link -> ../../../x/y": ""}, "is a link out of the archive"},
		"a link through the moved": {Triton, map[string]string{"r/m/1/f": "", "r/l -> ../r/m": ""}, "is a link out of the archive"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			files, want := map[string]string{}, map[string]string{}
			for file, to := range test.files {
				file, target, link := strings.Cut(file, " -> ")
				text := "the text of " + file
				if link {
					text = "-> " + target
				}
				files[file] = text
				if strings.HasSuffix(file, "/") {
					files[file] = ""
				} else if to != "" {
					want[to] = text
				}
			}
			a := serveArchive(t, files)
			dir := filepath.Join(t.TempDir(), "made")
			_, err := fetchNow(t.Context(), t, Request{URI: a.url, Path: dir, Unpack: test.layout, Digest: a.digest()})
			if test.want != "" {
				var layout *LayoutError
				var refused *archive.RefusedError
				if !errors.As(err, &layout) && !errors.As(err, &refused) || !strings.Contains(err.Error(), test.want) {
					t.Errorf("got %v, want %q in it", err, test.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, below(t, dir)); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
			if _, err := fetchNow(t.Context(), t, Request{URI: a.url, Path: dir, Unpack: test.layout, Digest: a.digest()}); err != nil || a.requests.Load() != 1 {
				t.Errorf("again: %v after %d requests", err, a.requests.Load())
			}
		})
	}
}
