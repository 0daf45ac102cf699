package openapi

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"
)

// The viewer is Swagger UI as its makers ship it; docs holds the page around it.
//
//go:embed docs swagger-ui/*.gz swagger-ui/LICENSE swagger-ui/NOTICE swagger-ui/*.txt
var files embed.FS

// pages are the files of the page and where they are embedded.
var pages = map[string]struct{ file, contentType string }{
	"":                                 {"docs/index.html", "text/html; charset=utf-8"},
	"docs.js":                          {"docs/docs.js", "text/javascript; charset=utf-8"},
	"docs.css":                         {"docs/docs.css", "text/css; charset=utf-8"},
	"swagger-ui-bundle.js":             {"swagger-ui/swagger-ui-bundle.js.gz", "text/javascript; charset=utf-8"},
	"swagger-ui.css":                   {"swagger-ui/swagger-ui.css.gz", "text/css; charset=utf-8"},
	"LICENSE":                          {"swagger-ui/LICENSE", "text/plain; charset=utf-8"},
	"NOTICE":                           {"swagger-ui/NOTICE", "text/plain; charset=utf-8"},
	"swagger-ui-bundle.js.LICENSE.txt": {"swagger-ui/swagger-ui-bundle.js.LICENSE.txt", "text/plain; charset=utf-8"},
}

// policy lets the page load its own files and call its own server, and nothing
// else. The viewer has small pictures in its style sheet as data.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// page is one file, ready to be sent.
type page struct {
	data        []byte
	compressed  bool
	contentType string
	etag        string
}

// Docs returns the handler of the interactive page. It belongs at /docs and
// /docs/; the last part of a request's path names the file. The page reads the
// document at ../openapi.json.
func Docs() (http.Handler, error) {
	h := make(docs, len(pages))
	for name, p := range pages {
		data, err := files.ReadFile(p.file)
		if err != nil {
			return nil, fmt.Errorf("reading an embedded file: %w", err)
		}
		sum := sha256.Sum256(data)
		h[name] = page{data: data, compressed: path.Ext(p.file) == ".gz", contentType: p.contentType, etag: hex.EncodeToString(sum[:8])}
	}
	return h, nil
}

type docs map[string]page

func (d docs) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "this page can only be read", http.StatusMethodNotAllowed)
		return
	}
	dir, name := path.Split(r.URL.Path)
	if name == "docs" {
		// Relative, since a proxy may have taken a prefix off the path.
		w.Header().Set("Location", "docs/")
		w.WriteHeader(http.StatusPermanentRedirect)
		return
	}
	p, ok := d[name]
	if !ok || !strings.HasSuffix(dir, "/docs/") {
		http.NotFound(w, r)
		return
	}
	p.serve(w, r)
}

func (p *page) serve(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", p.contentType)
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cache-Control", "no-cache") // to be asked for again, and told apart by its tag
	if !p.compressed {
		h.Set("ETag", `"`+p.etag+`"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.data))
		return
	}
	h.Set("Vary", "Accept-Encoding")
	if acceptsGzip(r.Header) {
		h.Set("Content-Encoding", "gzip")
		h.Set("ETag", `"`+p.etag+`-gzip"`)
		http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(p.data))
		return
	}
	plain, err := gunzip(p.data)
	if err != nil {
		http.Error(w, "the embedded file is damaged", http.StatusInternalServerError)
		return
	}
	h.Set("ETag", `"`+p.etag+`"`)
	http.ServeContent(w, r, "", time.Time{}, bytes.NewReader(plain))
}

func gunzip(data []byte) ([]byte, error) {
	zr, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(zr)
}

// acceptsGzip reports whether Accept-Encoding names gzip and does not rule it out.
func acceptsGzip(h http.Header) bool {
	for item := range strings.SplitSeq(strings.Join(h.Values("Accept-Encoding"), ","), ",") {
		name, weight, _ := strings.Cut(item, ";")
		if !strings.EqualFold(strings.TrimSpace(name), "gzip") {
			continue
		}
		q, weighted := strings.CutPrefix(strings.TrimSpace(weight), "q=")
		f, err := strconv.ParseFloat(q, 64)
		return !weighted || (err == nil && f > 0)
	}
	return false
}
