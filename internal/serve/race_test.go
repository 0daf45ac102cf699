//go:build race

package serve

// The race detector makes pools forget at random.
const raceDetector = true
