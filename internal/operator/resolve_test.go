package operator_test

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	appsv1 "k8s.io/api/apps/v1"
	clock "k8s.io/utils/clock/testing"

	"mizzen.dev/internal/operator"
)

// images is a registry on this machine.
type images struct {
	*testing.T
	host string
	// asked counts requests, down has them fail.
	asked atomic.Int64
	down  atomic.Bool
}

func newImages(t *testing.T) *images {
	t.Helper()
	i := &images{T: t}
	handler := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		if i.down.Load() {
			http.Error(w, "down", http.StatusServiceUnavailable)
			return
		}
		handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	i.host = strings.TrimPrefix(server.URL, "http://")
	return i
}

// push gives a tag to an image that there was not before, and returns it with its digest.
func (i *images) push(tag string) string {
	i.Helper()
	image, err := random.Image(64, 1)
	if err != nil {
		i.Fatal(err)
	}
	ref, err := name.NewTag(i.host + "/" + tag)
	if err != nil {
		i.Fatal(err)
	}
	if err := remote.Write(ref, image); err != nil {
		i.Fatal(err)
	}
	var digest v1.Hash
	if digest, err = image.Digest(); err != nil {
		i.Fatal(err)
	}
	return ref.Name() + "@" + digest.String()
}

// TestResolve holds for what a registry answers: it is remembered for a minute, errors
// as well, and an image with a digest needs no answer.
func TestResolve(t *testing.T) {
	shop := newImages(t)
	now := clock.NewFakePassiveClock(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	r := operator.NewRegistry(now)
	resolve := func(image, want string) {
		t.Helper()
		got, err := r.Resolve(t.Context(), image)
		if got != want && want != "" || (err != nil) != (want == "") {
			t.Errorf("%s is %s (%v), want %q", image, got, err, want)
		}
	}
	tag := shop.host + "/mizzen:1"
	resolve(tag, "")
	first := shop.push("mizzen:1")
	resolve(tag, "")
	now.SetTime(now.Now().Add(2 * time.Minute))
	resolve(tag, first)
	resolve(first, first)

	second := shop.push("mizzen:1")
	before := shop.asked.Load()
	resolve(tag, first)
	if n := shop.asked.Load() - before; n != 0 {
		t.Errorf("the registry was asked %d times for what is known", n)
	}
	now.SetTime(now.Now().Add(2 * time.Minute))
	resolve(tag, second)
	shop.down.Store(true)
	now.SetTime(now.Now().Add(2 * time.Minute))
	resolve(tag, "")
	resolve("not an image", "")
}

// TestRevisionKeepsItsImage holds for a tag that moves: a revision runs the image that the
// tag was when it was made, as long as it is that revision; the next one, what it is then.
func TestRevisionKeepsItsImage(t *testing.T) {
	shop := newImages(t)
	first := shop.push("mizzen:1")
	b := newBed(t, server.Get(t))
	clock := clock.NewFakePassiveClock(time.Now())
	op := b.operate(func(o *operator.Options) {
		o.PlatformPath = b.platform("image: " + shop.host + "/mizzen:1")
		o.Resolver = operator.NewRegistry(clock)
	})
	b.model("iris", spec())
	runs := func(when, want string) {
		t.Helper()
		m := b.reconciled("iris")
		op.resync("iris")
		d := &appsv1.Deployment{}
		b.read(d, "iris")
		if got := d.Spec.Template.Spec.Containers[0].Image; got != want {
			t.Errorf("%s: the pods run %s, want %s", when, got, want)
		}
		if got := m.Status.Revisions[0].Image; got != want {
			t.Errorf("%s: the revision is said to run %s, want %s", when, got, want)
		}
	}
	runs("new", first)

	second := shop.push("mizzen:1")
	clock.SetTime(clock.Now().Add(time.Hour)) // nothing is remembered
	b.respec("iris", spec("replicas: 3"))
	runs("scaled", first)
	b.respec("iris", spec("resources: {requests: {cpu: 50m}}"))
	runs("of other resources", first)
	b.respec("iris", spec("config: {MIZZEN_LOG_LEVEL: debug}"))
	runs("reconfigured", second)
	b.respec("iris", spec())
	runs("gone back", first)

	// A registry that does not answer holds nothing up.
	shop.down.Store(true)
	clock.SetTime(clock.Now().Add(time.Hour))
	b.respec("iris", spec("config: {MIZZEN_LOG_LEVEL: warn}"))
	runs("while the registry is down", shop.host+"/mizzen:1")
}
