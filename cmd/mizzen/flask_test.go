package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mizzen.dev/internal/command"
)

// TestFlaskDeployment is a Deployment of a Flask service whose image alone is
// replaced: its variables, its volume at /models and its probes stay.
func TestFlaskDeployment(t *testing.T) {
	model, err := os.ReadFile("../../examples/iris/model.pkl")
	if err != nil {
		t.Fatal(err)
	}
	store := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/models/iris/model.pkl" || !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 Credential=key/") {
			http.NotFound(w, r)
			return
		}
		_, _ = w.Write(model)
	}))
	defer store.Close()
	s3 := map[string]string{"AWS_ENDPOINT_URL": store.URL, "AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret"}
	tests := map[string]struct {
		volume []string          // what is on the volume at first
		env    map[string]string // VOLUME stands for /models
		url    bool              // the model comes from a store
	}{
		"a file":                       {volume: []string{"model.pkl"}, env: map[string]string{"MODEL_PATH": "VOLUME/model.pkl"}},
		"a directory with a file":      {volume: []string{"model.pkl"}, env: map[string]string{"MODEL_PATH": "VOLUME"}},
		"a directory with a directory": {volume: []string{"iris/model.pkl"}, env: map[string]string{"MODEL_PATH": "VOLUME"}},
		"a store, a file":              {env: map[string]string{"MODEL_URL": "s3://models/iris/model.pkl", "MODEL_PATH": "VOLUME/model.pkl"}, url: true},
		"a store, a directory":         {env: map[string]string{"MODEL_URL": "s3://models/iris/model.pkl", "MODEL_PATH": "VOLUME"}, url: true},
		"a store alone":                {env: map[string]string{"MODEL_URL": "s3://models/iris/model.pkl", "TMPDIR": "VOLUME"}, url: true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			volume := t.TempDir()
			for _, file := range test.volume {
				path := filepath.Join(volume, file)
				if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, model, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			t.Setenv("PORT", "0")
			t.Setenv("GRPC_PORT", "0")
			t.Setenv("API_KEY", "open-sesame")
			t.Setenv("MODEL_NAME", "flowers")
			t.Setenv("MODEL_VERSION", "0.1.0")
			if test.url {
				for k, v := range s3 {
					t.Setenv(k, v)
				}
			}
			for k, v := range test.env {
				t.Setenv(k, strings.ReplaceAll(v, "VOLUME", volume))
			}
			base, stop := serveUntil(t)
			for _, probe := range []string{"/healthz", "/readyz"} {
				if status, body := ask(t, "GET", base+probe, "", ""); status != 200 {
					t.Errorf("%s: %d %s", probe, status, body)
				}
			}
			if status, _ := ask(t, "POST", base+"/predict", "", `{"inputs":[5.1,3.5,1.4,0.2]}`); status != 401 {
				t.Errorf("without a key: %d", status)
			}
			if status, body := ask(t, "POST", base+"/predict", "open-sesame", `{"inputs":[5.1,3.5,1.4,0.2]}`); status != 200 || strings.TrimSpace(body) != `{"prediction":[0]}` {
				t.Errorf("with a key: %d %s", status, body)
			}
			const series = `inference_requests_total{code="200",endpoint="predict",model="flowers",protocol="native",version="0.1.0"} 1`
			if _, body := ask(t, "GET", base+"/metrics", "", ""); !strings.Contains(body, series) {
				t.Errorf("the metrics lack %s", series)
			}
			if code := stop(); code != 0 {
				t.Errorf("it ended with exit code %d", code)
			}
		})
	}
}

// serveUntil runs the command as an image does, and returns where it listens, and
// what stops it.
func serveUntil(t *testing.T) (base string, stop func() int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	logs, w := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := run(ctx, []string{"serve", "--address", "127.0.0.1"}, command.Streams{In: strings.NewReader(""), Out: io.Discard, Err: w})
		w.Close()
		ended <- code
	}()
	lines := bufio.NewScanner(logs)
	var all []string
	for lines.Scan() {
		all = append(all, lines.Text())
		var line struct{ Msg, URL string }
		if json.Unmarshal(lines.Bytes(), &line) == nil && line.Msg == "ready" {
			go func() { _, _ = io.Copy(io.Discard, logs) }()
			return line.URL, func() int { cancel(); return <-ended }
		}
	}
	cancel()
	t.Fatalf("it is never ready: exit code %d\n%s", <-ended, strings.Join(all, "\n"))
	return "", nil
}

func ask(t *testing.T, method, address, key, body string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(method, address, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if key != "" {
		r.Header.Set("X-API-Key", key)
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
