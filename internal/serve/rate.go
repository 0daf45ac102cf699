package serve

import (
	"container/list"
	"hash/maphash"
	"math"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// maxBuckets bounds the callers that are told apart. The one that was not heard
// of for the longest time is forgotten first.
const maxBuckets = 16384

// RateLimiter gives each caller, known by key or else by address, a token bucket.
type RateLimiter struct {
	limit rate.Limit
	burst int
	seed  maphash.Seed

	mu      sync.Mutex
	buckets map[uint64]*list.Element // of *bucket
	recent  *list.List               // the most recent first
}

type bucket struct {
	caller  uint64
	limiter *rate.Limiter
}

// NewRateLimiter allows each caller perSecond calls a second, and burst at once.
// A burst of 0 means as many as in a second.
func NewRateLimiter(perSecond float64, burst int) *RateLimiter {
	if burst == 0 {
		burst = max(int(math.Ceil(perSecond)), 1)
	}
	return &RateLimiter{
		limit: rate.Limit(perSecond), burst: burst, seed: maphash.MakeSeed(),
		buckets: map[uint64]*list.Element{}, recent: list.New(),
	}
}

// Allow takes a token of the caller's, or returns how long it must wait for one.
func (r *RateLimiter) Allow(who Credentials, now time.Time) (wait time.Duration, ok bool) {
	limiter := r.bucket(r.caller(who))
	reservation := limiter.ReserveN(now, 1)
	if !reservation.OK() {
		return time.Second, false
	}
	if wait = reservation.DelayFrom(now); wait > 0 {
		reservation.CancelAt(now)
		return wait, false
	}
	return 0, true
}

// caller tells callers apart: by key, else by address, of which an IPv6 network
// of 64 bits counts as one. The key must have been checked: a caller that makes
// up keys would have as many buckets.
func (r *RateLimiter) caller(who Credentials) uint64 {
	if who.Key != "" {
		return maphash.String(r.seed, who.Key)
	}
	addr, err := netip.ParseAddrPort(who.Remote)
	if err != nil {
		return maphash.String(r.seed, who.Remote)
	}
	ip := addr.Addr().Unmap().WithZone("")
	if ip.Is6() {
		if prefix, err := ip.Prefix(64); err == nil {
			ip = prefix.Addr()
		}
	}
	return maphash.Comparable(r.seed, ip)
}

func (r *RateLimiter) bucket(caller uint64) *rate.Limiter {
	r.mu.Lock()
	defer r.mu.Unlock()
	if e, ok := r.buckets[caller]; ok {
		r.recent.MoveToFront(e)
		return e.Value.(*bucket).limiter
	}
	if len(r.buckets) >= maxBuckets {
		oldest := r.recent.Remove(r.recent.Back()).(*bucket)
		delete(r.buckets, oldest.caller)
	}
	b := &bucket{caller: caller, limiter: rate.NewLimiter(r.limit, r.burst)}
	r.buckets[caller] = r.recent.PushFront(b)
	return b.limiter
}
