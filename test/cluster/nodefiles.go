//go:build linux

package cluster

import (
	"bytes"
	"os"
	"path/filepath"
	"text/template"
)

// nodeValues are filled into the files of a node.
type nodeValues struct {
	Name, Cgroup, Certs, CNI, Pause, ClientCA, DNS, PodNetwork, Pods, ProxyKubeconfig string
}

// containerdConfig is for containerd 1.6. Without CAP_SYS_RESOURCE, which containers
// and small virtual machines may lack, it cannot lower oom_score_adj.
const containerdConfig = `version = 2
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = "{{.Pause}}"
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".registry]
config_path = "{{.Certs}}"
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "{{.CNI}}"
conf_dir = "/etc/cni/net.d"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
SystemdCgroup = false
`

// kubeletConfig: every node sees the whole machine's disk, which may be rather full.
const kubeletConfig = `apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: "{{.ClientCA}}"}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /{{.Cgroup}}
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: ["{{.DNS}}"]
clusterDomain: cluster.local
resolvConf: ""
failSwapOn: false
failCgroupV1: false
evictionHard: {memory.available: 50Mi, nodefs.available: 1%, imagefs.available: 1%}
imageGCHighThresholdPercent: 100
imageGCLowThresholdPercent: 99
nodeStatusUpdateFrequency: 5s
syncFrequency: 10s
serializeImagePulls: false
registryPullQPS: 0
eventRecordQPS: 0
kubeAPIQPS: 100
kubeAPIBurst: 200
oomScoreAdj: 0
`

// proxyConfig: the machine's limits of connections are not a node's to set.
const proxyConfig = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: iptables
clusterCIDR: {{.PodNetwork}}
hostnameOverride: {{.Name}}
clientConnection: {kubeconfig: "{{.ProxyKubeconfig}}"}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
iptables: {minSyncPeriod: 100ms, syncPeriod: 30s}
oomScoreAdj: 0
`

// cniConfig joins a node's pods to a bridge of the node.
const cniConfig = `{"cniVersion": "0.4.0", "name": "mizzen-test", "plugins": [
  {"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": false, "hairpinMode": true,
   "ipam": {"type": "host-local", "ranges": [[{"subnet": "{{.Pods}}"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}}
]}
`

// netpolRBAC lets the NetworkPolicy agents read what their rules depend on.
const netpolRBAC = `apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: "` + netpolUser + `"}
rules:
- {apiGroups: [""], resources: [pods, namespaces], verbs: [list, watch]}
- {apiGroups: [networking.k8s.io], resources: [networkpolicies], verbs: [list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: "` + netpolUser + `"}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: "` + netpolUser + `"}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "` + netpolUser + `"}]
`

func writeTemplate(path, text string, values any) error {
	t, err := template.New(filepath.Base(path)).Parse(text)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := t.Execute(&out, values); err != nil {
		return err
	}
	return writeFile(path, out.Bytes())
}

func writeFile(path string, content []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	return os.WriteFile(path, content, 0o600)
}
