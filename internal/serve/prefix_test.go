package serve

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// stripping starts a proxy that takes /team/iris off the path, as an ingress does
// that rewrites, and tells of it in a header, or not at all.
func stripping(t *testing.T, server, header string) string {
	t.Helper()
	target, err := url.Parse(server)
	if err != nil {
		t.Fatal(err)
	}
	const prefix = "/team/iris"
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		original := r.In.URL.Path
		r.SetURL(target)
		r.Out.URL.Path = "/" + strings.TrimPrefix(strings.TrimPrefix(original, prefix), "/")
		switch header {
		case "X-Forwarded-Prefix":
			r.Out.Header.Set(header, prefix)
		case "X-Envoy-Original-Path":
			r.Out.Header.Set(header, original+"?x=y")
		}
	}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, prefix) {
			t.Errorf("%s leads out of the prefix", r.URL.Path)
			http.NotFound(w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(front.Close)
	return front.URL + prefix
}

func fetchPage(t *testing.T, address string) (string, *url.URL) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html,*/*")
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d, %v", address, resp.StatusCode, err)
	}
	return string(body), resp.Request.URL
}

var link = regexp.MustCompile(`(?:href|src)="([^"]+)"`)

// TestBehindPrefix walks from the landing page to the documentation, all that it
// loads, the document, and a prediction by the document's server, behind a prefix.
func TestBehindPrefix(t *testing.T) {
	s := start(t, nil)
	tests := map[string]struct{ header, path string }{
		"silent proxy, slash":  {"", "/"},
		"silent proxy, docs":   {"", "/docs"},
		"telling proxy":        {"X-Forwarded-Prefix", ""},
		"telling proxy, slash": {"X-Forwarded-Prefix", "/"},
		"Envoy":                {"X-Envoy-Original-Path", ""},
		"Envoy, slash":         {"X-Envoy-Original-Path", "/"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			base := stripping(t, s.url, test.header)
			page, at := fetchPage(t, base+test.path)
			if at.Path != "/team/iris/docs/" {
				t.Fatalf("the documentation is at %s", at)
			}
			links := link.FindAllStringSubmatch(page, -1)
			for _, l := range links {
				if to, err := at.Parse(l[1]); err == nil && to.Scheme == "http" {
					fetchPage(t, to.String())
				}
			}
			if len(links) < 5 {
				t.Errorf("the page has %d links", len(links))
			}
			where, err := at.Parse("../openapi.json")
			if err != nil {
				t.Fatal(err)
			}
			text, of := fetchPage(t, where.String())
			var document struct{ Servers []struct{ URL string } }
			if err := json.Unmarshal([]byte(text), &document); err != nil {
				t.Fatal(err)
			}
			server, err := of.Parse(document.Servers[0].URL)
			if err != nil {
				t.Fatal(err)
			}
			got := do(t, "POST", strings.TrimSuffix(server.String(), "/")+"/predict", irisBody)
			if got.status != 200 || strings.TrimSpace(got.body) != `{"prediction":[0]}` {
				t.Errorf("%s answers %d %s", server, got.status, got.body)
			}
		})
	}
}

// What is no prefix does not come into a Location: a caller can set the header, too.
func TestForwardedPrefix(t *testing.T) {
	tests := map[string]struct{ header, value, path, want string }{
		"prefix":           {"X-Forwarded-Prefix", "/team/iris", "/", "/team/iris"},
		"slash at the end": {"X-Forwarded-Prefix", "/team/", "/", "/team"},
		"escaped":          {"X-Forwarded-Prefix", "/a%20b", "/", "/a%20b"},
		"root":             {"X-Forwarded-Prefix", "/", "/", ""},
		"another host":     {"X-Forwarded-Prefix", "//evil.example.com", "/", ""},
		"with a scheme":    {"X-Forwarded-Prefix", "https://evil.example.com", "/", ""},
		"backslash":        {"X-Forwarded-Prefix", `/\evil.example.com`, "/", ""},
		"escaped slash":    {"X-Forwarded-Prefix", "/%2Fevil.example.com", "/", ""},
		"upwards":          {"X-Forwarded-Prefix", "/a/../b", "/", ""},
		"escaped upwards":  {"X-Forwarded-Prefix", "/a/%2e%2e/b", "/", ""},
		"two of them":      {"X-Forwarded-Prefix", "/a, /b", "/", ""},
		"new line":         {"X-Forwarded-Prefix", "/a\r\nX: y", "/", ""},
		"long":             {"X-Forwarded-Prefix", strings.Repeat("/a", 200), "/", ""},
		"Envoy":            {"X-Envoy-Original-Path", "/team/iris/?a=b", "/", "/team/iris"},
		"Envoy, not root":  {"X-Envoy-Original-Path", "/team/iris/docs", "/docs", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, test.path, nil)
			r.Header[test.header] = []string{test.value}
			if got := forwardedPrefix(r); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}
