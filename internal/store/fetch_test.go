package store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"mizzen.dev/internal/store/uri"
)

const model = "the model"

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return digestText(sum[:])
}

// hurried looks often, so that a test that waits for another process is quick. It
// takes nothing over that a slow machine only delays.
var hurried = lease{beat: 5 * time.Millisecond, look: time.Millisecond, expiry: time.Minute}

// fetchNow fetches with hurried retries and leases.
func fetchNow(ctx context.Context, t *testing.T, req Request) (Result, error) {
	t.Helper()
	u, err := uri.Parse(req.URI)
	if err != nil {
		t.Fatal(err)
	}
	if req.MaxBytes == 0 {
		req.MaxBytes = 1 << 30
	}
	if req.Timeout == 0 {
		req.Timeout = time.Minute
	}
	if req.Getenv == nil {
		req.Getenv = func(string) string { return "" }
	}
	if req.Log == nil {
		req.Log = slog.New(slog.DiscardHandler)
	}
	env := newEnvironment(req.Options)
	f := &fetcher{Request: req, uri: u, env: env,
		retry: retry{tries: 4, interval: time.Millisecond, stall: time.Minute},
		lease: hurried}
	result, err := f.fetch(ctx)
	if err != nil {
		err = env.secrets(u).scrub(clean(err))
	}
	return result, err
}

// files serves the model in several ways, and counts the requests.
func files(t *testing.T) (base string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	mux := http.NewServeMux()
	mux.HandleFunc("/model.pkl", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(model)) })
	mux.HandleFunc("/chunked.pkl", func(w http.ResponseWriter, _ *http.Request) {
		for _, c := range model {
			_, _ = w.Write([]byte(string(c)))
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/second-time.pkl", func(w http.ResponseWriter, _ *http.Request) {
		if requests.Load() == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(model))
	})
	mux.HandleFunc("/cut.pkl", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(model))
	})
	mux.Handle("/moved.pkl", http.RedirectHandler("/model.pkl", http.StatusFound))
	mux.Handle("/around.pkl", http.RedirectHandler("/around.pkl", http.StatusFound))
	mux.HandleFunc("/hang.pkl", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		requests.Add(1)
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	return server.URL, requests
}

func TestFetch(t *testing.T) {
	tests := map[string]struct {
		file     string
		digest   string
		max      int64
		timeout  time.Duration
		want     string // part of the error; empty: none
		requests int64
	}{
		"plain":                {file: "/model.pkl", requests: 1},
		"digest":               {file: "/model.pkl", digest: digestOf(model), requests: 1},
		"digest in capitals":   {file: "/model.pkl", digest: strings.ToUpper(digestOf(model)), requests: 1},
		"no length":            {file: "/chunked.pkl", requests: 1},
		"redirected":           {file: "/moved.pkl", requests: 2},
		"at the second try":    {file: "/second-time.pkl", requests: 2},
		"wrong digest":         {file: "/model.pkl", digest: digestOf("another"), want: "expected sha256:", requests: 1},
		"not there":            {file: "/none.pkl", want: "404 Not Found", requests: 1},
		"too large":            {file: "/model.pkl", max: 5, want: "--max-bytes", requests: 1},
		"too large, no length": {file: "/chunked.pkl", max: 5, want: "--max-bytes", requests: 1},
		"redirected for ever":  {file: "/around.pkl", want: "too many redirects", requests: 10},
		"cut off":              {file: "/cut.pkl", timeout: time.Second, want: "unexpected EOF"},
		"does not answer":      {file: "/hang.pkl", timeout: 50 * time.Millisecond, want: "did not come within 50ms (--timeout"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			base, requests := files(t)
			dir := t.TempDir()
			path := filepath.Join(dir, "model.pkl")
			if err := os.WriteFile(path, []byte("the old one"), 0o600); err != nil {
				t.Fatal(err)
			}
			secret := strings.Replace(base, "http://", "http://user:hush@", 1) + test.file + "?signature=hush"
			got, err := fetchNow(t.Context(), t, Request{URI: secret, Path: path, Digest: test.digest, MaxBytes: test.max, Timeout: test.timeout})

			want := model
			if test.want != "" {
				want = "the old one"
				if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") {
					t.Errorf("got %v, want %q in it and no secret", err, test.want)
				}
			} else if err != nil || got != (Result{Digest: digestOf(model), Bytes: int64(len(model)), Fetched: true}) {
				t.Errorf("got %+v, %v", got, err)
			}
			if got, err := os.ReadFile(path); err != nil || string(got) != want {
				t.Errorf("the file holds %q, %v, want %q", got, err, want)
			}
			if test.requests > 0 && requests.Load() != test.requests {
				t.Errorf("%d requests, want %d", requests.Load(), test.requests)
			}
			if entries, _ := os.ReadDir(dir); len(entries) != 1 {
				t.Errorf("%d files are left, want one", len(entries))
			}
		})
	}
}

