//go:build race

package hostile

// slowdown is what the race detector costs.
const slowdown = 10
