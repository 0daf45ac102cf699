package main

import (
	"runtime/metrics"
	"testing"
	"testing/fstest"
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

func TestContainerMemory(t *testing.T) {
	const second, first = "sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"
	tests := map[string]struct {
		files map[string]string
		want  int64
	}{
		"no cgroup":    {},
		"second":       {map[string]string{second: "536870912\n"}, 512 << 20},
		"second, none": {map[string]string{second: "max\n"}, 0},
		"first":        {map[string]string{first: "268435456\n"}, 256 << 20},
		"first, none":  {map[string]string{first: "9223372036854771712\n"}, 9223372036854771712},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for file, text := range tt.files {
				root[file] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := containerMemory(root); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
