// Package cluster runs a real Kubernetes for tests: a control plane of the current
// version and real nodes, of programs that are built from published Go modules (package
// binary) and of Debian's containerd, runc and CNI plugins. It knows nothing of Mizzen.
//
// # Three sizes
//
// Take the smallest that a test needs.
//
//   - An API server: package apiserver, for anybody, in make test. 4 seconds.
//   - A control plane and nodes that KWOK plays: Options{Nodes: -1} and StartKWOK.
//   - Real nodes: pods, probes, Services, DNS, NetworkPolicies, logs, OOM, the loss of a
//     node. As root on Linux. 7 seconds on a quiet machine of two cores, 15 on a busy one.
//
// # Use
//
// Tests have the build tag e2e. Those of a package share one cluster:
//
//	var shared = cluster.NewShared(cluster.Options{}, prepare)
//
//	func prepare(ctx context.Context, c *cluster.Cluster) error { return c.StartMetricsServer(ctx) }
//
//	func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }
//
//	func TestX(t *testing.T) {
//		c := shared.Get(t)
//		ns := c.Namespace(t, "x", map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
//		...
//	}
//
// [Cluster.Config], [Cluster.Client], [Cluster.Kubectl] and [Cluster.Apply] are the
// administrator's. Images are pushed to [Cluster.Registry], with [Cluster.PushImage] or any
// tool (it speaks plain HTTP, which tools believe of such an address); the nodes pull from
// there and from nowhere else. [Cluster.S3] is a real S3 server, and [Cluster.AuditLog] says
// who asked the API server for what (package audit). [Cluster.StartProbe] runs pods that call
// others from inside. [Cluster.KillNode] and [Cluster.StartNode] switch a node off and on.
//
// This machine is on the nodes' network: it calls pods and Services by their addresses,
// and servers on [Cluster.HostAddress] are called by pods.
//
// # What runs beside it
//
// [Cluster.StartEdge] starts the tier edge: [Cluster.StartTraefik] (Gateway API and Ingress,
// also with the annotations of ingress-nginx), [Cluster.StartCertManager] and
// [Cluster.StartACME]. [Cluster.StartScale] starts the tier scale:
// [Cluster.StartMetricsServer], [Cluster.StartPrometheus] and [Cluster.StartKEDA]. They are
// pods, as they are elsewhere. Names outside the cluster are resolved once StartACME has run,
// and all to the address that it was given. [Cluster.StartKyverno] and [Cluster.ImageTools]
// (cosign and syft, for who runs commands) are what the guide wants besides: policy.
//
// # Costs
//
// Minutes of a first build, one after the other, on two cores: apiserver 6, kube 3 more (9
// without the former), node 5½, coredns ½, versitygw 1½, helm ½, cert-manager 1½, traefik 4,
// metrics-server ½, prometheus 1½, keda 1½; kyverno with cosign 6, syft 1, kwok 1. Most of
// them, and Mizzen's own tests, have what they share at the same versions (build/align.sh),
// and so compile it once. A change to one module builds no other again. Traefik and KEDA are
// built without what they have for clouds ([binary.Program]).
//
// Started and ready: the cluster in 7 seconds, 15 on a busy machine; Traefik, cert-manager
// and ACME together in 10; metrics-server, Prometheus and KEDA together in 20. A
// certificate over ACME takes 20 seconds, an HPA's or KEDA's first decision 10 to 40. With
// all programs built the smoke tests of core take 2 minutes, of edge and of scale 2 each.
//
// # Any other cluster
//
// With KUBECONFIG set, Start connects to that cluster and starts nothing: KUBECONFIG=… make
// e2e. Take one that nobody else uses, for what tests install there belongs to all of it, and
// goes in the end. It must have
//
//   - Kubernetes 1.30 or later with enforced NetworkPolicies, DNS under cluster.local, and
//     nodes of this machine's architecture; and you its administrator's rights;
//   - Services and pods that this machine calls by their addresses, as its nodes do: a route
//     to their networks by one of the nodes will do;
//   - a registry without a login to push to and pull from: [RegistryEnv];
//   - an S3 server that pods and this machine reach: [S3Env], AWS_ACCESS_KEY_ID and
//     AWS_SECRET_ACCESS_KEY;
//   - for the tier edge, the Gateway API, and Traefik with the classes and in the namespace of
//     [Cluster.StartTraefik], which carries out Ingresses of the class nginx as well; cert-manager
//     in its namespace; and the address to call: [EdgeEnv];
//   - for the tier scale, metrics-server, KEDA, and in the namespace monitoring a Prometheus
//     whose operator takes up every ServiceMonitor and PrometheusRule: [PrometheusEnv].
//
// What only a cluster gives that was started here, as an audit log or a power switch of a
// node, is a [ForeignError]; tests that want it skip with [Cluster.NeedsOwn]. The tests of this
// package and those of the guide want it throughout. That a cluster with these things is
// enough is tried with one of ours: go run ./test/cluster/cmd up edge scale prints the
// environment for another shell.
//
// # What is left
//
// Nothing, but logs: [Cluster.Stop] takes away processes, links, routes, network
// namespaces, cgroups and files. The processes end with the one that started the cluster,
// however that ends; what else it leaves when it is killed is taken away by the next
// cluster, or by go run ./test/cluster/cmd down. Up to eight clusters run beside each other.
// A person who wants one to look at runs go run ./test/cluster/cmd up.
//
// # Traps
//
//   - NetworkPolicies see what the kernel sees after Services have become pods. A call from
//     this machine to a Service comes from the first node; one to a pod comes from 10.x.0.1.
//   - A NetworkPolicy takes effect some 50 milliseconds after it is written, and later on a busy
//     machine: wait for the effect. A dropped packet is a time-out, not a refusal.
//   - kube-proxy and Traefik learn of a pod's end a moment after the pod does: without a preStop
//     sleep a rolling update loses requests, as it does elsewhere.
//   - metrics-server needs two scrapes of a new pod: an HPA acts 20 to 40 seconds after its start.
//   - Every node sees the whole machine's CPUs and memory: requests do not fill it.
//   - The loss of a node is noticed after 20 to 40 seconds.
//   - Deleting a namespace takes 5 seconds and more; tests do not wait for it.
//   - Nodes are of 1.34, whose containerd mounts no image volumes.
//   - Prometheus scrapes what ServiceMonitors want, and evaluates rules, only after
//     [Prometheus.Reload]; it does so every 5 seconds, whatever a rule's group says.
package cluster
