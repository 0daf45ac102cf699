package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// gcHeadroom is what the heap may grow by between two collections. A small
	// model leaves so little to collect that Go would do it every thousand
	// requests, which costs a fifth of the server's work.
	gcHeadroom = 16 << 20
	// minGCPercent is Go's own; a large model needs no more.
	minGCPercent = 100
	// maxGCPercent keeps the heap of a tiny model at the headroom: Go starts to
	// collect at 4 MiB times this.
	maxGCPercent = 400
	// idleInterval is after what time without a collection the memory that the
	// last load needed goes back to the system.
	idleInterval = time.Minute
)

// tendMemory keeps the garbage collector to what the models leave it to do, and
// gives memory back when there is nothing to do. Whoever sets GOGC knows better.
func tendMemory(ctx context.Context, changed func() <-chan struct{}) {
	if os.Getenv("GOGC") != "" {
		return
	}
	tick := time.NewTicker(idleInterval)
	defer tick.Stop()
	var released uint64 // collections when memory was last given back
	next := changed()
	for cycles := uint64(0); ; {
		select {
		case <-ctx.Done():
			return
		case <-next:
			next = changed()
			debug.FreeOSMemory() // it collects, too: what loading left behind
			debug.SetGCPercent(gcPercent(measure(liveHeap)))
			released = measure(gcCycles)
			cycles = released
		case <-tick.C:
			before := cycles
			if cycles = measure(gcCycles); cycles == before && cycles != released {
				debug.FreeOSMemory()
				cycles = measure(gcCycles)
				released = cycles
			}
		}
	}
}

// gcPercent returns GOGC for a heap that holds live bytes: the headroom as a
// part of them.
func gcPercent(live uint64) int {
	return int(min(max(gcHeadroom*100/max(live, 1), minGCPercent), maxGCPercent))
}

const (
	liveHeap = "/gc/heap/live:bytes"
	gcCycles = "/gc/cycles/total:gc-cycles"
)

func measure(name string) uint64 {
	sample := []metrics.Sample{{Name: name}}
	metrics.Read(sample)
	return sample[0].Value.Uint64()
}
