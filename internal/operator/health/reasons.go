package health

import (
	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/termination"
)

// Reasons of conditions, beside those of [termination]. They are stable: alerts and
// scripts know them. docs/conditions.md says what each means.
const (
	ReasonServing             = "Serving"
	ReasonServingWithProblems = "ServingWithProblems"
	ReasonPending             = "Pending"

	ReasonPinned        = "Pinned"
	ReasonFetching      = "Fetching"
	ReasonDigestsDiffer = "DigestsDiffer"
	ReasonClaimPending  = "ClaimPending"
	ReasonClaimLost     = "ClaimLost"

	ReasonAvailable           = "Available"
	ReasonScaledToZero        = "ScaledToZero"
	ReasonProgressing         = "Progressing"
	ReasonQuotaExceeded       = "QuotaExceeded"
	ReasonPodSecurity         = "PodSecurityDenied"
	ReasonPodsNotCreated      = "PodsNotCreated"
	ReasonGPUUnavailable      = "GPUUnavailable"
	ReasonVolumeUnavailable   = "VolumeUnavailable"
	ReasonUnschedulable       = "Unschedulable"
	ReasonImagePullFailed     = "ImagePullFailed"
	ReasonConfigMissing       = "ConfigMissing"
	ReasonContainerNotStarted = "ContainerNotStarted"
	ReasonEvicted             = "Evicted"
	ReasonOOMKilled           = "OOMKilled"
	ReasonCrashing            = "Crashing"
	ReasonProbeFailing        = "ProbeFailing"
	ReasonDeadlineExceeded    = "ProgressDeadlineExceeded"

	ReasonHPA                  = "HPA"
	ReasonKEDA                 = "KEDA"
	ReasonKEDASilent           = "KEDANotAnswering"
	ReasonScaledObjectNotReady = "ScaledObjectNotReady"
	ReasonFallbackActive       = "FallbackActive"
	ReasonPaused               = "Paused"
	ReasonScalingDisabled      = "ScalingDisabled"
	ReasonMetricsServerAbsent  = "MetricsServerAbsent"
	ReasonMetricsUnavailable   = "MetricsUnavailable"
	ReasonUnableToScale        = "UnableToScale"

	ReasonExposed              = "WayInOpen"
	ReasonCertificatePending   = "CertificatePending"
	ReasonCertificateNotReady  = "CertificateNotReady"
	ReasonGatewayPending       = "GatewayPending"
	ReasonGatewayNotProgrammed = "GatewayNotProgrammed"
	ReasonRoutePending         = "RoutePending"
	ReasonRouteNotAccepted     = "RouteNotAccepted"
	ReasonAddressPending       = "AddressPending"

	ReasonRestricted = "Restricted"
	ReasonObserved   = "SetUp"

	// What the operator could not do in the cluster.
	ReasonNameTaken    = "NameTaken"
	ReasonForbidden    = "Forbidden"
	ReasonRejected     = "Rejected"
	ReasonKindMissing  = "KindMissing"
	ReasonApplyFailed  = "ApplyFailed"
	ReasonHandover     = "HandingOver"
	ReasonInvalidModel = "InvalidModel"
)

// AllButReady stands for every condition but Ready.
const AllButReady = "All but Ready"

// Meaning is a line of docs/conditions.md.
type Meaning struct {
	// Condition is a type, or AllButReady.
	Condition string
	// Status that goes with the reason: True, False or Unknown.
	Status string
	Reason string
	// Text says what it means and what to do.
	Text string
}

// Meanings lists every reason of every condition.
func Meanings() []Meaning {
	var all []Meaning
	all = append(all, readyMeanings()...)
	all = append(all, sourceMeanings()...)
	all = append(all, workloadMeanings()...)
	all = append(all, scaleMeanings()...)
	all = append(all, exposeMeanings()...)
	all = append(all,
		Meaning{v1alpha1.ConditionIsolated, "True", ReasonRestricted, "NetworkPolicies are in force as the spec asks. Whether something enforces them is the cluster's network plugin's part."},
		Meaning{v1alpha1.ConditionObserved, "True", ReasonObserved, "Scraping, dashboard and alerts are set up as far as the spec and the platform ask for them."})
	all = append(all, failureMeanings()...)
	return append(all, specMeanings()...)
}

