package openapi

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

func get(t *testing.T, path string, header ...string) *http.Response {
	t.Helper()
	h, err := Docs()
	if err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodGet, path, nil)
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Result()
}

func text(t *testing.T, r io.Reader) string {
	t.Helper()
	b, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestViewerIsUnchanged compares the viewer with what its makers published.
func TestViewerIsUnchanged(t *testing.T) {
	sums, err := os.ReadFile("swagger-ui/SHA256SUMS")
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(sums)), "\n")
	if len(lines) != 5 {
		t.Fatalf("SHA256SUMS has %d lines, want 5", len(lines))
	}
	for _, line := range lines {
		want, name, _ := strings.Cut(line, "  ")
		data, err := files.ReadFile("swagger-ui/" + name)
		if err != nil {
			data, err = files.ReadFile("swagger-ui/" + name + ".gz")
			if err == nil {
				data, err = gunzip(data)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
		if got := sha256.Sum256(data); hex.EncodeToString(got[:]) != want {
			t.Errorf("%s is not what refresh.sh fetched", name)
		}
	}
}

func TestDocsPage(t *testing.T) {
	r := get(t, "/docs/")
	page := text(t, r.Body)
	if r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != "text/html; charset=utf-8" {
		t.Fatalf("status %d, type %s", r.StatusCode, r.Header.Get("Content-Type"))
	}
	if csp := r.Header.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'none'") || strings.Contains(csp, "unsafe") {
		t.Errorf("the policy is %q", csp)
	}
	// Everything that the page loads is there, and none of it has an address that
	// would leave the prefix under which the page is served.
	loaded := regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(loaded) < 4 {
		t.Fatalf("the page loads %d files", len(loaded))
	}
	for _, l := range loaded {
		address := l[1]
		if address == "data:," || address == "../openapi.json" {
			continue
		}
		if strings.ContainsAny(address, ":/") {
			t.Errorf("%s is not relative to the page", address)
		}
		if r := get(t, "/docs/"+address); r.StatusCode != http.StatusOK {
			t.Errorf("%s: status %d", address, r.StatusCode)
		}
	}
}

func TestDocsWithoutSlash(t *testing.T) {
	r := get(t, "/docs")
	if r.StatusCode != http.StatusPermanentRedirect || r.Header.Get("Location") != "docs/" {
		t.Errorf("status %d, location %q; want 308 to docs/, which holds behind a prefix", r.StatusCode, r.Header.Get("Location"))
	}
}

func TestDocsCompression(t *testing.T) {
	plain := text(t, get(t, "/docs/swagger-ui.css").Body)
	r := get(t, "/docs/swagger-ui.css", "Accept-Encoding", "br, gzip;q=0.8")
	if r.Header.Get("Content-Encoding") != "gzip" {
		t.Fatalf("content encoding %q", r.Header.Get("Content-Encoding"))
	}
	zr, err := gzip.NewReader(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	if text(t, zr) != plain || len(plain) < 100_000 {
		t.Errorf("the compressed file is not the plain one of %d bytes", len(plain))
	}
	tests := map[string]bool{"": false, "gzip": true, "GZIP": true, "gzip;q=0": false, "gzip; q=0.0": false, "br": false, "deflate,gzip": true, "xgzip": false}
	for accept, want := range tests {
		if got := acceptsGzip(http.Header{"Accept-Encoding": {accept}}); got != want {
			t.Errorf("acceptsGzip(%q) is %v", accept, got)
		}
	}
}

func TestDocsIsNotSentTwice(t *testing.T) {
	first := get(t, "/docs/swagger-ui-bundle.js", "Accept-Encoding", "gzip")
	again := get(t, "/docs/swagger-ui-bundle.js", "Accept-Encoding", "gzip", "If-None-Match", first.Header.Get("ETag"))
	if first.StatusCode != http.StatusOK || again.StatusCode != http.StatusNotModified {
		t.Errorf("status %d, then %d; want 200, then 304", first.StatusCode, again.StatusCode)
	}
}

func TestDocsRefuses(t *testing.T) {
	for _, path := range []string{"/docs/../main.go", "/docs/swagger-ui-bundle.js.gz", "/docs/x/swagger-ui.css", "/docs/docs", "/swagger-ui.css"} {
		if r := get(t, path); r.StatusCode == http.StatusOK {
			t.Errorf("%s is served", path)
		}
	}
	h, err := Docs()
	if err != nil {
		t.Fatal(err)
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/docs/", nil))
	if w.Code != http.StatusMethodNotAllowed || w.Header().Get("Allow") == "" {
		t.Errorf("POST: status %d, Allow %q", w.Code, w.Header().Get("Allow"))
	}
}
