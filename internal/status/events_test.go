package status

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"mizzen.dev/internal/render"
)

// TestEventsOfObjects shows why a claim is not bound or a certificate not issued, and not
// what becomes of a Gateway that all share.
func TestEventsOfObjects(t *testing.T) {
	object := func(kind, name string) unstructured.Unstructured {
		u := unstructured.Unstructured{}
		u.SetKind(kind)
		u.SetName(name)
		u.SetUID(types.UID(kind + name))
		return u
	}
	own := object("Gateway", "iris")
	own.SetLabels(map[string]string{render.ModelLabel: "iris"})
	o := &Objects{Name: "iris",
		HTTPRoutes: []unstructured.Unstructured{object("HTTPRoute", "iris")},
		Gateways:   []unstructured.Unstructured{own, object("Gateway", "shared")},
		Others:     []unstructured.Unstructured{object("PersistentVolumeClaim", "iris-cache"), object("Certificate", "iris")},
	}
	for _, about := range [][2]string{{"Certificate", "iris"}, {"Certificate", "rose"}, {"Gateway", "iris"}, {"Gateway", "shared"},
		{"HTTPRoute", "iris"}, {"PersistentVolumeClaim", "iris-cache"}} {
		o.Events = append(o.Events, corev1.Event{InvolvedObject: corev1.ObjectReference{Kind: about[0], Name: about[1], UID: types.UID(about[0] + about[1])}})
	}
	var got []string
	for _, e := range events(o) {
		got = append(got, e.Object)
	}
	want := []string{"Certificate/iris", "Gateway/iris", "HTTPRoute/iris", "PersistentVolumeClaim/iris-cache"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events of (-want +got):\n%s", diff)
	}
}
