package serve

import (
	"context"
	"sync"
	"sync/atomic"
	"time"
)

// Admission bounds the calls that are at work, and those that wait for their
// turn. It knows nothing of HTTP. Whoever comes when both are full is refused at
// once: a queue that only grows answers nobody in time.
//
// A free place is taken by one compare-and-swap; the lock is for the queue.
type Admission struct {
	limit, queue uint32
	patience     time.Duration

	// state holds the calls at work (low half) and those that wait (high half).
	// Nobody waits while there is a free place.
	state atomic.Uint64

	mu          sync.Mutex // guards the list, and changes to the high half
	first, last *waiter
	waiters     sync.Pool
}

// waiter is a call in the queue, a list in order of arrival.
type waiter struct {
	turn       chan struct{} // gets one token when the place is handed over
	timer      *time.Timer
	prev, next *waiter
	queued     bool
}

// NewAdmission admits limit calls at a time; another queue calls wait, each for
// patience at most.
func NewAdmission(limit, queue int, patience time.Duration) *Admission {
	return &Admission{limit: uint32(limit), queue: uint32(queue), patience: patience, waiters: sync.Pool{New: newWaiter}}
}

func newWaiter() any {
	w := &waiter{turn: make(chan struct{}, 1), timer: time.NewTimer(time.Hour)}
	w.timer.Stop()
	return w
}

const waiting = 1 << 32

func split(state uint64) (working, queued uint32) { return uint32(state), uint32(state >> 32) }

// Working returns how many calls are at work.
func (a *Admission) Working() int { n, _ := split(a.state.Load()); return int(n) }

// Waiting returns how many calls wait.
func (a *Admission) Waiting() int { _, n := split(a.state.Load()); return int(n) }

// TryAcquire takes a place if one is free.
func (a *Admission) TryAcquire() bool {
	for {
		state := a.state.Load()
		working, queued := split(state)
		if working >= a.limit || queued > 0 {
			return false
		}
		if a.state.CompareAndSwap(state, state+1) {
			return true
		}
	}
}

// Acquire takes a place, and waits for one if need be. On success Release must
// be called once. Errors are a *Rejection (QueueFull, QueueTimeout) and those of
// ctx.
func (a *Admission) Acquire(ctx context.Context) error {
	if a.TryAcquire() {
		return nil
	}
	w, err := a.enqueue()
	if w == nil {
		return err
	}
	w.timer.Reset(a.patience)
	defer func() {
		w.timer.Stop()
		a.waiters.Put(w)
	}()
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
		err = ctx.Err()
	case <-w.timer.C:
		err = a.full(QueueTimeout)
	}
	if !a.leave(w) {
		// The place was handed over in the same moment: it is ours to give back.
		<-w.turn
		a.Release()
	}
	return err
}

// enqueue returns a place in the queue; nil without an error if a place at work
// became free and was taken.
func (a *Admission) enqueue() (*waiter, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for {
		state := a.state.Load()
		working, queued := split(state)
		switch {
		case working < a.limit && queued == 0:
			if a.state.CompareAndSwap(state, state+1) {
				return nil, nil
			}
		case queued >= a.queue:
			return nil, a.full(QueueFull)
		case a.state.CompareAndSwap(state, state+waiting):
			w := a.waiters.Get().(*waiter)
			w.prev, w.next, w.queued = a.last, nil, true
			if a.last == nil {
				a.first = w
			} else {
				a.last.next = w
			}
			a.last = w
			return w, nil
		}
	}
}

// leave takes w out of the queue; false if it was served meanwhile.
func (a *Admission) leave(w *waiter) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if !w.queued {
		return false
	}
	a.remove(w)
	return true
}

// remove unlinks w. The caller holds the lock.
func (a *Admission) remove(w *waiter) {
	if w.prev == nil {
		a.first = w.next
	} else {
		w.prev.next = w.next
	}
	if w.next == nil {
		a.last = w.prev
	} else {
		w.next.prev = w.prev
	}
	w.prev, w.next, w.queued = nil, nil, false
	a.state.Add(^uint64(waiting - 1))
}

// Release gives a place back, to the first who waits.
func (a *Admission) Release() {
	for {
		state := a.state.Load()
		if _, queued := split(state); queued > 0 {
			break
		}
		if a.state.CompareAndSwap(state, state-1) {
			return
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	w := a.first
	if w == nil { // the last one left the queue meanwhile
		a.state.Add(^uint64(0))
		return
	}
	a.remove(w)
	w.turn <- struct{}{}
}

// full is a refusal with a time to come back: when half of the queue is likely
// to be over is not known here, so it is short and the same for all.
func (a *Admission) full(cause Cause) *Rejection {
	return &Rejection{Cause: cause, RetryAfter: busyRetry}
}

// busyRetry is when to come back to a server that is full. Retry-After has whole
// seconds, and a longer wait would leave a recovered server idle.
const busyRetry = time.Second
