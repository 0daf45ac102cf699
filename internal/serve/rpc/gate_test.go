package rpc

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"mizzen.dev/internal/serve"
)

// arrival is a message that comes to a gate.
type arrival struct {
	reading
	evicted atomic.Bool
	entered chan error
}

func (a *arrival) end() { a.evicted.Store(true) }

// arrive brings a message of a sender to the gate, and waits until it is in or
// waits itself.
func arrive(t *testing.T, g *gate, who string) *arrival {
	t.Helper()
	a := &arrival{entered: make(chan error, 1)}
	a.who, a.call = sender{key: who}, a
	go func() { a.entered <- g.acquire(t.Context(), &a.reading) }()
	synctest.Wait()
	return a
}

// in reports whether a message has got a place.
func (a *arrival) in(t *testing.T) bool {
	t.Helper()
	synctest.Wait()
	select {
	case err := <-a.entered:
		if err != nil {
			t.Errorf("got %v", err)
		}
		a.entered <- err
		return true
	default:
		return false
	}
}

const patience = 5 * time.Second

func TestGateWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(2, patience)
		first, second, third, fourth := arrive(t, g, "a"), arrive(t, g, "a"), arrive(t, g, "a"), arrive(t, g, "b")
		if !first.in(t) || !second.in(t) {
			t.Fatal("free places are not given")
		}
		if third.in(t) {
			t.Error("a third has got one of two places")
		}
		if !fourth.in(t) || !first.evicted.Load() {
			t.Error("a second sender has got no place, though the first one has both")
		}
		if g.release(&first.reading) || !g.release(&second.reading) {
			t.Error("who had to give way has a place, or the other has none")
		}
		if !third.in(t) {
			t.Error("a free place is not given to who waits")
		}
		if fifth := arrive(t, g, "a"); fifth.in(t) || third.evicted.Load() || fourth.evicted.Load() {
			t.Error("of two senders with a place each one had to give way")
		}
	})
}

// Whoever gets on too slowly gives way after a while, also to messages of its own.
func TestGateEvictsTheSlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, patience)
		slow := arrive(t, g, "a")
		next := arrive(t, g, "a")
		time.Sleep(slowMessage - time.Millisecond)
		if next.in(t) || slow.evicted.Load() {
			t.Error("it had to give way too early")
		}
		time.Sleep(slowMessage)
		if !next.in(t) || !slow.evicted.Load() {
			t.Error("it did not give way")
		}
	})
}

func TestGatePatience(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGate(1, slowMessage/2)
		arrive(t, g, "a")
		late := arrive(t, g, "a")
		err := <-late.entered
		var rejection *serve.Rejection
		if !errors.As(err, &rejection) || rejection.Cause != serve.Memory {
			t.Errorf("got %v", err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := g.acquire(ctx, &reading{who: sender{key: "a"}}); !errors.Is(err, context.Canceled) {
			t.Errorf("of a caller who has gone: got %v", err)
		}
		if len(g.waiting) != 0 || len(g.reading) != 1 {
			t.Errorf("%d wait and %d read, want 0 and 1", len(g.waiting), len(g.reading))
		}
	})
}
