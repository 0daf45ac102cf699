package store

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"mizzen.dev/internal/store/uri"
)

// source is one file of a store.
type source interface {
	// open asks for the file: from the position on if the store still has that
	// version and can do that, else from the first byte.
	open(ctx context.Context, at position) (*content, error)
}

// position is how far an earlier try has come, and with which version of the file.
type position struct {
	offset int64
	tag    string // empty: with none that can be resumed
}

// content is what a store sends.
type content struct {
	body   io.ReadCloser
	offset int64  // of its first byte in the file
	size   int64  // of the whole file; -1 if it is not known
	tag    string // the version, empty if it has none that can be resumed
	digest string // what the store says that it is; may be empty
}

// source returns where the address points to.
func (f *fetcher) source(ctx context.Context) (source, error) {
	switch f.uri.Scheme {
	case uri.File:
		return &fileSource{path: f.uri.Path}, nil
	case uri.HTTP, uri.HTTPS:
		return webSource(f.env, f.uri), nil
	case uri.S3:
		return newS3(ctx, f.env, f.uri)
	case uri.GS:
		return newGS(ctx, f.env, f.uri)
	case uri.AzBlob:
		return newAzBlob(ctx, f.env, f.uri)
	case uri.OCI:
		return newOCI(ctx, f.env, f.uri)
	case uri.HF:
		return newHF(f.env, f.uri)
	}
	return nil, fmt.Errorf("there is no store for %s", f.uri.Scheme)
}

// fileSource is a file of this machine, or of a volume.
type fileSource struct{ path string }

func (s *fileSource) open(_ context.Context, at position) (*content, error) {
	f, err := os.Open(s.path)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &NotFoundError{What: s.path + " is no file"}
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	c := &content{body: f, size: info.Size(), tag: info.ModTime().UTC().Format(time.RFC3339Nano) + " " + strconv.FormatInt(info.Size(), 10)}
	if at.offset > 0 && at.tag == c.tag && at.offset <= c.size {
		if c.offset, err = f.Seek(at.offset, io.SeekStart); err != nil {
			f.Close()
			return nil, err
		}
	}
	return c, nil
}

// httpSource is a file that comes as the answer to a GET.
type httpSource struct {
	client *http.Client
	// url is where to ask; it may hold a secret.
	url string
	// prepare changes the request before it is sent, once all other headers are
	// there: it adds credentials and signs. It may be nil.
	prepare func(ctx context.Context, r *http.Request) error
	// resume asks for a version of the file; nil for If-Range.
	resume func(r *http.Request, tag string)
	// tag reads the version from an answer; nil for its ETag.
	tag func(h http.Header) string
	// digest is what the file must have, if the store tells.
	digest string
}

func (s *httpSource) open(ctx context.Context, at position) (*content, error) {
	resp, err := s.get(ctx, at)
	if err != nil {
		return nil, err
	}
	c, err := s.content(resp, at)
	if err != nil {
		resp.Body.Close()
		return nil, err
	}
	return c, nil
}

func (s *httpSource) get(ctx context.Context, at position) (*http.Response, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url, nil)
	if err != nil {
		return nil, &NotFoundError{What: "the address cannot be asked: " + clean(err).Error()}
	}
	if at.offset > 0 && at.tag != "" {
		r.Header.Set("Range", "bytes="+strconv.FormatInt(at.offset, 10)+"-")
		if s.resume != nil {
			s.resume(r, at.tag)
		} else {
			r.Header.Set("If-Range", at.tag)
		}
	}
	if s.prepare != nil {
		if err := s.prepare(ctx, r); err != nil {
			return nil, err
		}
	}
	return s.client.Do(r)
}

func (s *httpSource) content(resp *http.Response, at position) (*content, error) {
	c := &content{body: resp.Body, size: -1, tag: s.tagOf(resp.Header), digest: s.digest}
	switch resp.StatusCode {
	case http.StatusOK:
		c.size = resp.ContentLength
		return c, nil
	case http.StatusPartialContent:
		var err error
		if c.offset, c.size, err = contentRange(resp.Header.Get("Content-Range")); err != nil {
			return nil, err
		}
		if c.offset != at.offset || c.tag != at.tag {
			return nil, errRestart
		}
		return c, nil
	case http.StatusPreconditionFailed, http.StatusRequestedRangeNotSatisfiable:
		if at.offset > 0 {
			return nil, errRestart
		}
	}
	return nil, statusError(resp)
}

