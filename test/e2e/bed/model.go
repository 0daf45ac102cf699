//go:build linux

package bed

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/minio/minio-go/v7"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/store"
)

// DigestPattern finds digests in what programs print.
var DigestPattern = regexp.MustCompile(`sha256:[a-f0-9]{64}`)

// RestrictedNamespace makes a restricted namespace with the credentials of the store in it.
func (b *Bed) RestrictedNamespace(t *testing.T, name string) string {
	t.Helper()
	ns := b.Namespace(t, name, map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	b.StoreSecret(t, ns)
	return ns
}

// StoreSecret puts the credentials of the store into a namespace.
func (b *Bed) StoreSecret(t *testing.T, ns string) {
	t.Helper()
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "store", Namespace: ns}, StringData: map[string]string{
		"AWS_ACCESS_KEY_ID": b.S3.AccessKey, "AWS_SECRET_ACCESS_KEY": b.S3.SecretKey,
		"AWS_ENDPOINT_URL": b.S3.Endpoint, "AWS_REGION": b.S3.Region,
	}}
	if err := b.Objects.Create(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
}

// Iris is a Model of two pods from the store, in YAML; more is added to its spec.
func (b *Bed) Iris(t *testing.T, ns, name, version, more string) string {
	t.Helper()
	digest, err := store.Digest(b.irisFile())
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf(`
apiVersion: mizzen.dev/v1alpha1
kind: Model
metadata: {name: %s, namespace: %s}
spec:
  version: %q
  source:
    uri: s3://models/iris/%s/model.pkl
    digest: %s
    secretRef: {name: store}
  config: {AWS_ENDPOINT_URL: %q}
  resources: {requests: {cpu: 50m, memory: 32Mi}, limits: {memory: 256Mi}}
%s`, name, ns, version, version, digest, b.S3.Endpoint, indent(more))
}

// indent puts lines below spec.
func indent(lines string) string {
	var out strings.Builder
	for line := range strings.Lines(lines) {
		out.WriteString("  " + line)
	}
	return out.String()
}

// MustApply applies what a user would apply with kubectl.
func (b *Bed) MustApply(t *testing.T, yaml string) {
	t.Helper()
	if err := b.Apply(t.Context(), yaml); err != nil {
		t.Fatal(err)
	}
}

// Model reads a Model.
func (b *Bed) Model(ctx context.Context, ns, name string) (*v1alpha1.Model, error) {
	m := &v1alpha1.Model{}
	return m, b.Objects.Get(ctx, client.ObjectKey{Namespace: ns, Name: name}, m)
}

// Condition waits until a condition of a Model has a status and a reason, "" for any.
func (b *Bed) Condition(t *testing.T, ns, name, condition string, status metav1.ConditionStatus, reason string) metav1.Condition {
	t.Helper()
	var found metav1.Condition
	Eventually(t, Patience, func(ctx context.Context) (bool, string) {
		m, err := b.Model(ctx, ns, name)
		if err != nil {
			return false, err.Error()
		}
		c := meta.FindStatusCondition(m.Status.Conditions, condition)
		if c == nil {
			return false, fmt.Sprintf("%s has no condition %s: %+v", name, condition, m.Status.Conditions)
		}
		found = *c
		ok := c.Status == status && (reason == "" || c.Reason == reason) && c.ObservedGeneration == m.Generation
		return ok, fmt.Sprintf("%s is %s %s (%s)", condition, c.Status, c.Reason, c.Message)
	})
	return found
}

// Ready waits until a Model runs as its spec says.
func (b *Bed) Ready(t *testing.T, ns, name string) *v1alpha1.Model {
	t.Helper()
	b.Condition(t, ns, name, v1alpha1.ConditionReady, metav1.ConditionTrue, "")
	m, err := b.Model(t.Context(), ns, name)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Pods returns the pods of a Model.
func (b *Bed) Pods(ctx context.Context, ns, name string) ([]corev1.Pod, error) {
	var list corev1.PodList
	err := b.Objects.List(ctx, &list, client.InNamespace(ns), client.MatchingLabels{"mizzen.dev/model": name})
	return list.Items, err
}

// ServiceURL is where the Service of a Model is reached from this machine.
func (b *Bed) ServiceURL(t *testing.T, ns, name string) string {
	t.Helper()
	var s corev1.Service
	if err := b.Objects.Get(t.Context(), client.ObjectKey{Namespace: ns, Name: name}, &s); err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("http://%s:%d", s.Spec.ClusterIP, s.Spec.Ports[0].Port)
}

// Roll applies a version of iris and waits until no pod of another is left.
func (b *Bed) Roll(t *testing.T, ns, version, more string) {
	t.Helper()
	b.MustApply(t, b.Iris(t, ns, "iris", version, more))
	b.Ready(t, ns, "iris")
	Eventually(t, Patience, func(ctx context.Context) (bool, string) {
		pods, err := b.Pods(ctx, ns, "iris")
		if err != nil {
			return false, err.Error()
		}
		for _, pod := range pods {
			if v := pod.Labels["app.kubernetes.io/version"]; v != version {
				return false, fmt.Sprintf("%s has version %s", pod.Name, v)
			}
		}
		return len(pods) > 0, "no pods"
	})
}

// Upload puts a file where Models fetch theirs.
func (b *Bed) Upload(t *testing.T, key string, content []byte) (uri string) {
	t.Helper()
	_, err := b.store.PutObject(t.Context(), bucket, key, bytes.NewReader(content), int64(len(content)), minio.PutObjectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return "s3://" + bucket + "/" + key
}

// File writes a file of a test.
func File(t *testing.T, name, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
