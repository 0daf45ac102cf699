package health

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"mizzen.dev/internal/termination"
)

// sourceChecks ask whether the pods have the model file that the spec names.
func sourceChecks() []check {
	return []check{claimPending, spared(fetchFailed, ReasonPinned), digestsDiffer, fetching, pinned}
}

// claimPending finds a volume that nobody provides.
func claimPending(o *Observation) *finding {
	for _, c := range o.Claims {
		if c.Status.Phase == corev1.ClaimLost {
			return no(ReasonClaimLost, fmt.Sprintf("the PersistentVolumeClaim %s has lost its volume: restore the volume, or remove source.cache.claim and set it again", c.Name))
		}
		if c.Status.Phase != corev1.ClaimPending || anyScheduled(o.Pods) || o.Deployment != nil && wanted(o.Deployment) == 0 {
			continue
		}
		if waitsForPod(o) {
			return unknown(ReasonClaimPending, fmt.Sprintf("the volume of the PersistentVolumeClaim %s is made once a pod has a node", c.Name))
		}
		return o.until(c.CreationTimestamp.Add(volumePatience),
			unknown(ReasonClaimPending, fmt.Sprintf("the volume of the PersistentVolumeClaim %s is being made", c.Name)),
			no(ReasonClaimPending, fmt.Sprintf("the PersistentVolumeClaim %s has no volume yet: check that its storage class exists, offers the access mode and has room (kubectl describe pvc %s)", c.Name, c.Name)))
	}
	return nil
}

// waitsForPod says that pods have no node for a reason that is not the volume: classes
// that wait for a pod (WaitForFirstConsumer) make none before it has one.
func waitsForPod(o *Observation) bool {
	if o.Deployment == nil {
		return false
	}
	if podsNotCreated(o) != nil {
		return true
	}
	f := unschedulable(o)
	return f != nil && f.reason != ReasonVolumeUnavailable
}

func anyScheduled(pods []corev1.Pod) bool {
	return slices.ContainsFunc(pods, func(p corev1.Pod) bool { return p.Spec.NodeName != "" })
}

// fetchFailed finds what the init container or the server said of the file.
func fetchFailed(o *Observation) *finding {
	for _, p := range current(o) {
		for _, s := range containers(&p) {
			report, ended := lastEnd(o, s)
			if !ended || s.Ready || !sourceReasons()[report.Reason] {
				continue
			}
			return no(string(report.Reason), fmt.Sprintf("pod %s: %s", p.Name, orDefault(report.Message, "the container said no more than its exit code")))
		}
	}
	return nil
}

// sourceReasons are those of termination that speak of the file's way into the pod.
func sourceReasons() map[termination.Reason]bool {
	return map[termination.Reason]bool{
		termination.DigestMismatch: true, termination.SourceNotFound: true, termination.AccessDenied: true,
		termination.SourceUnreachable: true, termination.SourceTooLarge: true,
		termination.VolumeFull: true, termination.VolumeNotWritable: true,
	}
}

// digestsDiffer finds pods that serve different files under one revision, which only
// happens where the spec has no digest.
func digestsDiffer(o *Observation) *finding {
	if o.Model.Spec.Source.Digest != "" {
		return nil
	}
	byDigest := map[string]string{}
	for _, p := range current(o) {
		if d := Digest(&p); d != "" && byDigest[d] == "" {
			byDigest[d] = p.Name
		}
	}
	if len(byDigest) < 2 {
		return nil
	}
	var said []string
	for digest, pod := range byDigest {
		said = append(said, fmt.Sprintf("%s in pod %s", digest, pod))
	}
	slices.Sort(said)
	return no(ReasonDigestsDiffer, fmt.Sprintf("pods of one revision serve different files: %s. The file has changed at its source: set source.digest to the one that you want, and all pods will have it", strings.Join(said, ", ")))
}

// fetching is said until the first pod has the file.
func fetching(o *Observation) *finding {
	if o.Model.Spec.Source.URI == "" {
		return nil
	}
	var busy string
	for _, p := range current(o) {
		for _, s := range p.Status.InitContainerStatuses {
			if s.State.Terminated != nil && s.State.Terminated.ExitCode == 0 {
				return nil
			}
			if s.State.Running != nil && busy == "" {
				busy = p.Name
			}
		}
		if len(p.Status.InitContainerStatuses) == 0 && podReady(&p) {
			return nil
		}
	}
	if busy != "" {
		return unknown(ReasonFetching, fmt.Sprintf("pod %s is fetching %s", busy, o.Model.Spec.Source.URI))
	}
	if o.Deployment != nil && wanted(o.Deployment) == 0 {
		return nil
	}
	return unknown(ReasonPending, "no pod has begun to fetch the model yet")
}

// pinned is the good verdict. Rendering warns of a source that is not pinned.
func pinned(*Observation) *finding {
	return yes(ReasonPinned, "pods run the model that the spec names, and no other")
}

// Digest returns the digest of the model file that a pod reports; "" if none.
func Digest(p *corev1.Pod) string {
	for _, s := range containers(p) {
		for _, state := range []corev1.ContainerState{s.State, s.LastTerminationState} {
			if t := state.Terminated; t != nil && t.ExitCode == 0 {
				if d := termination.Parse(t.Message).Digest; d != "" {
					return d
				}
			}
		}
	}
	return ""
}

func orDefault(text, otherwise string) string {
	if text == "" {
		return otherwise
	}
	return text
}
