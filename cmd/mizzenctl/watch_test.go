package main

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/buffer"
	"mizzen.dev/internal/command"
)

// TestWatch looks on while a Model changes and goes. It draws nothing twice, and ends
// when it is interrupted.
func TestWatch(t *testing.T) {
	server := startServer(t)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, server.Kubeconfig, 0o600); err != nil {
		t.Fatal(err)
	}
	m := &v1alpha1.Model{ObjectMeta: metav1.ObjectMeta{Name: "iris", Namespace: server.Namespace(t)},
		Spec: v1alpha1.ModelSpec{Version: "0.1.0", Source: v1alpha1.Source{URI: "s3://models/iris/model.pkl"}}}
	if err := server.Create(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	out := &written{}
	ended := make(chan int, 1)
	go func() {
		ended <- run(ctx, ownName, []string{"status", "iris", "--watch", "-n", m.Namespace, "--kubeconfig", kubeconfig},
			command.Streams{In: strings.NewReader(""), Out: out, Err: out})
	}()
	out.await(t, "version 0.1.0")
	m.Spec.Version = "0.2.0"
	if err := server.Update(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	out.await(t, "version 0.2.0")
	if err := server.Delete(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	out.await(t, "there is no Model iris")
	interrupt()
	if code := <-ended; code != 0 {
		t.Errorf("exit code %d: %s", code, out)
	}
	if text := out.String(); strings.Contains(text, "\x1b") {
		t.Errorf("it clears what is no terminal: %q", text)
	}
}

// written is what was written so far.
type written struct{ buffer.Shared }

// await waits until a text was written.
func (w *written) await(t *testing.T, text string) {
	t.Helper()
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, time.Minute, true, func(context.Context) (bool, error) {
		return strings.Contains(w.String(), text), nil
	})
	if err != nil {
		t.Fatalf("waited in vain for %q:\n%s", text, w)
	}
}
