package operator

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator/health"
	"mizzen.dev/internal/render"
)

// Bounds of the revisions in a status.
const (
	defaultHistory = 10
	maxRevisions   = 64
)

// statusOf is the status of a Model, as its schema bounds it.
func statusOf(s *state, o *health.Observation) *v1alpha1.ModelStatus {
	status := s.model.Status.DeepCopy()
	status.ObservedGeneration = s.model.Generation
	status.Replicas, status.ReadyReplicas, status.Selector = 0, 0, ""
	if d := o.Deployment; d != nil {
		status.Replicas, status.ReadyReplicas = d.Status.Replicas, d.Status.ReadyReplicas
		if selector, err := metav1.LabelSelectorAsSelector(d.Spec.Selector); err == nil {
			status.Selector = selector.String()
		}
	}
	if s.result != nil {
		status.URL = s.result.URL
		status.Revisions = revisionsOf(s, o.Now)
	}
	status.Traffic = trafficOf(s.pods)
	status.Conditions = health.Conditions(o)
	return status
}

// revisionsOf puts the present revision first, and keeps those that have pods and, up
// to the limit, those that can be gone back to.
func revisionsOf(s *state, now metav1.Time) []v1alpha1.Revision {
	source := s.model.Spec.Source
	present := v1alpha1.Revision{Name: s.result.Revision, Version: s.model.Spec.Version, Image: s.result.Image,
		Source: sourceOf(&source), Digest: source.Digest, CreatedAt: now}
	if present.Name == "" {
		return s.model.Status.Revisions
	}
	all := []v1alpha1.Revision{present}
	for _, r := range s.model.Status.Revisions {
		if r.Name == present.Name {
			all[0].CreatedAt = r.CreatedAt
			if all[0].Digest == "" {
				all[0].Digest = r.Digest
			}
			continue
		}
		all = append(all, r)
	}
	ready := 0
	for i := range all {
		r := &all[i]
		r.Replicas, r.ReadyReplicas, r.Weight = 0, 0, 0
		for n := range s.pods {
			p := &s.pods[n]
			if p.Labels[render.RevisionLabel] != r.Name || finished(p) || p.DeletionTimestamp != nil {
				continue
			}
			r.Replicas++
			if answers(p) {
				r.ReadyReplicas++
				ready++
			}
			if r.Digest == "" {
				r.Digest = health.Digest(p)
			}
		}
	}
	weigh(all, ready)
	return bounded(all, historyLimit(s.model))
}

func historyLimit(m *v1alpha1.Model) int {
	if m.Spec.Rollout != nil && m.Spec.Rollout.RevisionHistoryLimit != nil {
		return int(*m.Spec.Rollout.RevisionHistoryLimit)
	}
	return defaultHistory
}

// weigh shares 100% out by ready pods, as a Service does; the rest of the division goes
// to the first that has any.
func weigh(all []v1alpha1.Revision, ready int) {
	if ready == 0 {
		return
	}
	left := int32(100)
	for i := range all {
		all[i].Weight = 100 * all[i].ReadyReplicas / int32(ready)
		left -= all[i].Weight
	}
	for i := range all {
		if all[i].ReadyReplicas > 0 {
			all[i].Weight += left
			return
		}
	}
}

func bounded(all []v1alpha1.Revision, history int) []v1alpha1.Revision {
	kept := all[:1:1]
	for _, r := range all[1:] {
		if r.Replicas > 0 || history > 0 {
			kept = append(kept, r)
		}
		if r.Replicas == 0 {
			history--
		}
	}
	return kept[:min(len(kept), maxRevisions)]
}

func sourceOf(s *v1alpha1.Source) string {
	switch {
	case s.URI != "":
		return s.URI
	case s.ImageVolume != nil:
		return s.ImageVolume.Reference
	case s.Claim != nil:
		return "claim:" + s.Claim.Name + "/" + s.Claim.Path
	case s.Image != nil:
		return s.Image.Reference
	}
	return ""
}

// trafficOf says which versions answer: by their ready pods, the most first.
func trafficOf(pods []corev1.Pod) string {
	byVersion := map[string]int{}
	total := 0
	for i := range pods {
		if p := &pods[i]; answers(p) {
			byVersion[p.Labels[versionLabel]]++
			total++
		}
	}
	type share struct {
		version string
		pods    int
	}
	var shares []share
	for v, n := range byVersion {
		shares = append(shares, share{v, n})
	}
	slices.SortFunc(shares, func(a, b share) int {
		return cmp.Or(cmp.Compare(b.pods, a.pods), cmp.Compare(a.version, b.version))
	})
	if len(shares) == 1 {
		return shares[0].version
	}
	var texts []string
	for _, s := range shares {
		texts = append(texts, fmt.Sprintf("%s %d%%", s.version, 100*s.pods/total))
	}
	text := strings.Join(texts, ", ")
	return text[:min(len(text), 256)]
}

// answers says whether a pod is behind the Service.
func answers(p *corev1.Pod) bool {
	if p.DeletionTimestamp != nil {
		return false
	}
	return slices.ContainsFunc(p.Status.Conditions, func(c corev1.PodCondition) bool {
		return c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue
	})
}

func finished(p *corev1.Pod) bool {
	return p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed
}

func byName(objects []*unstructured.Unstructured) {
	slices.SortFunc(objects, func(a, b *unstructured.Unstructured) int {
		return cmp.Compare(a.GetKind()+a.GetName(), b.GetKind()+b.GetName())
	})
}
