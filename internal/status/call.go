package status

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Call is how to ask the model, to be pasted into a shell.
type Call struct {
	// Before makes the model reachable from here, where it is not: it runs meanwhile.
	Before string `json:"before,omitempty"`
	// Command asks the model what it takes and gives.
	Command string `json:"command"`
}

// localPort is the port on this machine that the call goes to where the model is not
// exposed.
const localPort = "8080"

// way is how callers from outside come in; its zero value is none.
type way struct {
	scheme, host, path string
	// address of the Gateway or the Ingress, for as long as no name server knows the host.
	address string
}

func (w way) url() string {
	if w.host == "" {
		return ""
	}
	return (&url.URL{Scheme: w.scheme, Host: w.host, Path: strings.TrimSuffix(w.path, "/")}).String()
}

// wayIn looks at the objects, and lets the Model, which knows better, correct them.
func wayIn(o *Objects) way {
	w := wayOfIngress(o)
	if w.host == "" {
		w = wayOfRoute(o)
	}
	if o.Model == nil {
		return w
	}
	if e := o.Model.Spec.Expose; e != nil {
		w.host, w.path = e.Host, e.Path
		if e.TLS != nil {
			w.scheme = "https"
		}
	}
	if u, err := url.Parse(o.Model.Status.URL); err == nil && u.Host != "" && w.host == u.Hostname() {
		w.scheme, w.path = u.Scheme, u.Path
	}
	w.scheme = cmp.Or(w.scheme, "http")
	return w
}

func wayOfIngress(o *Objects) way {
	for i := range o.Ingresses {
		in := &o.Ingresses[i]
		for _, rule := range in.Spec.Rules {
			if rule.Host == "" || rule.HTTP == nil || len(rule.HTTP.Paths) == 0 {
				continue
			}
			w := way{scheme: "http", host: rule.Host}
			// A rewritten prefix is a pattern: /iris(/|$)(.*).
			w.path, _, _ = strings.Cut(rule.HTTP.Paths[0].Path, "(")
			if len(in.Spec.TLS) > 0 {
				w.scheme = "https"
			}
			for _, lb := range in.Status.LoadBalancer.Ingress {
				w.address = cmp.Or(w.address, lb.IP, lb.Hostname)
			}
			return w
		}
	}
	return way{}
}

func wayOfRoute(o *Objects) way {
	for i := range o.HTTPRoutes {
		route := o.HTTPRoutes[i].Object
		hosts, _, _ := unstructured.NestedStringSlice(route, "spec", "hostnames")
		if len(hosts) == 0 {
			continue
		}
		w := way{scheme: "http", host: hosts[0], path: prefixOfRoute(route)}
		for j := range o.Gateways {
			w.throughGateway(o.Gateways[j].Object)
		}
		return w
	}
	return way{}
}

// prefixOfRoute is the path that the first rule matches.
func prefixOfRoute(route map[string]any) string {
	rules, _, _ := unstructured.NestedSlice(route, "spec", "rules")
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		matches, _, _ := unstructured.NestedSlice(rule, "matches")
		for _, m := range matches {
			match, _ := m.(map[string]any)
			if p, ok, _ := unstructured.NestedString(match, "path", "value"); ok {
				return p
			}
		}
	}
	return ""
}

// throughGateway takes the scheme of the listener for the host, and the address.
func (w *way) throughGateway(gateway map[string]any) {
	listeners, _, _ := unstructured.NestedSlice(gateway, "spec", "listeners")
	for _, l := range listeners {
		listener, _ := l.(map[string]any)
		host, _ := listener["hostname"].(string)
		if listener["protocol"] == "HTTPS" && covers(host, w.host) {
			w.scheme = "https"
		}
	}
	addresses, _, _ := unstructured.NestedSlice(gateway, "status", "addresses")
	for _, a := range addresses {
		address, _ := a.(map[string]any)
		value, _ := address["value"].(string)
		switch address["type"] {
		case nil, "IPAddress", "Hostname": // others are of the implementation's own
			w.address = cmp.Or(w.address, value)
		}
	}
}

// covers says whether a listener's hostname, which may be empty or *.example.com, is
// also for host.
func covers(listener, host string) bool {
	suffix, wild := strings.CutPrefix(listener, "*")
	return listener == "" || listener == host || wild && strings.HasSuffix(host, suffix)
}

