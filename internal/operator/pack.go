package operator

import (
	"bytes"
	"compress/flate"
	"encoding/json"
	"fmt"
	"io"
	"maps"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// Objects of a thousand Models are kept in memory, dashboards and alerts among them,
// and are looked at when their Model is reconciled. In between they are packed: what
// caches and watches need stands open, all else is compressed.

// packedField holds an object's packed form.
const packedField = "packed"

// maxUnpacked bounds one object: the API server does not take larger ones.
const maxUnpacked = 8 << 20

// pack is the caches' transformation of objects that Models are made of.
func pack(object any) (any, error) {
	u, ok := object.(*unstructured.Unstructured)
	if !ok || u.Object[packedField] != nil {
		return object, nil
	}
	var b bytes.Buffer
	w, err := flate.NewWriter(&b, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	if err := json.NewEncoder(w).Encode(u.Object); err != nil {
		return nil, fmt.Errorf("packing %s %s/%s: %w", u.GetKind(), u.GetNamespace(), u.GetName(), err)
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	open := &unstructured.Unstructured{Object: map[string]any{packedField: b.String()}}
	open.SetAPIVersion(u.GetAPIVersion())
	open.SetKind(u.GetKind())
	open.SetNamespace(u.GetNamespace())
	open.SetName(u.GetName())
	open.SetUID(u.GetUID())
	open.SetResourceVersion(u.GetResourceVersion())
	open.SetGeneration(u.GetGeneration())
	open.SetDeletionTimestamp(u.GetDeletionTimestamp())
	if name, ok := u.GetLabels()[render.ModelLabel]; ok {
		open.SetLabels(map[string]string{render.ModelLabel: name})
	}
	return open, nil
}

// unpack returns the object as it was before pack. It shares nothing with the cache.
func unpack(u *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	packed, ok := u.Object[packedField].(string)
	if !ok {
		return u, nil
	}
	raw, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader([]byte(packed))), maxUnpacked))
	if err != nil {
		return nil, fmt.Errorf("unpacking %s %s/%s: %w", u.GetKind(), u.GetNamespace(), u.GetName(), err)
	}
	full := &unstructured.Unstructured{}
	if err := full.UnmarshalJSON(raw); err != nil {
		return nil, fmt.Errorf("unpacking %s %s/%s: %w", u.GetKind(), u.GetNamespace(), u.GetName(), err)
	}
	return full, nil
}

// trimModel drops what of a Model nobody reads.
func trimModel(object any) (any, error) {
	if m, ok := object.(*v1alpha1.Model); ok {
		m.ManagedFields = nil
		delete(m.Annotations, corev1.LastAppliedConfigAnnotation)
	}
	return object, nil
}

// trimPod keeps what conditions are made of, and the ConfigMaps that the pod refers to.
func trimPod(object any) (any, error) {
	p, ok := object.(*corev1.Pod)
	if !ok {
		return object, nil
	}
	kept := &corev1.Pod{Status: corev1.PodStatus{Phase: p.Status.Phase, Reason: p.Status.Reason, Message: p.Status.Message}}
	kept.Name, kept.Namespace, kept.UID, kept.ResourceVersion = p.Name, p.Namespace, p.UID, p.ResourceVersion
	kept.DeletionTimestamp, kept.CreationTimestamp = p.DeletionTimestamp, p.CreationTimestamp
	kept.Labels = map[string]string{}
	maps.Copy(kept.Labels, p.Labels)
	maps.DeleteFunc(kept.Labels, func(name, _ string) bool {
		return name != render.ModelLabel && name != render.RevisionLabel && name != versionLabel
	})
	kept.Spec.NodeName = p.Spec.NodeName
	for _, name := range configMaps(&p.Spec) {
		kept.Spec.Volumes = append(kept.Spec.Volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: name}}}})
	}
	for _, c := range p.Status.Conditions {
		if c.Type == corev1.PodReady || c.Type == corev1.PodScheduled {
			kept.Status.Conditions = append(kept.Status.Conditions, c)
		}
	}
	kept.Status.InitContainerStatuses = trimContainers(p.Status.InitContainerStatuses)
	kept.Status.ContainerStatuses = trimContainers(p.Status.ContainerStatuses)
	return kept, nil
}

func trimContainers(statuses []corev1.ContainerStatus) []corev1.ContainerStatus {
	var kept []corev1.ContainerStatus
	for _, s := range statuses {
		kept = append(kept, corev1.ContainerStatus{Name: s.Name, State: s.State, LastTerminationState: s.LastTerminationState,
			Ready: s.Ready, RestartCount: s.RestartCount, Started: s.Started})
	}
	return kept
}

// versionLabel is the label of pods with the version of their model.
const versionLabel = "app.kubernetes.io/version"

// configMaps returns the names of the ConfigMaps that a pod refers to.
func configMaps(spec *corev1.PodSpec) []string {
	var names []string
	for _, v := range spec.Volumes {
		if v.ConfigMap != nil {
			names = append(names, v.ConfigMap.Name)
		}
		if v.Projected != nil {
			for _, s := range v.Projected.Sources {
				if s.ConfigMap != nil {
					names = append(names, s.ConfigMap.Name)
				}
			}
		}
	}
	for _, containers := range [][]corev1.Container{spec.InitContainers, spec.Containers} {
		for _, c := range containers {
			for _, from := range c.EnvFrom {
				if from.ConfigMapRef != nil {
					names = append(names, from.ConfigMapRef.Name)
				}
			}
			for _, e := range c.Env {
				if e.ValueFrom != nil && e.ValueFrom.ConfigMapKeyRef != nil {
					names = append(names, e.ValueFrom.ConfigMapKeyRef.Name)
				}
			}
		}
	}
	return names
}
