package main

import (
	"io/fs"
	"os"
	"runtime/debug"
	"strconv"
	"strings"
)

// limitShare of a container's memory is what Go may use before it collects harder: the
// rest is for what Go does not count, such as the program itself.
const limitShare = 0.9

// limitMemory lets Go know what the container may use at most. Otherwise it lets the heap
// grow to twice what lives, and the kernel ends a server that had much to collect.
// Whoever sets GOMEMLIMIT knows better.
func limitMemory() {
	if os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	if limit := containerMemory(os.DirFS("/")); limit > 0 {
		debug.SetMemoryLimit(int64(float64(limit) * limitShare))
	}
}

// containerMemory is the limit in bytes that the cgroup of a container has, in the second
// or the first version of cgroups; 0 without one.
func containerMemory(root fs.FS) int64 {
	for _, file := range []string{"sys/fs/cgroup/memory.max", "sys/fs/cgroup/memory/memory.limit_in_bytes"} {
		text, err := fs.ReadFile(root, file)
		if err != nil {
			continue
		}
		if limit, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64); err == nil { // else it is max
			return limit
		}
	}
	return 0
}
