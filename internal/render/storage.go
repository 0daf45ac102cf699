package render

import (
	corev1 "k8s.io/api/core/v1"
	corev1ac "k8s.io/client-go/applyconfigurations/core/v1"

	"mizzen.dev/api/v1alpha1"
)

// storage is the claim of a cache that pods share.
func (r *renderer) storage() {
	c := r.spec.Source.Cache
	if c == nil || c.Claim == nil {
		return
	}
	mode := corev1.ReadWriteMany
	if c.Claim.AccessMode == v1alpha1.CacheReadWriteOnce {
		mode = corev1.ReadWriteOnce
	}
	spec := corev1ac.PersistentVolumeClaimSpec().
		WithAccessModes(mode).
		WithResources(corev1ac.VolumeResourceRequirements().WithRequests(corev1.ResourceList{corev1.ResourceStorage: c.Claim.Size}))
	if c.Claim.StorageClassName != nil {
		spec.WithStorageClassName(*c.Claim.StorageClassName)
	}
	r.add(corev1ac.PersistentVolumeClaim(r.name("cache"), r.Model.Namespace).WithLabels(r.labels()).WithSpec(spec))
}

// OnePod says whether only one pod of the Model can run at a time, because of the volume
// of its cache.
func OnePod(s *v1alpha1.ModelSpec) bool {
	c := s.Source.Cache
	return c != nil && c.Claim != nil && c.Claim.AccessMode == v1alpha1.CacheReadWriteOnce
}
