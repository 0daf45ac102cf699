package serve

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"compress/zlib"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"mizzen.dev/internal/config"
)

// compressed returns text in an encoding.
func compressed(t *testing.T, encoding string, text []byte) string {
	t.Helper()
	var b bytes.Buffer
	var w io.WriteCloser
	switch encoding {
	case "gzip":
		w = gzip.NewWriter(&b)
	case "zlib":
		w = zlib.NewWriter(&b)
	case "raw":
		w, _ = flate.NewWriter(&b, flate.BestSpeed)
	}
	if _, err := w.Write(text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func TestCompressedBodies(t *testing.T) {
	s := start(t, func(c *config.Config) { c.MaxBody = 1 << 20 })
	bomb := bytes.Repeat([]byte(" "), 4<<20)
	tests := map[string]struct {
		encoding, body string
		status         int
	}{
		"gzip":           {"gzip", compressed(t, "gzip", []byte(irisBody)), 200},
		"GZIP":           {"GZIP", compressed(t, "gzip", []byte(irisBody)), 200},
		"deflate, zlib":  {"deflate", compressed(t, "zlib", []byte(irisBody)), 200},
		"deflate, raw":   {"deflate", compressed(t, "raw", []byte(irisBody)), 200},
		"identity":       {"identity", irisBody, 200},
		"truncated gzip": {"gzip", compressed(t, "gzip", []byte(irisBody))[:20], 400},
		"gzip bomb":      {"gzip", compressed(t, "gzip", bomb), 413},
		"deflate bomb":   {"deflate", compressed(t, "zlib", bomb), 413},
		"raw bomb":       {"deflate", compressed(t, "raw", bomb), 413},
		"empty deflate":  {"deflate", "", 400},
		"two encodings":  {"gzip, gzip", compressed(t, "gzip", []byte(irisBody)), 415},
	}
	for range 2 { // the second time with decompressors that were used
		for name, test := range tests {
			t.Run(name, func(t *testing.T) {
				got := do(t, "POST", s.url+"/predict", test.body, "Content-Encoding", test.encoding)
				if got.status != test.status {
					t.Errorf("got %d %s, want %d", got.status, got.body, test.status)
				}
			})
		}
	}
	if used := s.core.memory.used.Load(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
}

func TestCompressedAnswers(t *testing.T) {
	s := start(t, nil)
	rows := `{"inputs":[` + strings.TrimSuffix(strings.Repeat(`[5.1,3.5,1.4,0.2],`, 4000), ",") + `]}`
	plain := do(t, "POST", s.url+"/predict", rows, "Accept-Encoding", "identity")
	tests := map[string]struct {
		accept, body, want string
	}{
		"none asked for":      {"identity", rows, ""},
		"gzip":                {"gzip", rows, "gzip"},
		"deflate":             {"deflate", rows, "deflate"},
		"both":                {"deflate, gzip", rows, "gzip"},
		"preference":          {"gzip;q=0.5, deflate", rows, "deflate"},
		"refused":             {"gzip;q=0", rows, ""},
		"anything":            {"*", rows, "gzip"},
		"unknown":             {"br", rows, ""},
		"too small to bother": {"gzip", irisBody, ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := do(t, "POST", s.url+"/predict", test.body, "Accept-Encoding", test.accept)
			if encoding := got.header.Get("Content-Encoding"); encoding != test.want {
				t.Fatalf("got %q, want %q", encoding, test.want)
			}
			var r io.Reader = strings.NewReader(got.body)
			var err error
			switch test.want {
			case "":
				return
			case "gzip":
				r, err = gzip.NewReader(r)
			case "deflate":
				r, err = zlib.NewReader(r)
			}
			if err != nil {
				t.Fatal(err)
			}
			if text, err := io.ReadAll(r); err != nil || string(text) != plain.body {
				t.Errorf("%d bytes and %v, want the %d of the plain answer", len(text), err, len(plain.body))
			}
			if len(got.body) >= len(plain.body) || !strings.Contains(got.header.Get("Vary"), "Accept-Encoding") {
				t.Errorf("%d of %d bytes, Vary %q", len(got.body), len(plain.body), got.header.Get("Vary"))
			}
		})
	}
}

func TestBodyLimits(t *testing.T) {
	s := start(t, func(c *config.Config) { c.MaxBody, c.MaxRows, c.MaxBodyMemory = 300_000, 10, 250_000 })
	tests := map[string]struct {
		body   string
		status int
		want   string
	}{
		"at the limit of rows":    {`{"inputs":[` + strings.Repeat("[1,2,3,4],", 9) + `[1,2,3,4]]}`, 200, "prediction"},
		"over the limit of rows":  {`{"inputs":[` + strings.Repeat("[1,2,3,4],", 10) + `[1,2,3,4]]}`, 413, "rows"},
		"over the limit of bytes": {strings.Repeat(" ", 300_001), 413, "--max-body"},
		"then small ones again":   {irisBody, 200, "prediction"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := do(t, "POST", s.url+"/predict", test.body)
			if got.status != test.status || !strings.Contains(got.body, test.want) {
				t.Errorf("got %d %s, want %d and %q", got.status, got.body, test.status, test.want)
			}
			chunked := chunkedPost(t, s.url+"/predict", test.body)
			if chunked != test.status {
				t.Errorf("without a Content-Length: got %d, want %d", chunked, test.status)
			}
		})
	}
	if used := s.core.memory.used.Load(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
}

// A client that sends everything before it reads sees why its body was refused,
// and one that sent too little is told so.
func TestBodyRefused(t *testing.T) {
	s := start(t, func(c *config.Config) { c.MaxBody = 1 << 20 })
	const size = 32 << 20 // more than the buffers of the connection
	chunk := strings.Repeat(" ", size/16)
	chunked := fmt.Sprintf("%x\r\n%s\r\n", len(chunk), chunk)
	tests := map[string]struct{ header, body, want string }{
		"too large":           {fmt.Sprintf("Content-Length: %d", size), strings.Repeat(" ", size), "--max-body"},
		"too large, chunked":  {"Transfer-Encoding: chunked", strings.Repeat(chunked, 16) + "0\r\n\r\n", "--max-body"},
		"too large, expects":  {fmt.Sprintf("Expect: 100-continue\r\nContent-Length: %d", size), "", "--max-body"},
		"too short":           {"Content-Length: 100", irisBody, fmt.Sprintf("the body ended after %d of 100 bytes", len(irisBody))},
		"too short, chunked":  {"Transfer-Encoding: chunked", "5\r\n{\"i", "unexpected EOF"},
		"too short, no bytes": {"Content-Length: 100", "", "the body ended after 0 of 100 bytes"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := fmt.Fprintf(conn, "POST /predict HTTP/1.1\r\nHost: a\r\n%s\r\n\r\n%s", test.header, test.body); err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(name, "too short") {
				if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
					t.Fatal(err)
				}
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			defer resp.Body.Close()
			text, err := io.ReadAll(resp.Body)
			if err != nil || !strings.Contains(string(text), test.want) {
				t.Errorf("got %d %s, %v, want %q in it", resp.StatusCode, text, err, test.want)
			}
		})
	}
}

// Many large bodies at a time do not take more memory than there is for them.
func TestBodyMemory(t *testing.T) {
	s := start(t, func(c *config.Config) { c.MaxBodyMemory = 250_000 })
	large := strings.Repeat(" ", 290_000)
	s.core.memory.take(200_000)
	if got := do(t, "POST", s.url+"/predict", large); got.status != 503 || !strings.Contains(got.body, "memory") {
		t.Errorf("large: got %d %s", got.status, got.body)
	}
	if got := do(t, "POST", s.url+"/predict", irisBody); got.status != 200 {
		t.Errorf("small: got %d %s", got.status, got.body)
	}
	s.core.memory.give(200_000)
	if got := do(t, "POST", s.url+"/predict", large); got.status != 400 {
		t.Errorf("large, when there is memory: got %d %s", got.status, got.body)
	}
	if used := s.core.memory.used.Load(); used != 0 {
		t.Errorf("%d bytes were not given back", used)
	}
}

func chunkedPost(t *testing.T, url, body string) int {
	t.Helper()
	r, err := http.NewRequest("POST", url, struct{ io.Reader }{strings.NewReader(body)})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	return resp.StatusCode
}

// Clients that are slow do not hold the server for ever, and do not keep others
// from being served.
func TestSlowClients(t *testing.T) {
	s := start(t, func(c *config.Config) {
		c.InFlight, c.Queue = 1, 0
		c.HeaderTimeout, c.ReadTimeout = 50*time.Millisecond, 200*time.Millisecond
	})
	head := "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n"
	tests := map[string]struct {
		sent string
		want string // start of the answer; empty: the connection is closed
	}{
		"no headers":    {"", ""},
		"half headers":  {head, ""},
		"half the body": {head + "\r\n{\"inputs\":", "HTTP/1.1 408"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			fmt.Fprint(conn, test.sent)
			if got := do(t, "POST", s.url+"/predict", irisBody); got.status != 200 {
				t.Errorf("another client: got %d %s", got.status, got.body)
			}
			line, err := bufio.NewReader(conn).ReadString('\n')
			if test.want == "" && !strings.HasPrefix(line, "HTTP/1.1 4") && err == nil || !strings.HasPrefix(line, test.want) {
				t.Errorf("got %q, %v, want %q", line, err, test.want)
			}
		})
	}
}

