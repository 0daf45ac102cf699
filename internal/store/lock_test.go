package store

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// Many that fetch the same file to the same place fetch it once, whether they know
// its digest or not.
func TestFetchOnce(t *testing.T) {
	for name, digest := range map[string]string{"pinned": digestOf(model), "not pinned": ""} {
		t.Run(name, func(t *testing.T) {
			const processes = 8
			var requests atomic.Int64
			waiting := make(chan struct{})
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				requests.Add(1)
				<-waiting
				_, _ = w.Write([]byte(model))
			}))
			defer server.Close()
			path := filepath.Join(t.TempDir(), "model.pkl")
			var all, others sync.WaitGroup
			others.Add(processes - 1)
			var fetched atomic.Int64
			for range processes {
				all.Go(func() {
					log := slog.New(&onMessage{message: "waiting for another process that fetches the file", do: sync.OnceFunc(others.Done)})
					got, err := fetchNow(t.Context(), t, Request{URI: server.URL + "/m", Path: path, Digest: digest, Options: Options{Log: log}})
					if err != nil || got.Digest != digestOf(model) {
						t.Errorf("got %+v, %v", got, err)
					}
					if got.Fetched {
						fetched.Add(1)
					}
				})
			}
			others.Wait() // all but one
			close(waiting)
			all.Wait()
			if requests.Load() != 1 || fetched.Load() != 1 {
				t.Errorf("%d requests by %d processes, want one", requests.Load(), fetched.Load())
			}
			if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
				t.Errorf("%d files are left, want one", len(entries))
			}
		})
	}
}

// leave makes the lock of another process.
func leave(t *testing.T, target string, h holder) {
	t.Helper()
	if err := create(lockPath(target), h); err != nil {
		t.Fatal(err)
	}
}

// The lock of a process that ended without a word does not hold up the others.
func TestTakeOver(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		holder holder
		wait   bool
	}{
		"on another machine": {holder{Token: "t", Host: host + "-other", PID: os.Getpid()}, true},
		"on this machine":    {holder{Token: "t", Host: host, PID: 1 << 22}, false},
		"torn":               {holder{}, true},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			source := "file://" + write(t, model)
			path := filepath.Join(t.TempDir(), "model.pkl")
			leave(t, path, test.holder)
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				if _, err := fetchNow(t.Context(), t, Request{URI: source, Path: path, Timeout: time.Hour}); err != nil {
					t.Fatal(err)
				}
				if waited := time.Since(start) > hurried.expiry; waited != test.wait {
					t.Errorf("waited: %t, want %t", waited, test.wait)
				}
			})
			if entries, _ := os.ReadDir(filepath.Dir(path)); len(entries) != 1 {
				t.Errorf("%d files are left, want one", len(entries))
			}
		})
	}
}

// A link to nothing in place of the lock is waited for like a lock that nobody counts in,
// no longer than the caller has time, and then is taken over.
func TestDanglingLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.pkl")
	if err := os.Symlink("nowhere", lockPath(path)); err != nil {
		t.Fatal(err)
	}
	log := slog.New(slog.DiscardHandler)
	l := defaultLease()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), l.expiry/2)
		defer cancel()
		if _, _, err := l.acquire(ctx, path, "k", log); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want no more time", err)
		}
		held, _, err := l.acquire(t.Context(), path, "k", log)
		if err != nil {
			t.Fatal(err)
		}
		if !held.mine() {
			t.Error("the lock is not the one that took it over")
		}
		held.release()
	})
}

// Who counts keeps the lock however long it takes, and who finds another's name
// in it stops.
func TestHold(t *testing.T) {
	path := filepath.Join(t.TempDir(), "model.pkl")
	synctest.Test(t, func(t *testing.T) {
		l := defaultLease()
		log := slog.New(slog.DiscardHandler)
		held, _, err := l.acquire(t.Context(), path, "k", log)
		if err != nil {
			t.Fatal(err)
		}
		got := make(chan *lock)
		go func() {
			second, waited, err := l.acquire(t.Context(), path, "k", log)
			if err != nil || !waited {
				t.Errorf("waited %t, %v", waited, err)
			}
			got <- second
		}()
		select {
		case <-got:
			t.Fatal("the lock of one that counts was taken")
		case <-time.After(10 * l.expiry):
		}
		held.release()
		second := <-got
		synctest.Wait() // it is not writing
		if err := os.Remove(lockPath(path)); err != nil {
			t.Fatal(err)
		}
		leave(t, path, holder{Token: "somebody else's"})
		<-second.ctx.Done()
		if cause := context.Cause(second.ctx); !errors.Is(cause, errLockLost) {
			t.Errorf("it ends for %v", cause)
		}
		second.release()
		if h, err := readHolder(lockPath(path)); err != nil || h.Token != "somebody else's" {
			t.Errorf("the other one's lock is gone: %+v, %v", h, err)
		}
	})
}

// A lock that is alive by the time that it is moved away is given back.
func TestTakeOverTooLate(t *testing.T) {
	path := filepath.Join(t.TempDir(), "m")
	me, err := newHolder("k")
	if err != nil {
		t.Fatal(err)
	}
	leave(t, path, holder{Token: "new"})
	takeOver(lockPath(path), me, holder{Token: "old"})
	if h, err := readHolder(lockPath(path)); err != nil || h.Token != "new" {
		t.Errorf("got %+v, %v", h, err)
	}
	takeOver(lockPath(path), me, holder{Token: "new"})
	if _, err := os.Stat(lockPath(path)); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the old one is there: %v", err)
	}
}
