package serve

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func TestAdmissionRefusesAtOnce(t *testing.T) {
	a := NewAdmission(1, 1, time.Hour)
	if err := a.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := make(chan error, 1)
	go func() { second <- a.Acquire(t.Context()) }()
	eventually(t, "the second call waits", func() bool { return a.Waiting() == 1 })

	err := a.Acquire(t.Context())
	var refused *Rejection
	if !errors.As(err, &refused) || refused.Cause != QueueFull || refused.RetryAfter <= 0 {
		t.Errorf("third call: got %v", err)
	}
	a.Release()
	if err := <-second; err != nil {
		t.Errorf("second call: %v", err)
	}
	a.Release()
	if a.Working() != 0 || a.Waiting() != 0 {
		t.Errorf("%d at work, %d waiting, want none", a.Working(), a.Waiting())
	}
}

func TestAdmissionPatience(t *testing.T) {
	a := NewAdmission(1, 1, time.Millisecond)
	if err := a.Acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	var refused *Rejection
	if err := a.Acquire(t.Context()); !errors.As(err, &refused) || refused.Cause != QueueTimeout {
		t.Errorf("got %v, want a time-out", err)
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if err := a.Acquire(gone); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want that the caller has gone", err)
	}
	a.Release()
	if err := a.Acquire(t.Context()); err != nil {
		t.Errorf("a free place is not given: %v", err)
	}
}

// The first who came is the first to be served.
func TestAdmissionOrder(t *testing.T) {
	a := NewAdmission(1, 10, time.Hour)
	_ = a.Acquire(t.Context())
	order := make(chan int, 5)
	for i := range 5 {
		go func() {
			if err := a.Acquire(t.Context()); err == nil {
				order <- i
				a.Release()
			}
		}()
		eventually(t, "the call is in the queue", func() bool { return a.Waiting() == i+1 })
	}
	a.Release()
	for i := range 5 {
		if got := <-order; got != i {
			t.Errorf("place %d went to call %d", i, got)
		}
	}
}

// TestAdmissionUnderLoad checks the invariant with many callers, of whom some
// lose patience: never more than limit at work, and no place is lost.
func TestAdmissionUnderLoad(t *testing.T) {
	const limit, queue, callers, rounds = 3, 5, 16, 2000
	a := NewAdmission(limit, queue, 20*time.Microsecond)
	var working, most, served, refused atomic.Int64
	var group sync.WaitGroup
	for i := range callers {
		group.Go(func() {
			for round := range rounds {
				ctx, cancel := context.WithCancel(context.Background())
				if (i+round)%7 == 0 {
					go cancel() // goes away at some moment
				}
				if err := a.Acquire(ctx); err != nil {
					refused.Add(1)
					cancel()
					continue
				}
				n := working.Add(1)
				for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
				}
				working.Add(-1)
				served.Add(1)
				a.Release()
				cancel()
			}
		})
	}
	group.Wait()
	if most.Load() > limit {
		t.Errorf("%d calls were at work at a time, at most %d are allowed", most.Load(), limit)
	}
	if served.Load()+refused.Load() != callers*rounds || served.Load() == 0 {
		t.Errorf("%d served and %d refused of %d", served.Load(), refused.Load(), callers*rounds)
	}
	if a.Working() != 0 || a.Waiting() != 0 {
		t.Errorf("%d at work and %d waiting when all are gone", a.Working(), a.Waiting())
	}
}

func TestAdmissionAllocatesNothing(t *testing.T) {
	a := NewAdmission(1, 1, time.Hour)
	ctx := t.Context()
	if n := testing.AllocsPerRun(100, func() {
		_ = a.Acquire(ctx)
		a.Release()
	}); n != 0 {
		t.Errorf("%v allocations for a free place", n)
	}
}
