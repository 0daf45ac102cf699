package serve

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"mizzen.dev/internal/buffer"
	"mizzen.dev/internal/config"
)

// running is a server that listens on a free port.
type running struct {
	*Server
	url string
	log *logBuffer
}

// start runs a server of the iris model, until the test ends.
func start(t *testing.T, change func(*config.Config)) *running {
	t.Helper()
	s := newRunning(t, change)
	if err := s.Start(t.Context()); err != nil {
		t.Fatalf("%v\n%s", err, s.log)
	}
	s.url = "http://" + s.Addr().String()
	return s
}

// newRunning returns a server that is not started yet.
func newRunning(t *testing.T, change func(*config.Config)) *running {
	t.Helper()
	cfg := config.Default()
	cfg.Path, cfg.Address, cfg.Port, cfg.GRPC = irisPath, "127.0.0.1", 0, false
	cfg.ReloadInterval = 10 * time.Millisecond
	if change != nil {
		change(cfg)
	}
	log := &logBuffer{}
	s, err := New(t.Context(), cfg, Options{Log: NewLogger(log, "json", "debug"), Getenv: noEnv})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return &running{Server: s, log: log}
}

func noEnv(string) string { return "" }

// watching looks at the files until the test ends.
func (s *running) watching(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.watch(ctx); close(done) }()
	t.Cleanup(func() { cancel(); <-done })
}

// logBuffer is a log that a test can read while it is written.
type logBuffer struct{ buffer.Shared }

// messages are the messages of the log, in order.
func (b *logBuffer) messages(t *testing.T) []string {
	t.Helper()
	var out []string
	for line := range strings.Lines(b.String()) {
		var entry map[string]any
		if err := json.Unmarshal([]byte(line), &entry); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		out = append(out, entry[slog.MessageKey].(string))
	}
	return out
}

// reply is an answer, read to its end.
type reply struct {
	status int
	header http.Header
	body   string
}

// do sends a request; header are names and values in turn.
func do(t *testing.T, method, url, body string, header ...string) reply {
	t.Helper()
	got, err := try(method, url, body, header...)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func try(method, url, body string, header ...string) (reply, error) {
	r, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(data)}, err
}

// eventually waits until what is expected is true.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	deadline := time.NewTimer(20 * time.Second)
	defer deadline.Stop()
	for tick := time.NewTicker(2 * time.Millisecond); ; {
		if is() {
			tick.Stop()
			return
		}
		select {
		case <-tick.C:
		case <-deadline.C:
			t.Fatalf("not yet: %s", what)
		}
	}
}

// copyFile copies a model file.
func copyFile(t *testing.T, from, to string) {
	t.Helper()
	data, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	writeFile(t, to, string(data))
}

func writeFile(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// replaceFile puts a file in the place of another one in one step.
func replaceFile(t *testing.T, path, text string) {
	t.Helper()
	next := path + ".next"
	writeFile(t, next, text)
	if err := os.Rename(next, path); err != nil {
		t.Fatal(err)
	}
}
