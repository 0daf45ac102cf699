package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// retry says how often a fetch is tried again when the network or the store fails:
// at the start of a pod neither may be ready. Tries that bring something do not
// count.
type retry struct {
	tries    int
	interval time.Duration // before the second try; it grows
	stall    time.Duration // how long a store may send nothing
}

func defaultRetry() retry {
	return retry{tries: 5, interval: 500 * time.Millisecond, stall: time.Minute}
}

// maxRetryAfter bounds for how long a store can send us away.
const maxRetryAfter = time.Minute

// bufferSize is the memory that a download takes, whatever the file's size.
const bufferSize = 256 << 10

// errRestart says that what is here is of no use, and that the next try starts at
// the first byte.
var errRestart = errors.New("the file has changed in the store")

// download brings the file to its place.
func (f *fetcher) download(ctx context.Context) (Result, error) {
	src, err := f.source(ctx)
	if err != nil {
		return Result{}, err
	}
	p := openPartial(f.file(), f.key())
	defer p.close()
	if p.written > 0 {
		f.Log.Info("resuming", "uri", f.uri.String(), "bytes", p.written)
	}
	intervals := backoff.NewExponentialBackOff()
	intervals.InitialInterval = f.retry.interval
	for try, restarts := 1, 0; ; try++ {
		before := p.written
		result, err := f.attempt(ctx, src, p)
		if err == nil {
			return result, nil
		}
		if errors.Is(err, errRestart) && restarts < f.retry.tries {
			restarts++
			p.forget()
			continue
		}
		if permanent(err) || ctx.Err() != nil {
			if permanent(err) {
				p.remove()
			}
			return Result{}, err
		}
		if p.written > before {
			try = 1
			intervals.Reset()
		}
		if try >= f.retry.tries {
			return Result{}, err
		}
		wait := intervals.NextBackOff()
		var status *StatusError
		if errors.As(err, &status) {
			wait = max(wait, min(status.retryAfter, maxRetryAfter))
		}
		f.Log.Warn("fetching failed; trying again", "uri", f.uri.String(), "bytes", p.written, "in", wait,
			"error", f.env.secrets(f.uri).scrub(clean(err)))
		if !sleep(ctx, wait) {
			return Result{}, context.Cause(ctx)
		}
	}
}

// permanent reports whether no other try can mend the error.
func permanent(err error) bool {
	var (
		status *StatusError
		digest *DigestError
		size   *SizeError
		volume *VolumeError
		creds  *CredentialsError
		none   *NotFoundError
		turned *RedirectError
	)
	if errors.As(err, &status) {
		return !status.temporary()
	}
	if errors.As(err, &creds) {
		return !creds.temporary()
	}
	return errors.As(err, &digest) || errors.As(err, &size) || errors.As(err, &volume) || errors.As(err, &none) ||
		errors.As(err, &turned) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// attempt asks for what is missing, and puts the file in its place if all of it
// came.
func (f *fetcher) attempt(ctx context.Context, src source, p *partial) (Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	c, err := src.open(ctx, position{offset: p.written, tag: p.tag})
	if err != nil {
		return Result{}, err
	}
	defer c.body.Close()
	if c.size > f.MaxBytes {
		return Result{}, &SizeError{Limit: f.MaxBytes}
	}
	if c.offset != p.written || c.tag != p.tag || p.written == 0 {
		if c.offset != 0 {
			return Result{}, errRestart
		}
		if err := p.restart(c.tag); err != nil {
			return Result{}, err
		}
	}
	if err := f.copy(p, c, watch(c.body, f.retry.stall, cancel)); err != nil {
		if stalled := context.Cause(ctx); stalled != nil {
			err = stalled
		}
		return Result{}, err
	}
	return f.finish(p, c)
}

func (f *fetcher) copy(p *partial, c *content, body io.Reader) error {
	buffer := make([]byte, bufferSize)
	for {
		n, err := body.Read(buffer)
		if p.written+int64(n) > f.MaxBytes {
			return &SizeError{Limit: f.MaxBytes}
		}
		if writeErr := p.write(buffer[:n]); writeErr != nil {
			return writeErr
		}
		if f.Progress != nil {
			f.Progress(p.written, c.size)
		}
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
	}
	if c.size >= 0 && p.written != c.size {
		return fmt.Errorf("%d of %d bytes came: %w", p.written, c.size, io.ErrUnexpectedEOF)
	}
	return nil
}

// finish verifies the file and puts it in its place.
func (f *fetcher) finish(p *partial, c *content) (Result, error) {
	got := p.digest()
	for _, want := range []string{f.Digest, c.digest} {
		if want == "" || strings.EqualFold(got, want) {
			continue
		}
		if p.resumed { // by a process that may have died with its machine
			return Result{}, errRestart
		}
		return Result{}, &DigestError{Want: want, Got: got}
	}
	size := p.written
	if err := p.commit(); err != nil {
		return Result{}, err
	}
	return Result{Digest: got, Bytes: size, Fetched: true}, nil
}

// StallError says that the store has stopped sending.
type StallError struct{ Limit time.Duration }

func (e *StallError) Error() string { return fmt.Sprintf("the server sent nothing for %s", e.Limit) }

// watched ends a try in which nothing comes any more.
type watched struct {
	io.Reader
	timer *time.Timer
	limit time.Duration
}

func watch(r io.Reader, limit time.Duration, cancel context.CancelCauseFunc) io.Reader {
	return &watched{r, time.AfterFunc(limit, func() { cancel(&StallError{Limit: limit}) }), limit}
}

// Read implements [io.Reader].
func (w *watched) Read(b []byte) (int, error) {
	n, err := w.Reader.Read(b)
	w.timer.Reset(w.limit)
	if err != nil {
		w.timer.Stop()
	}
	return n, err
}

// sleep waits for d, and reports whether ctx lasted as long.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
