package serve

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"mizzen.dev/internal/nearest"
	"mizzen.dev/internal/wire"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// UnknownModelError says that no such model or version is served, and which are.
type UnknownModelError struct {
	// Name is empty if no model was named although several are served.
	Name string
	// Version is set if the model is known and the version is not.
	Version string
	// Known are the names of the models, or the versions of the model.
	Known []string
}

func (e *UnknownModelError) Error() string {
	known := strings.Join(e.Known[:min(len(e.Known), maxListed)], ", ")
	if len(e.Known) > maxListed {
		known += fmt.Sprintf(" and %d more", len(e.Known)-maxListed)
	}
	switch {
	case e.Version != "":
		return fmt.Sprintf("model %q has no version %q; it has %s", e.Name, e.Version, known)
	case e.Name == "":
		return fmt.Sprintf("several models are served: name one of them in the path, such as /predict/%s (%s)", e.Known[0], known)
	case len(e.Known) == 0:
		return fmt.Sprintf("no model %q is served, nor any other", e.Name)
	}
	return fmt.Sprintf("no model %q is served; there is %s%s", e.Name, known, nearest.DidYouMean(e.Name, e.Known))
}

// maxListed bounds the names in an error.
const maxListed = 20

// NoModelError says that a directory holds nothing that could be served.
type NoModelError struct{ Path string }

func (e *NoModelError) Error() string {
	return e.Path + " holds no model: expected NAME/model.pkl or NAME/VERSION/model.pkl"
}

// NotReadyError says that a model is known but does not answer now.
type NotReadyError struct {
	Name, Version string
	State         State
	Reason        string
}

func (e *NotReadyError) Error() string {
	what := "the model"
	if e.Name != "" {
		what = fmt.Sprintf("model %q", e.Name)
	}
	if e.Version != "" {
		what += fmt.Sprintf(" version %q", e.Version)
	}
	if e.State == StateLoading {
		return what + " is being loaded; try again in a moment"
	}
	if e.Reason == "" {
		return what + " is not available"
	}
	return what + " is not available: " + e.Reason
}

// Rejection says that a call was refused before any work was done, because of
// the state of the server or the rights of the caller.
type Rejection struct {
	Cause Cause
	// RetryAfter says when another try may succeed; 0 if none will.
	RetryAfter time.Duration
}

// Cause is why a call was refused. Its name is a label of inference_rejected_total.
type Cause uint8

// The causes of rejections.
const (
	QueueFull Cause = iota
	QueueTimeout
	Memory
	RateLimited
	NoKey
	WrongKey
	NotAllowed
	numCauses = iota
)

var causeNames = [numCauses]string{"queue_full", "queue_timeout", "memory", "rate_limited", "no_key", "wrong_key", "not_allowed"}

// String returns the cause's name in metrics.
func (c Cause) String() string { return causeNames[c] }

var causeTexts = [numCauses]string{
	QueueFull:    "the server is at its limit of calls at work and waiting; try again later",
	QueueTimeout: "the call waited too long for its turn; try again later",
	Memory:       "the server is at its limit of memory for bodies and answers; try again later, or send fewer rows at a time",
	RateLimited:  "too many calls; slow down",
	NoKey:        "an API key is needed: send it as Authorization: Bearer KEY or X-API-Key: KEY",
	WrongKey:     "this API key is not valid here",
	NotAllowed:   "this needs to be switched on at the server",
}

var causeStatus = [numCauses]int{
	QueueFull:    http.StatusServiceUnavailable,
	QueueTimeout: http.StatusServiceUnavailable,
	Memory:       http.StatusServiceUnavailable,
	RateLimited:  http.StatusTooManyRequests,
	NoKey:        http.StatusUnauthorized,
	WrongKey:     http.StatusUnauthorized,
	NotAllowed:   http.StatusForbidden,
}

func (e *Rejection) Error() string { return causeTexts[e.Cause] }

// StatusClientClosed is the status of a call whose caller has gone; net/http has
// no name for it.
const StatusClientClosed = 499

// StatusOf returns the HTTP status that an error of this package, of a codec or of
// a model has. The gRPC server maps it on to a code.
func StatusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	var (
		rejection *Rejection
		wireErr   *wire.Error
		input     *frame.InputError
		method    *model.MethodError
		unknown   *UnknownModelError
		notReady  *NotReadyError
	)
	switch {
	case errors.As(err, &wireErr):
		return wireErr.Status
	case errors.As(err, &rejection):
		return causeStatus[rejection.Cause]
	case errors.As(err, &input), errors.As(err, &method):
		return http.StatusBadRequest
	case errors.As(err, &unknown):
		return http.StatusNotFound
	case errors.As(err, &notReady):
		return http.StatusServiceUnavailable
	case errors.Is(err, context.DeadlineExceeded):
		return http.StatusGatewayTimeout
	case errors.Is(err, context.Canceled):
		return StatusClientClosed
	}
	return http.StatusInternalServerError
}

// withStatus returns an error that tells a codec its status: protocols have names of
// their own for some.
func withStatus(err error) error {
	var wireErr *wire.Error
	if errors.As(err, &wireErr) || errors.Is(err, errInternal) {
		return err
	}
	return &wire.Error{Status: StatusOf(err), Reason: err.Error()}
}

// loadingRetry is when to ask again for a model that is being loaded.
const loadingRetry = time.Second

// RetryAfter returns when a call that failed may be tried again; 0 if not.
func RetryAfter(err error) time.Duration {
	var rejection *Rejection
	if errors.As(err, &rejection) {
		return rejection.RetryAfter
	}
	var notReady *NotReadyError
	if errors.As(err, &notReady) {
		return loadingRetry
	}
	return 0
}
