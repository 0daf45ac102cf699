package serve

import "context"

// What a transport needs beside [Core.Infer]: HTTP's way in is part of this
// package, others are not.

// TakeMemory takes n bytes of what large bodies may hold together; they must be
// given back. A body may hold [FreeBody] bytes without asking.
func (c *Core) TakeMemory(n int64) error {
	if !c.memory.take(n) {
		return &Rejection{Cause: Memory, RetryAfter: busyRetry}
	}
	return nil
}

// GiveMemory gives n bytes back.
func (c *Core) GiveMemory(n int64) { c.memory.give(n) }

// FreeBody is what a body may hold without asking for memory.
const FreeBody = freeBuffer

// Fail counts an error with which a transport refuses something else than an
// inference, and returns what the caller may know of it.
func (c *Core) Fail(ctx context.Context, err error) error {
	c.Metrics.reject(err)
	return c.public(ctx, err)
}
