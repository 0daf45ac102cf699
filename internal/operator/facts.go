package operator

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/utils/clock"
	"sigs.k8s.io/controller-runtime/pkg/event"

	"mizzen.dev/internal/platform"
)

// facts are what rendering needs to know beside the Model.
type facts struct {
	platform *platform.Platform
	// kinds are the optional ones that are installed and watched.
	kinds map[schema.GroupVersionKind]bool
}

func (f facts) known() bool { return f.platform != nil }

func (f facts) has(k Kind) bool { return !k.Optional || f.kinds[k.GroupVersionKind] }

// watcher follows a kind as long as it is installed.
type watcher interface {
	// follow returns those of the kinds that are watched now.
	follow(ctx context.Context, installed map[schema.GroupVersionKind]bool) (map[schema.GroupVersionKind]bool, error)
}

// Facts keeps the platform's facts up to date: the file, which a ConfigMap mounts, and
// what is installed in the cluster. Whenever they change, all Models are looked at.
type Facts struct {
	// Path of the platform file; "" for none.
	Path string
	// Cluster is asked what it offers. Namespaced says that the operator may have rights
	// in some namespaces alone.
	Cluster    platform.Cluster
	Namespaced bool
	Clock      clock.WithTicker
	Log        logr.Logger
	// Interval between two looks. Sooner asks for one now.
	Interval time.Duration
	Sooner   chan struct{}
	// Changed has an event whenever the facts have changed.
	Changed chan event.GenericEvent

	watcher watcher

	mu      sync.RWMutex
	current facts
	failed  error // of the last look, as long as nothing is known
	raw     []byte
	file    *platform.Platform
}

// get returns what is known. Before the first look that is nothing; an event follows.
func (f *Facts) get() facts {
	f.mu.RLock()
	defer f.mu.RUnlock()
	return f.current
}

// Ready is a check of readiness: without facts no Model is looked at. Once they are known
// they stay, whatever becomes of the file.
func (f *Facts) Ready(*http.Request) error {
	f.mu.RLock()
	defer f.mu.RUnlock()
	switch {
	case f.current.known():
		return nil
	case f.failed != nil:
		return f.failed
	}
	return errors.New("the platform has not been looked at yet")
}

// NeedLeaderElection says that who waits to lead looks, too, and is ready at once.
func (f *Facts) NeedLeaderElection() bool { return false }

// settle passes before a look that was asked for: definitions come in bunches, and discovery
// knows of one a moment after it is established.
const settle = time.Second

// Start looks until the context ends. It implements the manager's Runnable.
func (f *Facts) Start(ctx context.Context) error {
	ticker := f.Clock.NewTicker(f.Interval)
	defer ticker.Stop()
	for {
		err := f.Look(ctx)
		f.mu.Lock()
		f.failed = err
		f.mu.Unlock()
		if err != nil && ctx.Err() == nil {
			// What was known stays in force.
			f.Log.Error(err, "cannot find out what the cluster offers")
		}
		select {
		case <-ctx.Done():
			return nil
		case <-f.Sooner:
			select {
			case <-ctx.Done():
				return nil
			case <-f.Clock.After(settle):
			}
		case <-ticker.C():
		}
	}
}

// Look reads the file and asks the cluster, once.
func (f *Facts) Look(ctx context.Context) error {
	if err := f.read(); err != nil {
		return err
	}
	ask := platform.FromCluster
	if f.Namespaced {
		ask = platform.FromClusterAsAllowed
	}
	found, err := ask(ctx, f.Cluster)
	if err != nil { // of which it does not follow that anything is gone
		return err
	}
	next := facts{kinds: map[schema.GroupVersionKind]bool{}}
	p := *f.file
	found.Into(&p)
	next.platform = &p
	if next.kinds, err = f.watcher.follow(ctx, found.Kinds); err != nil {
		// The kinds that do work are used.
		f.Log.Error(err, "cannot watch a kind")
	}
	f.mu.Lock()
	changed := !reflect.DeepEqual(f.current, next)
	f.current = next
	f.mu.Unlock()
	if changed {
		f.Log.Info("the platform is known", "offers", p.Offers)
		select {
		case f.Changed <- event.GenericEvent{}:
		case <-ctx.Done():
		}
	}
	return nil
}

// read reads the file if it changed. A bad one leaves the last good one in force.
func (f *Facts) read() error {
	if f.Path == "" {
		if f.file == nil {
			f.file = platform.Bare()
		}
		return nil
	}
	raw, err := os.ReadFile(f.Path)
	if err == nil && f.file != nil && bytes.Equal(raw, f.raw) {
		return nil
	}
	var read *platform.Platform
	if err == nil {
		read, err = platform.Read(bytes.NewReader(raw), f.Path)
	}
	switch {
	case err == nil:
		f.file, f.raw = read, raw
	case f.file == nil:
		return fmt.Errorf("reading the platform: %w", err)
	default:
		f.Log.Error(err, "the platform file is not read; the last good one stays in force", "path", f.Path)
	}
	return nil
}