// tagOf returns the version of an answer; of a plain web server a strong ETag or,
// if there is none, the time of the last change.
func (s *httpSource) tagOf(h http.Header) string {
	if s.tag != nil {
		return s.tag(h)
	}
	if tag := h.Get("ETag"); strings.HasPrefix(tag, `"`) {
		return tag
	}
	return h.Get("Last-Modified")
}

// ifMatch resumes where a store answers 412 if it has another version by now.
func ifMatch(r *http.Request, tag string) { r.Header.Set("If-Match", tag) }

// contentRange reads bytes 5-9/10.
func contentRange(text string) (offset, size int64, err error) {
	span, total, ok := strings.Cut(strings.TrimPrefix(text, "bytes "), "/")
	start, _, ok2 := strings.Cut(span, "-")
	offset, err = strconv.ParseInt(start, 10, 64)
	if !ok || !ok2 || err != nil || offset < 0 {
		return 0, 0, fmt.Errorf("the server sent a Content-Range that cannot be understood: %.60q", text)
	}
	if size, err = strconv.ParseInt(total, 10, 64); err != nil {
		size = -1 // it is written as *
	}
	return offset, size, nil
}

// webSource is a file of a web server. A password in its address goes to that server,
// wherever on it the file is, and to no other one.
func webSource(e *environment, u *uri.URI) source {
	plain := *u.URL
	plain.User = nil
	s := &httpSource{client: e.client, url: plain.String()}
	if user := u.URL.User; user != nil {
		s.prepare = func(_ context.Context, r *http.Request) error {
			password, _ := user.Password()
			r.SetBasicAuth(user.Username(), password)
			return nil
		}
	}
	return s
}

// maxComplaint bounds what is read of an answer that is not the file, maxMessage
// what is shown of it.
const (
	maxComplaint = 64 << 10
	maxMessage   = 300
)

// complaint is what stores say in JSON (Google, registries, the Hub) and in XML
// (S3, Azure).
type complaint struct {
	XMLName xml.Name        `json:"-"`
	Code    string          `xml:"Code" json:"-"`
	Message string          `xml:"Message" json:"message"`
	Error   json.RawMessage `xml:"-" json:"error"`
	Errors  []struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	} `xml:"-" json:"errors"`
}

// statusError reads an answer that is not the file.
func statusError(resp *http.Response) error {
	e := &StatusError{Status: resp.StatusCode, retryAfter: retryAfter(resp.Header.Get("Retry-After"))}
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxComplaint))
	if err == nil {
		e.Code, e.Message = explain(resp.Header, text)
	}
	return e
}

func explain(h http.Header, text []byte) (code, message string) {
	var c complaint
	switch kind := h.Get("Content-Type"); {
	case strings.Contains(kind, "xml"):
		if xml.Unmarshal(text, &c) == nil {
			code, message = c.Code, c.Message
		}
	case strings.Contains(kind, "json"):
		if json.Unmarshal(text, &c) == nil {
			message = c.Message
			var nested struct {
				Message string `json:"message"`
			}
			if json.Unmarshal(c.Error, &nested) == nil && nested.Message != "" {
				message = nested.Message
			} else if len(c.Errors) > 0 {
				code, message = c.Errors[0].Code, c.Errors[0].Message
			}
		}
	}
	if code == "" {
		code = h.Get("X-Ms-Error-Code") + h.Get("X-Error-Code")
	}
	if message == "" {
		message = h.Get("X-Error-Message")
	}
	return oneLine(code), oneLine(message)
}

// oneLine returns the first line of what a server wrote, bounded.
func oneLine(text string) string {
	text, _, _ = strings.Cut(strings.TrimSpace(text), "\n")
	text = strings.ToValidUTF8(strings.TrimSpace(text), "")
	if r := []rune(text); len(r) > maxMessage {
		text = string(r[:maxMessage]) + "…"
	}
	return text
}

func retryAfter(text string) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil && seconds > 0 {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(0, min(time.Until(at), maxRetryAfter))
	}
	return 0
}

// errNoMetadata says that this machine gives no credentials.
var errNoMetadata = errors.New("none are configured, and the machine has none to give")
