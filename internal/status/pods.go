package status

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
	"mizzen.dev/internal/termination"
)

// Pod is one pod, and what it says for itself.
type Pod struct {
	Name string `json:"name"`
	Node string `json:"node,omitempty"`
	// Ready says that it gets requests.
	Ready bool `json:"ready"`
	// State in one word: Running, Fetching, Starting, CrashLoopBackOff, OOMKilled …
	State       string    `json:"state"`
	Restarts    int32     `json:"restarts"`
	RestartedAt time.Time `json:"restartedAt,omitzero"`
	Version     string    `json:"version,omitempty"`
	Revision    string    `json:"revision,omitempty"`
	// Digest of the model file, as the container that fetched it reported it.
	Digest    string    `json:"digest,omitempty"`
	CreatedAt time.Time `json:"createdAt,omitzero"`
	// Says is what is wrong, in the words of the containers or the cluster.
	Says []Saying `json:"says,omitempty"`
}

// Saying is why a container waits or ended.
type Saying struct {
	Container string    `json:"container,omitempty"`
	Reason    string    `json:"reason"`
	ExitCode  int32     `json:"exitCode,omitempty"`
	Message   string    `json:"message,omitempty"`
	At        time.Time `json:"at,omitzero"`
}

// pods sorts those that are not ready first, then the newest.
func pods(o *Objects) []Pod {
	spec := &v1alpha1.ModelSpec{}
	if o.Model != nil {
		spec = &o.Model.Spec
	}
	all := make([]Pod, 0, len(o.Pods))
	for i := range o.Pods {
		all = append(all, podOf(&o.Pods[i], spec))
	}
	slices.SortStableFunc(all, func(a, b Pod) int {
		return cmp.Or(boolRank(a.Ready)-boolRank(b.Ready), b.CreatedAt.Compare(a.CreatedAt), cmp.Compare(a.Name, b.Name))
	})
	return all
}

func boolRank(b bool) int {
	if b {
		return 1
	}
	return 0
}

func podOf(p *corev1.Pod, spec *v1alpha1.ModelSpec) Pod {
	v := Pod{
		Name: p.Name, Node: p.Spec.NodeName, State: "Running", CreatedAt: p.CreationTimestamp.Time,
		Version: p.Labels[versionLabel], Revision: p.Labels[render.RevisionLabel],
	}
	if c := podCondition(p, corev1.PodReady); c != nil {
		v.Ready = c.Status == corev1.ConditionTrue && p.DeletionTimestamp == nil
	}
	for i := range p.Status.InitContainerStatuses {
		v.addContainer(&p.Status.InitContainerStatuses[i], p.Spec.InitContainers, spec)
	}
	for i := range p.Status.ContainerStatuses {
		v.addContainer(&p.Status.ContainerStatuses[i], p.Spec.Containers, spec)
	}
	v.State = v.state(p)
	if v.Ready {
		v.Says = nil // whatever it was, it is over
	}
	if len(v.Says) == 0 && p.Status.Message != "" { // an eviction, for example
		v.Says = append(v.Says, Saying{Reason: p.Status.Reason, Message: p.Status.Message})
	}
	return v
}

// addContainer counts restarts and takes what the container says.
func (v *Pod) addContainer(s *corev1.ContainerStatus, specs []corev1.Container, spec *v1alpha1.ModelSpec) {
	v.Restarts += s.RestartCount
	for _, ended := range []*corev1.ContainerStateTerminated{s.LastTerminationState.Terminated, s.State.Terminated} {
		if ended == nil {
			continue
		}
		if s.RestartCount > 0 && ended.FinishedAt.Time.After(v.RestartedAt) {
			v.RestartedAt = ended.FinishedAt.Time
		}
		report := termination.Parse(ended.Message)
		if report.Digest != "" {
			v.Digest = report.Digest
		}
	}
	if w := s.State.Waiting; w != nil && w.Message != "" && s.LastTerminationState.Terminated == nil {
		v.Says = append(v.Says, Saying{Container: s.Name, Reason: w.Reason, Message: w.Message})
		return
	}
	ended := s.State.Terminated
	if ended == nil {
		ended = s.LastTerminationState.Terminated
	}
	if ended == nil || ended.ExitCode == 0 {
		return
	}
	v.Says = append(v.Says, endOf(s.Name, ended, memoryLimit(s.Name, specs), spec))
}

