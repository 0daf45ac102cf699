package serve

import (
	"net/http"
	"slices"
)

// cors lets the pages of some origins call.
type cors struct {
	origins []string
	any     bool
}

func newCORS(origins []string) *cors {
	if len(origins) == 0 {
		return nil
	}
	return &cors{origins: origins, any: slices.Contains(origins, "*")}
}

const (
	corsMethods = "GET, POST"
	corsHeaders = "Authorization, Content-Type, Content-Encoding, X-API-Key, Inference-Header-Content-Length, traceparent, tracestate"
	corsExposed = "Inference-Header-Content-Length, Retry-After"
	corsMaxAge  = "600" // seconds
)

// handle adds what a browser asks for, and answers its question before a call;
// it reports whether that was all.
func (c *cors) handle(w http.ResponseWriter, r *http.Request) (done bool) {
	header := w.Header()
	header["Vary"] = append(header["Vary"], "Origin")
	origin := r.Header.Get("Origin")
	preflight := r.Method == http.MethodOptions && r.Header.Get("Access-Control-Request-Method") != ""
	if origin != "" && (c.any || slices.Contains(c.origins, origin)) {
		if c.any {
			origin = "*"
		}
		header.Set("Access-Control-Allow-Origin", origin)
		header.Set("Access-Control-Expose-Headers", corsExposed)
		if preflight {
			header.Set("Access-Control-Allow-Methods", corsMethods)
			header.Set("Access-Control-Allow-Headers", corsHeaders)
			header.Set("Access-Control-Max-Age", corsMaxAge)
		}
	}
	if preflight {
		w.WriteHeader(http.StatusNoContent)
	}
	return preflight
}
