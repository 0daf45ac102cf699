package render

import (
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
)

// How pods start and stop if the Model says nothing; the schema's texts say the same.
const (
	defaultPreStop = 5 * time.Second
	defaultDrain   = 25 * time.Second
	// spareGrace is left between the end of the drain and the kill.
	spareGrace = 5 * time.Second

	// MinStartup and MaxStartup bound how long a server may take to load its model.
	MinStartup = time.Minute
	MaxStartup = 2 * time.Hour
	// LoadRate is how much of a model a slow disk and one processor load in a second.
	LoadRate = 16 << 20

	defaultProgressDeadline = 10 * time.Minute
	// startupMargin is for scheduling and pulling images, before a pod starts.
	startupMargin = 2 * time.Minute
)

func (r *renderer) placement() *v1alpha1.Placement {
	if r.spec.Placement == nil {
		return &v1alpha1.Placement{}
	}
	return r.spec.Placement
}

func orElse(d *metav1.Duration, otherwise time.Duration) time.Duration {
	if d == nil {
		return otherwise
	}
	return d.Duration
}

// drain is how long requests at work may take to end.
func (r *renderer) drain() time.Duration { return orElse(r.placement().Drain, defaultDrain) }

// preStop is how long a pod goes on as before when it should stop: until load
// balancers have noticed, and, if the server does not drain, until it has no more work.
func (r *renderer) preStop() time.Duration {
	d := orElse(r.placement().PreStop, defaultPreStop)
	if !r.profile.drains {
		d += r.drain()
	}
	return d
}

// gracePeriod is after what time a pod that stops is killed.
func (r *renderer) gracePeriod() time.Duration {
	return orElse(r.placement().GracePeriod, orElse(r.placement().PreStop, defaultPreStop)+r.drain()+spareGrace)
}

// startup is how long a server may take to load the model: what the Model says; else
// a minute, or the size of the model at 16 MiB a second if that is longer, to at most
// two hours. The size is not known; the smallest of what bounds it stands for it: the
// cache, and the memory limit of the server; where there is neither, the memory that it
// asks for.
func (r *renderer) startup() time.Duration {
	if t := r.placement().StartupTimeout; t != nil {
		return t.Duration
	}
	size := int64(math.MaxInt64)
	bound := func(q *resource.Quantity) {
		if q != nil && !q.IsZero() {
			size = min(size, q.Value())
		}
	}
	if c := r.spec.Source.Cache; c != nil {
		if c.EmptyDir != nil {
			bound(&c.EmptyDir.SizeLimit)
		}
		if c.Claim != nil {
			bound(&c.Claim.Size)
		}
	}
	resources := r.resources()
	bound(resources.Limits.Memory())
	if size == math.MaxInt64 {
		bound(resources.Requests.Memory())
	}
	if size == math.MaxInt64 {
		return MinStartup
	}
	return min(max(time.Duration(size/LoadRate)*time.Second, MinStartup), MaxStartup)
}

// progressDeadline is how long a roll may go without progress; 0 if what Kubernetes
// itself allows will do.
func (r *renderer) progressDeadline() time.Duration {
	if ro := r.spec.Rollout; ro != nil && ro.ProgressDeadline != nil {
		return ro.ProgressDeadline.Duration
	}
	d := r.startup() + startupMargin
	if ro := r.spec.Rollout; ro != nil && ro.Rolling != nil {
		d += orElse(ro.Rolling.MinReady, 0)
	}
	if d > defaultProgressDeadline {
		return d
	}
	return 0
}

// seconds of d, rounded up: Kubernetes knows no fractions.
func seconds(d time.Duration) string { return fmt.Sprint(wholeSeconds(d)) }

func wholeSeconds(d time.Duration) int64 { return int64(math.Ceil(d.Seconds())) }
