package main

import (
	"io"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"

	"mizzen.dev/internal/command"
)

// progressDelay is how long work must take before a bar is worth showing.
const progressDelay = time.Second

// progress shows how much of the input was read, if the work takes long and a
// person is looking.
type progress struct {
	bar  *progressbar.ProgressBar // nil: nothing is shown
	read atomic.Int64
	stop chan struct{}
	done chan struct{}
}

// newProgress returns the progress of reading size bytes, -1 if that is not known.
// Nothing is shown where results and the bar would be mixed on one terminal.
func newProgress(s command.Streams, size int64) *progress {
	p := &progress{}
	if !command.IsTerminal(s.Err) || command.IsTerminal(s.Out) {
		return p
	}
	options := []progressbar.Option{progressbar.OptionSetWriter(s.Err), progressbar.OptionSetDescription("predicting"),
		progressbar.OptionClearOnFinish(), progressbar.OptionSpinnerType(14)}
	if size >= 0 {
		options = append(options, progressbar.OptionShowBytes(true), progressbar.OptionShowCount())
	}
	p.bar = progressbar.NewOptions64(size, options...)
	p.bar.StartWithoutRender() // its clock starts now, not when it is first seen
	p.stop, p.done = make(chan struct{}), make(chan struct{})
	go p.show()
	return p
}

// show draws the bar, from progressDelay on.
func (p *progress) show() {
	defer close(p.done)
	next := time.NewTimer(progressDelay)
	defer next.Stop()
	for {
		select {
		case <-p.stop:
			return
		case <-next.C:
			_ = p.bar.Set64(p.read.Load()) // a bar that cannot be drawn is no reason to fail
			next.Reset(progressDelay / 5)
		}
	}
}

// reader counts what is read from r.
func (p *progress) reader(r io.Reader) io.Reader { return &countingReader{r, p} }

type countingReader struct {
	io.Reader
	progress *progress
}

// Read implements [io.Reader].
func (c *countingReader) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.progress.read.Add(int64(n))
	return n, err
}

// close removes the bar.
func (p *progress) close() {
	if p.bar == nil {
		return
	}
	close(p.stop)
	<-p.done
	_ = p.bar.Clear()
}
