package serve

import (
	"bytes"
	"context"
	"log/slog"
	"math"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.opentelemetry.io/otel/propagation"

	"mizzen.dev/internal/wire"
)

// Header values that are the same for all answers.
var (
	typeJSON      = []string{"application/json"}
	typeText      = []string{"text/plain; charset=utf-8"}
	valueClose    = []string{"close"}
	valueBearer   = []string{"Bearer"}
	varyEncoding  = []string{"Accept-Encoding"}
	valueGzip     = []string{"gzip"}
	valueDeflate  = []string{"deflate"}
	jsonLengthKey = "Inference-Header-Content-Length" // canonical
)

// handler is the HTTP way into the core.
type handler struct {
	core   *Core
	exact  map[string]*endpoint
	named  [numKinds]*endpoint
	cors   *cors // nil: off
	access bool
	// closing is set once no new connection is taken: who has one is told to
	// leave it.
	closing *atomic.Bool

	tasks sync.Pool
	zip   compressors
	doc   document
}

// task is one inference over HTTP. It is used again and again.
type task struct {
	call Call
	body body
	zip  bytes.Buffer
}

func newHandler(c *Core, closing *atomic.Bool) *handler {
	h := &handler{core: c, closing: closing, access: c.Config.AccessLog, cors: newCORS(c.Config.CORS)}
	h.exact, h.named = h.endpoints(), h.namedEndpoints()
	h.tasks.New = func() any {
		t := &task{body: body{limit: int64(c.Config.MaxBody), memory: c.memory}}
		t.call.Body = &t.body
		return t
	}
	return h
}

// ServeHTTP implements http.Handler.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if h.access {
		rec := &recorder{ResponseWriter: w, status: http.StatusOK}
		start := time.Now()
		defer func() { h.logAccess(r, rec, time.Since(start)) }()
		w = rec
	}
	if h.closing.Load() {
		w.Header()["Connection"] = valueClose
	}
	if h.cors != nil && h.cors.handle(w, r) {
		return
	}
	e, at := h.find(r.URL.Path)
	if e == nil {
		h.fail(w, r, h.unknownPath(r))
		return
	}
	if !e.allows(r.Method) {
		h.wrongMethod(w, r, e)
		return
	}
	if e.codec != nil {
		h.infer(w, r, e, at)
		return
	}
	if err := h.authorize(r, e.group); err != nil {
		h.fail(w, r, err)
		return
	}
	if err := e.serve(w, r, at); err != nil {
		h.fail(w, r, err)
	}
}

// infer answers one inference.
func (h *handler) infer(w http.ResponseWriter, r *http.Request, e *endpoint, at target) {
	t := h.tasks.Get().(*task)
	t.body.r = r
	call := &t.call
	call.Protocol, call.Codec, call.Operation = e.protocol, e.codec, e.operation
	call.Model, call.Version = at.model, at.version
	call.Credentials = credentials(r)
	call.Header = wire.Header{}
	if v := r.Header["Content-Type"]; len(v) > 0 {
		call.Header.ContentType = v[0]
	}
	ctx := r.Context()
	if h.core.Traces() {
		ctx = h.core.Extract(ctx, propagation.HeaderCarrier(r.Header))
	}
	err := parseJSONLength(&call.Header, r.Header[jsonLengthKey])
	if err == nil {
		err = h.core.Infer(ctx, call)
	} else {
		h.core.Refuse(ctx, call, err)
	}
	h.answer(w, r, t, err)
	h.core.Sent(call)
	if cap(call.Out) > keptBuffer {
		call.Out = nil
	}
	if t.zip.Cap() > keptBuffer {
		t.zip = bytes.Buffer{}
	}
	t.body.reset()
	call.Served, call.Credentials = nil, Credentials{}
	h.tasks.Put(t)
}

