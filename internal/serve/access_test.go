package serve

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mizzen.dev/internal/config"
)

func TestKeys(t *testing.T) {
	s := start(t, func(c *config.Config) { c.APIKeys = []string{"k-first", "k-second"} })
	tests := map[string]struct {
		method, path string
		header       []string
		status       int
	}{
		"none":                       {"POST", "/predict", nil, 401},
		"wrong":                      {"POST", "/predict", []string{"X-API-Key", "k-third"}, 401},
		"prefix":                     {"POST", "/predict", []string{"X-API-Key", "k-firs"}, 401},
		"empty":                      {"POST", "/predict", []string{"Authorization", "Bearer "}, 401},
		"long":                       {"POST", "/predict", []string{"X-API-Key", strings.Repeat("x", 5000)}, 401},
		"another scheme":             {"POST", "/predict", []string{"Authorization", "Basic k-first"}, 401},
		"by X-API-Key":               {"POST", "/predict", []string{"X-API-Key", "k-first"}, 200},
		"by Authorization":           {"POST", "/predict", []string{"Authorization", "Bearer k-first"}, 200},
		"scheme in small":            {"POST", "/predict", []string{"Authorization", "bearer k-first"}, 200},
		"the other one":              {"POST", "/predict", []string{"X-API-Key", "k-second"}, 200},
		"probe":                      {"GET", "/healthz", nil, 200},
		"readiness":                  {"GET", "/readyz", nil, 200},
		"v2 health":                  {"GET", "/v2/health/ready", nil, 200},
		"metrics":                    {"GET", "/metrics", nil, 200},
		"metadata":                   {"GET", "/v2/models/iris", nil, 401},
		"metadata with key":          {"GET", "/v2/models/iris", []string{"X-API-Key", "k-second"}, 200},
		"docs":                       {"GET", "/docs/", nil, 401},
		"index":                      {"POST", "/v2/repository/index", nil, 401},
		"unknown path tells no more": {"GET", "/secret", nil, 404},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := do(t, test.method, s.url+test.path, irisBody, test.header...)
			if got.status != test.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, test.status)
			}
			if challenge := got.header.Get("WWW-Authenticate"); (challenge != "") != (test.status == 401) {
				t.Errorf("WWW-Authenticate is %q", challenge)
			}
		})
	}
	for _, secret := range []string{"k-first", "k-second", "k-third"} {
		if strings.Contains(s.log.String(), secret) {
			t.Errorf("the log has the key %q", secret)
		}
	}
}