func readyMeanings() []Meaning {
	return []Meaning{
		{v1alpha1.ConditionReady, "True", ReasonServing, "What the spec says runs, and all conditions are True; the way in, if there is one, is let through."},
		{v1alpha1.ConditionReady, "True", ReasonServingWithProblems, "The model answers, but something beside it does not work: the message names the condition."},
		{v1alpha1.ConditionReady, "False", "(any)", "The reason and message of the first of SourceReady, WorkloadReady, Exposed and Isolated that is False; see there. Pods of an earlier revision may still answer: `status.traffic` says which."},
		{v1alpha1.ConditionReady, "Unknown", "(any)", "Likewise of the first that is Unknown: wait."},
	}
}

func sourceMeanings() []Meaning {
	c := v1alpha1.ConditionSourceReady
	return []Meaning{
		{c, "True", ReasonPinned, "Pods run the model that the spec names, and no other."},
		{c, "Unknown", ReasonPending, "No pod has begun to fetch the model. See WorkloadReady if it stays so."},
		{c, "Unknown", ReasonFetching, "The first pod is fetching the model. Wait."},
		{c, "False", string(termination.DigestMismatch), "The file is not the one whose digest the spec has. Find out who changed it, or set `source.digest` to the new one if the change was meant."},
		{c, "False", string(termination.SourceNotFound), "There is no such file, bucket or host. Correct `source.uri`."},
		{c, "False", string(termination.AccessDenied), "The store wants credentials, or others. Correct the Secret of `source.secretRef` or the rights of the workload identity."},
		{c, "False", string(termination.SourceUnreachable), "The store does not answer. Check the address, name resolution, `isolation.egress` and the platform's store peers."},
		{c, "False", string(termination.SourceTooLarge), "The file is larger than is allowed. If it is meant to be, set `MIZZEN_MAX_BYTES` in `config`, such as to 8GiB."},
		{c, "False", string(termination.VolumeFull), "The file does not fit. Raise the size of `source.cache`."},
		{c, "False", string(termination.VolumeNotWritable), "The volume cannot be written to. Check its access mode and file system group."},
		{c, "False", ReasonDigestsDiffer, "Pods of one revision serve different files, as their source has changed meanwhile. Set `source.digest` to the one that you want. What pods fetched is compared for `source.uri` alone: in a claim or an image volume nobody looks."},
		{c, "Unknown", ReasonClaimPending, "The cache's volume is being made. Wait."},
		{c, "False", ReasonClaimPending, "The cache's volume does not come. Check the storage class, access mode and room: `kubectl describe pvc`."},
		{c, "False", ReasonClaimLost, "The cache's volume is gone. Restore it, or remove `source.cache.claim` and set it again."},
	}
}

func workloadMeanings() []Meaning {
	c := v1alpha1.ConditionWorkloadReady
	return []Meaning{
		{c, "True", ReasonAvailable, "As many pods as wanted are of the present revision and answer."},
		{c, "True", ReasonScaledToZero, "No pods are wanted."},
		{c, "Unknown", ReasonPending, "The Deployment is not there yet."},
		{c, "Unknown", ReasonProgressing, "Pods are starting, or those of an earlier revision stopping. Wait."},
		{c, "False", ReasonImagePullFailed, "A node cannot pull an image. Check its name and tag, `imagePullSecrets`, and that nodes reach the registry."},
		{c, "False", ReasonConfigMissing, "A container refers to a Secret, ConfigMap or key that is not there. Make it; the pod starts by itself."},
		{c, "False", ReasonContainerNotStarted, "The node's container runtime cannot start the container; the message is its own."},
		{c, "False", string(termination.ModelRefused), "The file holds something that is no supported model; the message is the loader's. Nothing of it was executed."},
		{c, "False", string(termination.ModelMalformed), "The file is damaged or no model file. Check what was uploaded."},
		{c, "False", string(termination.ModelTooLarge), "The file exceeds a bound of reading."},
		{c, "False", string(termination.ConfigInvalid), "The server does not accept its configuration. Correct `config`, `runtime.args` or `runtime.env` as the message says."},
		{c, "False", ReasonOOMKilled, "A container used more memory than its limit. Raise `resources.limits.memory`."},
		{c, "False", ReasonCrashing, "A container ends again and again. The message is its last; more in `kubectl logs --previous`."},
		{c, "False", ReasonProbeFailing, "A container runs and does not answer a probe, or was killed because of it. Raise `placement.startupTimeout` if the model takes longer to load."},
		{c, "False", ReasonUnschedulable, "No node has room, or placement excludes all. Add nodes, ask for less, or widen `placement`."},
		{c, "False", ReasonGPUUnavailable, "No node has the accelerators free that `gpu` asks for. Add such nodes, and check the device plugin."},
		{c, "Unknown", ReasonVolumeUnavailable, "A pod has just begun to wait for a volume. Wait."},
		{c, "False", ReasonVolumeUnavailable, "A pod waits for a volume. See SourceReady, and `kubectl describe pvc`."},
		{c, "False", ReasonQuotaExceeded, "The namespace's quota is used up. Ask for less, or raise it."},
		{c, "False", ReasonPodSecurity, "The namespace's pod security does not admit the pods. Remove what it names from the spec."},
		{c, "False", ReasonPodsNotCreated, "The API server or an admission webhook refuses the pods; the message is its own."},
		{c, "False", ReasonEvicted, "A pod was removed from its node, which was short of something. Set requests that are true, or a larger `sizeLimit`."},
		{c, "False", ReasonDeadlineExceeded, "A change has made no progress for `rollout.progressDeadline`."},
		{c, "False", ReasonInvalidModel, "The Model cannot be rendered; the message says why."},
	}
}

