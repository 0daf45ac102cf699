//go:build linux

package cluster

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Shared is a cluster for all tests of a package, started when the first one asks.
type Shared struct {
	options Options
	prepare func(context.Context, *Cluster) error
	once    sync.Once
	cluster *Cluster
	err     error
}

// NewShared returns a cluster that is not started yet. When it is, prepare is called,
// if it is not nil, to start what the tests want beside it.
func NewShared(o Options, prepare func(context.Context, *Cluster) error) *Shared {
	return &Shared{options: o, prepare: prepare}
}

// Get returns the running cluster.
func (s *Shared) Get(t testing.TB) *Cluster {
	t.Helper()
	s.once.Do(func() {
		ctx := context.Background() // the cluster outlives the test
		if s.cluster, s.err = Start(ctx, s.options); s.err == nil && s.prepare != nil {
			s.err = s.prepare(ctx, s.cluster)
		}
	})
	if s.err != nil {
		t.Fatal(s.err)
	}
	return s.cluster
}

// Run runs the package's tests and stops the cluster if one of them started it. It is
// for TestMain. An interrupt stops the cluster as well.
func (s *Shared) Run(m *testing.M) int {
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt, syscall.SIGTERM)
	code := make(chan int, 1)
	go func() { code <- m.Run() }()
	result := 1
	select {
	case result = <-code:
	case got := <-interrupt:
		fmt.Fprintf(os.Stderr, "cluster: stopping (%s)\n", got)
	}
	if s.cluster == nil {
		return result
	}
	if err := s.cluster.Stop(); err != nil {
		fmt.Fprintln(os.Stderr, "stopping the cluster:", err)
		return 1
	}
	return result
}

// Namespace makes a namespace for a test, with labels, and deletes it in the end. Its
// name starts with the given one.
func (c *Cluster) Namespace(t testing.TB, name string, labels map[string]string) string {
	t.Helper()
	ns, err := c.client.CoreV1().Namespaces().Create(t.Context(), &corev1.Namespace{
		ObjectMeta: metav1.ObjectMeta{GenerateName: name + "-", Labels: labels},
	}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.client.CoreV1().Namespaces().Delete(context.Background(), ns.Name, metav1.DeleteOptions{}); err != nil {
			t.Error(err)
		}
	})
	return ns.Name
}
