// Command bare is the limit that the benchmark measures against: net/http with
// the time-outs of mizzen serve, a handler that reads the body and writes a
// constant.
package main

import (
	"io"
	"log"
	"net/http"
	"os"
	"sync"
	"time"
)

func main() {
	body := []byte(`{"prediction":[0]}` + "\n")
	buffers := sync.Pool{New: func() any { b := make([]byte, 4096); return &b }}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		buf := buffers.Get().(*[]byte)
		for {
			if _, err := r.Body.Read(*buf); err == io.EOF {
				break
			} else if err != nil {
				http.Error(w, err.Error(), http.StatusBadRequest)
				return
			}
		}
		buffers.Put(buf)
		w.Header().Set("Content-Type", "application/json")
		w.Write(body)
	})
	server := &http.Server{
		Addr: os.Args[1], Handler: handler,
		ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 30 * time.Second, WriteTimeout: 60 * time.Second, IdleTimeout: 2 * time.Minute,
	}
	log.Fatal(server.ListenAndServe())
}