// call returns how to ask the model; nil if nothing can be asked.
func call(o *Objects, w way) *Call {
	key := keyHeader(o)
	if w.host != "" {
		return &Call{Command: "curl " + w.connect(o) + key + shellWord(w.url()+askPath(o))}
	}
	service := serviceOf(o)
	if service == nil {
		return nil
	}
	return &Call{
		Before:  fmt.Sprintf("%s port-forward service/%s %s:%d", kubectl(o), service.Name, localPort, httpPort(service)),
		Command: "curl " + untilForwarded + key + shellWord("http://localhost:"+localPort+askPath(o)),
	}
}

// untilForwarded has curl wait for the port that is forwarded meanwhile.
const untilForwarded = "--retry 9 --retry-connrefused "

// kubectl begins a command for the cluster and the namespace that the objects are of.
func kubectl(o *Objects) string {
	words := []string{"kubectl"}
	for _, f := range o.KubectlFlags {
		words = append(words, shellWord(f))
	}
	return strings.Join(append(words, "-n", o.Namespace), " ")
}

// connect tells curl the address of a host that no name server here knows.
func (w way) connect(o *Objects) string {
	if o.Resolves[w.host] || w.address == "" {
		return ""
	}
	port := "80"
	if w.scheme == "https" {
		port = "443"
	}
	if net.ParseIP(w.address) != nil {
		return fmt.Sprintf("--resolve %s:%s:%s ", w.host, port, w.address)
	}
	return "--connect-to " + shellWord(fmt.Sprintf("%s:%s:%s:%s", w.host, port, w.address, port)) + " "
}

// askPath is a path at which the server tells of its model without being given
// anything. The probe of the pods knows the server.
func askPath(o *Objects) string {
	const openInference = "/v2/models/"
	probe := probePath(o)
	switch {
	case probe == "" || probe == "/readyz" || strings.HasPrefix(probe, "/v2/"):
		return openInference + o.Name
	}
	return probe
}

func probePath(o *Objects) string {
	for i := range o.Deployments {
		for _, c := range o.Deployments[i].Spec.Template.Spec.Containers {
			if p := c.ReadinessProbe; p != nil && p.HTTPGet != nil {
				return p.HTTPGet.Path
			}
		}
	}
	return ""
}

func serviceOf(o *Objects) *corev1.Service {
	for i := range o.Services {
		if o.Services[i].Name == o.Name {
			return &o.Services[i]
		}
	}
	if len(o.Services) > 0 {
		return &o.Services[0]
	}
	return nil
}

func httpPort(s *corev1.Service) int32 {
	i := slices.IndexFunc(s.Spec.Ports, func(p corev1.ServicePort) bool { return p.Name == "http" })
	switch {
	case i >= 0:
		return s.Spec.Ports[i].Port
	case len(s.Spec.Ports) > 0:
		return s.Spec.Ports[0].Port
	}
	return 80
}

// keyHeader is the header with an API key, taken from where the keys are; "" where
// none is asked for. The first line of the entry that is a key will do.
func keyHeader(o *Objects) string {
	secret, key := keysOf(o)
	if secret == "" {
		return ""
	}
	return fmt.Sprintf(`-H "X-API-Key: $(%s get secret %s -o go-template='{{index .data %q | base64decode}}' | grep -m1 '^[^#]')" `,
		kubectl(o), secret, key)
}

// keysOf is the entry of a Secret with the API keys.
func keysOf(o *Objects) (secret, key string) {
	if o.Model != nil {
		if auth := o.Model.Spec.Auth; auth != nil {
			return auth.APIKeys.Name, auth.APIKeys.Key
		}
		return "", ""
	}
	for i := range o.Deployments {
		for _, v := range o.Deployments[i].Spec.Template.Spec.Volumes {
			if v.Name == keysVolume && v.Secret != nil && len(v.Secret.Items) > 0 {
				return v.Secret.SecretName, v.Secret.Items[0].Key
			}
		}
	}
	return "", ""
}

// keysVolume is what render calls the volume with the API keys.
const keysVolume = "api-keys"

// shellWord quotes a word for a shell if it needs that.
func shellWord(s string) string {
	const plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:/@%+="
	if strings.Trim(s, plain) == "" {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// Hosts returns the names under which the Model is reached from outside.
func Hosts(o *Objects) []string {
	if w := wayIn(o); w.host != "" {
		return []string{w.host}
	}
	return nil
}
