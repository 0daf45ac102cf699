//go:build unix

package main

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"mizzen.dev/internal/command"
)

// TestFetchSignal stops a fetch as a kubelet does, and as timeout(1) does, which
// signals twice. What has come is kept, the reason is told, and the next fetch goes
// on from there.
func TestFetchSignal(t *testing.T) {
	const start, rest = "the first half, ", "the second half"
	stalled := make(chan struct{})
	var ranges []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ranges = append(ranges, r.Header.Get("Range"))
		w.Header().Set("ETag", `"v1"`)
		if len(ranges) == 1 {
			w.Header().Set("Content-Length", fmt.Sprint(len(start+rest)))
			_, _ = io.WriteString(w, start)
			w.(http.Flusher).Flush()
			close(stalled)
			<-r.Context().Done()
			return
		}
		w.Header().Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", len(start), len(start+rest)-1, len(start+rest)))
		w.WriteHeader(http.StatusPartialContent)
		_, _ = io.WriteString(w, rest)
	}))
	defer server.Close()
	dir := t.TempDir()
	log := filepath.Join(dir, "log")
	if err := os.WriteFile(log, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("MIZZEN_TERMINATION_LOG", log)
	fetch := func() int {
		return run(t.Context(), []string{"fetch", "-q", server.URL + "/model.pkl", filepath.Join(dir, "model.pkl")},
			command.Streams{In: strings.NewReader(""), Out: io.Discard, Err: io.Discard})
	}
	code := make(chan int)
	go func() { code <- fetch() }()
	<-stalled
	for { // until the first half is on the volume
		if info, err := os.Stat(filepath.Join(dir, ".model.pkl.part")); err == nil && info.Size() == int64(len(start)) {
			break
		}
		runtime.Gosched()
	}
	for range 2 {
		if err := syscall.Kill(os.Getpid(), syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-code; got != 1 {
		t.Errorf("exit code %d", got)
	}
	if text, err := os.ReadFile(log); err != nil || !strings.Contains(string(text), "signal") {
		t.Errorf("the report is %s, %v", text, err)
	}
	if got := fetch(); got != 0 {
		t.Errorf("the second time: exit code %d", got)
	}
	if text, err := os.ReadFile(filepath.Join(dir, "model.pkl")); err != nil || string(text) != start+rest {
		t.Errorf("got %q, %v", text, err)
	}
	if want := fmt.Sprintf("bytes=%d-", len(start)); len(ranges) != 2 || ranges[1] != want {
		t.Errorf("asked for %q, want %s", ranges, want)
	}
}
