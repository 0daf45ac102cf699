package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"mizzen.dev/internal/config"
)

// run starts a server as the command does.
func run(t *testing.T, change func(*config.Config)) (s *running, signals chan os.Signal, ended chan error) {
	t.Helper()
	s = newRunning(t, change)
	signals, ended = make(chan os.Signal, 2), make(chan error, 1)
	go func() { ended <- s.Run(t.Context(), signals) }()
	eventually(t, "the server is ready", func() bool { return slices.Contains(s.log.messages(t), "ready") })
	s.url = "http://" + s.Addr().String()
	return s, signals, ended
}

func TestLifecycle(t *testing.T) {
	s, signals, ended := run(t, nil)
	signals <- os.Interrupt
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
	want := []string{"starting", "warm", "loaded", "ready", "draining", "stopped"}
	if got := s.log.messages(t); !slices.Equal(got, want) {
		t.Errorf("log: got %q, want %q", got, want)
	}
	if _, err := net.Dial("tcp", s.Addr().String()); err == nil {
		t.Error("the port is still open")
	}
}

// While the models are loaded the server says so, and when to come back.
func TestLoading(t *testing.T) {
	s := newRunning(t, nil)
	if err := s.Listen(); err != nil {
		t.Fatal(err)
	}
	url := "http://" + s.Addr().String()
	for path, want := range map[string]int{"/healthz": 200, "/readyz": 503, "/ping": 503, "/v2/health/live": 200, "/v2/health/ready": 503,
		"/v1/models/iris": 503, "/v2/models/iris": 503, "/v2/models/iris/ready": 503} {
		if got := do(t, "GET", url+path, ""); got.status != want {
			t.Errorf("%s: got %d, want %d", path, got.status, want)
		}
	}
	for path, want := range map[string]string{"/predict": `{"error":"the model is being loaded`, "/invocations": `{"error_code":"TEMPORARILY_UNAVAILABLE","message":"`} {
		got := do(t, "POST", url+path, irisBody)
		if got.status != 503 || got.header.Get("Retry-After") == "" || !strings.HasPrefix(got.body, want) {
			t.Errorf("%s: got %d %s, Retry-After %q", path, got.status, got.body, got.header.Get("Retry-After"))
		}
	}
	if got := do(t, "GET", url+"/metrics", ""); !strings.Contains(got.body, `inference_rejected_total{reason="not_ready"} 2`) {
		t.Error("the metrics do not show that two calls were refused")
	}
}

func TestStartFailures(t *testing.T) {
	dir := t.TempDir()
	writeFile(t, filepath.Join(dir, "bad", "model.pkl"), "this is no pickle")
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	tests := map[string]struct {
		change func(*config.Config)
		want   string
	}{
		"no such file":     {func(c *config.Config) { c.Path = filepath.Join(dir, "none.pkl") }, "none.pkl"},
		"no model":         {func(c *config.Config) { c.Path = filepath.Join(dir, "bad", "model.pkl") }, ""},
		"only bad models":  {func(c *config.Config) { c.Path = dir }, ""},
		"no models":        {func(c *config.Config) { c.Path = t.TempDir() }, "expected NAME/model.pkl"},
		"wrong digest":     {func(c *config.Config) { c.Digest = "sha256:" + strings.Repeat("0", 64) }, "digest"},
		"port is taken":    {func(c *config.Config) { c.Port = taken.Addr().(*net.TCPAddr).Port }, "choose another one with --port"},
		"bad warm-up file": {func(c *config.Config) { c.Warmup = filepath.Join(dir, "bad", "model.pkl") }, "line 1"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			s := newRunning(t, test.change)
			err := s.Start(t.Context())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestWarmupFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "warmup.jsonl")
	writeFile(t, path, irisBody+"\n\n"+`{"inputs":[[1,2,3,4],[4,3,2,1]],"outputs":["predict_proba"]}`+"\n")
	s := start(t, func(c *config.Config) { c.Warmup = path })
	if !strings.Contains(s.log.String(), `"msg":"warm","model":"iris","model_version":"1","calls":2`) {
		t.Errorf("log:\n%s", s.log)
	}
}

// load keeps clients calling until stop is called; it returns what went wrong.
// Each client keeps its connection, or takes a new one for each call.
func load(url string, clients int, fresh bool) (served *atomic.Int64, stop func() []error) {
	var (
		group  sync.WaitGroup
		mu     sync.Mutex
		lost   []error
		ending atomic.Bool
	)
	served = &atomic.Int64{}
	for range clients {
		group.Go(func() {
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: fresh}}
			defer client.CloseIdleConnections()
			var dial *net.OpError
			for !ending.Load() {
				resp, err := client.Post(url, "application/json", strings.NewReader(irisBody))
				switch {
				case err == nil && resp.StatusCode == 200:
					_, err = io.Copy(io.Discard, resp.Body) // to its end, or the connection is not kept
					resp.Body.Close()
					if err == nil {
						served.Add(1)
						continue
					}
				case err == nil:
					resp.Body.Close()
					err = fmt.Errorf("status %d", resp.StatusCode)
				case errors.As(err, &dial) && dial.Op == "dial":
					return // the port is closed: nothing was sent
				}
				mu.Lock()
				lost = append(lost, err)
				mu.Unlock()
				return
			}
		})
	}
	return served, func() []error { ending.Store(true); group.Wait(); return lost }
}

