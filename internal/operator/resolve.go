package operator

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"k8s.io/utils/clock"
	"k8s.io/utils/lru"
)

// Resolver finds the digest of an image.
type Resolver interface {
	// Resolve returns the image with its digest. On an error the image is run as it is
	// named.
	Resolve(ctx context.Context, image string) (string, error)
}

// Bounds of asking registries.
const (
	resolveTimeout = 5 * time.Second
	// resolveMemory is for how many images, and for how long, an answer is remembered: a
	// registry that is down must not hold up every Model in turn.
	resolveMemory = 1024
	resolveFor    = time.Minute
)

// Registry asks registries without credentials: the operator may not read Secrets, so
// images for which one needs them are run as they are named.
type Registry struct {
	clock clock.PassiveClock
	mu    sync.Mutex
	known *lru.Cache
}

type resolved struct {
	image string
	err   error
	at    time.Time
}

// NewRegistry returns a resolver.
func NewRegistry(c clock.PassiveClock) *Registry {
	return &Registry{clock: c, known: lru.New(resolveMemory)}
}

// Resolve implements Resolver.
func (r *Registry) Resolve(ctx context.Context, image string) (string, error) {
	if strings.Contains(image, "@") {
		return image, nil
	}
	r.mu.Lock()
	known, ok := r.known.Get(image)
	r.mu.Unlock()
	if ok && r.clock.Since(known.(resolved).at) < resolveFor {
		return known.(resolved).image, known.(resolved).err
	}
	answer := resolved{image: image, at: r.clock.Now()}
	digest, err := r.digest(ctx, image)
	if err != nil {
		answer.err = fmt.Errorf("resolving the image %s: %w", image, err)
	} else {
		answer.image = image + "@" + digest.String()
	}
	r.mu.Lock()
	r.known.Add(image, answer)
	r.mu.Unlock()
	return answer.image, answer.err
}

func (r *Registry) digest(ctx context.Context, image string) (v1.Hash, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return v1.Hash{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, resolveTimeout)
	defer cancel()
	head, err := remote.Head(ref, remote.WithContext(ctx), remote.WithAuth(authn.Anonymous), remote.WithRetryBackoff(remote.Backoff{Steps: 1}))
	if err != nil {
		return v1.Hash{}, err
	}
	return head.Digest, nil
}

// NoResolver runs images as they are named.
type NoResolver struct{}

// Resolve implements Resolver.
func (NoResolver) Resolve(_ context.Context, image string) (string, error) { return image, nil }
