package serve

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"mizzen.dev/internal/config"
	"mizzen.dev/internal/wire"
)

// The model of the README.
const irisPath = "../../examples/iris/model.pkl"

const irisBody = `{"inputs":[5.1,3.5,1.4,0.2]}`

// newTestServer returns a server of the iris model that is loaded, but listens
// nowhere.
func newTestServer(tb testing.TB, change func(*config.Config)) *Server {
	tb.Helper()
	cfg := config.Default()
	cfg.Path = irisPath
	if change != nil {
		change(cfg)
	}
	s, err := New(tb.Context(), cfg, Options{Getenv: func(string) string { return "" }})
	if err != nil {
		tb.Fatal(err)
	}
	if err := s.core.loader.start(tb.Context()); err != nil {
		tb.Fatal(err)
	}
	s.core.started.Store(true)
	return s
}

// discard is a ResponseWriter that keeps nothing.
type discard struct{ header http.Header }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }

// replay is a body that can be read again.
type replay struct{ *bytes.Reader }

func (replay) Close() error { return nil }

// BenchmarkInfer is from the bytes of a body to those of the answer: 0 allocations.
//
//	go test ./internal/serve -bench Infer
func BenchmarkInfer(b *testing.B) {
	s := newTestServer(b, nil)
	call := &Call{Protocol: Native, Codec: wire.Native{}, Bytes: []byte(irisBody)}
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		if err := s.core.Infer(ctx, call); err != nil {
			b.Fatal(err)
		}
	}
}

func TestInferAllocatesNothing(t *testing.T) {
	if raceDetector {
		t.Skip("the race detector makes pools forget")
	}
	s := newTestServer(t, nil)
	call := &Call{Protocol: Native, Codec: wire.Native{}, Bytes: []byte(irisBody)}
	ctx := context.Background()
	infer := func() {
		if err := s.core.Infer(ctx, call); err != nil {
			t.Fatal(err)
		}
	}
	infer()
	if n := testing.AllocsPerRun(100, infer); n != 0 {
		t.Errorf("%v allocations a call, want 0", n)
	}
}

// BenchmarkHandler is the handler's part of a request: all but net/http's own.
func BenchmarkHandler(b *testing.B) {
	s := newTestServer(b, nil)
	body := replay{bytes.NewReader([]byte(irisBody))}
	r := httptest.NewRequest(http.MethodPost, "/predict", nil)
	r.Body, r.ContentLength = body, int64(len(irisBody))
	r.Header.Set("Content-Type", "application/json")
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := body.Seek(0, io.SeekStart); err != nil {
			b.Fatal(err)
		}
		s.http.Handler.ServeHTTP(w, r)
	}
}
