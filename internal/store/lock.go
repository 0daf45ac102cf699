package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"
)

// lease is how processes agree on who fetches a file to a volume that they share.
// The lock is a file that can only be made once (O_EXCL), which every shared file
// system keeps, NFS included; advisory locks do not work on all of them. Its owner
// counts in it every beat. Who waits takes it over when the count has not moved
// for expiry by its own clock: no clocks are compared, nor are times of files,
// which file systems cache.
type lease struct {
	beat   time.Duration // of the owner's count
	look   time.Duration // between two looks of who waits
	expiry time.Duration
}

func defaultLease() lease {
	return lease{beat: 5 * time.Second, look: time.Second, expiry: 30 * time.Second}
}

// errLockLost says that another process took the lock over, because this one did
// not come to counting.
var errLockLost = errors.New("the lock was taken over by another process")

// lock is held until it is released; its context ends when it is lost.
type lock struct {
	ctx  context.Context //nolint:containedctx // it lives exactly as long as the lock
	end  context.CancelCauseFunc
	path string
	text holder
	done chan struct{}
}

// holder is what is in the file.
type holder struct {
	Token string `json:"token"`
	Key   string `json:"key"` // of the address that is fetched
	Host  string `json:"host"`
	PID   int    `json:"pid"`
	Beat  uint64 `json:"beat"`
}

// maxHolder bounds the file.
const maxHolder = 4 << 10

// lockPath is where the lock of a file lies.
func lockPath(target string) string {
	dir, name := filepath.Split(target)
	return filepath.Join(dir, "."+name+".lock")
}

// acquire takes the lock of a file. waited is true if another process that
// fetched the same address had it meanwhile.
func (l lease) acquire(ctx context.Context, target, key string, log *slog.Logger) (held *lock, waited bool, err error) {
	path := lockPath(target)
	me, err := newHolder(key)
	if err != nil {
		return nil, false, err
	}
	var seen holder
	var since time.Time
	for ctx.Err() == nil {
		switch err := create(path, me); {
		case err == nil:
			return l.hold(ctx, path, me), waited, nil
		case !errors.Is(err, fs.ErrExist):
			return nil, false, &VolumeError{Path: target, Err: err}
		}
		other, readErr := readHolder(path)
		if errors.Is(readErr, fs.ErrNotExist) {
			continue // it was just released
		}
		if other != seen || since.IsZero() {
			if other.Token != seen.Token {
				log.Info("waiting for another process that fetches the file", "path", target, "host", other.Host, "pid", other.PID)
			}
			seen, since = other, time.Now()
		}
		waited = waited || other.Key == key
		if other.gone(me) || time.Since(since) > l.expiry {
			log.Warn("taking over from a process that has ended", "path", target, "host", other.Host, "pid", other.PID)
			if takeOver(path, me, other) {
				continue
			}
		}
		sleep(ctx, l.look)
	}
	return nil, false, context.Cause(ctx)
}

func newHolder(key string) (holder, error) {
	var token [16]byte
	if _, err := rand.Read(token[:]); err != nil {
		return holder{}, err
	}
	host, err := os.Hostname()
	return holder{Token: hex.EncodeToString(token[:]), Key: key, Host: host, PID: os.Getpid()}, err
}

// gone reports whether the other one is known to have ended: it ran on this
// machine, or in an earlier container of this pod, where every process is number 1.
func (h holder) gone(me holder) bool {
	return h.Host == me.Host && h.Host != "" && h.PID > 0 && (h.PID == me.PID && h.PID == 1 || !alive(h.PID))
}

func create(path string, h holder) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644) //nolint:gosec // others must be able to read who holds it
	if err != nil {
		return err
	}
	if _, err := f.Write(text); err != nil {
		f.Close()
		os.Remove(path)
		return err
	}
	return f.Close()
}

// readHolder reads the file; one that is not complete yet has no owner to name, nor has
// a symbolic link to nothing, which is in the way as well.
func readHolder(path string) (holder, error) {
	var h holder
	text, err := readUpTo(path, maxHolder)
	if errors.Is(err, fs.ErrNotExist) {
		if _, there := os.Lstat(path); there == nil {
			return h, nil
		}
	}
	if err != nil {
		return h, err
	}
	_ = json.Unmarshal(text, &h) // else the zero one, which expires, too
	return h, nil
}

// takeOver removes the lock of a process that has ended. If it was another's by
// the time that it was moved away, that one finds out at its next beat, and waits. It
// reports whether there was something to move, and a right to.
func takeOver(path string, me, expected holder) bool {
	aside := path + "." + me.Token
	if os.Rename(path, aside) != nil {
		return false // somebody else was faster
	}
	if moved, err := readHolder(aside); err == nil && moved.Token != expected.Token {
		if os.Link(aside, path) == nil { // give it back, unless there is a new one
			_ = os.Remove(aside)
			return true
		}
	}
	os.Remove(aside)
	return true
}

// hold counts until the lock is released.
func (l lease) hold(ctx context.Context, path string, me holder) *lock {
	held := &lock{path: path, text: me, done: make(chan struct{})}
	held.ctx, held.end = context.WithCancelCause(ctx)
	go func() {
		defer close(held.done)
		ticker := time.NewTicker(l.beat)
		defer ticker.Stop()
		for {
			select {
			case <-held.ctx.Done():
				return
			case <-ticker.C:
			}
			if !held.mine() {
				held.end(errLockLost)
				return
			}
			held.text.Beat++
			text, err := json.Marshal(held.text)
			if err == nil {
				err = os.WriteFile(held.path, text, 0o644) //nolint:gosec // see create
			}
			if err != nil {
				held.end(&VolumeError{Path: held.path, Err: err})
				return
			}
		}
	}()
	return held
}

// mine reports whether the file still names this process.
func (k *lock) mine() bool {
	h, err := readHolder(k.path)
	return err == nil && h.Token == k.text.Token
}

// release lets the others go on.
func (k *lock) release() {
	k.end(context.Canceled)
	<-k.done
	if k.mine() {
		os.Remove(k.path)
	}
}