// TestDrain stops a server under load. No request may be lost, whether clients
// keep their connections or take new ones.
func TestDrain(t *testing.T) {
	type test struct {
		delay time.Duration
		fresh bool // a new connection for each call
	}
	for name, test := range map[string]test{
		"at once":                        {},
		"at once, new connections":       {fresh: true},
		"after a delay":                  {delay: 300 * time.Millisecond},
		"after a delay, new connections": {delay: 300 * time.Millisecond, fresh: true},
	} {
		t.Run(name, func(t *testing.T) {
			if test.fresh && runtime.GOOS != "linux" {
				t.Skip("only Linux can let connections in that are being made when the listener closes")
			}
			s, signals, ended := run(t, func(c *config.Config) { c.DrainDelay = test.delay })
			served, stop := load(s.url+"/predict", 8, test.fresh)
			eventually(t, "there is load", func() bool { return served.Load() > 100 })
			signals <- syscall.SIGTERM
			if test.delay > 0 {
				for _, path := range []string{"/readyz", "/v2/health/ready", "/v2/models/iris/ready", "/v1/models/iris"} {
					eventually(t, path+" says no", func() bool { return do(t, "GET", s.url+path, "").status == 503 })
				}
				before := served.Load()
				eventually(t, "new requests are answered", func() bool { return served.Load() > before })
			}
			if err := <-ended; err != nil {
				t.Errorf("got %v", err)
			}
			if lost := stop(); len(lost) > 0 {
				t.Errorf("%d clients lost a request: %v", len(lost), lost[0])
			}
		})
	}
}

// holdSlot takes all places, so that requests wait.
func (s *running) holdSlots(t *testing.T) (release func()) {
	t.Helper()
	for range s.core.Config.InFlight {
		if err := s.core.Admission.Acquire(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	return func() {
		for range s.core.Config.InFlight {
			s.core.Admission.Release()
		}
	}
}

// What is at work when the listener closes is finished.
func TestDrainWaitsForWork(t *testing.T) {
	s, signals, ended := run(t, nil)
	release := s.holdSlots(t)
	answer := make(chan reply, 1)
	go func() {
		got, _ := try("POST", s.url+"/predict", irisBody)
		answer <- got
	}()
	eventually(t, "the request waits", func() bool { return s.core.Admission.Waiting() == 1 })
	signals <- syscall.SIGTERM
	eventually(t, "the port is closed", func() bool {
		conn, err := net.Dial("tcp", s.Addr().String())
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	release()
	if got := <-answer; got.status != 200 || got.header.Get("Connection") != "close" && !strings.Contains(got.body, "prediction") {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
}

// One signal that comes twice, as timeout(1) sends it, is one.
func TestDrainEcho(t *testing.T) {
	_, signals, ended := run(t, nil)
	signals <- syscall.SIGTERM
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
}

// A second signal, or the shutdown time-out, ends what does not end by itself.
func TestDrainEnds(t *testing.T) {
	for name, second := range map[string]bool{"second signal": true, "time-out": false} {
		t.Run(name, func(t *testing.T) {
			s, signals, ended := run(t, func(c *config.Config) {
				c.QueueTimeout = time.Hour
				if !second {
					c.ShutdownTimeout = 50 * time.Millisecond
				}
			})
			release := s.holdSlots(t)
			defer release()
			go func() { _, _ = try("POST", s.url+"/predict", irisBody) }()
			eventually(t, "the request waits", func() bool { return s.core.Admission.Waiting() == 1 })
			signals <- syscall.SIGTERM
			var err error
			eventually(t, "the server ends", func() bool {
				if second {
					select {
					case signals <- syscall.SIGTERM:
					default:
					}
				}
				select {
				case err = <-ended:
					return true
				default:
					return false
				}
			})
			if err == nil {
				t.Error("work was cut off, and nobody is told")
			}
		})
	}
}

// A signal while the models are loaded ends the start.
func TestStopWhileLoading(t *testing.T) {
	block := make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-block:
		case <-r.Context().Done():
		}
	}))
	defer slow.Close()
	defer close(block)
	s := newRunning(t, func(c *config.Config) { c.Path, c.URL, c.Download.Dir = "", slow.URL+"/iris.pkl", t.TempDir() })
	signals, ended := make(chan os.Signal, 2), make(chan error, 1)
	go func() { ended <- s.Run(context.Background(), signals) }()
	eventually(t, "the server starts", func() bool { return slices.Contains(s.log.messages(t), "starting") })
	signals <- syscall.SIGTERM
	if err := <-ended; err != nil {
		t.Errorf("got %v", err)
	}
}

// TestModelFromURL fetches the model, verifies it, and names it as its file.
func TestModelFromURL(t *testing.T) {
	files := httptest.NewServer(http.FileServer(http.Dir(filepath.Dir(irisPath))))
	defer files.Close()
	s := start(t, func(c *config.Config) {
		c.Path, c.URL, c.Download.Dir = "", files.URL+"/model.pkl", t.TempDir()
		c.Digest = "sha256:2bb06d1a24fcca9ff41ee92765723092b7d6be5e18fe48ad1aa5ba92a735bbb4"
		c.Name = "fetched"
	})
	if got := do(t, "POST", s.url+"/predict/fetched", irisBody); got.status != 200 {
		t.Errorf("got %d %s", got.status, got.body)
	}
}
