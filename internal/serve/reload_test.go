package serve

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"

	"mizzen.dev/internal/config"
)

// Two models that can be told apart: both take four numbers.
const (
	treePath  = "testdata/tree.pkl"  // answers 7 for everything
	otherPath = "testdata/other.pkl" // answers 8 for everything
)

// answers returns what a model predicts.
func (s *running) answers(t *testing.T, path string) string {
	t.Helper()
	return do(t, "POST", s.url+path, `{"inputs":[1,2,3,4]}`).body
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestReloadUnderLoad changes the file in every way there is while clients call.
// No call may be lost, and a bad file must change nothing.
func TestReloadUnderLoad(t *testing.T) {
	dir := t.TempDir()
	tree, other := read(t, treePath), read(t, otherPath)
	volume := func(name, content string) string { // as kubelet writes a volume
		path := filepath.Join(dir, name)
		writeFile(t, filepath.Join(path, "model.pkl"), content)
		return path
	}
	link := func(target string) { // swaps the link in one step
		next := filepath.Join(dir, "..next")
		if err := os.Symlink(target, next); err != nil {
			t.Fatal(err)
		}
		if err := os.Rename(next, filepath.Join(dir, "..data")); err != nil {
			t.Fatal(err)
		}
	}
	link(volume("..2026_1", tree))
	path := filepath.Join(dir, "model.pkl")
	if err := os.Symlink(filepath.Join("..data", "model.pkl"), path); err != nil {
		t.Skip("this system has no symbolic links for us:", err)
	}
	s := start(t, func(c *config.Config) { c.Path, c.Name = path, "m" })
	s.watching(t)
	served, stop := load(s.url+"/predict", 4, false)
	eventually(t, "there is load", func() bool { return served.Load() > 50 })

	is := func(want string) func() bool {
		return func() bool { return s.answers(t, "/predict") == want }
	}
	const seven, eight = `{"prediction":[7]}`, `{"prediction":[8]}`
	if !is(seven)() {
		t.Fatalf("got %s", s.answers(t, "/predict"))
	}
	link(volume("..2026_2", other))
	eventually(t, "the swapped link is followed", is(eight))

	replaceFile(t, path, tree) // now a file of its own
	eventually(t, "the renamed file is read", is(seven))

	writeFile(t, path, other[:len(other)/2]) // a copy that is not over yet, or never
	eventually(t, "the half file is complained about", func() bool {
		return strings.Contains(s.log.String(), "cannot load the new model; the former one stays")
	})
	if !is(seven)() {
		t.Error("a bad file took the model away")
	}
	if metrics := do(t, "GET", s.url+"/metrics", "").body; !strings.Contains(metrics, `inference_model_loads_total{model="m",result="failure",version="1"} 1`) {
		t.Error("the failure is not in the metrics")
	}
	if index := do(t, "POST", s.url+"/v2/repository/index", "").body; !strings.Contains(index, `"state":"READY","reason":"`) || strings.Contains(index, `"reason":""`) {
		t.Errorf("the failure is not in the index: %s", index)
	}

	writeFile(t, path, other)
	eventually(t, "the whole file is read", is(eight))
	if index := do(t, "POST", s.url+"/v2/repository/index", "").body; !strings.Contains(index, `"reason":""`) {
		t.Errorf("the failure stays in the index: %s", index)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the missing file is complained about", func() bool { return strings.Contains(s.log.String(), "cannot look for models") })
	if !is(eight)() {
		t.Error("a missing file took the model away")
	}
	if lost := stop(); len(lost) > 0 {
		t.Errorf("%d clients lost a request: %v", len(lost), lost[0])
	}
}

// A directory's models come, change and go.
func TestReloadDirectory(t *testing.T) {
	dir := t.TempDir()
	tree, other := read(t, treePath), read(t, otherPath)
	writeFile(t, filepath.Join(dir, "m", "1", "model.pkl"), tree)
	s := start(t, func(c *config.Config) { c.Path = dir })
	s.watching(t)

	writeFile(t, filepath.Join(dir, "m", "2", "model.pkl"), other)
	eventually(t, "a new version answers", func() bool { return s.answers(t, "/predict") == `{"prediction":[8]}` })
	if got := s.answers(t, "/predict/m/versions/1"); got != `{"prediction":[7]}` {
		t.Errorf("the old version: got %s", got)
	}
	writeFile(t, filepath.Join(dir, "m", "3", "model.pkl"), "broken")
	eventually(t, "a broken version is reported", func() bool {
		return strings.Contains(do(t, "POST", s.url+"/v2/repository/index", "").body, `"version":"3","state":"UNAVAILABLE"`)
	})
	if got := s.answers(t, "/predict"); got != `{"prediction":[8]}` {
		t.Errorf("with a broken version: got %s", got)
	}
	writeFile(t, filepath.Join(dir, "n", "model.pkl"), tree)
	eventually(t, "a new model answers", func() bool { return s.answers(t, "/predict/n") == `{"prediction":[7]}` })

	if err := os.RemoveAll(filepath.Join(dir, "m", "2")); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the version is gone", func() bool { return do(t, "GET", s.url+"/v2/models/m/versions/2/ready", "").status == 404 })
	if got := s.answers(t, "/predict/m"); got != `{"prediction":[7]}` {
		t.Errorf("afterwards: got %s", got)
	}
	eventually(t, "the series of the version are gone", func() bool {
		metrics := do(t, "GET", s.url+"/metrics", "").body
		return !strings.Contains(metrics, `model="m",version="2"`) && !strings.Contains(metrics, `model="m",protocol="native",version="2"`)
	})
}

// What has not changed is not loaded again.
func TestReloadKeepsWhatIsTheSame(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "m.pkl")
	copyFile(t, treePath, path)
	s := start(t, func(c *config.Config) { c.Path = path })
	before, err := s.core.Registry.Get("m", "")
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	replaceFile(t, path, read(t, treePath)) // another file with the same content
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, err := s.core.Registry.Get("m", ""); err != nil || after != before {
		t.Errorf("the same content was swapped in: %v", err)
	}
	replaceFile(t, path, read(t, otherPath))
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if after, err := s.core.Registry.Get("m", ""); err != nil || after == before {
		t.Errorf("other content was not swapped in: %v", err)
	}
}

// SIGHUP reloads, also when nobody looks at the files.
func TestReloadOnSignal(t *testing.T) {
	if !isReload(syscall.SIGHUP) {
		t.Skip("this system has no SIGHUP")
	}
	path := filepath.Join(t.TempDir(), "m.pkl")
	copyFile(t, treePath, path)
	s, signals, ended := run(t, func(c *config.Config) { c.Path, c.ReloadInterval = path, 0 })
	replaceFile(t, path, read(t, otherPath))
	signals <- syscall.SIGHUP
	eventually(t, "the new model answers", func() bool { return s.answers(t, "/predict") == `{"prediction":[8]}` })
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

func TestReloadOnRequest(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.pkl")
	copyFile(t, treePath, path)
	s := start(t, func(c *config.Config) { c.Path, c.AllowLoad, c.APIKeys = path, true, []string{"k"} })
	load := func() reply { return do(t, "POST", s.url+"/v2/repository/models/m/load", "", "X-API-Key", "k") }
	call := func() string {
		return do(t, "POST", s.url+"/predict", `{"inputs":[1,2,3,4]}`, "X-API-Key", "k").body
	}
	replaceFile(t, path, read(t, otherPath))
	if got := load(); got.status != 200 || call() != `{"prediction":[8]}` {
		t.Errorf("got %d %s, then %s", got.status, got.body, call())
	}
	replaceFile(t, path, "broken")
	if got := load(); got.status != 422 || call() != `{"prediction":[8]}` {
		t.Errorf("a bad file: got %d %s, then %s", got.status, got.body, call())
	}
	if s.core.Registry.List()[0].Reason == "" {
		t.Error("the registry has no reason")
	}
}

// A model from a URL is fetched again when a reload is asked for, into a
// directory of the server's own that goes with it. If that fails the file that is
// there stays.
func TestReloadFromURL(t *testing.T) {
	var content atomic.Value
	content.Store(read(t, treePath))
	files := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if content.Load() == "" {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		_, _ = io.WriteString(w, content.Load().(string))
	}))
	defer files.Close()
	s := start(t, func(c *config.Config) { c.Path, c.URL = "", files.URL+"/models/cats/model.pkl" })
	if got := s.answers(t, "/predict/cats"); got != `{"prediction":[7]}` {
		t.Errorf("got %s", got)
	}
	content.Store(read(t, otherPath))
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := s.answers(t, "/predict"); got != `{"prediction":[8]}` {
		t.Errorf("after a reload: got %s", got)
	}
	content.Store("")
	if err := s.Reload(t.Context()); err != nil || !strings.Contains(s.log.String(), "cannot fetch the model; the file that is there stays") {
		t.Errorf("got %v", err)
	}
	dir := filepath.Dir(s.core.loader.path())
	s.Close()
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("%s is still there", dir)
	}
}

// Reloads with ever new classes do not add up to ever more series.
func TestReloadForgetsClasses(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m.pkl")
	copyFile(t, treePath, path)
	s := start(t, func(c *config.Config) { c.Path = path })
	replaceFile(t, path, read(t, otherPath))
	if err := s.Reload(t.Context()); err != nil {
		t.Fatal(err)
	}
	metrics := do(t, "GET", s.url+"/metrics", "").body
	if strings.Contains(metrics, `class="7"`) || !strings.Contains(metrics, `inference_predictions_total{class="8",model="m",target="0",version="1"} 0`) {
		t.Error("the classes are not those of the new model")
	}
}
