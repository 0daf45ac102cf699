package binary

import (
	"fmt"
	"strings"
)

// The versions of Kubernetes that the programs are, as their modules' go.mod have them.
const (
	// KubeVersion is the control plane's, and the API server's of the tests.
	KubeVersion = "v1.37.2"
	// NodeVersion is the kubelet's and kube-proxy's: the last that work with the
	// containerd 1.6 and the cgroup v1 that Debian 12 can have. Kubernetes allows
	// nodes three minor versions older than the control plane.
	NodeVersion = "v1.34.4"
)

// Kube returns the control plane: etcd, kube-apiserver, kube-controller-manager,
// kube-scheduler and kubectl, each under its name.
func Kube() Program {
	return Program{
		Name: "kube", Commands: []string{"."},
		Links:   []string{"etcd", "kube-apiserver", "kube-controller-manager", "kube-scheduler", "kubectl"},
		LDFlags: kubernetesVersion(KubeVersion),
		Cost:    "about 3 minutes on two cores after make test, 9 without",
	}
}

// APIServer returns of the control plane what tests without nodes need: etcd and
// kube-apiserver, each under its name.
func APIServer() Program {
	return Program{
		Name: "apiserver", Module: "kube", Commands: []string{"./apiserver"},
		Links:   []string{"etcd", "kube-apiserver"},
		LDFlags: kubernetesVersion(KubeVersion),
		Cost:    "about 6 minutes on two cores",
	}
}

// Node returns what runs on a node: kubelet and kube-proxy, each under its name.
func Node() Program {
	return Program{
		Name: "node", Commands: []string{"."}, Links: []string{"kubelet", "kube-proxy"},
		LDFlags: kubernetesVersion(NodeVersion),
		Cost:    "about 5 minutes on two cores",
	}
}

// Agent returns what Mizzen's tests themselves run on a node: what starts it, and what
// carries out its NetworkPolicies.
func Agent() Program {
	return Program{Name: "agent", Commands: []string{"."}, Own: true, Cost: "a moment, if Mizzen itself has been built"}
}

// Pause returns what keeps a pod's namespaces.
func Pause() Program {
	return Program{Name: "pause", Commands: []string{"."}, Own: true, Cost: "a moment"}
}

// Probe returns what tests have call others from inside the cluster.
func Probe() Program {
	return Program{Name: "probe", Commands: []string{"."}, Own: true, Cost: "a moment"}
}

// CoreDNS returns coredns, the cluster's DNS.
func CoreDNS() Program {
	return Program{Name: "coredns", Commands: []string{"."}, Cost: "half a minute, once kube is built"}
}

// VersityGW returns versitygw, an S3 server.
func VersityGW() Program {
	return Program{Name: "versitygw", Commands: []string{"github.com/versity/versitygw/cmd/versitygw"}, Cost: "about 2 minutes on two cores"}
}

// CertManager returns cert-manager's controllers, and acmesolver, which answers ACME's
// HTTP-01 challenges.
func CertManager() Program {
	return Program{Name: "cert-manager", Commands: []string{"."}, Cost: "about 2 minutes, once kube is built"}
}

// Pebble returns pebble, an ACME server for tests, and pebble-challtestsrv, whose DNS
// says what a test wants.
func Pebble() Program {
	const cmd = "github.com/letsencrypt/pebble/v2/cmd/"
	return Program{Name: "pebble", Commands: []string{cmd + "pebble", cmd + "pebble-challtestsrv"}, Cost: "a moment"}
}

// Traefik returns traefik, which carries out Gateway API routes and Ingresses.
func Traefik() Program {
	return Program{
		Name: "traefik", Commands: []string{"github.com/traefik/traefik/v3/cmd/traefik"},
		// Traefik's own ACME client can write to the DNS of 150 providers; certificates
		// are cert-manager's here.
		Overlay: map[string]string{"github.com/go-acme/lego/v5//providers/dns/zz_gen_dns_providers.go": "lego-dns.overlay"},
		Cost:    "about 4 minutes on two cores",
	}
}

// MetricsServer returns metrics-server, where HPAs get pods' CPU from.
func MetricsServer() Program {
	return Program{Name: "metrics-server", Commands: []string{"sigs.k8s.io/metrics-server/cmd/metrics-server"}, Cost: "half a minute, once kube is built"}
}

// Prometheus returns prometheus, of its discoveries that of Kubernetes alone.
func Prometheus() Program {
	return Program{
		Name: "prometheus", Commands: []string{"github.com/prometheus/prometheus/cmd/prometheus"},
		Tags: "remove_all_sd,enable_kubernetes_sd", Overlay: prometheusOverlay(),
		Cost: "about 2 minutes, once kube is built",
	}
}

// Promtool returns the program that checks rules for Prometheus, and tries them on
// made-up series. It needs no discovery at all.
func Promtool() Program {
	return Program{
		Name: "promtool", Module: "prometheus", Commands: []string{"github.com/prometheus/prometheus/cmd/promtool"},
		Tags: "remove_all_sd", Overlay: prometheusOverlay(),
		Cost: "half a minute, once the API server is built",
	}
}

