package logs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/watch"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// waiting is how many lines may wait to be written: a slow terminal slows the
// readers down, and nothing piles up.
const waiting = 256

// follow writes the lines of all pods as they come, of new pods as well.
func follow(ctx context.Context, pods typedcorev1.PodsGetter, o Options, to Sink) error {
	// Who may not list pods is told so; the watch below would try for ever.
	list, err := pods.Pods(o.Namespace).List(ctx, metav1.ListOptions{LabelSelector: o.Selector})
	if err != nil {
		return fmt.Errorf("listing the pods: %w", err)
	}
	if err := o.checkContainer(list.Items); err != nil {
		return err
	}
	if len(list.Items) == 0 {
		none := &NoPodsError{Namespace: o.Namespace, Selector: o.Selector}
		to.Note(Note{Text: none.Error() + " yet: waiting for some"})
	}
	ctx, cancel := context.WithCancel(ctx)
	f := &follower{pods: pods, options: o, seen: map[run]bool{}, out: make(chan any, waiting)}
	defer f.readers.Wait()
	defer cancel()
	informer := f.informer(ctx)
	// What the watch says of itself is nothing for whoever reads logs.
	quiet := klog.NewContext(ctx, logr.Discard())
	f.readers.Go(func() { informer.RunWithContext(quiet) })
	for {
		select {
		case <-ctx.Done():
			return nil
		case x := <-f.out:
			switch x := x.(type) {
			case Line:
				if err := to.Line(x); err != nil {
					return err
				}
			case Note:
				to.Note(x)
			case error:
				return x
			}
		}
	}
}

// run is one run of a container: a restart makes another.
type run struct {
	pod       types.UID
	container string
	restarts  int32
}

// follower reads the logs of the containers that it sees start.
type follower struct {
	pods    typedcorev1.PodsGetter
	options Options
	out     chan any // Line, Note or error
	readers sync.WaitGroup

	mu      sync.Mutex
	seen    map[run]bool
	reading int
}

// informer watches the pods, also over lost connections.
func (f *follower) informer(ctx context.Context) cache.Controller {
	client := f.pods.Pods(f.options.Namespace)
	selected := func(l metav1.ListOptions) metav1.ListOptions {
		l.LabelSelector = f.options.Selector
		return l
	}
	changed := func(x any) {
		if p, ok := x.(*corev1.Pod); ok {
			f.look(ctx, p)
		}
	}
	_, informer := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: &cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, l metav1.ListOptions) (runtime.Object, error) {
				return client.List(ctx, selected(l))
			},
			WatchFuncWithContext: func(ctx context.Context, l metav1.ListOptions) (watch.Interface, error) {
				return client.Watch(ctx, selected(l))
			},
		},
		ObjectType: &corev1.Pod{},
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    changed,
			UpdateFunc: func(_, p any) { changed(p) },
			DeleteFunc: func(x any) {
				if p, ok := x.(*corev1.Pod); ok {
					f.forget(p)
				}
			},
		},
	})
	return informer
}

// look begins to read what has started since.
func (f *follower) look(ctx context.Context, p *corev1.Pod) {
	for _, s := range sourcesOf(p, f.options) {
		if s.status.State.Running == nil && s.status.State.Terminated == nil {
			continue
		}
		r := run{p.UID, s.container, s.status.RestartCount}
		f.mu.Lock()
		known := f.seen[r]
		full := f.reading >= maxStreams
		if !known && !full {
			f.seen[r] = true
			f.reading++
		}
		f.mu.Unlock()
		switch {
		case known:
		case full:
			f.send(ctx, error(&TooManyError{Containers: maxStreams + 1}))
			return
		default:
			options := f.options
			if r.restarts > 0 && f.seenBefore(r) { // what was said before the restart is known
				options.Tail, options.Since = -1, 0
			}
			f.readers.Go(func() { f.read(ctx, s, options) })
		}
	}
}

func (f *follower) seenBefore(r run) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r.restarts--
	return f.seen[r]
}

func (f *follower) forget(p *corev1.Pod) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for r := range f.seen {
		if r.pod == p.UID {
			delete(f.seen, r)
		}
	}
}

// read sends the lines of one run of a container.
func (f *follower) read(ctx context.Context, s source, o Options) {
	defer func() {
		f.mu.Lock()
		f.reading--
		f.mu.Unlock()
	}()
	if err := f.stream(ctx, s, o); err != nil && ctx.Err() == nil {
		f.send(ctx, Note{Pod: s.pod, Container: s.container, Text: err.Error()})
	}
}

func (f *follower) stream(ctx context.Context, s source, o Options) error {
	body, err := s.open(ctx, f.pods, o)
	if err != nil {
		return err
	}
	defer body.Close()
	l := s.lines(body)
	for {
		line, err := l.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("the log ended: %w", err)
		}
		if !f.send(ctx, line) {
			return nil
		}
	}
}

// send hands something over to be written, and reports whether anybody still wants it.
func (f *follower) send(ctx context.Context, x any) bool {
	select {
	case f.out <- x:
		return true
	case <-ctx.Done():
		return false
	}
}
