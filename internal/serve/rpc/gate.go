package rpc

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc/peer"

	"mizzen.dev/internal/serve"
)

// gate bounds how many messages are received at a time, and so the memory that
// they fill while they come. Most are there when the gate opens, and pass in a
// moment. Where all places are taken a message that does not get on gives way:
// nobody can keep others out by sending halves.
type gate struct {
	places   int
	patience time.Duration // of those who wait

	mu      sync.Mutex
	reading []*reading // in the order in which they began
	waiting []*reading // in the order in which they came
}

// reading is a message that is being received, or that waits for that.
type reading struct {
	who   sender
	since time.Time
	call  ender         // nil if nothing can end it
	turn  chan struct{} // closed when who waits has got a place
}

// ender is a call that can be ended from outside.
type ender interface{ end() }

// sender is who sends messages: the owner of a key, or else a machine.
type sender struct {
	key  string
	addr netip.Addr
}

// slowMessage is how long a message may take while others wait to be received.
const slowMessage = 2 * time.Second

func newGate(places int, patience time.Duration) *gate {
	return &gate{places: places, patience: patience}
}

// acquire takes a place for r, and waits for one if need be. On success release
// must be called once.
func (g *gate) acquire(ctx context.Context, r *reading) error {
	if g.enter(r) {
		return nil
	}
	patience := time.NewTimer(g.patience)
	defer patience.Stop()
	again := time.NewTicker(slowMessage / 4)
	defer again.Stop()
	for {
		var err error
		select {
		case <-r.turn:
			return nil
		case <-again.C:
			g.insist(r)
			continue
		case <-ctx.Done():
			err = ctx.Err()
		case <-patience.C:
			err = &serve.Rejection{Cause: serve.Memory, RetryAfter: g.patience}
		}
		if !g.leave(r) { // it got a place in the same moment
			g.release(r)
		}
		return err
	}
}

// enter takes a place if one is free or somebody has to give way, and else the end
// of the queue.
func (g *gate) enter(r *reading) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if len(g.reading) < g.places && len(g.waiting) == 0 || g.evictFor(r.who) {
		g.begin(r)
		return true
	}
	r.turn = make(chan struct{})
	g.waiting = append(g.waiting, r)
	return false
}

// insist tries again for one who waits.
func (g *gate) insist(r *reading) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if i := slices.Index(g.waiting, r); i >= 0 && g.evictFor(r.who) {
		g.waiting = slices.Delete(g.waiting, i, i+1)
		g.begin(r)
		close(r.turn)
	}
}

// leave takes r out of the queue; false if it has got a place meanwhile.
func (g *gate) leave(r *reading) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.waiting, r)
	if i >= 0 {
		g.waiting = slices.Delete(g.waiting, i, i+1)
	}
	return i >= 0
}

// release gives the place of r to the first who waits. It is false if r had to give
// way before.
func (g *gate) release(r *reading) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	i := slices.Index(g.reading, r)
	if i < 0 {
		return false
	}
	g.reading = slices.Delete(g.reading, i, i+1)
	if len(g.waiting) > 0 {
		next := g.waiting[0]
		g.waiting = slices.Delete(g.waiting, 0, 1)
		g.begin(next)
		close(next.turn)
	}
	return true
}

// begin gives r a place. The caller holds the lock.
func (g *gate) begin(r *reading) {
	r.since = time.Now()
	g.reading = append(g.reading, r)
}

// evictFor ends the call that has to give way to one of a sender, if any has to:
// the first of the sender that has most places, if this one has fewer even with
// another; else the first of all, once it is slow. The caller holds the lock.
func (g *gate) evictFor(who sender) bool {
	if len(g.reading) < g.places {
		return false
	}
	places := map[sender]int{}
	for _, r := range g.reading {
		places[r.who]++
	}
	victim := 0
	for i, r := range g.reading {
		if places[r.who] > max(places[who]+1, places[g.reading[victim].who]) {
			victim = i
		}
	}
	r := g.reading[victim]
	if places[r.who] <= places[who]+1 && time.Since(r.since) < slowMessage || r.call == nil {
		return false
	}
	g.reading = slices.Delete(g.reading, victim, victim+1)
	r.call.end()
	return true
}

func senderOf(ctx context.Context, key string) sender {
	if key != "" {
		return sender{key: key}
	}
	if p, ok := peer.FromContext(ctx); ok {
		if tcp, ok := p.Addr.(*net.TCPAddr); ok {
			return sender{addr: tcp.AddrPort().Addr()}
		}
	}
	return sender{}
}

// callContext is that of a call whose receiving can be ended: gRPC has no other way
// to do so. What its caller sees is a deadline that has passed.
type callContext struct {
	context.Context
	cancel context.CancelFunc
	late   atomic.Bool
}

// callKey finds the callContext among the parents of a context.
type callKey struct{}

// Value implements context.Context.
func (c *callContext) Value(key any) any {
	if key == (callKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// Err implements context.Context.
func (c *callContext) Err() error {
	if c.late.Load() {
		return context.DeadlineExceeded
	}
	return c.Context.Err()
}

// end ends the call.
func (c *callContext) end() {
	c.late.Store(true)
	c.cancel()
}

// enderOf returns what ends the call of a context; nil if nothing can.
func enderOf(ctx context.Context) ender {
	if c, ok := ctx.Value(callKey{}).(*callContext); ok {
		return c
	}
	return nil
}
