package health_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	appsv1 "k8s.io/api/apps/v1"
	autoscalingv2 "k8s.io/api/autoscaling/v2"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator/health"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

const (
	pinnedSource = "{uri: s3://b/m, digest: \"sha256:x\"}"
	deployed     = "{spec: {replicas: 1}, status: {replicas: 1, updatedReplicas: 1, readyReplicas: 1, availableReplicas: 1}}"
	starting     = "{spec: {replicas: 1}, status: {replicas: 1, updatedReplicas: 1}}"
	fetched      = "initContainerStatuses: [{name: fetch, state: {terminated: {exitCode: 0}}}]"
	serving      = "{conditions: [{type: Ready, status: \"True\"}], " + fetched + ", containerStatuses: [{name: server, ready: true, started: true, state: {running: {}}}]}"
)

// now is when all is observed, in seconds.
const now = 10_000

// notReady is the status of a pod whose container started at a time and does not answer,
// and whose readiness changed at another.
func notReady(started, changed int64) string {
	return fmt.Sprintf("{conditions: [{type: Ready, status: \"False\", lastTransitionTime: %q}], %s, containerStatuses: [{name: server, started: true, state: {running: {startedAt: %q}}}]}",
		at(changed), fetched, at(started))
}

// at is a time in seconds, as it stands in YAML.
func at(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// servingSince is the status of a pod that has answered since then.
func servingSince(seconds int64) string {
	return strings.Replace(serving, `status: "True"`, fmt.Sprintf("status: \"True\", lastTransitionTime: %q", at(seconds)), 1)
}

// given is an observation in YAML: what is left out is not there.
type given struct {
	spec       string
	deployment string
	pods       []string // their statuses
	claims     []string
	hpa        string
	object     string // the ScaledObject
	ingress    string
	route      string
	gateway    string
	cert       string
	offers     platform.Offers
	scaledBy   v1alpha1.ScaleVia
	created    int64 // when all of it was, in seconds; 0: long ago
	problems   []render.Problem
	failures   []health.Failure
}

func TestConditions(t *testing.T) {
	pod := func(status string) []string { return []string{status} }
	waiting := func(reason, message string) []string {
		return pod("{" + fetched + ", containerStatuses: [{name: server, state: {waiting: {reason: " + reason + ", message: \"" + message + "\"}}}]}")
	}
	fetchEnded := func(code, message string) []string {
		return pod("{initContainerStatuses: [{name: fetch, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: " + code + ", message: '" + message + "'}}}]}")
	}
	serverEnded := func(code, reason, message string) []string {
		return pod("{" + fetched + ", containerStatuses: [{name: server, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: " + code + ", reason: " + reason + ", message: '" + message + "'}}}]}")
	}
	unschedulable := func(message string) []string {
		return pod("{conditions: [{type: PodScheduled, status: \"False\", reason: Unschedulable, message: \"" + message + "\"}]}")
	}
	replicaFailure := func(message string) string {
		return "{spec: {replicas: 1}, status: {conditions: [{type: ReplicaFailure, status: \"True\", message: \"" + message + "\"}]}}"
	}
	atLeast := func(n int) string { return fmt.Sprintf("scale: {minReplicas: %d, maxReplicas: 9}", n) }
	three := "{spec: {replicas: 3}, status: {replicas: 3, updatedReplicas: 3, readyReplicas: 1, availableReplicas: 1}}"
	const budget = 60 // of the startup probe
	probed := fmt.Sprintf("{spec: {replicas: 1, template: {spec: {containers: [{name: server, startupProbe: {periodSeconds: 2, failureThreshold: %d}}]}}}, status: {replicas: 1, updatedReplicas: 1}}", budget/2)
	// A container that has started and is not ready, and when its pod was or was not before.
	running := func(started, changed int64) []string { return pod(notReady(started, changed)) }
	unmeasured := func(reason string) string {
		return "{conditions: [{type: ScalingActive, status: \"False\", reason: " + reason + "}]}"
	}
	measures := platform.Offers{platform.MetricsServer}
	issuing := func(since int64) string {
		return fmt.Sprintf("{conditions: [{type: Ready, status: \"False\"}, {type: Issuing, status: \"True\", lastTransitionTime: %q}]}", at(since))
	}
	unprogrammed := func(reason string, since int64) string {
		return fmt.Sprintf("{conditions: [{type: Programmed, status: \"False\", reason: %s, lastTransitionTime: %q}]}", reason, at(since))
	}
	cpu := "scale: {minReplicas: 1, maxReplicas: 2}"
	scaled := func(g given) given {
		g.spec, g.deployment, g.pods = cpu, deployed, pod(serving)
		return g
	}
	exposed := func(g given) given {
		g.spec, g.deployment, g.pods = "expose: {host: h}", deployed, pod(serving)
		return g
	}
	peersUnknown := []render.Problem{{Severity: render.Warning, Condition: "Isolated", Reason: "IngressPeersUnknown", Message: "name them"}}
	tests := map[string]struct {
		given given
		want  string // TYPE STATUS REASON
		ready string // STATUS REASON
	}{
		"all is well":    {given{deployment: deployed, pods: pod(serving)}, "WorkloadReady True Available", "True Serving"},
		"no pod yet":     {given{}, "WorkloadReady Unknown Pending", "Unknown Pending"},
		"no pods wanted": {given{deployment: "{spec: {replicas: 0}}"}, "WorkloadReady True ScaledToZero", "True Serving"},

		"pinned": {given{deployment: deployed, pods: pod(serving)}, "SourceReady True Pinned", "True Serving"},
		"not pinned": {given{deployment: deployed, pods: pod(serving),
			problems: []render.Problem{{Severity: render.Warning, Condition: "SourceReady", Reason: "NotPinned", Message: "set it"}}}, "SourceReady True NotPinned", "True Serving"},
		"fetching":            {given{deployment: starting, pods: pod("{initContainerStatuses: [{name: fetch, state: {running: {}}}]}")}, "SourceReady Unknown Fetching", "Unknown Fetching"},
		"wrong digest":        {given{deployment: starting, pods: fetchEnded("10", `{"reason":"DigestMismatch","message":"expected a, got b"}`)}, "SourceReady False DigestMismatch", "False DigestMismatch"},
		"the exit code alone": {given{deployment: starting, pods: fetchEnded("12", "")}, "SourceReady False AccessDenied", "False AccessDenied"},
		"digests differ": {given{spec: "source: {uri: s3://b/m}", deployment: deployed, pods: []string{
			`{initContainerStatuses: [{name: fetch, state: {terminated: {exitCode: 0, message: '{"digest":"sha256:1111111111111111111111111111111111111111111111111111111111111111"}'}}}]}`,
			`{initContainerStatuses: [{name: fetch, state: {terminated: {exitCode: 0, message: '{"digest":"sha256:2222222222222222222222222222222222222222222222222222222222222222"}'}}}]}`,
		}}, "SourceReady False DigestsDiffer", "False DigestsDiffer"},
		"no volume":                 {given{deployment: starting, claims: pod("{phase: Pending}")}, "SourceReady False ClaimPending", "False ClaimPending"},
		"a volume is being made":    {given{deployment: starting, claims: pod("{phase: Pending}"), created: now - 29}, "SourceReady Unknown ClaimPending", "Unknown ClaimPending"},
		"no volume after all":       {given{deployment: starting, claims: pod("{phase: Pending}"), created: now - 30}, "SourceReady False ClaimPending", "False ClaimPending"},
		"a volume waits for a node": {given{deployment: starting, claims: pod("{phase: Pending}"), pods: unschedulable("0/3 nodes are available: Insufficient cpu")}, "SourceReady Unknown ClaimPending", "False Unschedulable"},
		"a volume waits for pods":   {given{deployment: "{spec: {replicas: 0}}", claims: pod("{phase: Pending}")}, "SourceReady True Pinned", "True Serving"},
		"no such class":             {given{deployment: starting, claims: pod("{phase: Pending}"), pods: unschedulable("storageclass.storage.k8s.io \\\"fast\\\" not found")}, "SourceReady False ClaimPending", "False ClaimPending"},
		"lost volume":               {given{deployment: starting, claims: pod("{phase: Lost}")}, "SourceReady False ClaimLost", "False ClaimLost"},

		"image":           {given{deployment: starting, pods: waiting("ImagePullBackOff", "not found")}, "WorkloadReady False ImagePullFailed", "False ImagePullFailed"},
		"missing secret":  {given{deployment: starting, pods: waiting("CreateContainerConfigError", "secret x not found")}, "WorkloadReady False ConfigMissing", "False ConfigMissing"},
		"bad container":   {given{deployment: starting, pods: waiting("RunContainerError", "no such file")}, "WorkloadReady False ContainerNotStarted", "False ContainerNotStarted"},
		"refused":         {given{deployment: starting, pods: serverEnded("20", "Error", `{"reason":"ModelRefused","message":"os.system at Pipeline.steps[1]"}`)}, "WorkloadReady False ModelRefused", "False ModelRefused"},
		"damaged":         {given{deployment: starting, pods: serverEnded("21", "Error", "")}, "WorkloadReady False ModelMalformed", "False ModelMalformed"},
		"bad config":      {given{deployment: starting, pods: serverEnded("2", "Error", `{"reason":"ConfigInvalid","message":"PORT: x is no number"}`)}, "WorkloadReady False ConfigInvalid", "False ConfigInvalid"},
		"memory":          {given{deployment: starting, pods: serverEnded("137", "OOMKilled", "")}, "WorkloadReady False OOMKilled", "False OOMKilled"},
		"probe":           {given{deployment: starting, pods: serverEnded("137", "Error", "")}, "WorkloadReady False ProbeFailing", "False ProbeFailing"},
		"crash":           {given{deployment: starting, pods: serverEnded("3", "Error", "Traceback")}, "WorkloadReady False Crashing", "False Crashing"},
		"panic":           {given{deployment: starting, pods: serverEnded("2", "Error", "")}, "WorkloadReady False Crashing", "False Crashing"},
		"code of another": {given{spec: "runtime: {name: custom}", deployment: starting, pods: serverEnded("12", "Error", "")}, "WorkloadReady False Crashing", "False Crashing"},
		"stopped in order": {given{deployment: starting, pods: pod("{" + fetched + ", containerStatuses: [{name: server, restartCount: 2, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 0, reason: Completed}}}]}")},
			"WorkloadReady False ProbeFailing", "False ProbeFailing"},
		"fetch out of memory": {given{deployment: starting, pods: pod("{initContainerStatuses: [{name: fetch, state: {terminated: {exitCode: 137, reason: OOMKilled}}}]}")}, "WorkloadReady False OOMKilled", "False OOMKilled"},
		"just started":        {given{deployment: probed, pods: running(now-1, now-9)}, "WorkloadReady Unknown Progressing", "Unknown Progressing"},
		"started late":        {given{deployment: probed, pods: running(now-budget-29, now-999)}, "WorkloadReady Unknown Progressing", "Unknown Progressing"},
		"never ready":         {given{deployment: probed, pods: running(now-budget-30, now-999)}, "WorkloadReady False ProbeFailing", "False ProbeFailing"},
		"busy":                {given{deployment: probed, pods: running(now-999, now-29)}, "WorkloadReady Unknown Progressing", "Unknown Progressing"},
		"ready no more":       {given{deployment: probed, pods: running(now-999, now-30)}, "WorkloadReady False ProbeFailing", "False ProbeFailing"},
		"no room":             {given{deployment: starting, pods: unschedulable("0/3 nodes are available: Insufficient cpu")}, "WorkloadReady False Unschedulable", "False Unschedulable"},
		"no GPU":              {given{spec: "gpu: {count: 1, resourceName: nvidia.com/gpu}", deployment: starting, pods: unschedulable("0/3 nodes: 3 Insufficient nvidia.com/gpu")}, "WorkloadReady False GPUUnavailable", "False GPUUnavailable"},
		"volume":              {given{deployment: starting, pods: unschedulable("pod has unbound immediate PersistentVolumeClaims")}, "WorkloadReady False VolumeUnavailable", "False VolumeUnavailable"},
		"volume to come":      {given{deployment: starting, pods: unschedulable("pod has unbound immediate PersistentVolumeClaims"), created: now - 29}, "WorkloadReady Unknown VolumeUnavailable", "Unknown Pending"},
		"quota":               {given{deployment: replicaFailure("exceeded quota: q")}, "WorkloadReady False QuotaExceeded", "False QuotaExceeded"},
		"security":            {given{deployment: replicaFailure("violates PodSecurity restricted")}, "WorkloadReady False PodSecurityDenied", "False PodSecurityDenied"},
		"webhook":             {given{deployment: replicaFailure("admission webhook denied")}, "WorkloadReady False PodsNotCreated", "False PodsNotCreated"},
		"evicted":             {given{deployment: starting, pods: pod("{phase: Failed, reason: Evicted, message: low on disk}")}, "WorkloadReady False Evicted", "False Evicted"},
		"evicted before":      {given{deployment: deployed, pods: []string{"{phase: Failed, reason: Evicted, containerStatuses: [{name: server, state: {terminated: {exitCode: 137}}}]}", serving}}, "WorkloadReady True Available", "True Serving"},
		"no progress":         {given{deployment: "{spec: {replicas: 1}, status: {conditions: [{type: Progressing, status: \"False\"}]}}"}, "WorkloadReady False ProgressDeadlineExceeded", "False ProgressDeadlineExceeded"},
		"rolling":             {given{deployment: "{spec: {replicas: 2}, status: {replicas: 3, updatedReplicas: 2, readyReplicas: 2, availableReplicas: 2}}", pods: pod(serving)}, "WorkloadReady Unknown Progressing", "Unknown Progressing"},
		"scaling up": {given{spec: atLeast(1), deployment: three, pods: pod(serving)},
			"WorkloadReady True Available", "True ServingWithProblems"},
		"no room for more":      {given{spec: atLeast(1), deployment: three, pods: append(unschedulable("Insufficient cpu"), serving)}, "WorkloadReady True Available", "True ServingWithProblems"},
		"no file for more":      {given{spec: atLeast(1), deployment: three, pods: append(fetchEnded("13", ""), serving)}, "SourceReady True Pinned", "True ServingWithProblems"},
		"no room for the least": {given{spec: atLeast(2), deployment: three, pods: append(unschedulable("Insufficient cpu"), serving)}, "WorkloadReady False Unschedulable", "False Unschedulable"},
		"too few": {given{spec: atLeast(2), deployment: three, pods: pod(serving)},
			"WorkloadReady Unknown Progressing", "Unknown Progressing"},

		"HPA": {scaled(given{scaledBy: "HPA", hpa: "{conditions: [{type: ScalingActive, status: \"True\"}]}"}), "ScaledBy True HPA", "True Serving"},
		"no metrics-server": {scaled(given{scaledBy: "HPA", hpa: "{conditions: [{type: ScalingActive, status: \"False\", reason: FailedGetResourceMetric}]}"}),
			"ScaledBy False MetricsServerAbsent", "True ServingWithProblems"},
		"no metrics": {scaled(given{scaledBy: "HPA", offers: measures, created: now - 60, hpa: unmeasured("FailedGetResourceMetric")}),
			"ScaledBy False MetricsUnavailable", "True ServingWithProblems"},
		"no metrics yet": {scaled(given{scaledBy: "HPA", offers: measures, created: now - 59, hpa: unmeasured("FailedGetResourceMetric")}),
			"ScaledBy Unknown Pending", "True ServingWithProblems"},
		"no metrics of pods that have just started": {given{spec: cpu, deployment: deployed, pods: pod(servingSince(now - 59)), scaledBy: "HPA", offers: measures, hpa: unmeasured("FailedGetResourceMetric")},
			"ScaledBy Unknown Pending", "True ServingWithProblems"},
		"no metrics though one pod is old": {given{spec: cpu, deployment: deployed, pods: []string{servingSince(now - 9), servingSince(now - 999)}, scaledBy: "HPA", offers: measures, hpa: unmeasured("FailedGetResourceMetric")},
			"ScaledBy False MetricsUnavailable", "True ServingWithProblems"},
		"no such metrics": {scaled(given{scaledBy: "HPA", offers: measures, created: now, hpa: unmeasured("InvalidMetricSourceType")}),
			"ScaledBy False MetricsUnavailable", "True ServingWithProblems"},
		"no metrics-server for new pods": {scaled(given{scaledBy: "HPA", created: now, hpa: unmeasured("FailedGetResourceMetric")}),
			"ScaledBy False MetricsServerAbsent", "True ServingWithProblems"},
		"scaled to none":  {scaled(given{scaledBy: "HPA", hpa: "{conditions: [{type: ScalingActive, status: \"False\", reason: ScalingDisabled}]}"}), "ScaledBy False ScalingDisabled", "True ServingWithProblems"},
		"unable to scale": {scaled(given{scaledBy: "HPA", hpa: "{conditions: [{type: AbleToScale, status: \"False\"}]}"}), "ScaledBy False UnableToScale", "True ServingWithProblems"},
		"KEDA":            {scaled(given{scaledBy: "KEDA", object: "{conditions: [{type: Ready, status: \"True\"}]}"}), "ScaledBy True KEDA", "True Serving"},
		"KEDA is silent":  {scaled(given{scaledBy: "KEDA", object: "{}"}), "ScaledBy Unknown KEDANotAnswering", "True ServingWithProblems"},
		"KEDA refuses":    {scaled(given{scaledBy: "KEDA", object: "{conditions: [{type: Ready, status: \"False\", message: bad trigger}]}"}), "ScaledBy False ScaledObjectNotReady", "True ServingWithProblems"},
		"fallback":        {scaled(given{scaledBy: "KEDA", object: "{conditions: [{type: Ready, status: \"True\"}, {type: Fallback, status: \"True\"}]}"}), "ScaledBy False FallbackActive", "True ServingWithProblems"},
		"paused":          {scaled(given{scaledBy: "KEDA", object: "{conditions: [{type: Ready, status: \"True\"}, {type: Paused, status: \"True\"}]}"}), "ScaledBy False Paused", "True ServingWithProblems"},
		"another metric": {scaled(given{scaledBy: "HPA", hpa: "{conditions: [{type: ScalingActive, status: \"True\"}]}",
			problems: []render.Problem{{Severity: render.Warning, Condition: "ScaledBy", Reason: "MetricUnavailable"}}}), "ScaledBy True MetricUnavailable", "True Serving"},
		"handing over": {scaled(given{scaledBy: "HPA", failures: []health.Failure{{Condition: "ScaledBy", Reason: health.ReasonHandover, Unknown: true}}}),
			"ScaledBy Unknown HandingOver", "True ServingWithProblems"},

		"Ingress":    {exposed(given{ingress: "{loadBalancer: {ingress: [{ip: 1.2.3.4}]}}"}), "Exposed True WayInOpen", "True Serving"},
		"no address": {exposed(given{ingress: "{}"}), "Exposed Unknown AddressPending", "True ServingWithProblems"},
		"route": {exposed(given{route: "{parents: [{conditions: [{type: Accepted, status: \"True\"}, {type: ResolvedRefs, status: \"True\"}]}]}"}),
			"Exposed True WayInOpen", "True Serving"},
		"route pending":                 {exposed(given{route: "{}"}), "Exposed Unknown RoutePending", "Unknown RoutePending"},
		"route refused":                 {exposed(given{route: "{parents: [{conditions: [{type: Accepted, status: \"False\", reason: NoMatchingListenerHostname}]}]}"}), "Exposed False RouteNotAccepted", "False RouteNotAccepted"},
		"no certificate":                {exposed(given{ingress: "{}", cert: "{conditions: [{type: Ready, status: \"False\", message: pending}]}"}), "Exposed False CertificateNotReady", "False CertificateNotReady"},
		"a certificate is being issued": {exposed(given{ingress: "{}", cert: issuing(now - 119)}), "Exposed Unknown CertificatePending", "Unknown CertificatePending"},
		"a certificate takes too long":  {exposed(given{ingress: "{}", cert: issuing(now - 120)}), "Exposed False CertificateNotReady", "False CertificateNotReady"},
		"a certificate was just made":   {exposed(given{ingress: "{}", cert: "{conditions: [{type: Ready, status: \"False\"}]}", created: now - 9}), "Exposed Unknown CertificatePending", "Unknown CertificatePending"},
		"a certificate was refused": {exposed(given{ingress: "{}", created: now - 9, cert: "{conditions: [{type: Ready, status: \"False\"}, {type: Issuing, status: \"False\", message: no such issuer}]}"}),
			"Exposed False CertificateNotReady", "False CertificateNotReady"},
		"cert-manager is silent":      {exposed(given{ingress: "{}", cert: "{}"}), "Exposed Unknown CertificatePending", "Unknown CertificatePending"},
		"gateway":                     {exposed(given{gateway: "{conditions: [{type: Programmed, status: \"False\", message: no address}]}", route: "{}"}), "Exposed False GatewayNotProgrammed", "False GatewayNotProgrammed"},
		"gateway without address yet": {exposed(given{gateway: unprogrammed("AddressNotAssigned", now-59), route: "{}"}), "Exposed Unknown GatewayPending", "Unknown GatewayPending"},
		"gateway without address":     {exposed(given{gateway: unprogrammed("AddressNotAssigned", now-60), route: "{}"}), "Exposed False GatewayNotProgrammed", "False GatewayNotProgrammed"},
		"gateway invalid":             {exposed(given{gateway: unprogrammed("Invalid", now), route: "{}"}), "Exposed False GatewayNotProgrammed", "False GatewayNotProgrammed"},
		"gateway pending":             {exposed(given{gateway: "{}", route: "{}"}), "Exposed Unknown GatewayPending", "Unknown GatewayPending"},
		"not isolated, in a closed namespace": {given{spec: "isolation: {mode: Disabled}", deployment: deployed, pods: pod(serving),
			problems: []render.Problem{{Severity: render.Warning, Condition: "Isolated", Reason: "NamespaceCloses", Message: "open it"}}}, "Isolated True NamespaceCloses", "True Serving"},
		"way in shut out":       {exposed(given{ingress: "{loadBalancer: {ingress: [{ip: 1.2.3.4}]}}", problems: peersUnknown}), "Isolated True IngressPeersUnknown", "True ServingWithProblems"},
		"way in let in by name": {given{spec: "expose: {host: h}\nisolation: {from: [{namespaceSelector: {}}]}", deployment: deployed, pods: pod(serving), ingress: "{loadBalancer: {ingress: [{ip: 1.2.3.4}]}}", problems: peersUnknown}, "Isolated True IngressPeersUnknown", "True Serving"},
		"nothing to expose with": {exposed(given{problems: []render.Problem{{Severity: render.Refused, Condition: "Exposed", Reason: "GatewayAPIMissing", Path: "spec.expose.gateway", Message: "install it"}}}),
			"Exposed False GatewayAPIMissing", "False GatewayAPIMissing"},
		"name taken": {given{deployment: deployed, pods: pod(serving), failures: []health.Failure{{Condition: "WorkloadReady", Reason: health.ReasonNameTaken}}}, "WorkloadReady False NameTaken", "False NameTaken"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := map[string]string{}
			for _, c := range health.Conditions(test.given.observe(t)) {
				if c.Message == "" && c.Reason != "MetricUnavailable" && len(test.given.failures) == 0 {
					t.Errorf("%s has no message", c.Type)
				}
				got[c.Type] = c.Type + " " + string(c.Status) + " " + c.Reason
			}
			var conditionType string
			for i, r := range test.want {
				if r == ' ' {
					conditionType = test.want[:i]
					break
				}
			}
			if diff := cmp.Diff([]string{test.want, "Ready " + test.ready}, []string{got[conditionType], got["Ready"]}); diff != "" {
				t.Errorf("conditions (-want +got):\n%s", diff)
			}
		})
	}
}