// prometheusOverlay leaves out how it would sign in to clouds, which is a third of it.
func prometheusOverlay() map[string]string {
	const remote = "github.com/prometheus/prometheus//storage/remote/"
	return map[string]string{
		"github.com/prometheus/sigv4//sigv4.go": "sigv4.overlay",
		remote + "azuread/azuread.go":           "azuread.overlay",
		remote + "googleiam/googleiam.go":       "googleiam.overlay",
	}
}

// KEDA returns KEDA's operator and its adapter, where HPAs get external metrics from.
func KEDA() Program {
	const cmd = "github.com/kedacore/keda/v2/cmd/"
	return Program{
		Name: "keda", Commands: []string{cmd + "operator", cmd + "adapter"}, Overlay: kedaOverlay(),
		Cost: "about 2 minutes, once kube is built",
	}
}

// kedaOverlay leaves out the triggers and secret stores of clouds, queues and databases:
// of 70 triggers there stay CPU, memory, cron, Prometheus, metrics-api, workloads and
// external ones.
func kedaOverlay() map[string]string {
	const scalers, resolver = "github.com/kedacore/keda/v2//pkg/scalers/", "github.com/kedacore/keda/v2//pkg/scaling/resolver/"
	overlay := map[string]string{
		scalers + "*_scaler.go":                   "",
		scalers + "activemq_scaler.go":            "scalers.overlay",
		scalers + "azure/azure_data_explorer.go":  "",
		scalers + "azure/azure_eventhub*.go":      "",
		scalers + "azure/azure_storage.go":        "",
		scalers + "gcp/gcp_stackdriver_client.go": "",
		resolver + "aws_secretmanager_handler.go": "aws-secrets.overlay",
		resolver + "gcp_secretmanager_handler.go": "gcp-secrets.overlay",
	}
	for _, kept := range []string{"cpu_memory", "cron", "external", "external_mock", "kubernetes_workload", "metrics_api", "prometheus"} {
		overlay[scalers+kept+"_scaler.go"] = keepFile
	}
	return overlay
}

// Helm returns helm, with which people install charts.
func Helm() Program {
	return Program{Name: "helm", Commands: []string{"helm.sh/helm/v4/cmd/helm"}, Cost: "half a minute, once kube is built"}
}

// Kyverno returns kyverno, which carries out policies, and cosign, which signs images:
// it is made of the packages with which Kyverno verifies them.
func Kyverno() Program {
	return Program{
		Name: "kyverno", Commands: []string{"github.com/kyverno/kyverno/cmd/kyverno", "github.com/sigstore/cosign/v3/cmd/cosign"},
		Cost: "about 6 minutes on two cores",
	}
}

// Syft returns syft, which says what is in images.
func Syft() Program {
	const getter = "github.com/hashicorp/go-getter//"
	return Program{
		Name: "syft", Commands: []string{"."},
		// What it could fetch from the stores of clouds is a third of it.
		Overlay: map[string]string{getter + "get_gcs.go": "", getter + "get_s3.go": "getters.overlay"},
		Cost:    "about a minute on two cores",
	}
}

// KWOK returns kwok, which plays nodes and the life of their pods.
func KWOK() Program {
	return Program{Name: "kwok", Commands: []string{"sigs.k8s.io/kwok/cmd/kwok"}, Cost: "about 2 minutes on two cores"}
}

// Tier is a part of the tests that need a real cluster, with what must be built for it.
type Tier struct {
	Name     string
	Programs []Program
}

// Tiers returns all tiers. Edge and scale each need what core needs as well.
func Tiers() []Tier {
	return []Tier{
		{"core", []Program{Kube(), Node(), CoreDNS(), VersityGW(), Agent(), Pause(), Probe(), Helm()}},
		{"edge", []Program{CertManager(), Pebble(), Traefik()}},
		{"scale", []Program{MetricsServer(), Prometheus(), KEDA()}},
		{"policy", []Program{Kyverno(), Syft()}},
		{"kwok", []Program{KWOK()}},
		{"test", []Program{APIServer(), Promtool()}}, // without a cluster
	}
}

// ByName returns the program of a name, or those of the tier of that name.
func ByName(name string) ([]Program, error) {
	known := make([]string, 0, 16)
	for _, tier := range Tiers() {
		if tier.Name == name {
			return tier.Programs, nil
		}
		known = append(known, tier.Name)
	}
	for _, tier := range Tiers() {
		for _, program := range tier.Programs {
			if program.Name == name {
				return []Program{program}, nil
			}
			known = append(known, program.Name)
		}
	}
	return nil, fmt.Errorf("no program or tier is named %q; there are %s", name, strings.Join(known, ", "))
}

// kubernetesVersion returns the linker's flags that make a component say which
// version it is; without them it is v0.0.0-master, which clients do not believe.
func kubernetesVersion(version string) string {
	const pkg = "k8s.io/component-base/version"
	parts := strings.SplitN(strings.TrimPrefix(version, "v"), ".", 3)
	return strings.Join([]string{
		fmt.Sprintf("-X %s.gitVersion=%s", pkg, version),
		fmt.Sprintf("-X %s.gitMajor=%s", pkg, parts[0]),
		fmt.Sprintf("-X %s.gitMinor=%s", pkg, parts[1]),
		fmt.Sprintf("-X %s.gitTreeState=clean", pkg),
		fmt.Sprintf("-X %s.buildDate=1970-01-01T00:00:00Z", pkg),
	}, " ")
}
