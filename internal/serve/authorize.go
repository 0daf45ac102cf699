package serve

import (
	"slices"
	"sync/atomic"
	"time"
)

// Authorize lets a caller in or not: its key must be right, where keys are
// asked for, and its rate within bounds. group is the group of paths (see
// package config) that is asked for; empty for inference and all that changes
// something. Errors are a *Rejection.
func (c *Core) Authorize(who Credentials, group string) error {
	if c.keys == nil {
		who.Key = "" // unchecked: it tells nothing
	} else if group == "" || !slices.Contains(c.Config.AuthExempt, group) {
		if !c.keys.Valid(who.Key) {
			cause := WrongKey
			if who.Key == "" {
				cause = NoKey
			}
			who.Key = ""
			if err := c.limitRate(who, group); err != nil {
				return err // whoever guesses keys is slowed down, too
			}
			return &Rejection{Cause: cause}
		}
	}
	return c.limitRate(who, group)
}

func (c *Core) limitRate(who Credentials, group string) error {
	if c.rates == nil || group != "" {
		return nil
	}
	if wait, ok := c.rates.Allow(who, time.Now()); !ok {
		return &Rejection{Cause: RateLimited, RetryAfter: wait}
	}
	return nil
}

// budget bounds the memory that large bodies hold together.
type budget struct {
	limit int64
	used  atomic.Int64
}

// take takes n bytes, if there are as many left.
func (b *budget) take(n int64) bool {
	if b.used.Add(n) > b.limit {
		b.used.Add(-n)
		return false
	}
	return true
}

// give gives n bytes back.
func (b *budget) give(n int64) { b.used.Add(-n) }