func TestExemptions(t *testing.T) {
	s := start(t, func(c *config.Config) {
		c.APIKeys, c.AuthExempt = []string{"k"}, []string{config.GroupDocs}
	})
	for path, want := range map[string]int{"/docs/": 200, "/openapi.json": 200, "/healthz": 401, "/metrics": 401, "/v2": 401} {
		if got := do(t, "GET", s.url+path, ""); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
}

// Keys are rotated by changing the file: first both are there, then the new one.
func TestKeyRotation(t *testing.T) {
	file := filepath.Join(t.TempDir(), "keys")
	writeFile(t, file, "# for the old client\nold\n")
	s := start(t, func(c *config.Config) { c.APIKeyFile, c.ReloadInterval = file, 10*time.Millisecond })
	s.watching(t)
	status := func(key string) int { return do(t, "POST", s.url+"/predict", irisBody, "X-API-Key", key).status }
	if status("old") != 200 || status("new") != 401 {
		t.Fatal("the file's key does not count")
	}
	replaceFile(t, file, "old\nnew\n")
	eventually(t, "both keys are valid", func() bool { return status("new") == 200 && status("old") == 200 })
	replaceFile(t, file, "\n# nothing\n")
	eventually(t, "an empty file is complained about", func() bool { return strings.Contains(s.log.String(), "holds no key") })
	if status("new") != 200 {
		t.Error("a bad file took the keys away")
	}
	replaceFile(t, file, "new\n")
	eventually(t, "the old key is out", func() bool { return status("old") == 401 && status("new") == 200 })
}

func TestBadKeyFiles(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{"empty": "", "two on a line": "a b\n", "too long": strings.Repeat("x", maxKey+1)} {
		path := filepath.Join(dir, name)
		writeFile(t, path, text)
		if _, err := NewKeys(nil, path); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	if _, err := NewKeys(nil, filepath.Join(dir, "missing")); err == nil {
		t.Error("missing: no error")
	}
}

func TestRateLimit(t *testing.T) {
	s := start(t, func(c *config.Config) {
		c.RateLimit, c.RateBurst, c.APIKeys = 0.001, 2, []string{"a", "b"}
	})
	call := func(key string) reply { return do(t, "POST", s.url+"/predict", irisBody, "X-API-Key", key) }
	for i, want := range []int{200, 200, 429, 429} {
		if got := call("a"); got.status != want {
			t.Errorf("call %d: got %d, want %d", i, got.status, want)
		}
	}
	if got := call("a"); got.header.Get("Retry-After") == "" {
		t.Error("429 without Retry-After")
	}
	if got := call("b"); got.status != 200 {
		t.Errorf("another key: got %d", got.status)
	}
	// Whoever guesses keys has one bucket, whatever the keys.
	for i, want := range []int{401, 401, 429} {
		if got := call(fmt.Sprint("guess", i)); got.status != want {
			t.Errorf("guess %d: got %d, want %d", i, got.status, want)
		}
	}
	if got := do(t, "GET", s.url+"/healthz", ""); got.status != 200 {
		t.Errorf("probe: got %d", got.status)
	}
	if metrics := do(t, "GET", s.url+"/metrics", "").body; !strings.Contains(metrics, `inference_rejected_total{reason="rate_limited"} 4`) {
		t.Error("the refusals are not in the metrics")
	}
}

func TestRateLimiterForgets(t *testing.T) {
	r, now := NewRateLimiter(1, 1), time.Unix(0, 0)
	allow := func(remote string) bool { _, ok := r.Allow(Credentials{Remote: remote}, now); return ok }
	if !allow("192.0.2.1:1000") || allow("192.0.2.1:2000") {
		t.Error("an address is one caller, whatever its port")
	}
	if !allow("[2001:db8::1]:1") || allow("[2001:db8::2]:1") || !allow("[2001:db8:0:1::1]:1") {
		t.Error("a network of 64 bits is one caller")
	}
	for i := range maxBuckets {
		allow(fmt.Sprintf("10.%d.%d.%d:1", i>>16, i>>8&255, i&255))
	}
	if len(r.buckets) > maxBuckets {
		t.Errorf("%d callers are remembered", len(r.buckets))
	}
	now = now.Add(2 * time.Second)
	if !allow("192.0.2.1:1000") {
		t.Error("the bucket does not fill again")
	}
}

func TestCORS(t *testing.T) {
	const origin = "https://app.example"
	tests := map[string]struct {
		origins []string
		origin  string
		want    string // Access-Control-Allow-Origin
	}{
		"off":           {nil, origin, ""},
		"named":         {[]string{origin, "https://b.example"}, origin, origin},
		"another":       {[]string{origin}, "https://evil.example", ""},
		"all":           {[]string{"*"}, origin, "*"},
		"not a browser": {[]string{origin}, "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := start(t, func(c *config.Config) { c.CORS, c.APIKeys = test.origins, []string{"k"} })
			preflight := do(t, "OPTIONS", s.url+"/predict", "", "Origin", test.origin, "Access-Control-Request-Method", "POST")
			if got := preflight.header.Get("Access-Control-Allow-Origin"); got != test.want {
				t.Errorf("preflight: got %q, want %q", got, test.want)
			}
			if preflight.status != http.StatusNoContent {
				t.Errorf("preflight: got %d", preflight.status)
			}
			call := do(t, "POST", s.url+"/predict", irisBody, "Origin", test.origin, "X-API-Key", "k")
			if got := call.header.Get("Access-Control-Allow-Origin"); got != test.want || call.status != 200 {
				t.Errorf("call: got %d and %q, want %q", call.status, got, test.want)
			}
		})
	}
}

func TestLoadNeedsTheKey(t *testing.T) {
	s := start(t, func(c *config.Config) { c.APIKeys, c.AllowLoad = []string{"k"}, true })
	url := s.url + "/v2/repository/models/"
	for _, step := range []struct {
		path, key string
		status    int
		ready     int // what /v2/models/iris/ready says afterwards
	}{
		{"iris/unload", "", 401, 200},
		{"iris/unload", "k", 200, 503},
		{"iris/unload", "k", 200, 503},
		{"other/unload", "k", 404, 503},
		{"other/load", "k", 404, 503},
		{"iris/load", "wrong", 401, 503},
		{"iris/load", "k", 200, 200},
		{"iris/load", "k", 200, 200},
	} {
		if got := do(t, "POST", url+step.path, "", "X-API-Key", step.key); got.status != step.status {
			t.Errorf("%s: got %d %s, want %d", step.path, got.status, got.body, step.status)
		}
		if got := do(t, "GET", s.url+"/v2/models/iris/ready", "", "X-API-Key", "k"); got.status != step.ready {
			t.Errorf("after %s: got %d %s, want %d", step.path, got.status, got.body, step.ready)
		}
	}
}
