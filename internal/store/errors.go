package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"golang.org/x/oauth2"
)

// StatusError is an answer that is not the file.
type StatusError struct {
	Status int
	// Code and Message are what the store says about it, such as NoSuchKey; both
	// may be empty.
	Code, Message string
	retryAfter    time.Duration
}

func (e *StatusError) Error() string {
	text := strings.TrimSpace(fmt.Sprintf("the server answered %d %s", e.Status, http.StatusText(e.Status)))
	switch {
	case e.Code != "" && e.Message != "":
		text += " (" + e.Code + ": " + e.Message + ")"
	case e.Code != "" || e.Message != "":
		text += " (" + e.Code + e.Message + ")"
	}
	return text
}

// temporary reports whether another try may go better.
func (e *StatusError) temporary() bool {
	return e.Status >= 500 && e.Status != http.StatusNotImplemented || e.Status == http.StatusTooManyRequests ||
		e.Status == http.StatusRequestTimeout
}

// Denied reports whether the store wants credentials, or others: some say so with
// another status than 401 or 403.
func (e *StatusError) Denied() bool {
	switch e.Code {
	case "ExpiredToken", "InvalidToken", "InvalidAccessKeyId", "XAdminUserNotFound", "AuthenticationFailed", "InvalidAuthenticationInfo":
		return true
	}
	return e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden
}

// Missing reports whether the store has no such file.
func (e *StatusError) Missing() bool {
	return !e.Denied() && (e.Status == http.StatusNotFound || e.Status == http.StatusGone)
}

// NotFoundError says that the store has no such file.
type NotFoundError struct{ What string }

func (e *NotFoundError) Error() string { return e.What }

// CredentialsError says that there are no credentials, or that they cannot be used.
type CredentialsError struct {
	// Help says where they can come from.
	Help string
	Err  error // may be nil
}

func (e *CredentialsError) Error() string {
	if e.Err == nil {
		return "there are no credentials; " + e.Help
	}
	return fmt.Sprintf("getting credentials: %v; %s", clean(e.Err), e.Help)
}

// Unwrap returns the cause.
func (e *CredentialsError) Unwrap() error { return e.Err }

// temporary reports whether the network was at fault, or the service that gives
// credentials: at the start of a pod neither may be ready.
func (e *CredentialsError) temporary() bool {
	var (
		network *net.OpError
		name    *net.DNSError
		answer  *oauth2.RetrieveError
		status  *StatusError
	)
	switch {
	case errors.As(e.Err, &answer):
		return answer.Response != nil && answer.Response.StatusCode >= 500
	case errors.As(e.Err, &status):
		return status.temporary()
	}
	return errors.As(e.Err, &network) || errors.As(e.Err, &name) || errors.Is(e.Err, context.DeadlineExceeded)
}

// TimeoutError says that the file did not come in time.
type TimeoutError struct{ Limit time.Duration }

func (e *TimeoutError) Error() string {
	return fmt.Sprintf("the file did not come within %s (--timeout of fetch, --download-timeout of serve)", e.Limit)
}

// Unwrap says what it is to those who know time-outs by that.
func (e *TimeoutError) Unwrap() error { return errDeadline }

// SizeError says that the file is larger than allowed.
type SizeError struct{ Limit int64 }

func (e *SizeError) Error() string {
	return fmt.Sprintf("the file is larger than %d bytes; raise the bound with --max-bytes (MIZZEN_MAX_BYTES) if you trust it", e.Limit)
}

// DigestError says that what came is not what was asked for.
type DigestError struct{ Want, Got string }

func (e *DigestError) Error() string {
	return fmt.Sprintf("the file's digest is %s, expected %s: it was changed, or is another file", e.Got, e.Want)
}

// RedirectError says that the server sends us where we do not go.
type RedirectError struct{ Reason string }

func (e *RedirectError) Error() string { return e.Reason }

// VolumeError says that the file cannot be kept where it should be.
type VolumeError struct {
	Path string
	// Setting is what names another place, if that is not what the caller gave.
	Setting string
	Err     error
}

func (e *VolumeError) Error() string {
	if e.Full() {
		return fmt.Sprintf("there is no room for %s: %v; give the volume more space, or free some", e.Path, cause(e.Err))
	}
	other := "or name another place"
	if e.Setting != "" {
		other += " with " + e.Setting
	}
	return fmt.Sprintf("cannot write %s: %v; mount a volume there that this user may write to, such as an emptyDir, %s", e.Path, cause(e.Err), other)
}

// Unwrap returns what the system said.
func (e *VolumeError) Unwrap() error { return e.Err }

// Full reports whether there is no room, and not no permission.
func (e *VolumeError) Full() bool {
	return errors.Is(e.Err, syscall.ENOSPC) || errors.Is(e.Err, syscall.EDQUOT)
}

// cause returns what the system said without the path, which is said already.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// clean takes the URL out of the errors of net/http: it may hold a password.
func clean(err error) error {
	var urlErr *url.Error
	if errors.As(err, &urlErr) {
		return urlErr.Err
	}
	return err
}

// scrubbed is an error in whose text nothing of the credentials is left, whoever
// wrote it.
type scrubbed struct {
	text string
	err  error
}

func (e *scrubbed) Error() string { return e.text }
func (e *scrubbed) Unwrap() error { return e.err }

// secrets are texts that must not be shown.
type secrets []string

// minSecret is the length of the shortest text that can be a secret: to replace
// every "a" helps nobody.
const minSecret = 4

func (s *secrets) add(texts ...string) {
	for _, t := range texts {
		if len(t) >= minSecret {
			*s = append(*s, t)
			if q := url.QueryEscape(t); q != t {
				*s = append(*s, q)
			}
		}
	}
}

func (s secrets) scrub(err error) error {
	text := err.Error()
	for _, secret := range s {
		text = strings.ReplaceAll(text, secret, "…")
	}
	return &scrubbed{text: text, err: err}
}