// A file that is there, and is the right one, is not fetched again.
func TestFetchWhatIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.pkl")
	if err := os.WriteFile(path, []byte(model), 0o600); err != nil {
		t.Fatal(err)
	}
	base, requests := files(t)
	req := Request{URI: base + "/model.pkl", Path: path, Digest: digestOf(model), MaxBytes: 100, Timeout: time.Minute}
	got, err := Fetch(t.Context(), req)
	if err != nil || got.Fetched || got.Bytes != int64(len(model)) || requests.Load() != 0 {
		t.Errorf("got %+v, %v after %d requests, want none", got, err, requests.Load())
	}
}

// Who asked for a secure way does not get another one.
func TestFetchStaysSecure(t *testing.T) {
	from := httptest.NewRequest(http.MethodGet, "https://h/a", nil)
	to := httptest.NewRequest(http.MethodGet, "http://h/a", nil)
	if err := checkRedirect(to, []*http.Request{from}); err == nil {
		t.Error("redirected from https to http")
	}
	if err := checkRedirect(from, []*http.Request{to}); err != nil {
		t.Errorf("from http to https: %v", err)
	}
}

func TestTypedErrors(t *testing.T) {
	base, _ := files(t)
	path := filepath.Join(t.TempDir(), "m")
	var status *StatusError
	_, err := Fetch(t.Context(), Request{URI: base + "/none", Path: path, MaxBytes: 1, Timeout: time.Minute})
	if !errors.As(err, &status) || status.Status != 404 {
		t.Errorf("got %v", err)
	}
	var digest *DigestError
	_, err = Fetch(t.Context(), Request{URI: base + "/model.pkl", Path: path, Digest: digestOf(""), MaxBytes: 100, Timeout: time.Minute})
	if !errors.As(err, &digest) || digest.Got != digestOf(model) {
		t.Errorf("got %v", err)
	}
	var volume *VolumeError
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Fetch(t.Context(), Request{URI: base + "/model.pkl", Path: filepath.Join(path, "below", "m"), MaxBytes: 100, Timeout: time.Minute})
	if !errors.As(err, &volume) || volume.Full() || !strings.Contains(err.Error(), "emptyDir") {
		t.Errorf("got %v", err)
	}
}

// large is content that takes several reads.
func large() []byte {
	return bytes.Repeat([]byte("0123456789abcdef"), 1<<16) // 1 MiB
}

// flaky serves content with an ETag, and cuts each answer after cut bytes.
func flaky(t *testing.T, content func() (etag string, data []byte), cut int) (base string, ranges func() []string) {
	t.Helper()
	var mu sync.Mutex
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		asked = append(asked, r.Header.Get("Range"))
		mu.Unlock()
		etag, data := content()
		w.Header().Set("ETag", etag)
		http.ServeContent(&cutter{ResponseWriter: w, left: cut}, r, "", time.Time{}, bytes.NewReader(data))
	}))
	t.Cleanup(server.Close)
	return server.URL, func() []string { mu.Lock(); defer mu.Unlock(); return asked }
}

type cutter struct {
	http.ResponseWriter
	left int
}

func (c *cutter) Write(b []byte) (int, error) {
	if len(b) > c.left {
		_, _ = c.ResponseWriter.Write(b[:c.left])
		c.ResponseWriter.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	}
	c.left -= len(b)
	return c.ResponseWriter.Write(b)
}

// What is cut off again and again goes on where it was cut off, and each byte
// comes once.
func TestResume(t *testing.T) {
	data := large()
	base, ranges := flaky(t, func() (string, []byte) { return `"v1"`, data }, 100_000)
	path := filepath.Join(t.TempDir(), "model.pkl")
	got, err := fetchNow(t.Context(), t, Request{URI: base + "/m", Path: path, Digest: digestOf(string(data))})
	if err != nil || got.Bytes != int64(len(data)) {
		t.Fatalf("got %+v, %v", got, err)
	}
	for i, r := range ranges() {
		if want := fmt.Sprintf("bytes=%d-", i*100_000); i > 0 && r != want {
			t.Errorf("request %d asked for %q, want %q", i, r, want)
		}
	}
	if n := len(ranges()); n != 11 {
		t.Errorf("%d requests, want 11", n)
	}
}

