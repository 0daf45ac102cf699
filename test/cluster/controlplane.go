//go:build linux

package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"

	"mizzen.dev/test/cluster/audit"
)

const (
	// readyTimeout bounds the start of the API server, on a machine whose cores are busy.
	readyTimeout = 2 * time.Minute
	apiPort      = "6443"
)

// startControlPlane starts etcd, the API server, the controllers and the scheduler.
func (c *Cluster) startControlPlane(ctx context.Context) error {
	server := "https://" + c.site.host() + ":" + apiPort
	if err := c.makeAuthorities(server); err != nil {
		return err
	}
	etcd, err := c.startComponent("etcd", c.etcdFlags())
	if err != nil {
		return err
	}
	flags, err := c.apiserverFlags()
	if err != nil {
		return err
	}
	apiserver, err := c.startComponent("kube-apiserver", flags)
	if err != nil {
		return err
	}
	if err := c.connectAs(c.site.path("pki", "admin.kubeconfig")); err != nil {
		return err
	}
	c.kubectl = c.program("kube", "kubectl")
	// The controllers give up if what they may do is not there yet.
	if err := c.waitForAPI(ctx, etcd, apiserver); err != nil {
		return err
	}
	if _, err := c.startComponent("kube-controller-manager", c.controllersFlags()); err != nil {
		return err
	}
	_, err = c.startComponent("kube-scheduler", c.schedulerFlags())
	return err
}

func (c *Cluster) startComponent(name string, flags []string) (*process, error) {
	return c.startProcess(name, exec.Command(c.program("kube", name), flags...))
}

func (c *Cluster) waitForAPI(ctx context.Context, processes ...*process) error {
	ctx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("the API server is not ready after %s; see the logs in %s", readyTimeout, c.Logs))
	defer cancel()
	return waitFor(ctx, func() (bool, error) {
		for _, p := range processes {
			if err := p.ended(); err != nil {
				return false, err
			}
		}
		_, err := c.client.Discovery().RESTClient().Get().AbsPath("/readyz").DoRaw(ctx)
		return err == nil, nil
	})
}

// makeAuthorities makes the keys and configurations of all who speak with the API server.
func (c *Cluster) makeAuthorities(server string) error {
	pki := c.site.path("pki")
	ca, err := newAuthority(pki, "ca")
	if err != nil {
		return err
	}
	c.authority = ca
	front, err := newAuthority(pki, "front-proxy-ca")
	if err != nil {
		return err
	}
	if _, _, err := front.issue("front-proxy-client", "front-proxy-client", nil, nil); err != nil {
		return err
	}
	names := []string{c.site.host(), c.site.service(1), "127.0.0.1", "localhost",
		"kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"}
	if _, _, err := ca.issue("apiserver", "kube-apiserver", nil, names); err != nil {
		return err
	}
	if _, _, err := ca.issue("apiserver-kubelet-client", "kube-apiserver-kubelet-client", []string{"system:masters"}, nil); err != nil {
		return err
	}
	if _, _, err := ca.issue("service-accounts", "service-accounts", nil, nil); err != nil {
		return err
	}
	for file, user := range map[string][]string{
		"admin":              {"admin", "system:masters"},
		"controller-manager": {"system:kube-controller-manager"},
		"scheduler":          {"system:kube-scheduler"},
		"kube-proxy":         {"system:kube-proxy"},
		"netpol":             {netpolUser},
	} {
		if err := ca.kubeconfig(file, server, user[0], user[1:]...); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) etcdFlags() []string {
	client, peer := "http://"+c.site.loopback()+":2379", "http://"+c.site.loopback()+":2380"
	return []string{
		"--data-dir", c.site.path("etcd"), "--log-level", "warn",
		"--listen-client-urls", client, "--advertise-client-urls", client,
		"--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", "default=" + peer,
		"--unsafe-no-fsync", // nothing here is to survive a power cut
		"--quota-backend-bytes", "4294967296",
	}
}

func (c *Cluster) apiserverFlags() ([]string, error) {
	policy := c.site.path("audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(audit.Policy), 0o600); err != nil {
		return nil, err
	}
	pki, s := c.authority, c.site
	return []string{
		"--etcd-servers", "http://" + s.loopback() + ":2379",
		"--bind-address", s.host(), "--advertise-address", s.host(), "--secure-port", apiPort,
		"--tls-cert-file", pki.crt("apiserver"), "--tls-private-key-file", pki.keyFile("apiserver"),
		"--client-ca-file", pki.crt("ca"),
		"--kubelet-client-certificate", pki.crt("apiserver-kubelet-client"), "--kubelet-client-key", pki.keyFile("apiserver-kubelet-client"),
		"--kubelet-preferred-address-types", "InternalIP", // their names are in no DNS
		"--service-account-issuer", "https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file", pki.keyFile("service-accounts"), "--service-account-signing-key-file", pki.keyFile("service-accounts"),
		"--service-cluster-ip-range", s.services(),
		"--authorization-mode", "Node,RBAC", "--enable-admission-plugins", "NodeRestriction", "--allow-privileged=true",
		"--requestheader-client-ca-file", pki.crt("front-proxy-ca"), "--requestheader-allowed-names", "front-proxy-client",
		"--requestheader-username-headers", "X-Remote-User", "--requestheader-group-headers", "X-Remote-Group",
		"--requestheader-extra-headers-prefix", "X-Remote-Extra-",
		"--proxy-client-cert-file", pki.crt("front-proxy-client"), "--proxy-client-key-file", pki.keyFile("front-proxy-client"),
		"--enable-aggregator-routing=true", // this machine has no kube-proxy
		"--audit-policy-file", policy, "--audit-log-path", filepath.Join(c.Logs, "audit.log"),
		"--audit-log-maxsize", "10240", // MB: one file holds all
		"--profiling=false",
	}, nil
}

// kubeconfigFlags are those that the controllers and the scheduler share.
func (c *Cluster) kubeconfigFlags(file string) []string {
	path := c.site.path("pki", file+".kubeconfig")
	return []string{
		"--kubeconfig", path, "--authentication-kubeconfig", path, "--authorization-kubeconfig", path,
		"--bind-address", c.site.loopback(), "--leader-elect=false", "--profiling=false",
	}
}

func (c *Cluster) controllersFlags() []string {
	pki := c.authority
	return slices.Concat(c.kubeconfigFlags("controller-manager"), []string{
		"--use-service-account-credentials=true", "--service-account-private-key-file", pki.keyFile("service-accounts"),
		"--root-ca-file", pki.crt("ca"), "--cluster-signing-cert-file", pki.crt("ca"), "--cluster-signing-key-file", pki.keyFile("ca"),
		"--allocate-node-cidrs=false", "--service-cluster-ip-range", c.site.services(),
		// Tests wait for what these say: a lost node, and a change of load.
		"--node-monitor-grace-period", "20s", "--horizontal-pod-autoscaler-sync-period", "5s",
		"--horizontal-pod-autoscaler-initial-readiness-delay", "5s", "--horizontal-pod-autoscaler-cpu-initialization-period", "15s",
		"--kube-api-qps", "200", "--kube-api-burst", "400",
	})
}

func (c *Cluster) schedulerFlags() []string {
	return slices.Concat(c.kubeconfigFlags("scheduler"), []string{"--kube-api-qps", "200", "--kube-api-burst", "400"})
}
