//go:build e2e

package cluster_test

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"

	"mizzen.dev/test/cluster"
	"mizzen.dev/test/cluster/binary"
)

var shared = cluster.NewShared(cluster.Options{}, nil)

// toBeKilled in the environment makes of the tests' program one that runs a cluster
// until it is killed.
const toBeKilled = "CLUSTER_TEST_TO_BE_KILLED"

func TestMain(m *testing.M) {
	if logs := os.Getenv(toBeKilled); logs != "" {
		c, err := cluster.Start(context.Background(), cluster.Options{Nodes: 1, Logs: logs})
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		fmt.Println(c.Kubeconfig())
		select {}
	}
	os.Exit(shared.Run(m))
}

// eventually waits until the condition holds, and shows its last word if it does not.
func eventually(t *testing.T, limit time.Duration, condition func(context.Context) (bool, string)) {
	t.Helper()
	last := ""
	err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, limit, true, func(ctx context.Context) (ok bool, err error) {
		ok, last = condition(ctx)
		return ok, nil
	})
	if err != nil {
		t.Fatalf("not so after %s: %s", limit, last)
	}
}

func TestVersions(t *testing.T) {
	c := shared.Get(t)
	version, err := c.Client().Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	nodes, err := c.Client().CoreV1().Nodes().List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if version.GitVersion != binary.KubeVersion || len(nodes.Items) != 2 {
		t.Errorf("Kubernetes %s with %d nodes", version.GitVersion, len(nodes.Items))
	}
	for _, node := range nodes.Items {
		if v := node.Status.NodeInfo.KubeletVersion; v != binary.NodeVersion {
			t.Errorf("%s is %s", node.Name, v)
		}
	}
}

// TestPods has restricted pods on two nodes call each other by name, S3 by address,
// and be called, asked for their logs, and entered from here.
func TestPods(t *testing.T) {
	c := shared.Get(t)
	ns := c.Namespace(t, "pods", map[string]string{"pod-security.kubernetes.io/enforce": "restricted"})
	probe, err := c.StartProbe(t.Context(), ns, "probe", 2, nil)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	eventually(t, time.Minute, func(ctx context.Context) (bool, string) {
		reply, err := probe.Get(ctx, "http://probe."+ns+".svc.cluster.local/")
		if err != nil {
			return false, err.Error()
		}
		if reply.Status == http.StatusOK {
			seen[reply.Body] = true
		}
		return len(seen) == 2, reply.Error
	})
	reply, err := probe.Get(t.Context(), c.S3.Endpoint+"/healthz")
	if err != nil || reply.Status != http.StatusOK {
		t.Errorf("S3 from a pod: %+v, %v", reply, err)
	}
	pods, err := c.Client().CoreV1().Pods(ns).List(t.Context(), metav1.ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	nodes := map[string]bool{}
	for _, pod := range pods.Items {
		nodes[pod.Spec.NodeName] = true
	}
	if len(nodes) != 2 {
		t.Errorf("the pods are on %v", nodes)
	}
	service, err := c.Client().CoreV1().Services(ns).Get(t.Context(), "probe", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.Get("http://" + service.Spec.ClusterIP + "/")
	if err != nil {
		t.Fatalf("calling a service from here: %v", err)
	}
	res.Body.Close()
	if _, err := c.Kubectl(t.Context(), "-n", ns, "logs", pods.Items[0].Name); err != nil {
		t.Error(err)
	}
	_, err = c.Kubectl(t.Context(), "-n", ns, "exec", pods.Items[0].Name, "--", "/none")
	if err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("executing what is not there gives %v", err)
	}
	events, err := c.Client().CoreV1().Pods(ns).Create(t.Context(), &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "root"},
		Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "c", Image: "none"}}}}, metav1.CreateOptions{})
	if err == nil {
		t.Errorf("a restricted namespace took %v", events)
	}
}

