package main

import (
	"fmt"
	"io"
	"net/http"
	"sync"
)

// sample is a line of a page of metrics: its labels as they are written.
type sample struct{ name, labels string }

// page is what Prometheus reads. Lines are in the order in which they were added.
type page struct {
	mu     sync.Mutex
	kinds  map[string]string
	lines  []sample
	values map[sample]float64
}

// newPage returns a page for metrics of the given kinds: counter, gauge, histogram.
func newPage(kinds map[string]string) *page {
	return &page{kinds: kinds, values: map[sample]float64{}}
}

// add adds to a value, which is there from then on.
func (p *page) add(name, labels string, n float64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := sample{name, labels}
	if _, ok := p.values[s]; !ok {
		p.lines = append(p.lines, s)
	}
	p.values[s] += n
}

func (p *page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	w.Header().Set("Content-Type", "text/plain; version=0.0.4")
	for name, kind := range p.kinds {
		fmt.Fprintf(w, "# TYPE %s %s\n", name, kind)
		for _, s := range p.lines {
			if family(s.name, kind) == name {
				fmt.Fprintf(w, "%s{%s} %g\n", s.name, s.labels, p.values[s])
			}
		}
	}
}

// family is the name under which the type of a line stands.
func family(name, kind string) string {
	if kind != "histogram" {
		return name
	}
	for _, suffix := range []string{"_bucket", "_sum", "_count"} {
		if len(name) > len(suffix) && name[len(name)-len(suffix):] == suffix {
			return name[:len(name)-len(suffix)]
		}
	}
	return name
}

// answer writes JSON that is written out.
func answer(json string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(w, json)
	}
}
