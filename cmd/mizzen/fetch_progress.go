package main

import (
	"log/slog"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"mizzen.dev/internal/command"
)

// progressInterval is how often a log says how far a fetch has come.
const progressInterval = 10 * time.Second

// fetchProgress shows how much of a file or an image was transferred: a bar to a
// person, now and then a line to a log.
type fetchProgress struct {
	what string       // fetching, unpacking, pushing
	log  *slog.Logger // nil: nobody is told
	bar  func(total int64) *progressbar.ProgressBar

	mu    sync.Mutex
	shown *progressbar.ProgressBar
	start time.Time
	next  time.Time
}

func newFetchProgress(what string, s command.Streams, log *slog.Logger, quiet bool) *fetchProgress {
	now := time.Now()
	p := &fetchProgress{what: what, start: now, next: now.Add(progressInterval)}
	switch {
	case quiet:
	case command.IsTerminal(s.Err):
		p.next = now.Add(progressDelay)
		p.bar = func(total int64) *progressbar.ProgressBar {
			return progressbar.NewOptions64(total, progressbar.OptionSetWriter(s.Err), progressbar.OptionSetDescription(p.what),
				progressbar.OptionShowBytes(true), progressbar.OptionShowCount(), progressbar.OptionClearOnFinish(),
				progressbar.OptionSpinnerType(14), progressbar.OptionThrottle(100*time.Millisecond))
		}
	default:
		p.log = log
	}
	return p
}

// set takes how much is here, of total bytes, or -1 if that is not known.
func (p *fetchProgress) set(done, total int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	if now.Before(p.next) {
		return
	}
	switch {
	case p.bar != nil:
		if p.shown == nil {
			p.shown = p.bar(total)
		}
		_ = p.shown.Set64(done) // a bar that cannot be drawn is no reason to fail
	case p.log != nil:
		p.next = now.Add(progressInterval)
		p.log.Info("transferring", "what", p.what, "bytes", done, "of", total, "duration", now.Sub(p.start))
	}
}

// close removes the bar.
func (p *fetchProgress) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.shown != nil {
		_ = p.shown.Clear()
	}
}