// TestNetworkPolicies lets one client in and keeps another out, on any node, and lets
// out to one address and not to another.
func TestNetworkPolicies(t *testing.T) {
	c := shared.Get(t)
	ns := c.Namespace(t, "netpol", nil)
	for name, replicas := range map[string]int{"server": 2, "friend": 1, "stranger": 1} {
		if _, err := c.StartProbe(t.Context(), ns, name, replicas, nil); err != nil {
			t.Fatal(err)
		}
	}
	friend, stranger, server := c.ProbeAt(ns, "friend"), c.ProbeAt(ns, "stranger"), c.ProbeAt(ns, "server")
	reaches := func(ctx context.Context, p *cluster.Probe, url string) bool {
		reply, err := p.Get(ctx, url)
		return err == nil && reply.Status == http.StatusOK
	}
	url := "http://server." + ns + ".svc.cluster.local/"
	if !reaches(t.Context(), friend, url) || !reaches(t.Context(), stranger, url) || !reaches(t.Context(), server, c.S3.Endpoint+"/healthz") {
		t.Fatal("not everybody reaches everybody before there is a policy")
	}
	err := c.Apply(t.Context(), `
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: server, namespace: `+ns+`}
spec:
  podSelector: {matchLabels: {app: server}}
  policyTypes: [Ingress, Egress]
  ingress: [{from: [{podSelector: {matchLabels: {app: friend}}}], ports: [{port: http}]}]
  egress:
  - to: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: kube-system}}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]
    ports: [{port: dns, protocol: UDP}]
  - to: [{podSelector: {matchLabels: {app: stranger}}}]
`)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, 30*time.Second, func(ctx context.Context) (bool, string) {
		return !reaches(ctx, stranger, url) && !reaches(ctx, server, c.S3.Endpoint+"/healthz"), "the stranger comes in, or the server goes out"
	})
	for range 4 { // to pods on both nodes
		if !reaches(t.Context(), friend, url) {
			t.Fatal("the friend is kept out")
		}
		if reaches(t.Context(), stranger, url) {
			t.Fatal("the stranger came in")
		}
	}
	if !reaches(t.Context(), server, "http://stranger."+ns+".svc.cluster.local/") {
		t.Error("the server cannot go out to where it may")
	}
}

// TestNodeLoss switches a node off and on again.
func TestNodeLoss(t *testing.T) {
	c := shared.Get(t)
	ready := func(ctx context.Context) corev1.ConditionStatus {
		node, err := c.Client().CoreV1().Nodes().Get(ctx, c.NodeName(2), metav1.GetOptions{})
		if err != nil {
			return ""
		}
		for _, condition := range node.Status.Conditions {
			if condition.Type == corev1.NodeReady {
				return condition.Status
			}
		}
		return ""
	}
	if err := c.KillNode(2); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func(ctx context.Context) (bool, string) {
		status := ready(ctx)
		return status == corev1.ConditionUnknown, string(status)
	})
	if err := c.StartNode(2); err != nil {
		t.Fatal(err)
	}
	eventually(t, time.Minute, func(ctx context.Context) (bool, string) {
		status := ready(ctx)
		return status == corev1.ConditionTrue, string(status)
	})
}

// TestNothingIsLeft holds after a cluster was stopped.
func TestNothingIsLeft(t *testing.T) {
	c, err := cluster.Start(t.Context(), cluster.Options{Nodes: 1, Logs: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	// Its directory ends in the number that all its names have.
	dir := filepath.Dir(filepath.Dir(c.Kubeconfig()))
	if during := traces(t, dir); len(during) < 10 {
		t.Errorf("of a cluster that runs there is only %q", during)
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if after := traces(t, dir); len(after) > 0 {
		t.Errorf("it has left %q", after)
	}
}

// TestKilled has the program that runs a cluster killed. Its processes go with it, and
// what else there is of it goes when somebody sweeps.
func TestKilled(t *testing.T) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), toBeKilled+"="+t.TempDir())
	cmd.Stderr = t.Output()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatal(cmd.Wait())
	}
	dir := filepath.Dir(filepath.Dir(lines.Text()))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil {
		t.Error("it was not killed")
	}
	eventually(t, 10*time.Second, func(context.Context) (bool, string) {
		out, err := exec.Command("ps", "-eo", "args").CombinedOutput()
		return err == nil && !strings.Contains(string(out), dir+"/"), string(out)
	})
	if left := traces(t, dir); len(left) == 0 {
		t.Error("there is nothing to sweep")
	}
	if err := cluster.Sweep(); err != nil {
		t.Error(err)
	}
	if left := traces(t, dir); len(left) > 0 {
		t.Errorf("sweeping leaves %q", left)
	}
}

// traces lists what a cluster has made on the machine: files, links, namespaces,
// cgroups, routes and processes.
func traces(t *testing.T, dir string) []string {
	t.Helper()
	name := "mizzen" + filepath.Base(dir)
	var found []string
	for _, pattern := range []string{dir, "/sys/class/net/" + name + "*", "/run/netns/" + name + "-*", "/sys/fs/cgroup/" + name + "-*", "/sys/fs/cgroup/*/" + name + "-*"} {
		matches, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		found = append(found, matches...)
	}
	for _, what := range []struct {
		command []string
		in      string
	}{{[]string{"ip", "route"}, name}, {[]string{"ps", "-eo", "args"}, dir + "/"}} {
		out, err := exec.Command(what.command[0], what.command[1:]...).Output()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(out)) {
			if strings.Contains(line, what.in) {
				found = append(found, strings.TrimSpace(line))
			}
		}
	}
	return found
}