// endOf says why a container ended: in its own words if it left some.
func endOf(container string, ended *corev1.ContainerStateTerminated, limit string, spec *v1alpha1.ModelSpec) Saying {
	report := termination.Parse(ended.Message)
	s := Saying{Container: container, Reason: string(report.Reason), ExitCode: ended.ExitCode, Message: report.Message,
		At: ended.FinishedAt.Time}
	if ended.Reason == "OOMKilled" {
		s.Reason = ended.Reason
		s.Message = "the container needed more memory than its limit: raise spec.resources.limits.memory"
		if limit != "" {
			s.Message = fmt.Sprintf("the container needed more memory than its limit of %s: raise spec.resources.limits.memory", limit)
		}
		return s
	}
	if s.Reason == "" && render.RunsMizzen(spec, container) {
		s.Reason = string(termination.ForExitCode(int(ended.ExitCode)))
	}
	if s.Reason == "" {
		s.Reason = ended.Reason
	}
	return s
}

func memoryLimit(container string, specs []corev1.Container) string {
	for i := range specs {
		if specs[i].Name != container {
			continue
		}
		if limit, ok := specs[i].Resources.Limits[corev1.ResourceMemory]; ok {
			return limit.String()
		}
	}
	return ""
}

// state is where the pod stands on its way, in one word.
func (v *Pod) state(p *corev1.Pod) string {
	switch {
	case p.DeletionTimestamp != nil:
		return "Terminating"
	case p.Status.Phase == corev1.PodSucceeded || p.Status.Phase == corev1.PodFailed:
		return cmp.Or(p.Status.Reason, string(p.Status.Phase))
	}
	if c := podCondition(p, corev1.PodScheduled); c != nil && c.Status == corev1.ConditionFalse {
		v.Says = append(v.Says, Saying{Reason: c.Reason, Message: c.Message})
		return cmp.Or(c.Reason, "Pending")
	}
	for i := range p.Status.InitContainerStatuses {
		s := &p.Status.InitContainerStatuses[i]
		if s.State.Terminated != nil && s.State.Terminated.ExitCode == 0 || s.Started != nil && *s.Started && s.State.Running != nil && s.Ready {
			continue
		}
		if s.State.Running != nil {
			return "Fetching"
		}
		return stuck(s, "Starting")
	}
	for i := range p.Status.ContainerStatuses {
		s := &p.Status.ContainerStatuses[i]
		switch {
		case s.State.Running == nil:
			return stuck(s, "Starting")
		case s.Started != nil && !*s.Started:
			return "Starting"
		}
	}
	switch {
	case v.Ready:
		return "Running"
	case len(p.Status.ContainerStatuses) == 0:
		return cmp.Or(string(p.Status.Phase), "Pending")
	}
	return "NotReady"
}

// stuck is why a container does not run.
func stuck(s *corev1.ContainerStatus, otherwise string) string {
	switch {
	case s.State.Waiting != nil:
		switch s.State.Waiting.Reason {
		case "", "PodInitializing", "ContainerCreating":
			return otherwise
		}
		return s.State.Waiting.Reason
	case s.State.Terminated != nil:
		return cmp.Or(s.State.Terminated.Reason, "Ended")
	}
	return otherwise
}

func podCondition(p *corev1.Pod, t corev1.PodConditionType) *corev1.PodCondition {
	for i := range p.Status.Conditions {
		if p.Status.Conditions[i].Type == t {
			return &p.Status.Conditions[i]
		}
	}
	return nil
}