func scaleMeanings() []Meaning {
	c := v1alpha1.ConditionScaledBy
	return []Meaning{
		{c, "True", ReasonHPA, "A HorizontalPodAutoscaler chooses the number of pods."},
		{c, "True", ReasonKEDA, "KEDA chooses the number of pods."},
		{c, "Unknown", ReasonPending, "There is nothing to go by yet: the autoscaler has not looked at the pods, or they have just started and their load has yet to be measured, which takes half a minute. Wait."},
		{c, "Unknown", ReasonKEDASilent, "KEDA's definitions are installed, but nothing of it answers. Check that its operator runs."},
		{c, "Unknown", ReasonHandover, "One autoscaler is taking over from another; the number of pods stays as it is meanwhile."},
		{c, "False", ReasonScaledObjectNotReady, "KEDA refuses the ScaledObject; the message is its own."},
		{c, "False", ReasonFallbackActive, "KEDA cannot measure the load, and `scale.fallback` is in force. Check Prometheus."},
		{c, "False", ReasonPaused, "The ScaledObject is paused by an annotation of KEDA. Remove it."},
		{c, "False", ReasonScalingDisabled, "Somebody set the Deployment to no pods, which turns the autoscaler off. Scale it to one or more."},
		{c, "False", ReasonMetricsServerAbsent, "Nobody measures CPU in this cluster. Install metrics-server. The number of pods stays as it is."},
		{c, "False", ReasonMetricsUnavailable, "The autoscaler gets no metrics of these pods, a minute after they answer; the message is its own. Look at metrics-server. The number of pods stays as it is."},
		{c, "False", ReasonUnableToScale, "The autoscaler cannot set the number of pods; the message is its own."},
	}
}

func exposeMeanings() []Meaning {
	c := v1alpha1.ConditionExposed
	return []Meaning{
		{c, "True", ReasonExposed, "The way in is open, unless the message says that isolation shuts it out: see Isolated."},
		{c, "Unknown", ReasonPending, "The way in is not there yet. Wait."},
		{c, "Unknown", ReasonAddressPending, "The Ingress has no address. Check that the controller of its class runs and publishes one; Ready does not wait for it."},
		{c, "Unknown", ReasonRoutePending, "No Gateway has looked at the route. Check that the Gateway exists and that its controller runs."},
		{c, "False", ReasonRouteNotAccepted, "The Gateway does not carry out the route. Check that one of its listeners has the host and lets in routes of this namespace."},
		{c, "Unknown", ReasonGatewayPending, "Nobody has carried out the Gateway yet. If it stays so, check that the controller of its class runs."},
		{c, "False", ReasonGatewayNotProgrammed, "The Gateway does not work; the message is its controller's."},
		{c, "Unknown", ReasonCertificatePending, "cert-manager is at work on the Certificate, or has not looked at it: then check that it runs."},
		{c, "False", ReasonCertificateNotReady, "The Certificate is not issued; the message is cert-manager's. `kubectl describe certificate` says more."},
	}
}

// failureMeanings are the same for every condition but Ready.
func failureMeanings() []Meaning {
	return []Meaning{
		{AllButReady, "False", ReasonNameTaken, "An object of the name that is needed belongs to somebody else, and is let be. Rename one of the two."},
		{AllButReady, "False", ReasonForbidden, "The operator may not do it: its RBAC is not that of its version, or a policy forbids it. Apply the operator's RBAC."},
		{AllButReady, "False", ReasonRejected, "The API server or an admission webhook refuses an object; the message is its own."},
		{AllButReady, "False", ReasonKindMissing, "The cluster has no such kind (any more). Install it; nothing needs to be restarted."},
		{AllButReady, "False", ReasonApplyFailed, "An object could not be written; the operator tries again."},
	}
}
