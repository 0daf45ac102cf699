// Package store brings model files to where they can be opened: from http and
// https, bounded in size and time, verified, and complete or not at all.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// Request says what to fetch, and its bounds.
type Request struct {
	URL string
	// Path is the file to write. An older one is replaced in one step once the
	// new one is complete and verified.
	Path string
	// Digest, if set, is what the file must have: sha256: and hexadecimal digits.
	Digest string
	// MaxBytes bounds the file, Timeout all tries together.
	MaxBytes int64
	Timeout  time.Duration
}

// tries is how often a fetch is tried when the network or the server fails: at
// the start of a pod neither may be ready.
const tries = 5

// Fetch fetches a file. It does nothing if the file is there with the digest
// that it must have.
func Fetch(ctx context.Context, req Request) error {
	if req.Digest != "" {
		if have, err := Digest(req.Path); err == nil && strings.EqualFold(have, req.Digest) {
			return nil
		}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, req.Timeout, &TimeoutError{Limit: req.Timeout})
	defer cancel()
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		return struct{}{}, fetch(ctx, req)
	}, backoff.WithMaxTries(tries), backoff.WithMaxElapsedTime(req.Timeout))
	if err != nil && errors.Is(err, context.DeadlineExceeded) && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err != nil {
		return fmt.Errorf("fetching %s: %w", redacted(req.URL), clean(err))
	}
	return nil
}

// clean takes the URL out of the errors of net/http: it may hold a password.
func clean(err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		return urlErr.Err
	}
	return err
}

func redacted(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "the URL"
	}
	u.RawQuery = "" // pre-signed URLs have their secret there
	return u.Redacted()
}

// StatusError is an answer that is not the file.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status))
}

// TimeoutError says that the file did not come in time.
type TimeoutError struct{ Limit time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("the file did not come within %s (--download-timeout)", e.Limit)
}

// Unwrap says what it is to those who know time-outs by that.
func (e *TimeoutError) Unwrap() error { return context.DeadlineExceeded }

// SizeError says that the file is larger than allowed.
type SizeError struct{ Limit int64 }

func (e *SizeError) Error() string {
	return fmt.Sprintf("the file is larger than %d bytes; raise the bound with --max-bytes if you trust it", e.Limit)
}

// DigestError says that what came is not what was asked for.
type DigestError struct{ Want, Got string }

func (e *DigestError) Error() string {
	return fmt.Sprintf("the file's digest is %s, expected %s: it was changed, or is another file", e.Got, e.Want)
}

// RedirectError says that the server sends us where we do not go.
type RedirectError struct{ Reason string }

func (e *RedirectError) Error() string { return e.Reason }

// client refuses to go from https to http on the way.
var client = &http.Client{CheckRedirect: func(req *http.Request, via []*http.Request) error {
	if len(via) >= 10 {
		return &RedirectError{Reason: "too many redirects"}
	}
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return &RedirectError{Reason: "redirected from https to http"}
	}
	return nil
}}

// fetch tries once. Errors that another try cannot mend are permanent.
func fetch(ctx context.Context, req Request) error {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, req.URL, nil)
	if err != nil {
		return backoff.Permanent(err)
	}
	resp, err := client.Do(r)
	var redirect *RedirectError
	if errors.As(err, &redirect) {
		return backoff.Permanent(err)
	}
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		err := &StatusError{Status: resp.StatusCode}
		if resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests {
			return err
		}
		return backoff.Permanent(err)
	}
	if resp.ContentLength > req.MaxBytes {
		return backoff.Permanent(&SizeError{Limit: req.MaxBytes})
	}
	return write(req, resp.Body)
}

// write puts the file in its place once it is complete and verified.
func write(req Request, body io.Reader) (err error) {
	f, err := os.CreateTemp(filepath.Dir(req.Path), ".fetch-*")
	if err != nil {
		return backoff.Permanent(err)
	}
	defer func() {
		if err != nil {
			f.Close()
			os.Remove(f.Name())
		}
	}()
	hash := sha256.New()
	n, err := io.Copy(io.MultiWriter(f, hash), io.LimitReader(body, req.MaxBytes+1))
	if err != nil {
		return err
	}
	if n > req.MaxBytes {
		return backoff.Permanent(&SizeError{Limit: req.MaxBytes})
	}
	got := "sha256:" + hex.EncodeToString(hash.Sum(nil))
	if req.Digest != "" && !strings.EqualFold(got, req.Digest) {
		return backoff.Permanent(&DigestError{Want: req.Digest, Got: got})
	}
	if err := f.Sync(); err != nil {
		return backoff.Permanent(err)
	}
	if err := f.Close(); err != nil {
		return backoff.Permanent(err)
	}
	if err := os.Rename(f.Name(), req.Path); err != nil {
		return backoff.Permanent(err)
	}
	return nil
}

// Digest returns the digest of a file: sha256: and 64 hexadecimal digits.
func Digest(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	hash := sha256.New()
	if _, err := io.Copy(hash, f); err != nil {
		return "", err
	}
	return "sha256:" + hex.EncodeToString(hash.Sum(nil)), nil
}

// Path returns the path of a URL, as a file's name on this system: models/iris/
// model.pkl. It ends in model.pkl if the URL names no file.
func Path(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return defaultName
	}
	p := path.Clean("/" + u.Path)
	if p == "/" || strings.HasSuffix(u.Path, "/") {
		p = path.Join(p, defaultName)
	}
	return filepath.FromSlash(p)
}

const defaultName = "model.pkl"
