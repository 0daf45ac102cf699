//go:build linux

package cluster

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"mizzen.dev/test/cluster/binary"
	"mizzen.dev/test/cluster/crds"
)

//go:embed manifests/prometheus.yaml
var prometheusManifest string

const (
	prometheusNamespace = "monitoring"
	prometheusService   = 30
	prometheusPort      = "9090"
	// reloadTimeout bounds how long a new configuration may take to arrive in the pod.
	reloadTimeout = time.Minute
	// maxAnswer bounds what Prometheus answers.
	maxAnswer = 16 << 20
	// PrometheusEnv is Prometheus's URL in a cluster that KUBECONFIG names, from inside
	// it and from here.
	PrometheusEnv = "MIZZEN_E2E_PROMETHEUS"
)

// Prometheus is one that runs in the cluster.
type Prometheus struct {
	// URL is the same from pods and from this machine.
	URL string
	// Namespace and PodLabels are of who scrapes, for NetworkPolicies.
	Namespace string
	PodLabels map[string]string

	cluster *Cluster
}

// StartPrometheus runs Prometheus and installs the kinds of its operator, which does
// not run: Reload makes the configuration of the ServiceMonitors instead. In a cluster
// that is not our own, Prometheus and its operator must be there.
func (c *Cluster) StartPrometheus(ctx context.Context) (*Prometheus, error) {
	p := &Prometheus{Namespace: prometheusNamespace, PodLabels: map[string]string{"app.kubernetes.io/name": "prometheus"}, cluster: c}
	if !c.Own() {
		p.URL = os.Getenv(PrometheusEnv)
		if p.URL == "" {
			return nil, &ForeignError{Want: "the URL of its Prometheus (set " + PrometheusEnv + ")"}
		}
		return p, nil
	}
	address := c.site.service(prometheusService)
	p.URL = "http://" + address + ":" + prometheusPort
	if err := c.build(ctx, binary.Prometheus()); err != nil {
		return nil, err
	}
	if err := c.InstallCRDs(ctx, crds.PrometheusOperator()); err != nil {
		return nil, err
	}
	image, err := c.pushProgram(ctx, "prometheus:1", c.program("prometheus", "prometheus"))
	if err != nil {
		return nil, err
	}
	config, err := scrapeConfig(nil, "")
	if err != nil {
		return nil, err
	}
	err = c.applyTemplate(ctx, "prometheus", prometheusManifest, map[string]string{"Image": image, "Address": address, "Config": indent(config, 4)})
	if err != nil {
		return nil, err
	}
	return p, c.waitForDeployment(ctx, prometheusNamespace, "prometheus")
}

func indent(text string, by int) string {
	margin := strings.Repeat(" ", by)
	return margin + strings.ReplaceAll(strings.TrimSpace(text), "\n", "\n"+margin)
}

// operateEvery is how often it is looked for new monitors and rules.
const operateEvery = 5 * time.Second