// TestWayInShut holds for the message: the way in is not called open while the Model's
// own policy keeps it out.
func TestWayInShut(t *testing.T) {
	g := given{spec: "expose: {host: h}", deployment: deployed, pods: []string{serving}, ingress: "{loadBalancer: {ingress: [{ip: 1.2.3.4}]}}",
		problems: []render.Problem{{Severity: render.Warning, Condition: "Isolated", Reason: "IngressPeersUnknown", Path: "spec.expose", Message: "name them in peers.ingress"}}}
	conditions := health.Conditions(g.observe(t))
	if got := meta.FindStatusCondition(conditions, "Exposed").Message; !strings.Contains(got, "isolation does not let its calls through") {
		t.Errorf("Exposed says %q", got)
	}
	if got, want := meta.FindStatusCondition(conditions, "Ready").Message, "Isolated: IngressPeersUnknown: spec.expose: name them in peers.ingress"; got != want {
		t.Errorf("Ready says %q, want %q", got, want)
	}
}

func (g given) observe(t *testing.T) *health.Observation {
	t.Helper()
	created := metav1.Time{}
	if g.created != 0 {
		created = metav1.Unix(g.created, 0)
	}
	o := &health.Observation{Now: metav1.Unix(now, 0), Model: &v1alpha1.Model{}, Revision: "r", Isolated: true, Offers: g.offers, ScaledBy: g.scaledBy, Problems: g.problems, Failures: g.failures}
	read(t, "{source: "+pinnedSource+"}", &o.Model.Spec)
	if g.spec != "" {
		read(t, g.spec, &o.Model.Spec)
		if o.Model.Spec.Source.URI == "s3://b/m" && g.spec == "source: {uri: s3://b/m}" {
			o.Model.Spec.Source.Digest = ""
		}
	}
	if g.deployment != "" {
		o.Deployment = &appsv1.Deployment{}
		read(t, g.deployment, o.Deployment)
	}
	for i, status := range g.pods {
		p := corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p" + string(rune('0'+i)), CreationTimestamp: created, Labels: map[string]string{render.RevisionLabel: "r"}}}
		read(t, status, &p.Status)
		o.Pods = append(o.Pods, p)
	}
	for _, status := range g.claims {
		c := corev1.PersistentVolumeClaim{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: created}}
		read(t, status, &c.Status)
		o.Claims = append(o.Claims, c)
	}
	if g.hpa != "" {
		o.HPA = &autoscalingv2.HorizontalPodAutoscaler{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: created}}
		read(t, g.hpa, &o.HPA.Status)
	}
	if g.ingress != "" {
		o.Ingress = &networkingv1.Ingress{}
		read(t, g.ingress, &o.Ingress.Status)
	}
	o.ScaledObject = foreign(t, g.object)
	for status, into := range map[*string]*[]*unstructured.Unstructured{&g.route: &o.Routes, &g.gateway: &o.Gateways, &g.cert: &o.Certificates} {
		if f := foreign(t, *status); f != nil {
			f.SetCreationTimestamp(created)
			*into = append(*into, f)
		}
	}
	return o
}

