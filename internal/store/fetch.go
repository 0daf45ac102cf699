// Package store brings model files to where they can be opened: from files, http
// and https, S3, Google Cloud Storage, Azure Blob Storage, OCI registries and the
// Hugging Face Hub; bounded in size and time, resumed where they were cut off,
// verified, and complete or not at all.
package store

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"mizzen.dev/internal/store/uri"
)

// Request says what to fetch, and its bounds.
type Request struct {
	// URI is the address, as package uri reads it.
	URI string
	// Path is the file to write. An older one is replaced in one step once the
	// new one is complete and verified.
	Path string
	// Unpack, if set, has Path be a directory with what the file, an archive, holds.
	// The digest is the archive's, and verified before it is unpacked.
	Unpack Layout
	// Digest, if set, is what the file must have: sha256: and hexadecimal digits.
	Digest string
	// MaxBytes bounds the file, and what it unpacks to; Timeout all of it together.
	MaxBytes int64
	Timeout  time.Duration

	Options
}

// Options are what a fetch needs beside the request. The zero value will do.
type Options struct {
	// Getenv finds credentials and endpoints; nil for the process's environment.
	Getenv func(string) string
	// Credentials is a directory with a file for each such variable, as a mounted
	// Secret has; it is stronger than the environment.
	Credentials string
	// Anonymous asks without credentials, and looks for none.
	Anonymous bool
	// PlainHTTP lets registries that are not on this machine be asked without TLS.
	PlainHTTP bool
	// Log gets what happens on the way; nil for nothing.
	Log *slog.Logger
	// Progress is told how much of the file is here; total is -1 if not known.
	Progress func(done, total int64)
	// Unpacking is told how much of the archive is unpacked.
	Unpacking func(done, total int64)
}

// Result is what a fetch has brought.
type Result struct {
	Digest string
	Bytes  int64
	// Files is how many were unpacked; 0 for a file that was not to be.
	Files int
	// Fetched is false if the file was there already.
	Fetched bool
}

// errDeadline is what a TimeoutError is.
var errDeadline = context.DeadlineExceeded

// Fetch fetches a file. It does nothing if the file is there with the digest
// that it must have. Several processes that fetch the same file to the same place
// fetch it once. No secret is in its errors.
func Fetch(ctx context.Context, req Request) (Result, error) {
	u, err := uri.Parse(req.URI)
	if err != nil {
		return Result{}, fmt.Errorf("reading the address of the model: %w", err)
	}
	if req.Log == nil {
		req.Log = slog.New(slog.DiscardHandler)
	}
	req.Path = filepath.Clean(req.Path)
	env := newEnvironment(req.Options)
	f := &fetcher{Request: req, uri: u, env: env, retry: defaultRetry(), lease: defaultLease()}
	result, err := f.fetch(ctx)
	if err != nil {
		return Result{}, env.secrets(u).scrub(fmt.Errorf("fetching %s: %w", u, clean(err)))
	}
	return result, nil
}

// fetcher is one fetch at work.
type fetcher struct {
	Request
	uri   *uri.URI
	env   *environment
	retry retry
	lease lease
}

func (f *fetcher) fetch(ctx context.Context) (Result, error) {
	if r, ok := f.there(); ok {
		return r, nil
	}
	if f.Unpack != "" {
		if err := f.replaceable(); err != nil {
			return Result{}, err
		}
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil { //nolint:gosec // models are no secret on the volume
		return Result{}, &VolumeError{Path: filepath.Dir(f.Path), Err: err}
	}
	ctx, cancel := context.WithTimeoutCause(ctx, f.Timeout, &TimeoutError{Limit: f.Timeout})
	defer cancel()
	result, err := f.locked(ctx)
	if err != nil && ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return result, err
}

// there looks whether what is asked for is there, by the digest that it must have.
func (f *fetcher) there() (Result, bool) {
	switch {
	case f.Digest == "":
		return Result{}, false
	case f.Unpack != "":
		return f.thereUnpacked()
	}
	return f.thereFile(f.Path)
}

// thereFile looks whether a file is there with the digest that it must have.
func (f *fetcher) thereFile(path string) (Result, bool) {
	if f.Digest == "" {
		return Result{}, false
	}
	info, err := os.Stat(path)
	if err != nil || !info.Mode().IsRegular() {
		return Result{}, false
	}
	have, err := Digest(path)
	if err != nil || !strings.EqualFold(have, f.Digest) {
		return Result{}, false
	}
	return Result{Digest: have, Bytes: info.Size()}, true
}

// locked fetches while nobody else does. Whoever had to wait first looks whether
// the work is done.
func (f *fetcher) locked(ctx context.Context) (Result, error) {
	before, _ := os.Stat(f.Path)
	for {
		lock, waited, err := f.lease.acquire(ctx, f.Path, f.key(), f.Log)
		if err != nil {
			return Result{}, err
		}
		if waited {
			if r, ok := f.madeMeanwhile(before); ok {
				lock.release()
				return r, nil
			}
		}
		result, err := f.bring(lock.ctx)
		lost := errors.Is(context.Cause(lock.ctx), errLockLost)
		lock.release()
		if err == nil || !lost || ctx.Err() != nil {
			return result, err
		}
		f.Log.Warn("another process took over; waiting for it", "path", f.Path)
	}
}

// bring fetches the file and, if it is to be, unpacks it.
func (f *fetcher) bring(ctx context.Context) (Result, error) {
	if f.Unpack != "" {
		return f.unpack(ctx)
	}
	return f.download(ctx)
}

// madeMeanwhile reports whether the one that was waited for has brought the file.
func (f *fetcher) madeMeanwhile(before os.FileInfo) (Result, bool) {
	if f.Digest != "" {
		return f.there()
	}
	now, err := os.Stat(f.Path)
	if err != nil || before != nil && os.SameFile(before, now) && before.ModTime().Equal(now.ModTime()) {
		return Result{}, false
	}
	if f.Unpack != "" {
		note, err := readUnpacked(f.Path)
		return note.result(), err == nil && note.Layout == f.Unpack
	}
	digest, err := Digest(f.Path)
	return Result{Digest: digest, Bytes: now.Size()}, err == nil
}

// key tells fetches of one address from those of another, without telling the
// address.
func (f *fetcher) key() string {
	sum := sha256.Sum256([]byte(f.uri.String()))
	return hex.EncodeToString(sum[:8])
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
	return digestText(hash.Sum(nil)), nil
}

func digestText(sum []byte) string { return "sha256:" + hex.EncodeToString(sum) }

// Path returns the path of an address, as a file's name on this system: models/
// iris/model.pkl. It ends in model.pkl if the address names no file.
func Path(raw string) string {
	u, err := uri.Parse(raw)
	if err != nil {
		return uri.DefaultName
	}
	return filepath.FromSlash(u.FilePath())
}
