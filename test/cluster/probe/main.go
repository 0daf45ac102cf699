// Command probe is a pod that tests speak through: it answers who it is, calls others
// when it is asked to, and says what came back.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// reply is what a call from here gave.
type reply struct {
	Status int    `json:"status"`
	Body   string `json:"body"`
	Error  string `json:"error"`
}

const (
	callTimeout = 3 * time.Second
	maxBody     = 1 << 20
	// drain is how long calls under way may take when the pod is told to end.
	drain = 5 * time.Second
)

func main() {
	host, err := os.Hostname()
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, host+"\n") })
	mux.HandleFunc("GET /get", func(w http.ResponseWriter, r *http.Request) {
		_ = json.NewEncoder(w).Encode(get(r.Context(), r.FormValue("url")))
	})
	mux.HandleFunc("GET /burn", burn)
	mux.HandleFunc("GET /relay", relay)
	// A metric for autoscaling to read.
	value := newGauge()
	mux.Handle("GET /metrics", value)
	mux.Handle("PUT /metrics", value)
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: callTimeout}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	drained := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(drained)
		drainCtx, cancel := context.WithTimeout(context.Background(), drain)
		defer cancel()
		_ = server.Shutdown(drainCtx)
	})
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		log.Fatal(err)
	}
	<-drained
}

// burn keeps a CPU busy for as long as the caller waits.
func burn(_ http.ResponseWriter, r *http.Request) {
	for r.Context().Err() == nil {
		for i := range 1 << 20 {
			_ = i
		}
	}
}

// get calls a URL on a connection of its own, so that what a firewall says is heard.
func get(ctx context.Context, url string) reply {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: (&net.Dialer{}).DialContext}}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return reply{Error: err.Error()}
	}
	res, err := client.Do(req)
	if err != nil {
		return reply{Error: err.Error()}
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxBody))
	if err != nil {
		return reply{Error: err.Error()}
	}
	return reply{Status: res.StatusCode, Body: string(body)}
}
