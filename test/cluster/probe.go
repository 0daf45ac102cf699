//go:build linux

package cluster

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

//go:embed manifests/probe.yaml
var probeManifest string

// Probe is a Deployment in the cluster through which tests call others, with a Service
// of its name at port 80. It runs as a restricted namespace wants it.
type Probe struct {
	Namespace, Name string
	cluster         *Cluster
}

// StartProbe runs a probe and waits until it answers. Its pods have the given labels
// and the label app with its name.
func (c *Cluster) StartProbe(ctx context.Context, namespace, name string, replicas int, labels map[string]string) (*Probe, error) {
	image, err := c.pushProgram(ctx, "probe:1", c.program("probe", "probe"))
	if err != nil {
		return nil, err
	}
	all := map[string]string{"app": name}
	maps.Copy(all, labels)
	quoted, err := json.Marshal(all) // which is YAML as well
	if err != nil {
		return nil, err
	}
	err = c.applyTemplate(ctx, "probe", probeManifest, map[string]string{
		"Namespace": namespace, "Name": name, "Image": image, "Labels": string(quoted), "Replicas": strconv.Itoa(replicas),
	})
	if err != nil {
		return nil, err
	}
	return &Probe{Namespace: namespace, Name: name, cluster: c}, c.waitForDeployment(ctx, namespace, name)
}

// Reply is what a call through a probe gave: a status and body, or in Error why
// there was none.
type Reply struct {
	Status      int
	Body, Error string
}

// Get has one of the probe's pods call a URL, with 3 seconds of time.
func (p *Probe) Get(ctx context.Context, url string) (Reply, error) {
	pods, err := p.pods(ctx)
	if err != nil {
		return Reply{}, err
	}
	body, err := p.ask(ctx, pods[0], "get", map[string]string{"url": url})
	if err != nil {
		return Reply{}, fmt.Errorf("calling %s through the probe %s/%s: %w", url, p.Namespace, p.Name, err)
	}
	var r Reply
	if err := json.Unmarshal(body, &r); err != nil {
		return Reply{}, fmt.Errorf("the probe %s/%s answers %q: %w", p.Namespace, p.Name, body, err)
	}
	return r, nil
}

// Relay has the probe's pod pass what comes at port 4317 on to an address outside of the
// cluster.
func (p *Probe) Relay(ctx context.Context, to string) error {
	pods, err := p.pods(ctx)
	if err != nil {
		return err
	}
	if len(pods) != 1 {
		return fmt.Errorf("the probe %s/%s has %d pods, and one can relay", p.Namespace, p.Name, len(pods))
	}
	_, err = p.ask(ctx, pods[0], "relay", map[string]string{"to": to})
	return err
}

// pods are the names of the probe's pods: one at least.
func (p *Probe) pods(ctx context.Context) ([]string, error) {
	list, err := p.cluster.client.CoreV1().Pods(p.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + p.Name})
	if err != nil {
		return nil, err
	}
	if len(list.Items) == 0 {
		return nil, fmt.Errorf("the probe %s/%s has no pods", p.Namespace, p.Name)
	}
	names := make([]string, len(list.Items))
	for i := range list.Items {
		names[i] = list.Items[i].Name
	}
	return names, nil
}

// ask calls a pod by the API server, which reaches pods whatever lies between them and
// the test.
func (p *Probe) ask(ctx context.Context, pod, path string, parameters map[string]string) ([]byte, error) {
	return p.cluster.client.CoreV1().Pods(p.Namespace).ProxyGet("http", pod, "8080", path, parameters).DoRaw(ctx)
}

// ProbeAt returns a probe that was started before.
func (c *Cluster) ProbeAt(namespace, name string) *Probe {
	return &Probe{Namespace: namespace, Name: name, cluster: c}
}

// Burn keeps CPUs of the probe's pods busy until the context ends: about one for each
// call at a time.
func (p *Probe) Burn(ctx context.Context) error {
	address, err := p.address(ctx)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/burn", nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if ctx.Err() != nil {
		return nil // as it was asked
	}
	if err == nil {
		err = fmt.Errorf("the probe %s/%s burns no longer: %s", p.Namespace, p.Name, res.Status)
		_ = res.Body.Close()
	}
	return err
}

// Set sets the value of the probe's metric probe_value, on one of its pods.
func (p *Probe) Set(ctx context.Context, value int) error {
	address, err := p.address(ctx)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+address+"/metrics", strings.NewReader(strconv.Itoa(value)))
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("setting the metric of the probe %s/%s: %s", p.Namespace, p.Name, res.Status)
	}
	return nil
}

// address is that of the probe's oldest pod, which stays when others come and go.
func (p *Probe) address(ctx context.Context) (string, error) {
	if !p.cluster.Own() {
		return "", &ForeignError{Want: "pods that are called from outside it"}
	}
	pods, err := p.cluster.client.CoreV1().Pods(p.Namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + p.Name})
	if err != nil {
		return "", err
	}
	if len(pods.Items) == 0 {
		return "", fmt.Errorf("the probe %s/%s has no pods", p.Namespace, p.Name)
	}
	oldest := slices.MinFunc(pods.Items, func(a, b corev1.Pod) int { return a.CreationTimestamp.Compare(b.CreationTimestamp.Time) })
	return oldest.Status.PodIP + ":8080", nil
}