func foreign(t *testing.T, status string) *unstructured.Unstructured {
	t.Helper()
	if status == "" {
		return nil
	}
	fields := map[string]any{}
	read(t, status, &fields)
	return &unstructured.Unstructured{Object: map[string]any{"kind": "Foreign", "metadata": map[string]any{"name": "iris"}, "status": fields}}
}

func read(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.Unmarshal([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// TestRescaled tells a Deployment that an autoscaler has just changed from one that was
// changed for its Model.
func TestRescaled(t *testing.T) {
	o := given{spec: "scale: {minReplicas: 1, maxReplicas: 3}", deployment: deployed, pods: []string{serving}}.observe(t)
	o.Model.Generation, o.Deployment.Generation, o.Deployment.Status.ObservedGeneration = 1, 1, 1
	workload := func() metav1.ConditionStatus {
		conditions := health.Conditions(o)
		o.Model.Status.Conditions = conditions
		return meta.FindStatusCondition(conditions, v1alpha1.ConditionWorkloadReady).Status
	}
	var got []metav1.ConditionStatus
	got = append(got, workload())
	o.Deployment.Generation = 2 // it wants another number of pods
	got = append(got, workload())
	o.Model.Generation, o.Deployment.Generation = 2, 3
	got = append(got, workload(), workload())
	want := []metav1.ConditionStatus{metav1.ConditionTrue, metav1.ConditionTrue, metav1.ConditionUnknown, metav1.ConditionUnknown}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("WorkloadReady (-want +got):\n%s", diff)
	}
}

// TestTransitionTimes holds for a status that stays: the time at which it changed does,
// too, and so nothing is written.
func TestTransitionTimes(t *testing.T) {
	o := given{deployment: deployed, pods: []string{serving}}.observe(t)
	first := health.Conditions(o)
	o.Model.Status.Conditions = first
	o.Now = metav1.Unix(now+1, 0)
	if diff := cmp.Diff(first, health.Conditions(o)); diff != "" {
		t.Errorf("conditions a moment later (-before +after):\n%s", diff)
	}
	o.Deployment = nil
	o.Now = metav1.Unix(now+2, 0)
	for _, c := range health.Conditions(o) {
		if c.Type == v1alpha1.ConditionWorkloadReady && c.LastTransitionTime.Unix() != now+2 {
			t.Errorf("the time of a change is %s", c.LastTransitionTime)
		}
	}
}

// TestNextLook has conditions looked at again when patience with something ends, since
// nothing in the cluster changes then.
func TestNextLook(t *testing.T) {
	const unmeasured = "{conditions: [{type: ScalingActive, status: \"False\", reason: FailedGetResourceMetric}]}"
	scaled := func(created int64) given {
		return given{deployment: deployed, pods: []string{serving}, scaledBy: "HPA", offers: platform.Offers{platform.MetricsServer}, hpa: unmeasured, created: created}
	}
	tests := map[string]struct {
		given given
		want  int64 // 0: never
	}{
		"all is well":         {given: given{pods: []string{serving}, created: now}},
		"not answering":       {given: given{pods: []string{notReady(now-999, now-10)}}, want: now + 20},
		"the first of two":    {given: given{pods: []string{notReady(now-999, now-10), notReady(now-999, now-20)}}, want: now + 10},
		"called failing":      {given: given{pods: []string{notReady(now-999, now-30)}}},
		"one is, one will be": {given: given{pods: []string{notReady(now-999, now-60), notReady(now-999, now-20)}}, want: now + 10},
		"to be measured":      {given: scaled(now - 50), want: now + 10},
		"never measured":      {given: scaled(now - 60)},
		"a volume to come":    {given: given{claims: []string{"{phase: Pending}"}, created: now - 20}, want: now + 10},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			if test.given.deployment == "" {
				test.given.deployment = starting
			}
			at := health.NextLook(test.given.observe(t))
			if got := at.Unix(); !at.IsZero() && got != test.want || at.IsZero() && test.want != 0 {
				t.Errorf("the next look is at %s, not at %d", at, test.want)
			}
		})
	}
}
