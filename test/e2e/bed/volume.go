//go:build linux

package bed

import (
	"context"
	"fmt"
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// SharedVolume makes a volume that any number of pods write to, for a claim of that name
// that is or will be in the namespace, and returns its directory on this machine, which
// all nodes share. It is gone after the test.
func (b *Bed) SharedVolume(t *testing.T, ns, claim string) string {
	t.Helper()
	b.NeedsOwn(t, "a directory that its nodes share with this machine")
	dir, err := os.MkdirTemp("", "mizzen-e2e-volume-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })  // pods may still write to it
	if err := os.Chmod(dir, 0o777); err != nil { // the kubelet leaves such directories to whoever made them
		t.Fatal(err)
	}
	name := ns + "-" + claim
	b.MustApply(t, fmt.Sprintf(`
apiVersion: v1
kind: PersistentVolume
metadata: {name: %s}
spec:
  capacity: {storage: 1Gi}
  accessModes: [ReadWriteMany]
  persistentVolumeReclaimPolicy: Retain
  claimRef: {namespace: %s, name: %s}
  hostPath: {path: %s, type: Directory}
`, name, ns, claim, dir))
	t.Cleanup(func() {
		if err := b.Client().CoreV1().PersistentVolumes().Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			t.Errorf("deleting the volume: %v", err)
		}
	})
	return dir
}
