//go:build e2e

package core

import (
	"context"
	"net/http"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/test/e2e/bed"
)

// TestDiff has nothing to say of what is there, and says what would change.
func TestDiff(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "diff")
	yaml := b.Iris(t, ns, "iris", "0.1.0", "replicas: 1\n")
	b.MustApply(t, yaml)
	b.Ready(t, ns, "iris")
	out, err := b.Mizzenctl(t.Context(), "diff", "-f", bed.File(t, "model.yaml", yaml))
	if err != nil {
		t.Errorf("there are differences right after an apply: %v\n%s", err, out)
	}
	changed := b.Iris(t, ns, "iris", "0.2.0", "replicas: 2\nexpose: {host: iris.example.com, ingress: {className: nginx}}\n")
	out, err = b.Mizzenctl(t.Context(), "diff", "-f", bed.File(t, "model.yaml", changed))
	if err == nil || !strings.Contains(err.Error(), "exit status 1") {
		t.Errorf("diff of another version: %v", err)
	}
	for _, want := range []string{"Deployment", "Ingress", "0.2.0"} {
		if !strings.Contains(out, want) {
			t.Errorf("diff does not speak of %s:\n%s", want, out)
		}
	}
	m, err := b.Model(t.Context(), ns, "iris")
	if err != nil || m.Spec.Version != "0.1.0" {
		t.Errorf("diff has changed the Model: %v, %v", m.Spec, err)
	}
}

// TestGet lists the Models of all namespaces.
func TestGet(t *testing.T) {
	b := shared.Get(t)
	one, other := b.RestrictedNamespace(t, "get"), b.RestrictedNamespace(t, "get")
	for _, ns := range []string{one, other} {
		b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", "replicas: 1\n"))
	}
	b.Ready(t, one, "iris")
	b.Ready(t, other, "iris")
	out, err := b.Mizzenctl(t.Context(), "get", "-A")
	if err != nil {
		t.Fatal(err)
	}
	for _, ns := range []string{one, other} {
		line := ""
		for l := range strings.Lines(out) {
			if strings.HasPrefix(l, ns+" ") {
				line = l
			}
		}
		for _, want := range []string{"iris", "0.1.0", "1/1", "http://iris." + ns + ".svc.cluster.local"} {
			if !strings.Contains(line, want) {
				t.Errorf("the line of %s does not say %s: %q\n%s", ns, want, line, out)
			}
		}
	}
}

// TestFollowLogs has the logs of pods followed that were not there when it began.
func TestFollowLogs(t *testing.T) {
	b := shared.Get(t)
	ns := b.RestrictedNamespace(t, "logs")
	yaml := b.Iris(t, ns, "iris", "0.1.0", open)
	b.MustApply(t, strings.Replace(yaml, "config: {", "config: {MIZZEN_ACCESS_LOG: \"true\", ", 1))
	b.Ready(t, ns, "iris")
	out, stop := b.Follow(t, "logs", "iris", "-n", ns, "-f")
	pods := func() map[string]bool {
		list, err := b.Pods(t.Context(), ns, "iris")
		if err != nil {
			t.Fatal(err)
		}
		names := map[string]bool{}
		for _, p := range list {
			names[p.Name] = true
		}
		return names
	}
	first := pods()
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) { return all(out.String(), first), out.String() })
	if err := b.Objects.DeleteAllOf(t.Context(), &corev1.Pod{}, client.InNamespace(ns), client.GracePeriodSeconds(0)); err != nil {
		t.Fatal(err)
	}
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
		next := pods()
		for name := range first {
			delete(next, name)
		}
		return len(next) >= len(first) && all(out.String(), next), out.String()
	})
	b.Ready(t, ns, "iris")
	url := b.ServiceURL(t, ns, "iris")
	bed.Eventually(t, bed.Patience, func(context.Context) (bool, string) {
		if err := bed.Predict(http.DefaultClient, url); err != nil {
			return false, err.Error()
		}
		return strings.Contains(out.String(), "/predict"), out.String()
	})
	if err := stop(); err != nil {
		t.Errorf("interrupted, logs ends with %v\n%s", err, out)
	}
}

// all says whether a text speaks of each name.
func all(text string, names map[string]bool) bool {
	for name := range names {
		if !strings.Contains(text, name) {
			return false
		}
	}
	return len(names) > 0
}
