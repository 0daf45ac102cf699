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
		Cost:    "about 5 minutes on two cores",
	}
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
