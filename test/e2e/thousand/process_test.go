//go:build e2e

package thousand

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
	"k8s.io/utils/ptr"

	"mizzen.dev/test/cluster"
)

const (
	systemNamespace = "mizzen-system"
	operatorName    = "mizzen-operator"
	operatorUser    = "system:serviceaccount:" + systemNamespace + ":" + operatorName
	// memoryLimit is the one of config/deployment.yaml, which Go is told of.
	memoryLimit = "512MiB"
	// stopTimeout bounds how long the operator may take to end.
	stopTimeout = 30 * time.Second
	// maxMetrics bounds what it says of itself.
	maxMetrics = 4 << 20
)

// process is an operator that runs on this machine, with the rights of config/rbac.yaml.
type process struct {
	cmd     *exec.Cmd
	metrics string
	log     *os.File
}

// buildOperator compiles mizzenctl.
func buildOperator(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mizzenctl")
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", "-s -w", "-o", path, "mizzen.dev/cmd/mizzenctl")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building mizzenctl: %v\n%s", err, out)
	}
	return path
}

// operatorConfig is a kubeconfig of the operator's ServiceAccount.
func operatorConfig(t *testing.T, c *cluster.Cluster) string {
	t.Helper()
	token, err := c.Client().CoreV1().ServiceAccounts(systemNamespace).CreateToken(t.Context(), operatorName,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: ptr.To[int64](7200)}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	const name = "operator"
	admin := c.Config()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	err = clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: admin.Host, CertificateAuthorityData: admin.CAData}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {Token: token.Status.Token}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// startOperator runs the operator until stop, or the end of the test.
func startOperator(t *testing.T, c *cluster.Cluster, binary, kubeconfig, platform string) *process {
	t.Helper()
	port, err := freePort()
	if err != nil {
		t.Fatal(err)
	}
	p := &process{metrics: "127.0.0.1:" + port}
	if p.log, err = os.OpenFile(filepath.Join(c.Logs, "operator.log"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600); err != nil {
		t.Fatal(err)
	}
	p.cmd = exec.Command(binary, "operator", "--platform", platform, "--leader-namespace", systemNamespace,
		"--metrics-address", p.metrics, "--health-address", "0", "--pprof-address", *pprof, "--log-level", *level)
	p.cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "GOMEMLIMIT="+memoryLimit)
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.stop(t) })
	return p
}

func freePort() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	return port, joinClose(l, err)
}

func joinClose(c io.Closer, err error) error {
	if errClose := c.Close(); err == nil {
		err = errClose
	}
	return err
}

// stop ends the operator as a kubelet does.
func (p *process) stop(t *testing.T) {
	if p.cmd.ProcessState != nil {
		return
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Error(err)
	}
	timer := time.AfterFunc(stopTimeout, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	if err := p.cmd.Wait(); err != nil {
		t.Errorf("the operator ended: %v; see %s", err, p.log.Name())
	}
	if err := p.log.Close(); err != nil {
		t.Error(err)
	}
}

// memory is what the operator holds, at most so far and now, in MB.
func (p *process) memory(t *testing.T) (peak, now float64) {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	of := func(field string) float64 {
		m := regexp.MustCompile(field + `:\s+(\d+) kB`).FindSubmatch(status)
		if m == nil {
			t.Fatalf("no %s in %s", field, status)
		}
		kib, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			t.Fatal(err)
		}
		return kib * 1024 / 1e6
	}
	return of("VmHWM"), of("VmRSS")
}

// cpu is how long processors have worked for the operator.
func (p *process) cpu(t *testing.T) time.Duration {
	t.Helper()
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	const user, system = 11, 12 // after the name in parentheses, see proc(5)
	var ticks int64
	for _, text := range []string{fields[user], fields[system]} {
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		ticks += n
	}
	return time.Duration(ticks) * time.Second / 100 // USER_HZ
}

// reconciled is how often the operator has looked at a Model.
func (p *process) reconciled(ctx context.Context) (float64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.metrics+"/metrics", nil)
	if err != nil {
		return 0, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, maxMetrics))
	if err = joinClose(res.Body, err); err != nil {
		return 0, err
	}
	sum := 0.0
	for _, m := range regexp.MustCompile(`(?m)^controller_runtime_reconcile_total\{.*\} (\S+)$`).FindAllSubmatch(body, -1) {
		n, err := strconv.ParseFloat(string(m[1]), 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
