package operator

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Autoscalers take over from one another, and from a fixed number of pods, such that
// nothing in between sets another number: the number of pods is a field with one owner.
//
//   - A field that its only owner stops applying is reset to its default, which is one
//     pod. So before the operator stops applying spec.replicas, another field manager
//     applies the present number (apply.go).
//   - A fixed number comes into force when no autoscaler is left that would set another.
//   - From HPA to KEDA, KEDA takes over the HPA of the same name, by its annotation:
//     the operator does not remove it.
//   - From KEDA to HPA, the ScaledObject goes first, and the cluster's garbage collector
//     removes its HPA; the operator waits for that and then makes its own of that name.

// handover is what to do about autoscalers before anything is applied.
type handover struct {
	// retire are objects of the Model to be deleted first.
	retire []*unstructured.Unstructured
	// wait are objects that are not to be applied yet.
	wait map[id]bool
	// holdReplicas says that an autoscaler is still at work: the number stands.
	holdReplicas bool
}

// planHandover decides it from what is wanted and what is there.
func planHandover(owner types.UID, desired []*unstructured.Unstructured, live map[id]*unstructured.Unstructured) handover {
	h := handover{wait: map[id]bool{}}
	wantHPA, wantScaledObject, fixed := false, false, false
	for _, o := range desired {
		switch o.GetKind() {
		case kindHPA:
			wantHPA = true
		case kindScaledObject:
			wantScaledObject = true
		case kindDeployment:
			_, fixed, _ = unstructured.NestedInt64(o.Object, "spec", "replicas")
		}
	}
	scaledObjects := map[types.UID]bool{}
	for i, o := range live {
		if i.kind.Kind == kindScaledObject {
			scaledObjects[o.GetUID()] = true
			if !wantScaledObject && controlledBy(o, owner) && o.GetDeletionTimestamp() == nil {
				h.retire = append(h.retire, o)
			}
		}
	}
	for i, o := range live {
		if i.kind.Kind != kindHPA {
			continue
		}
		ours := controlledBy(o, owner)
		if !wantHPA && !wantScaledObject && ours && o.GetDeletionTimestamp() == nil {
			h.retire = append(h.retire, o)
		}
		if fixed && (ours || byScaledObject(o)) {
			h.holdReplicas = true
		}
		if wantHPA && byScaledObject(o) {
			h.wait[i] = true
		}
	}
	if fixed && len(scaledObjects) > 0 {
		h.holdReplicas = true
	}
	return h
}

// byScaledObject says whether an HPA is KEDA's.
func byScaledObject(o *unstructured.Unstructured) bool {
	c := metav1.GetControllerOf(o)
	return c != nil && c.Kind == kindScaledObject
}

func controlledBy(o *unstructured.Unstructured, owner types.UID) bool {
	c := metav1.GetControllerOf(o)
	return c != nil && c.UID == owner
}

// hold leaves the number of pods as it is. A number that the operator itself set stays
// applied, for it would be reset otherwise.
func (h *handover) hold(desired, live *unstructured.Unstructured) {
	if !h.holdReplicas || desired.GetKind() != kindDeployment || live == nil {
		return
	}
	if n, ours := ownReplicas(live); ours {
		_ = unstructured.SetNestedField(desired.Object, n, "spec", "replicas")
		return
	}
	unstructured.RemoveNestedField(desired.Object, "spec", "replicas")
}

// adoptedByKEDA says whether an HPA that is no longer wanted is one that a ScaledObject
// which is wanted takes over.
func adoptedByKEDA(hpa *unstructured.Unstructured, desired []*unstructured.Unstructured) bool {
	for _, o := range desired {
		name, _, _ := unstructured.NestedString(o.Object, "spec", "advanced", "horizontalPodAutoscalerConfig", "name")
		if o.GetKind() == kindScaledObject && name == hpa.GetName() {
			return true
		}
	}
	return false
}
