package health

import "mizzen.dev/api/v1alpha1"

// specMeanings are the reasons of rendering: something in the spec cannot be carried
// out as it is written. With status False it was left out, and what was there before is
// kept; with True it was done in another way.
func specMeanings() []Meaning {
	source, workload, scaled := v1alpha1.ConditionSourceReady, v1alpha1.ConditionWorkloadReady, v1alpha1.ConditionScaledBy
	exposed, isolated, observed := v1alpha1.ConditionExposed, v1alpha1.ConditionIsolated, v1alpha1.ConditionObserved
	return []Meaning{
		{source, "True", "NotPinned", "It works, but the spec names no digest: the same spec may run another model tomorrow. Set `source.digest`, or add `@sha256:…` to the image."},
		{source, "False", "ImageVolumesMissing", "The cluster has no image volumes. Use `source.uri` with `oci://`, or add `ImageVolumes` to the platform's offers."},
		{source, "False", "SourceUnsupported", "The runtime cannot load such a file. Pack its directory (`tar czf`) and name the archive, or use `source.claim` or `source.imageVolume`."},
		{source, "False", "DigestUnchecked", "The runtime does not check the digest of what is in a volume. Remove `source.digest`, or pin the image."},
		{source, "False", "ImageUnknown", "The platform names no image of mizzen to fetch the model with. Set `image` in the platform file."},
		{workload, "False", "ImageUnknown", "Neither the Model nor the platform names an image. Set `runtime.image`, or `image` in the platform file."},
		{workload, "True", "ImageNotPinned", "The platform's policy of images wants digests in this namespace, and the image has none (no registry told it): new pods will be refused. Name it by digest."},
		{workload, "False", "EnvironmentConflict", "A variable is set twice, by two fields or by Mizzen itself. Remove one."},
		{workload, "False", "BatchingUnsupported", "The runtime reads how to batch from the model's own configuration. Write it there, and remove `gpu.batching`."},
		{scaled, "True", "MetricUnavailable", "A target cannot be measured without KEDA, and CPU decides. Install KEDA."},
		{scaled, "False", "MetricUnavailable", "The runtime, or the platform's Prometheus, does not offer what a target needs. The message says which."},
		{scaled, "False", "KEDAMissing", "`via` is KEDA, and the cluster has none. Install it, or set `via` to Auto."},
		{scaled, "True", "MetricsServerAbsent", "The autoscaler needs metrics-server, which the cluster does not offer. Install it."},
		{scaled, "False", "NoCPURequest", "A target of CPU is a share of what pods ask for, and they ask for none. Set `resources.requests.cpu`."},
		{scaled, "True", "FallbackUnused", "Nothing is measured through Prometheus that a fallback could stand in for. Remove `scale.fallback`."},
		{scaled, "True", "BeyondMaximum", "More pods are asked for than `maxReplicas` allows. Raise it."},
		{scaled, "False", "TargetTooSmall", "A target is smaller than an autoscaler can count. Use a larger one."},
		{exposed, "False", "GatewayAPIMissing", "The cluster has no Gateway API. Install it, or use `expose.ingress`."},
		{exposed, "False", "CertManagerMissing", "An issuer is named and the cluster has no cert-manager: there is no way in at all, rather than one in plain text. Install it, or use `tls.secretName`."},
		{exposed, "False", "NoDefaultGateway", "The platform has no default Gateway. Name one in `gateway.parentRef`."},
		{exposed, "True", "IngressClassUnknown", "What the Ingress class's controller can do is not known. Name its controller in the platform file."},
		{exposed, "False", "ExposureUnsupported", "The way in cannot do what is asked for: take a path away, keep clients at one pod, carry gRPC. The message says which can."},
		{exposed, "False", "BodySizeUnsupported", "Neither the way in nor the runtime bounds the size of bodies. Remove `bodySize`, or use an Ingress of nginx."},
		{exposed, "False", "RateLimitUnsupported", "Neither the way in nor the runtime bounds the rate of calls. Remove `rateLimit`, or use an Ingress of nginx."},
		{exposed, "False", "TimeoutsUnsupported", "Neither the way in nor the runtime ends calls that take too long. Remove `timeouts`, or use a Gateway."},
		{exposed, "True", "TimeoutRounded", "The way in counts in coarser steps; the value was rounded up."},
		{exposed, "True", "AnnotationOverridden", "An annotation of `expose.ingress` is one that Mizzen sets itself, by the fields of `expose`."},
		{exposed, "True", "SessionAffinityInside", "`gpu.sessionAffinity` holds inside the cluster; the way in needs `expose.stickySessions`."},
		{isolated, "True", "IngressPeersUnknown", "The platform does not say which pods the way in consists of, so that their calls do not get through unless `isolation.from` names them. Name them there, or in `peers.ingress` of the platform file; Ready is `ServingWithProblems` until then."},
		{isolated, "True", "NamespaceCloses", "`isolation.mode` is Disabled, and the platform closes the namespace with `default-deny`: nobody reaches the pods, and they reach nobody, not even name servers and stores, unless NetworkPolicies of yours let them. Set the mode to Restricted, with `from` and `egress`, or remove the namespace from the platform file and `default-deny` from the namespace."},
		{isolated, "True", "ScraperPeersUnknown", "The platform does not say which pods scrape metrics, so that they do not get through. Set `peers.scraper` in the platform file."},
		{observed, "False", "PrometheusOperatorMissing", "What is asked for needs the Prometheus operator. Install it, or set the mode to Auto."},
		{observed, "False", "GrafanaMissing", "A dashboard is asked for, and the platform has no Grafana. Set `grafana` in the platform file."},
		{observed, "False", "CollectorUnknown", "Nobody says where traces go. Set `telemetry.tracing.endpoint`, or `tracing` in the platform file."},
		{observed, "False", "TracingUnsupported", "The runtime sends no traces, or not in this way."},
		{observed, "False", "MetricUnavailable", "The runtime does not measure what an objective is about."},
		{observed, "False", "BeyondHistogram", "A threshold is above all bounds of the runtime's histogram. Use a smaller one."},
		{observed, "True", "BeyondHistogram", "A threshold is no bound of the runtime's histogram; the next one was taken."},
	}
}
