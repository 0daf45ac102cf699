package logs

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
)

// merge writes logs that end, by the times of their lines. What cannot be read, because
// its node does not answer, is noted; it is an error if nothing else could be.
func merge(ctx context.Context, pods typedcorev1.PodsGetter, o Options, sources []source, to Sink) error {
	var front heads
	defer func() { front.close() }()
	var failed []failure
	for i, s := range sources {
		body, err := s.open(ctx, pods, o)
		if apierrors.IsNotFound(err) || apierrors.IsBadRequest(err) {
			// It is gone, or its log is: that of a container from before a restart is
			// not kept for ever.
			to.Note(Note{Pod: s.pod, Container: s.container, Text: err.Error()})
			continue
		}
		if err == nil {
			h := &head{lines: s.lines(body), body: body, place: i}
			if err = h.advance(); err == nil {
				front = append(front, h)
				continue
			}
			body.Close()
		}
		if ctx.Err() != nil {
			return err
		}
		failed = append(failed, failure{s, err})
	}
	if len(front) == 0 && len(failed) > 0 {
		return failed[0].err
	}
	for _, f := range failed {
		f.note(to)
	}
	return front.print(ctx, to)
}

// failure is of a log that cannot be read.
type failure struct {
	source source
	err    error
}

func (f failure) note(to Sink) {
	to.Note(Note{Pod: f.source.pod, Container: f.source.container, Text: f.err.Error()})
}

// head is the next line of one log.
type head struct {
	lines *lines
	body  io.Closer
	line  Line
	ended bool
	place int
}

func (h *head) advance() error {
	line, err := h.lines.next()
	switch {
	case errors.Is(err, io.EOF):
		h.ended = true
	case err != nil:
		return fmt.Errorf("reading the log of %s in pod %s: %w", h.lines.source.container, h.lines.source.pod, err)
	default:
		h.line = line
	}
	return nil
}

// heads is a heap of logs by the times of their next lines.
type heads []*head

func (h heads) Len() int      { return len(h) }
func (h heads) Swap(i, j int) { h[i], h[j] = h[j], h[i] }

// Less breaks ties by place, so that the result is always the same.
func (h heads) Less(i, j int) bool {
	if c := h[i].line.Time.Compare(h[j].line.Time); c != 0 {
		return c < 0
	}
	return h[i].place < h[j].place
}

// Push implements heap.Interface.
func (h *heads) Push(x any) { *h = append(*h, x.(*head)) }

// Pop implements heap.Interface.
func (h *heads) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}

func (h heads) close() {
	for _, x := range h {
		x.body.Close()
	}
}

// print writes all lines in order.
func (h *heads) print(ctx context.Context, to Sink) error {
	open := (*h)[:0]
	for _, x := range *h {
		if x.ended {
			x.body.Close()
			continue
		}
		open = append(open, x)
	}
	*h = open
	heap.Init(h)
	for h.Len() > 0 {
		first := (*h)[0]
		if err := to.Line(first.line); err != nil {
			return err
		}
		err := first.advance()
		if err != nil && ctx.Err() != nil {
			return err
		}
		if err != nil {
			failure{first.lines.source, err}.note(to)
		}
		if err != nil || first.ended {
			first.body.Close()
			heap.Pop(h)
			continue
		}
		heap.Fix(h, 0)
	}
	return nil
}
