package browser

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// start runs bin/mizzen with a model on a free port, and returns its address once
// it is ready. env holds settings as KEY=VALUE.
func start(t *testing.T, model string, env ...string) string {
	t.Helper()
	binary, err := filepath.Abs("../../bin/mizzen")
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	cmd := exec.Command(binary, "serve", model, "--address", "127.0.0.1", "--port", port, "--grpc=false")
	cmd.Env = append(os.Environ(), env...)
	var output strings.Builder
	cmd.Stderr = &output
	if err := cmd.Start(); err != nil {
		t.Fatalf("starting %s: %v (make build makes it)", binary, err)
	}
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
	})
	address := "http://127.0.0.1:" + port
	for range 200 {
		response, err := http.Get(address + "/readyz")
		if err == nil {
			response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return address
			}
		}
		select {
		case <-ended:
			t.Fatalf("mizzen ended:\n%s", output.String())
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatal("mizzen is not ready after 10 seconds")
	return ""
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	return port
}

func listen(t *testing.T, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL
}

// newTab starts a browser with a profile of its own, and without the traffic that
// browsers make by themselves.
func newTab(t *testing.T, log *traffic) context.Context {
	t.Helper()
	options := append(slices.Clone(chromedp.DefaultExecAllocatorOptions[:]),
		chromedp.ExecPath(os.Getenv("BROWSER")),
		chromedp.UserDataDir(t.TempDir()),
		chromedp.WindowSize(1200, 1000),
		chromedp.NoSandbox, // as root, in a container
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
		chromedp.Flag("no-proxy-server", true),
	)
	allocator, cancelAllocator := chromedp.NewExecAllocator(context.Background(), options...)
	t.Cleanup(cancelAllocator)
	ctx, cancel := chromedp.NewContext(allocator, chromedp.WithListener(log.add))
	t.Cleanup(cancel)
	if err := chromedp.Do(ctx); err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	if _, err := chromedp.Call(ctx, network.Enable, network.EnableParams{}); err != nil {
		t.Fatalf("watching the network: %v", err)
	}
	if _, err := chromedp.Call(ctx, cdplog.Enable, cdp.Empty{}); err != nil {
		t.Fatalf("watching the log: %v", err)
	}
	return ctx
}

// traffic is what a tab asked for and complained about.
type traffic struct {
	mu         sync.Mutex
	requests   []string
	complaints []string
}

// add takes an event of the tab.
func (tr *traffic) add(event any) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	switch e := event.(type) {
	case *network.EventRequestWillBeSent:
		tr.requests = append(tr.requests, e.Request.URL)
	case *runtime.EventExceptionThrown:
		text := e.ExceptionDetails.Text
		if e.ExceptionDetails.Exception != nil {
			text += " " + e.ExceptionDetails.Exception.Description
		}
		tr.complaints = append(tr.complaints, text)
	case *cdplog.EventEntryAdded: // refusals of the content security policy, among others
		if e.Entry.Level == cdplog.EntryLevelError || e.Entry.Source == cdplog.EntrySourceSecurity {
			tr.complaints = append(tr.complaints, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (tr *traffic) seen() (requests, complaints []string) {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return slices.Clone(tr.requests), slices.Clone(tr.complaints)
}

func (tr *traffic) sent(url string) bool {
	requests, _ := tr.seen()
	return slices.Contains(requests, url)
}

func (tr *traffic) String() string {
	requests, complaints := tr.seen()
	return fmt.Sprintf("requests:\n%s\ncomplaints:\n%s", strings.Join(requests, "\n"), strings.Join(complaints, "\n"))
}
