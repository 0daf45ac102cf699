package main

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"mizzen.dev/internal/command"
)

// TestFetchProgress has a log say now and then how far a fetch has come, and not at all
// if it is done by then or nobody wants to know.
func TestFetchProgress(t *testing.T) {
	const size = 40
	for name, test := range map[string]struct {
		quiet bool
		every time.Duration // a byte comes
		want  int           // lines
	}{
		"long":  {false, time.Second, 3},
		"short": {false, time.Second / 10, 0},
		"quiet": {true, time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var log bytes.Buffer
				p := newFetchProgress("unpacking", command.Streams{Err: &log}, slog.New(slog.NewTextHandler(&log, nil)), test.quiet)
				for done := range size {
					p.set(int64(done), size)
					time.Sleep(test.every)
				}
				p.close()
				if n := strings.Count(log.String(), "what=unpacking bytes="); n != test.want {
					t.Errorf("%d lines, want %d: %s", n, test.want, &log)
				}
			})
		})
	}
}
