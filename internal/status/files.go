package status

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// versionLabel has the version of the model that a pod serves.
const versionLabel = "app.kubernetes.io/version"

// fromFiles works out from the objects what the operator would say.
func (s *Status) fromFiles(o *Objects) {
	s.Conditions = []Condition{s.readyOfWorkload(o)}
	if a := s.Autoscaler; a != nil {
		s.Conditions = append(s.Conditions, a.condition())
	}
	s.Revisions = revisionsOfReplicaSets(o.ReplicaSets)
	for i := range o.Deployments {
		d := &o.Deployments[i]
		s.Version = d.Spec.Template.Labels[versionLabel]
		if s.CreatedAt.IsZero() || d.CreationTimestamp.Time.Before(s.CreatedAt) {
			s.CreatedAt = d.CreationTimestamp.Time
		}
		s.Deleting = s.Deleting || d.DeletionTimestamp != nil
		s.Stale = s.Stale || d.Status.ObservedGeneration != 0 && d.Status.ObservedGeneration != d.Generation
	}
	s.Traffic = traffic(s.Revisions)
}

// readyOfWorkload is Ready where nobody but the Deployment says so.
func (s *Status) readyOfWorkload(o *Objects) Condition {
	c := Condition{Type: v1alpha1.ConditionReady, Status: metav1.ConditionFalse}
	if len(o.Deployments) == 0 {
		c.Reason, c.Message = "NoDeployment", "there is no Deployment of this Model"
		return c
	}
	d := newest(o.Deployments)
	c.Since = since(d, appsv1.DeploymentAvailable)
	want := desired(d)
	counts := fmt.Sprintf("%d of %d pods answer", s.Replicas.Ready, s.Replicas.Desired)
	progressing := deploymentCondition(d, appsv1.DeploymentProgressing)
	switch {
	case d.Status.ObservedGeneration != d.Generation:
		c.Status, c.Reason, c.Message = metav1.ConditionUnknown, notObserved, "the cluster has not seen the newest Deployment yet"
	case want == 0:
		c.Reason, c.Message = "ScaledToZero", "no pods are wanted: replicas is 0"
	case progressing != nil && progressing.Reason == "ProgressDeadlineExceeded":
		c.Reason, c.Message = "ProgressDeadlineExceeded", counts+", and the new ones made no progress in time; what they say is below"
	case d.Status.ReadyReplicas < want:
		c.Reason, c.Message = "PodsNotReady", counts
	case d.Status.UpdatedReplicas < want || d.Status.Replicas > want:
		c.Status, c.Reason = metav1.ConditionUnknown, "RollingOut"
		c.Message = fmt.Sprintf("%s, %d of %d run the newest revision", counts, d.Status.UpdatedReplicas, want)
	default:
		c.Status, c.Reason, c.Message = metav1.ConditionTrue, "PodsReady", counts
	}
	return c
}

func newest(deployments []appsv1.Deployment) *appsv1.Deployment {
	n := &deployments[0]
	for i := range deployments {
		if n.CreationTimestamp.Before(&deployments[i].CreationTimestamp) {
			n = &deployments[i]
		}
	}
	return n
}

func deploymentCondition(d *appsv1.Deployment, t appsv1.DeploymentConditionType) *appsv1.DeploymentCondition {
	for i := range d.Status.Conditions {
		if d.Status.Conditions[i].Type == t {
			return &d.Status.Conditions[i]
		}
	}
	return nil
}

func since(d *appsv1.Deployment, t appsv1.DeploymentConditionType) time.Time {
	if c := deploymentCondition(d, t); c != nil {
		return c.LastTransitionTime.Time
	}
	return time.Time{}
}

// revisionsOfReplicaSets has a revision for each ReplicaSet with pods, the newest
// first. The ready pods of all get the same traffic.
func revisionsOfReplicaSets(sets []appsv1.ReplicaSet) []Revision {
	revisions := []Revision{}
	var ready int32
	for i := range sets {
		rs := &sets[i]
		if rs.Status.Replicas == 0 && (rs.Spec.Replicas == nil || *rs.Spec.Replicas == 0) {
			continue
		}
		r := Revision{Name: rs.Spec.Template.Labels[render.RevisionLabel], Version: rs.Spec.Template.Labels[versionLabel],
			Image: serverImage(&rs.Spec.Template.Spec), Replicas: rs.Status.Replicas, Ready: rs.Status.ReadyReplicas,
			CreatedAt: rs.CreationTimestamp.Time}
		ready += r.Ready
		revisions = append(revisions, r)
	}
	slices.SortFunc(revisions, func(a, b Revision) int {
		return cmp.Or(b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.Name, b.Name))
	})
	for i := range revisions {
		if ready > 0 {
			revisions[i].Weight = (100*revisions[i].Ready + ready/2) / ready
		}
	}
	return revisions
}

func serverImage(spec *corev1.PodSpec) string {
	if len(spec.Containers) == 0 {
		return ""
	}
	return spec.Containers[0].Image
}

// traffic says which versions answer: "0.1.0", or "0.2.0 67%, 0.1.0 33%".
func traffic(revisions []Revision) string {
	var versions []string
	weights := map[string]int32{}
	for _, r := range revisions {
		if r.Weight == 0 {
			continue
		}
		if _, seen := weights[r.Version]; !seen {
			versions = append(versions, r.Version)
		}
		weights[r.Version] += r.Weight
	}
	if len(versions) == 1 {
		return versions[0]
	}
	shares := make([]string, len(versions))
	for i, v := range versions {
		shares[i] = fmt.Sprintf("%s %d%%", v, weights[v])
	}
	return strings.Join(shares, ", ")
}
