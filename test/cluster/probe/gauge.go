package main

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync/atomic"
)

// gauge serves one number as a Prometheus metric, and lets a PUT set it.
type gauge struct{ value atomic.Int64 }

func newGauge() *gauge { return &gauge{} }

// maxNumber is the length of a number that a test sets.
const maxNumber = 32

func (g *gauge) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut {
		body, err := io.ReadAll(io.LimitReader(r.Body, maxNumber))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		n, err := strconv.ParseInt(string(body), 10, 64)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		g.value.Store(n)
		return
	}
	fmt.Fprintf(w, "# TYPE probe_value gauge\nprobe_value %d\n", g.value.Load())
}