// answer writes what became of a call.
func (h *handler) answer(w http.ResponseWriter, r *http.Request, t *task, err error) {
	call, out, header := &t.call, t.call.Out, w.Header()
	if call.Answer.ContentType == typeJSON[0] {
		header["Content-Type"] = typeJSON
	} else {
		header["Content-Type"] = []string{call.Answer.ContentType}
	}
	if call.Answer.JSONLength > 0 {
		header[jsonLengthKey] = []string{strconv.Itoa(call.Answer.JSONLength)}
	}
	if err != nil {
		errorHeaders(header, err)
	}
	if len(out) >= minCompressed {
		header["Vary"] = append(header["Vary"], varyEncoding...)
		if encoding := acceptedEncoding(r.Header["Accept-Encoding"]); encoding != "" {
			if zipped, zipErr := h.zip.compress(&t.zip, encoding, out); zipErr == nil {
				out = zipped
				header["Content-Encoding"] = valueGzip
				if encoding == "deflate" {
					header["Content-Encoding"] = valueDeflate
				}
			}
		}
	}
	if len(out) > sniffLength { // net/http finds the length of smaller ones itself
		header["Content-Length"] = []string{strconv.Itoa(len(out))}
	}
	if call.Status != http.StatusOK {
		w.WriteHeader(call.Status)
	}
	_, _ = w.Write(out) // whoever does not read the answer has gone
}

// sniffLength is less than the answers that net/http buffers whole.
const sniffLength = 1024

// errorHeaders tells a client when to come back, and how to show a key.
func errorHeaders(header http.Header, err error) {
	if wait := RetryAfter(err); wait > 0 {
		header["Retry-After"] = []string{strconv.Itoa(int(math.Ceil(wait.Seconds())))}
	}
	if StatusOf(err) == http.StatusUnauthorized {
		header["Www-Authenticate"] = valueBearer
	}
}

// fail answers with an error in the form of the path's protocol.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	status := StatusOf(err)
	h.core.Metrics.reject(err)
	if status == http.StatusInternalServerError {
		h.core.Log.Error("request failed", "path", r.URL.Path, "error", err)
		err = errInternal
	}
	errorHeaders(w.Header(), err)
	var codec wire.Codec = wire.Native{}
	switch path := r.URL.Path; {
	case strings.HasPrefix(path, "/v1"):
		codec = wire.V1{}
	case strings.HasPrefix(path, "/v2"):
		codec = wire.V2{}
	case path == "/invocations":
		codec = wire.Invocations{}
	}
	writeJSON(w, status, codec.AppendError(nil, withStatus(err)))
}

func writeJSON(w http.ResponseWriter, status int, body []byte) {
	w.Header()["Content-Type"] = typeJSON
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// authorize lets a caller in to what is no inference.
func (h *handler) authorize(r *http.Request, group string) error {
	return h.core.Authorize(credentials(r), group)
}

// credentials finds the API key: Authorization: Bearer KEY, or X-API-Key: KEY.
func credentials(r *http.Request) Credentials {
	who := Credentials{Remote: r.RemoteAddr}
	if v := r.Header["X-Api-Key"]; len(v) > 0 {
		who.Key = v[0]
	} else if v := r.Header["Authorization"]; len(v) > 0 {
		who.Key = BearerKey(v[0])
	}
	return who
}

// BearerKey returns the key of an Authorization header; "" if it has none.
func BearerKey(value string) string {
	const scheme = "bearer "
	if len(value) > len(scheme) && strings.EqualFold(value[:len(scheme)], scheme) {
		return strings.TrimSpace(value[len(scheme):])
	}
	return ""
}

// parseJSONLength reads Inference-Header-Content-Length.
func parseJSONLength(h *wire.Header, values []string) error {
	if len(values) == 0 {
		return nil
	}
	n, err := strconv.Atoi(values[0])
	if err != nil || n <= 0 {
		return &wire.Error{Status: http.StatusBadRequest,
			Reason: jsonLengthKey + " must be the number of bytes of JSON at the start of the body"}
	}
	h.JSONLength = n
	return nil
}

// recorder remembers what was answered, for the access log.
type recorder struct {
	http.ResponseWriter
	status, bytes int
}

func (r *recorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}

func (r *recorder) Write(b []byte) (int, error) {
	n, err := r.ResponseWriter.Write(b)
	r.bytes += n
	return n, err
}

// Unwrap is for http.ResponseController.
func (r *recorder) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func (h *handler) logAccess(r *http.Request, rec *recorder, took time.Duration) {
	h.core.Log.LogAttrs(context.WithoutCancel(r.Context()), slog.LevelInfo, "request",
		slog.String("method", r.Method), slog.String("path", r.URL.Path), slog.Int("status", rec.status),
		slog.Int("bytes", rec.bytes), slog.Duration("duration", took), slog.String("remote", r.RemoteAddr))
}