func TestConnectionLimit(t *testing.T) {
	s := start(t, func(c *config.Config) { c.MaxConnections = 1 })
	first, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the first connection counts", func() bool { return s.conns.open.Load() == 1 })
	second, err := net.Dial("tcp", s.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer second.Close()
	if n, err := second.Read(make([]byte, 1)); err == nil {
		t.Errorf("the second connection got %d bytes, want that it is closed", n)
	}
	first.Close()
	eventually(t, "there is room again", func() bool {
		got, err := try("POST", s.url+"/predict", irisBody, "Connection", "close")
		return err == nil && got.status == 200
	})
}

func TestQueueFull(t *testing.T) {
	s := start(t, func(c *config.Config) { c.InFlight, c.Queue = 1, 0 })
	if err := s.core.Admission.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := do(t, "POST", s.url+"/predict", irisBody)
	if got.status != 503 || got.header.Get("Retry-After") == "" || !strings.Contains(got.body, "limit") {
		t.Errorf("got %d %s, Retry-After %q", got.status, got.body, got.header.Get("Retry-After"))
	}
	s.core.Admission.Release()
	if got := do(t, "POST", s.url+"/predict", irisBody); got.status != 200 {
		t.Errorf("afterwards: got %d", got.status)
	}
	metrics := do(t, "GET", s.url+"/metrics", "").body
	for _, want := range []string{
		`inference_rejected_total{reason="queue_full"} 1`,
		`inference_requests_total{code="503",endpoint="predict",model="iris",protocol="native",version="1"} 1`,
		`inference_requests_total{code="200",endpoint="predict",model="iris",protocol="native",version="1"} 1`,
	} {
		if !strings.Contains(metrics, want) {
			t.Errorf("missing in the metrics: %s", want)
		}
	}
}
