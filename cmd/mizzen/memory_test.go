package main

import (
	"runtime/metrics"
	"testing"
)

func TestGCPercent(t *testing.T) {
	for live, want := range map[uint64]int{0: 400, 1 << 20: 400, 4 << 20: 400, 8 << 20: 200, 16 << 20: 100, 1 << 30: 100} {
		if got := gcPercent(live); got != want {
			t.Errorf("%d bytes: got %d, want %d", live, got, want)
		}
	}
}

// The names of the runtime's metrics may change with Go.
func TestMeasure(t *testing.T) {
	for _, name := range []string{liveHeap, gcCycles} {
		sample := []metrics.Sample{{Name: name}}
		if metrics.Read(sample); sample[0].Value.Kind() != metrics.KindUint64 {
			t.Errorf("%s is not there", name)
		}
	}
}