// Another process goes on where one was stopped; if the file has changed by then,
// it starts again.
func TestResumeAcrossProcesses(t *testing.T) {
	for name, etag := range map[string]string{"same": `"v1"`, "changed": `"v2"`} {
		t.Run(name, func(t *testing.T) {
			first, second := large(), bytes.ToUpper(large())
			if name == "same" {
				second = first
			}
			version, content := `"v1"`, first
			base, ranges := flaky(t, func() (string, []byte) { return version, content }, 300_000)
			path := filepath.Join(t.TempDir(), "model.pkl")
			ctx, cancel := context.WithCancel(t.Context())
			_, err := fetchNow(ctx, t, Request{URI: base + "/m", Path: path, Options: Options{Progress: func(done, _ int64) {
				if done == 300_000 {
					cancel()
				}
			}}})
			if !errors.Is(err, context.Canceled) {
				t.Fatalf("got %v", err)
			}
			version, content = etag, second
			before := len(ranges())
			got, err := fetchNow(t.Context(), t, Request{URI: base + "/m", Path: path})
			if err != nil || got.Digest != digestOf(string(second)) {
				t.Fatalf("got %+v, %v", got, err)
			}
			if r := ranges()[before]; r != "bytes=300000-" {
				t.Errorf("asked for %q", r)
			}
			if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
				t.Errorf("%d files are left, want one", len(entries))
			}
		})
	}
}

// A partial file whose bytes are not what they should be, as after a crash of the
// machine, is given up for a new one.
func TestResumeDamaged(t *testing.T) {
	data := large()
	base, _ := flaky(t, func() (string, []byte) { return `"v1"`, data }, 1<<20)
	path := filepath.Join(t.TempDir(), "model.pkl")
	f := &fetcher{Request: Request{URI: base + "/m"}}
	f.uri, _ = uri.Parse(f.URI)
	p := openPartial(path, f.key())
	if err := errors.Join(p.restart(`"v1"`), p.write(make([]byte, 1000))); err != nil {
		t.Fatal(err)
	}
	p.close()
	got, err := fetchNow(t.Context(), t, Request{URI: base + "/m", Path: path, Digest: digestOf(string(data))})
	if err != nil || got.Digest != digestOf(string(data)) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// A link that somebody put where the partial file goes is not followed.
func TestPartialIsNoLink(t *testing.T) {
	base, _ := files(t)
	dir := t.TempDir()
	victim := filepath.Join(dir, "victim")
	if err := os.WriteFile(victim, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(victim, filepath.Join(dir, ".model.pkl.part")); err != nil {
		t.Fatal(err)
	}
	if _, err := fetchNow(t.Context(), t, Request{URI: base + "/model.pkl", Path: filepath.Join(dir, "model.pkl")}); err != nil {
		t.Fatal(err)
	}
	if text, _ := os.ReadFile(victim); string(text) != "precious" {
		t.Errorf("the victim holds %q", text)
	}
}

// A store that says when to come back is not asked before.
func TestRetryAfter(t *testing.T) {
	var times []time.Time
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		times = append(times, time.Now())
		if len(times) == 1 {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return
		}
		_, _ = w.Write([]byte(model))
	}))
	defer server.Close()
	if _, err := fetchNow(t.Context(), t, Request{URI: server.URL + "/m", Path: filepath.Join(t.TempDir(), "m")}); err != nil {
		t.Fatal(err)
	}
	if len(times) != 2 || times[1].Sub(times[0]) < time.Second {
		t.Errorf("asked at %v, want a second between", times)
	}
}

// A server that stops sending is asked again.
func TestStall(t *testing.T) {
	data := large()
	var requests atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("ETag", `"v1"`)
		if requests.Add(1) == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(data)))
			_, _ = w.Write(data[:1000])
			w.(http.Flusher).Flush()
			<-r.Context().Done()
			return
		}
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(data))
	}))
	defer server.Close()
	u, err := uri.Parse(server.URL + "/m")
	if err != nil {
		t.Fatal(err)
	}
	req := Request{Path: filepath.Join(t.TempDir(), "m"), MaxBytes: 1 << 30, Timeout: time.Minute, Options: Options{Log: slog.New(slog.DiscardHandler)}}
	f := &fetcher{Request: req, uri: u, env: newEnvironment(req.Options), lease: defaultLease(),
		retry: retry{tries: 2, interval: time.Millisecond, stall: 50 * time.Millisecond}}
	if got, err := f.fetch(t.Context()); err != nil || got.Digest != digestOf(string(data)) {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Memory does not grow with the file.
func TestMemory(t *testing.T) {
	const size = 64 << 20
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", fmt.Sprint(size))
		block := make([]byte, 1<<16)
		for range size / len(block) {
			_, _ = w.Write(block)
		}
	}))
	defer server.Close()
	path := filepath.Join(t.TempDir(), "m")
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if _, err := fetchNow(t.Context(), t, Request{URI: server.URL + "/m", Path: path}); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if taken := after.TotalAlloc - before.TotalAlloc; taken > size/8 {
		t.Errorf("%d bytes were allocated for a file of %d", taken, size)
	}
}
