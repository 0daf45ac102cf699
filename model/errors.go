package model

import (
	"errors"
	"fmt"

	"mizzen.dev/internal/format"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// FormatError says that a file is no model file that this package reads, or that
// it is damaged: it holds what its library would not have written.
type FormatError struct {
	Reason string // what is wrong, and where
	cause  error
}

func (e *FormatError) Error() string { return e.Reason }

// Unwrap returns the cause, if there is one.
func (e *FormatError) Unwrap() error { return e.cause }

// UnsupportedError says that a file is of a class, or holds a class or a function,
// that cannot be served.
type UnsupportedError struct {
	Name  string // such as sklearn.svm._classes.SVC
	Path  string // where it is, such as Pipeline.steps[1]; empty for the whole model
	cause error
}

func (e *UnsupportedError) Error() string { return e.cause.Error() }

// Unwrap returns the cause, which says what is supported.
func (e *UnsupportedError) Unwrap() error { return e.cause }

// LimitError says that a file exceeds one of the [Limits].
type LimitError struct {
	What  string // the quantity, such as memo entries
	Limit int64
	cause error
}

func (e *LimitError) Error() string { return e.cause.Error() }

// Unwrap returns the cause, which names the command's flag.
func (e *LimitError) Unwrap() error { return e.cause }

// DigestError says that a file is not the one that was asked for.
type DigestError struct{ Want, Got string }

func (e *DigestError) Error() string {
	return fmt.Sprintf("the file's digest is %s, expected %s: it was changed or is another file", e.Got, e.Want)
}

// IsInput reports whether err is the fault of the rows that were given, and not
// of the model or the program.
func IsInput(err error) bool {
	var input *frame.InputError
	return errors.As(err, &input)
}

// public returns an error of the readers as one of the types above.
func public(err error) error {
	var (
		unsupported *pickle.UnsupportedError
		limit       *format.LimitError
		malformed   *format.Error
		estimator   *base.Error
	)
	switch {
	case errors.As(err, &unsupported):
		return &UnsupportedError{Name: unsupported.Global.String(), Path: unsupported.Path, cause: err}
	case errors.As(err, &limit):
		return &LimitError{What: limit.What, Limit: limit.Limit, cause: err}
	case errors.As(err, &malformed), errors.As(err, &estimator):
		return &FormatError{Reason: err.Error(), cause: err}
	}
	return err
}
