// Package buffer is for tests that read what a program writes while it runs.
package buffer

import (
	"bytes"
	"sync"
)

// Shared is what was written so far. Several goroutines may use it at a time.
type Shared struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements [io.Writer].
func (s *Shared) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

// String returns all of it.
func (s *Shared) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}