// Operate does what the operator of Prometheus does elsewhere until the context ends: it
// takes up ServiceMonitors and PrometheusRules that are new, and says what it cannot take.
func (p *Prometheus) Operate(ctx context.Context) {
	ticker := time.NewTicker(operateEvery)
	defer ticker.Stop()
	known := ""
	for {
		config, rules, err := p.wanted(ctx)
		if err == nil && config != known {
			known, err = config, p.configure(ctx, config, rules)
		}
		if err != nil && ctx.Err() == nil {
			fmt.Fprintln(p.cluster.progress, "prometheus:", err)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

// Reload has Prometheus scrape what the cluster's ServiceMonitors ask for now, and
// evaluate the PrometheusRules, and returns when it does: some seconds later.
func (p *Prometheus) Reload(ctx context.Context) error {
	if !p.cluster.Own() {
		return nil // its operator does so
	}
	config, rules, err := p.wanted(ctx)
	if err != nil {
		return err
	}
	return p.configure(ctx, config, rules)
}

// wanted is the configuration, and the rules, that the cluster's objects ask for.
func (p *Prometheus) wanted(ctx context.Context) (config, rules string, err error) {
	list, err := p.cluster.Kubectl(ctx, "get", "servicemonitors", "-A", "-o", "json")
	if err != nil {
		return "", "", err
	}
	monitors, err := parseMonitors([]byte(list))
	if err != nil {
		return "", "", err
	}
	if list, err = p.cluster.Kubectl(ctx, "get", "prometheusrules", "-A", "-o", "json"); err != nil {
		return "", "", err
	}
	if rules, err = ruleFile([]byte(list)); err != nil {
		return "", "", err
	}
	config, err = scrapeConfig(monitors, rules)
	return config, rules, err
}

// configure gives Prometheus its configuration, and waits until it has read it.
func (p *Prometheus) configure(ctx context.Context, config, rules string) error {
	data, err := json.Marshal(map[string]any{"data": map[string]string{"prometheus.yml": config, rulesKey: rules}})
	if err != nil {
		return err
	}
	core := p.cluster.client.CoreV1()
	if _, err := core.ConfigMaps(prometheusNamespace).Patch(ctx, "prometheus", types.MergePatchType, data, metav1.PatchOptions{}); err != nil {
		return err
	}
	return p.waitForConfig(ctx, config)
}

// waitForConfig pokes the pod, whose kubelet then looks at the ConfigMap, and asks for
// the reload until it has what it is to have.
func (p *Prometheus) waitForConfig(ctx context.Context, config string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reloadTimeout, fmt.Errorf("prometheus has not read its configuration after %s", reloadTimeout))
	defer cancel()
	pods, err := p.cluster.client.CoreV1().Pods(prometheusNamespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=prometheus"})
	if err != nil {
		return err
	}
	for _, pod := range pods.Items {
		patch := fmt.Sprintf(`{"metadata":{"annotations":{"mizzen.dev/reload":%q}}}`, time.Now().Format(time.RFC3339Nano))
		if _, err := p.cluster.client.CoreV1().Pods(pod.Namespace).Patch(ctx, pod.Name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
			return err
		}
	}
	marker := config[:strings.Index(config, "\n")] // names what the configuration is made of
	return waitFor(ctx, func() (bool, error) {
		if _, err := p.call(ctx, http.MethodPost, "/-/reload", nil); err != nil {
			return false, nil // not up yet
		}
		var status struct{ Data struct{ Yaml string } }
		body, err := p.call(ctx, http.MethodGet, "/api/v1/status/config", nil)
		if err != nil {
			return false, err
		}
		if err := json.Unmarshal(body, &status); err != nil {
			return false, err
		}
		return strings.Contains(status.Data.Yaml, strings.TrimPrefix(marker, "# ")), nil
	})
}

// Query asks Prometheus for the present values of an expression.
func (p *Prometheus) Query(ctx context.Context, expr string) ([]Sample, error) {
	body, err := p.call(ctx, http.MethodGet, "/api/v1/query", url.Values{"query": {expr}})
	if err != nil {
		return nil, fmt.Errorf("asking Prometheus for %s: %w", expr, err)
	}
	var answer struct {
		Data struct {
			Result []struct {
				Metric map[string]string
				Value  [2]any
			}
		}
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("prometheus answers %q to %s: %w", body, expr, err)
	}
	samples := make([]Sample, 0, len(answer.Data.Result))
	for _, r := range answer.Data.Result {
		samples = append(samples, Sample{Labels: r.Metric, Value: fmt.Sprint(r.Value[1])})
	}
	return samples, nil
}

// Sample is one value, as Prometheus writes it: "1", "NaN", "+Inf".
type Sample struct {
	Labels map[string]string
	Value  string
}

func (p *Prometheus) call(ctx context.Context, method, path string, values url.Values) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, p.URL+path+"?"+values.Encode(), nil)
	if err != nil {
		return nil, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s", res.Status, body)
	}
	return body, err
}

// SetRunning starts or ends Prometheus: to those who ask it, it is there or dead. What
// it knew is lost.
func (p *Prometheus) SetRunning(ctx context.Context, running bool) error {
	if !p.cluster.Own() {
		return &ForeignError{Want: "its Prometheus to be ended"}
	}
	replicas := "0"
	if running {
		replicas = "1"
	}
	if _, err := p.cluster.Kubectl(ctx, "-n", prometheusNamespace, "scale", "deployment/prometheus", "--replicas="+replicas); err != nil {
		return err
	}
	return p.cluster.waitForDeployment(ctx, prometheusNamespace, "prometheus")
}

// Pod returns the pod, for who wants its address or logs.
func (p *Prometheus) Pod(ctx context.Context) (*corev1.Pod, error) {
	pods, err := p.cluster.client.CoreV1().Pods(prometheusNamespace).List(ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=prometheus"})
	if err != nil {
		return nil, err
	}
	if len(pods.Items) == 0 {
		return nil, fmt.Errorf("prometheus does not run")
	}
	return &pods.Items[0], nil
}
