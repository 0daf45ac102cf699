package store

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

const content = "the model"

func digestOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// files serves content in several ways, and counts the requests.
func files(t *testing.T) (base string, requests *atomic.Int64) {
	t.Helper()
	requests = &atomic.Int64{}
	mux := http.NewServeMux()
	mux.HandleFunc("/model.pkl", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(content)) })
	mux.HandleFunc("/chunked.pkl", func(w http.ResponseWriter, _ *http.Request) {
		for _, c := range content {
			_, _ = w.Write([]byte(string(c)))
			w.(http.Flusher).Flush()
		}
	})
	mux.HandleFunc("/second-time.pkl", func(w http.ResponseWriter, _ *http.Request) {
		if requests.Load() == 1 {
			w.WriteHeader(http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write([]byte(content))
	})
	mux.HandleFunc("/cut.pkl", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "100")
		_, _ = w.Write([]byte(content))
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
		"digest":               {file: "/model.pkl", digest: digestOf(content), requests: 1},
		"digest in capitals":   {file: "/model.pkl", digest: strings.ToUpper(digestOf(content)), requests: 1},
		"no length":            {file: "/chunked.pkl", requests: 1},
		"redirected":           {file: "/moved.pkl", requests: 2},
		"at the second try":    {file: "/second-time.pkl", requests: 2},
		"wrong digest":         {file: "/model.pkl", digest: digestOf("another"), want: "expected sha256:", requests: 1},
		"not there":            {file: "/none.pkl", want: "404 Not Found", requests: 1},
		"too large":            {file: "/model.pkl", max: 5, want: "--max-bytes", requests: 1},
		"too large, no length": {file: "/chunked.pkl", max: 5, want: "--max-bytes", requests: 1},
		"redirected for ever":  {file: "/around.pkl", want: "too many redirects", requests: 10},
		"cut off":              {file: "/cut.pkl", timeout: time.Second, want: "unexpected EOF"},
		"does not answer":      {file: "/hang.pkl", timeout: 50 * time.Millisecond, want: "did not come within 50ms (--download-timeout)"},
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
			if test.max == 0 {
				test.max = 1 << 20
			}
			if test.timeout == 0 {
				test.timeout = time.Minute
			}
			secret := strings.Replace(base, "http://", "http://user:hush@", 1) + test.file + "?signature=hush"
			err := Fetch(t.Context(), Request{URL: secret, Path: path, Digest: test.digest, MaxBytes: test.max, Timeout: test.timeout})

			want := content
			if test.want != "" {
				want = "the old one"
				if err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "hush") {
					t.Errorf("got %v, want %q in it and no secret", err, test.want)
				}
			} else if err != nil {
				t.Error(err)
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
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	base, requests := files(t)
	req := Request{URL: base + "/model.pkl", Path: path, Digest: digestOf(content), MaxBytes: 100, Timeout: time.Minute}
	if err := Fetch(t.Context(), req); err != nil || requests.Load() != 0 {
		t.Errorf("got %v after %d requests, want none", err, requests.Load())
	}
}

// Who asked for a secure way does not get another one.
func TestFetchStaysSecure(t *testing.T) {
	plain := httptest.NewServer(http.NotFoundHandler())
	defer plain.Close()
	from := &http.Request{URL: mustURL(t, "https://h/a")}
	to := &http.Request{URL: mustURL(t, plain.URL)}
	if err := client.CheckRedirect(to, []*http.Request{from}); err == nil {
		t.Error("redirected from https to http")
	}
	if err := client.CheckRedirect(from, []*http.Request{to}); err != nil {
		t.Errorf("from http to https: %v", err)
	}
}

func mustURL(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestTypedErrors(t *testing.T) {
	base, _ := files(t)
	path := filepath.Join(t.TempDir(), "m")
	var status *StatusError
	err := Fetch(t.Context(), Request{URL: base + "/none", Path: path, MaxBytes: 1, Timeout: time.Minute})
	if !errors.As(err, &status) || status.Status != 404 {
		t.Errorf("got %v", err)
	}
	var digest *DigestError
	err = Fetch(t.Context(), Request{URL: base + "/model.pkl", Path: path, Digest: digestOf(""), MaxBytes: 100, Timeout: time.Minute})
	if !errors.As(err, &digest) || digest.Got != digestOf(content) {
		t.Errorf("got %v", err)
	}
}
