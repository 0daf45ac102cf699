package platform_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"sigs.k8s.io/yaml"

	"mizzen.dev/internal/platform"
	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/crds"
)

// cluster is an API server, and what Apply needs of it.
type cluster struct {
	*apiserver.Server
	client    dynamic.Interface
	discovery *discovery.DiscoveryClient
}

// server is shared: the tests look at different kinds, or at different namespaces.
var server *apiserver.Shared

func TestMain(m *testing.M) {
	flag.Parse()
	files, err := crds.Written(context.Background(), crds.GatewayAPI(), crds.CertManager(), crds.Kyverno(), crds.PrometheusOperator(), crds.KEDA())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server = apiserver.NewShared(apiserver.Options{CRDPaths: files})
	os.Exit(server.Run(m))
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{Server: server.Get(t)}
	c.client = c.as(t, c.Config)
	var err error
	if c.discovery, err = discovery.NewDiscoveryClientForConfig(c.Config); err != nil {
		t.Fatal(err)
	}
	return c
}

func (c *cluster) as(t *testing.T, config *rest.Config) dynamic.Interface {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func (c *cluster) mapper(t *testing.T) meta.RESTMapper {
	t.Helper()
	groups, err := restmapper.GetAPIGroupResources(c.discovery)
	if err != nil {
		t.Fatal(err)
	}
	return restmapper.NewDiscoveryRESTMapper(groups)
}

func (c *cluster) apply(t *testing.T, file string, o platform.Options) map[string]platform.Action {
	t.Helper()
	p, err := platform.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := p.Apply(t.Context(), c.client, c.mapper(t), o)
	if err != nil {
		t.Fatal(err)
	}
	actions := map[string]platform.Action{}
	for _, change := range changes {
		if change.Action == platform.Kept && !strings.HasPrefix(change.Name, "prune-") {
			continue // namespaces of other tests
		}
		actions[change.Kind+" "+strings.Trim(change.Namespace+"/"+change.Name, "/")] = change.Action
	}
	return actions
}

// create makes an object as somebody would, and returns the API server's refusal.
func create(t *testing.T, client dynamic.Interface, resource, text string) error {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	gvr := o.GroupVersionKind().GroupVersion().WithResource(resource)
	_, err := client.Resource(gvr).Namespace(o.GetNamespace()).Create(t.Context(), o, metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict})
	return err
}

// TestApply applies every platform file of the tests to a real API server with the
// real definitions of other projects' kinds, field by field.
func TestApply(t *testing.T) {
	c := newCluster(t)
	for name, file := range files(t) {
		dry := c.apply(t, file, platform.Options{DryRun: true})
		first := c.apply(t, file, platform.Options{Prune: true})
		for object, action := range first {
			if action == platform.Unchanged && dry[object] != platform.Unchanged {
				t.Errorf("%s: a dry run says that %s is %s, then nothing happens", name, object, dry[object])
			}
		}
		for object, action := range c.apply(t, file, platform.Options{Prune: true}) {
			if action != platform.Unchanged {
				t.Errorf("%s: applied again, %s is %s", name, object, action)
			}
		}
	}
}

func TestPrune(t *testing.T) {
	c := newCluster(t)
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(head+text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	two := write("two", "namespaces: [{name: prune-a, quota: {pods: \"5\"}}, {name: prune-b}]\n")
	one := write("one", "namespaces: [{name: prune-a, labels: {team: ml}}]\n")
	c.apply(t, two, platform.Options{Prune: true})
	want := map[string]platform.Action{
		"Namespace prune-a": platform.Changed, "NetworkPolicy prune-a/default-deny": platform.Unchanged,
		"ResourceQuota prune-a/models": platform.Pruned, "NetworkPolicy prune-b/default-deny": platform.Pruned, "Namespace prune-b": platform.Kept,
	}
	if diff := cmp.Diff(want, c.apply(t, one, platform.Options{Prune: true, DryRun: true})); diff != "" {
		t.Errorf("a dry run, -want +got:\n%s", diff)
	}
	if diff := cmp.Diff(want, c.apply(t, one, platform.Options{Prune: true})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	want = map[string]platform.Action{"Namespace prune-a": platform.Unchanged, "NetworkPolicy prune-a/default-deny": platform.Unchanged}
	if diff := cmp.Diff(want, c.apply(t, one, platform.Options{})); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// TestMissingKinds: nothing is written, and the error says what to install.
func TestMissingKinds(t *testing.T) {
	p, err := platform.Load("testdata/render/full.yaml")
	if err != nil {
		t.Fatal(err)
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	for _, kind := range platform.Kinds() {
		if !strings.Contains(kind.Group, ".") || strings.HasSuffix(kind.Group, ".k8s.io") && kind.Kind != "GatewayClass" {
			mapper.Add(kind, meta.RESTScopeRoot)
		}
	}
	_, err = p.Apply(t.Context(), nil, mapper, platform.Options{}) // with no client, a write would panic
	var missing *platform.MissingKindsError
	if !errors.As(err, &missing) || len(missing.Kinds) != 3 {
		t.Fatalf("got %v", err)
	}
	const want = "the cluster does not know GatewayClass (gateway.networking.k8s.io/v1), ClusterIssuer (cert-manager.io/v1), ImageValidatingPolicy (policies.kyverno.io/v1): " +
		"install Kyverno 1.19 or later and cert-manager and the CustomResourceDefinitions of the Gateway API first, or remove from the platform file what needs it"
	if diff := cmp.Diff(want, err.Error()); diff != "" {
		t.Error(diff)
	}
}

const digest = "@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// TestImagePolicy asks a real API server, which takes the policy's word.
func TestImagePolicy(t *testing.T) {
	c := newCluster(t)
	file := filepath.Join(t.TempDir(), "platform.yaml")
	text := head + "namespaces: [{name: guarded}]\nimages: {allowedRegistries: [registry.example.com, \"other.example.com:5000/models\"], exemptUsers: [solver]}\n"
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, ns := range []string{"guarded", "open"} {
		if err := create(t, c.client, "namespaces", "{apiVersion: v1, kind: Namespace, metadata: {name: "+ns+"}}"); err != nil {
			t.Fatal(err)
		}
	}
	old := pod("guarded", "old", "", "elsewhere.example.com/old:1")
	if err := create(t, c.client, "pods", old); err != nil {
		t.Fatal(err)
	}
	if err := create(t, c.client, "deployments", deployment("guarded", "old", "elsewhere.example.com/old:1")); err != nil {
		t.Fatal(err)
	}
	c.apply(t, file, platform.Options{})
	c.waitForPolicy(t)

	good := "registry.example.com/a" + digest
	cases := map[string]struct {
		resource, object string
		denied           string
	}{
		"pinned, allowed":     {"pods", pod("guarded", "a1", "", good), ""},
		"tag and digest":      {"pods", pod("guarded", "a2", "", "other.example.com:5000/models:1"+digest), ""},
		"below a repository":  {"pods", pod("guarded", "a3", "", "other.example.com:5000/models/iris"+digest), ""},
		"the repository":      {"pods", pod("guarded", "a4", "", "other.example.com:5000/models"+digest), ""},
		"tag":                 {"pods", pod("guarded", "b1", "", "registry.example.com/a:1"), "name images by digest"},
		"elsewhere":           {"pods", pod("guarded", "b2", "", "docker.io/library/a"+digest), "take images from registry.example.com or other.example.com:5000/models; not so: docker.io/library/a"},
		"a longer name":       {"pods", pod("guarded", "b3", "", "registry.example.com.evil.example/a"+digest), "take images from"},
		"another port":        {"pods", pod("guarded", "b4", "", "registry.example.com:5000/a"+digest), "take images from"},
		"a longer repository": {"pods", pod("guarded", "b5", "", "other.example.com:5000/models-evil/a"+digest), "take images from"},
		"init container":      {"pods", pod("guarded", "b6", "initContainers: [{name: i, image: \"evil/a:1\"}]", good), "name images by digest"},
		"image volume":        {"pods", pod("guarded", "b7", "volumes: [{name: v, image: {reference: \"evil/a:1\"}}]", good), "name images by digest"},
		"deployment":          {"deployments", deployment("guarded", "b8", "registry.example.com/a:1"), "name images by digest"},
		"deployment, allowed": {"deployments", deployment("guarded", "a5", good), ""},
		"cron job":            {"cronjobs", cronJob("guarded", "b9", "registry.example.com/a:1"), "name images by digest"},
		"another namespace":   {"pods", pod("open", "a6", "", "elsewhere.example.com/a:1"), ""},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			err := create(t, c.client, test.resource, test.object)
			switch {
			case test.denied == "" && err != nil:
				t.Errorf("denied: %v", err)
			case test.denied != "" && (err == nil || !strings.Contains(err.Error(), test.denied)):
				t.Errorf("got %v, expected a refusal that says %q", err, test.denied)
			}
		})
	}
	t.Run("what was there before", func(t *testing.T) {
		pods := c.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace("guarded")
		if _, err := pods.Patch(t.Context(), "old", types.MergePatchType, []byte(`{"metadata":{"labels":{"a":"b"}}}`), metav1.PatchOptions{}); err != nil {
			t.Errorf("a label: %v", err)
		}
		if _, err := pods.Patch(t.Context(), "old", types.StrategicMergePatchType, []byte(`{"spec":{"containers":[{"name":"a","image":"evil/a:1"}]}}`), metav1.PatchOptions{}); err == nil {
			t.Error("another image without a digest is taken")
		}
		deployments := c.client.Resource(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}).Namespace("guarded")
		if _, err := deployments.Patch(t.Context(), "old", types.MergePatchType, []byte(`{"spec":{"replicas":0}}`), metav1.PatchOptions{}); err != nil {
			t.Errorf("scaling: %v", err)
		}
	})
	t.Run("ephemeral container", func(t *testing.T) {
		pods := c.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "pods"}).Namespace("guarded")
		debug := func(image string) error {
			body := fmt.Sprintf(`{"spec":{"ephemeralContainers":[{"name":"d%d","image":%q,"securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}]}}`, len(image), image)
			_, err := pods.Patch(t.Context(), "a1", types.StrategicMergePatchType, []byte(body), metav1.PatchOptions{}, "ephemeralcontainers")
			return err
		}
		if err := debug("busybox"); err == nil || !strings.Contains(err.Error(), "name images by digest") {
			t.Errorf("without a digest: %v", err)
		}
		if err := debug("registry.example.com/debug" + digest); err != nil {
			t.Errorf("as it should be: %v", err)
		}
	})
	t.Run("exempt user", func(t *testing.T) {
		config, err := c.AddUser("solver", "system:masters")
		if err != nil {
			t.Fatal(err)
		}
		if err := create(t, c.as(t, config), "pods", pod("guarded", "solver", "", "quay.io/solver:1")); err != nil {
			t.Error(err)
		}
	})
}

// pod is one that a restricted namespace takes.
func pod(namespace, name, more, image string) string {
	if more != "" {
		more = ", " + more
	}
	const restricted = "securityContext: {allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}"
	more = strings.ReplaceAll(more, "name: i,", "name: i, "+restricted+",")
	return fmt.Sprintf("{apiVersion: v1, kind: Pod, metadata: {name: %s, namespace: %s}, spec: {containers: [{name: a, image: %q, %s}], "+
		"securityContext: {runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}%s}}", name, namespace, image, restricted, more)
}

func template(image string) string {
	return fmt.Sprintf("{metadata: {labels: {a: b}}, spec: {restartPolicy: X, containers: [{name: a, image: %q}]}}", image)
}

func deployment(namespace, name, image string) string {
	return fmt.Sprintf(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: %s, namespace: %s}, spec: {selector: {matchLabels: {a: b}}, template: %s}}`,
		name, namespace, strings.Replace(template(image), "restartPolicy: X, ", "", 1))
}

func cronJob(namespace, name, image string) string {
	return fmt.Sprintf(`{apiVersion: batch/v1, kind: CronJob, metadata: {name: %s, namespace: %s}, spec: {schedule: "* * * * *", jobTemplate: {spec: {template: %s}}}}`,
		name, namespace, strings.Replace(template(image), "X", "Never", 1))
}

// patience is for what the API server does in its own time, on a busy machine.
const patience = time.Minute

func eventually(t *testing.T, what string, ok func(context.Context) (bool, error)) {
	t.Helper()
	if err := wait.PollUntilContextTimeout(t.Context(), 100*time.Millisecond, patience, true, ok); err != nil {
		t.Fatalf("waiting for %s: %v", what, err)
	}
}

// waitForPolicy waits until the API server has taken notice.
func (c *cluster) waitForPolicy(t *testing.T) {
	t.Helper()
	n := 0
	eventually(t, "the policy", func(context.Context) (bool, error) {
		n++
		err := create(t, c.client, "pods", pod("guarded", "probe-"+strconv.Itoa(n), "", "probe:1"))
		return err != nil && strings.Contains(err.Error(), "name images by digest"), nil
	})
}

// TestFromCluster looks at a real API server, while things are installed in it.
func TestFromCluster(t *testing.T) {
	c := newCluster(t)
	found := func() *platform.Found {
		t.Helper()
		f, err := platform.FromCluster(t.Context(), c.discovery)
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	got := found()
	want := platform.Offers{platform.GatewayAPI, platform.GRPCRoute, platform.CertManager, platform.PrometheusOperator}
	if diff := cmp.Diff(want, got.Offers); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if !slices.ContainsFunc(got.Notes, func(n string) bool {
		return strings.HasPrefix(n, "ScaledObjects exist, but external metrics are not available")
	}) {
		t.Errorf("notes: %q", got.Notes)
	}

	for resource, text := range map[string]string{
		"ingressclasses": "{apiVersion: networking.k8s.io/v1, kind: IngressClass, metadata: {name: public}, spec: {controller: k8s.io/ingress-nginx}}",
		"namespaces":     "{apiVersion: v1, kind: Namespace, metadata: {name: gateways}}",
	} {
		if err := create(t, c.client, resource, text); err != nil {
			t.Fatal(err)
		}
	}
	for name, listener := range map[string]string{
		"shared":  "{name: a, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}, tls: {certificateRefs: [{name: a}]}}",
		"plain":   "{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}",
		"mixed":   "{name: secure, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: a}]}}, {name: web, port: 80, protocol: HTTP}",
		"private": "{name: a, port: 80, protocol: HTTP}",
		"iris":    "{name: a, port: 80, protocol: HTTP}", // a Model's own
	} {
		var labels string
		if name == "iris" {
			labels = ", labels: {mizzen.dev/model: iris}"
		}
		if err := create(t, c.client, "gateways", "{apiVersion: gateway.networking.k8s.io/v1, kind: Gateway, metadata: {name: "+name+labels+", namespace: gateways}, spec: {gatewayClassName: a, listeners: ["+listener+"]}}"); err != nil {
			t.Fatal(err)
		}
	}
	c.serveAPI(t, "external.metrics.k8s.io")
	c.serveAPI(t, "metrics.k8s.io")
	eventually(t, "the metrics", func(context.Context) (bool, error) {
		got = found()
		return got.Offers.Has(platform.KEDA) && got.Offers.Has(platform.MetricsServer), nil
	})
	wantAll := &platform.Found{
		Offers:         platform.Offers{platform.GatewayAPI, platform.GRPCRoute, platform.CertManager, platform.PrometheusOperator, platform.MetricsServer, platform.KEDA},
		IngressClasses: []platform.IngressClass{{Name: "public", Controller: "k8s.io/ingress-nginx"}},
		Gateways: []platform.Gateway{
			{Name: "mixed", Namespace: "gateways", Scheme: platform.SchemeHTTPS},
			{Name: "mixed", Namespace: "gateways", SectionName: "web", Scheme: platform.SchemeHTTP},
			{Name: "plain", Namespace: "gateways", Scheme: platform.SchemeHTTP},
			{Name: "private", Namespace: "gateways", Scheme: platform.SchemeHTTP},
			{Name: "shared", Namespace: "gateways", Scheme: platform.SchemeHTTPS},
		},
	}
	if diff := cmp.Diff(wantAll, got, cmpopts.IgnoreFields(platform.Found{}, "Kinds")); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}

	c.installExperimental(t)
	eventually(t, "session persistence", func(context.Context) (bool, error) { return found().Offers.Has(platform.SessionPersistence), nil })

	t.Run("nobody in particular", func(t *testing.T) { c.unseen(t) })
	t.Run("somebody who asks first", func(t *testing.T) {
		got, err := platform.FromClusterAsAllowed(t.Context(), c.discovery)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(found(), got); diff != "" {
			t.Errorf("-tried +asked:\n%s", diff)
		}
	})
	// From an answer that did not come nothing follows, least of all that something is gone.
	t.Run("no answer", func(t *testing.T) {
		client := through(t, c.Config, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
			if strings.HasSuffix(r.URL.Path, "/v1beta1.metrics.k8s.io") {
				return nil, errors.New("the cable is cut")
			}
			return next.RoundTrip(r)
		})
		if _, err := platform.FromCluster(t.Context(), client); err == nil || !strings.Contains(err.Error(), "the cable is cut") {
			t.Errorf("the error is %v", err)
		}
	})
}

// unseen looks as somebody who may look at nothing.
func (c *cluster) unseen(t *testing.T) {
	config, err := c.AddUser("nobody")
	if err != nil {
		t.Fatal(err)
	}
	forbidden := 0
	client := through(t, config, func(r *http.Request, next http.RoundTripper) (*http.Response, error) {
		answer, err := next.RoundTrip(r)
		if err == nil && answer.StatusCode == http.StatusForbidden {
			forbidden++
		}
		return answer, err
	})
	got, err := platform.FromCluster(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	if got.Offers.Has(platform.KEDA) || !got.Offers.Has(platform.CertManager) {
		t.Errorf("offers %v", got.Offers)
	}
	if forbidden == 0 || !slices.ContainsFunc(got.Notes, func(n string) bool { return strings.Contains(n, "forbidden") }) {
		t.Errorf("notes: %q, after %d requests that are forbidden", got.Notes, forbidden)
	}

	// Who asks first learns the same, and is refused nothing.
	forbidden = 0
	allowed, err := platform.FromClusterAsAllowed(t.Context(), client)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(got, allowed); diff != "" || forbidden > 0 {
		t.Errorf("%d requests are forbidden; -tried +asked:\n%s", forbidden, diff)
	}

	// The file says what the cluster does not tell, and nothing else.
	p := &platform.Platform{Offers: platform.Offers{platform.KEDA, platform.MetricsServer, platform.SessionPersistence}}
	got.Into(p)
	if !p.Offers.Has(platform.KEDA) || !p.Offers.Has(platform.MetricsServer) || !p.Offers.Has(platform.CertManager) {
		t.Errorf("with the file, offers %v", p.Offers)
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// through is a client whose requests a test comes between.
func through(t *testing.T, config *rest.Config, trip func(*http.Request, http.RoundTripper) (*http.Response, error)) *discovery.DiscoveryClient {
	t.Helper()
	config = rest.CopyConfig(config)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(r *http.Request) (*http.Response, error) { return trip(r, next) })
	})
	client, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

// serveAPI registers an aggregated API whose server is the test.
func (c *cluster) serveAPI(t *testing.T, group string) {
	t.Helper()
	server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"kind":"APIResourceList","apiVersion":"v1","groupVersion":"%s/v1beta1","resources":[]}`, group)
	}))
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_, port, err := net.SplitHostPort(u.Host)
	if err != nil {
		t.Fatal(err)
	}
	service := strings.ReplaceAll(group, ".", "-")
	if err := create(t, c.client, "services", "{apiVersion: v1, kind: Service, metadata: {name: "+service+", namespace: default}, spec: {type: ExternalName, externalName: localhost, ports: [{port: "+port+"}]}}"); err != nil {
		t.Fatal(err)
	}
	if err := create(t, c.client, "apiservices", "{apiVersion: apiregistration.k8s.io/v1, kind: APIService, metadata: {name: v1beta1."+group+"}, spec: {group: "+group+", version: v1beta1, groupPriorityMinimum: 100, versionPriority: 100, insecureSkipTLSVerify: true, service: {name: "+service+", namespace: default, port: "+port+"}}}"); err != nil {
		t.Fatal(err)
	}
}

// installExperimental replaces HTTPRoute with that of the experimental channel.
func (c *cluster) installExperimental(t *testing.T) {
	t.Helper()
	set := crds.GatewayAPI()
	set.Dirs = []string{"config/crd/experimental"}
	set.Written = []string{"gateway.networking.k8s.io_httproutes.yaml"}
	files, err := crds.Written(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(files[0])
	if err != nil {
		t.Fatal(err)
	}
	body, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	force := true
	definitions := c.client.Resource(schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"})
	if _, err := definitions.Patch(t.Context(), "httproutes.gateway.networking.k8s.io", types.ApplyPatchType, body, metav1.PatchOptions{FieldManager: "test", Force: &force}); err != nil {
		t.Fatal(err)
	}
}

func TestInto(t *testing.T) {
	found := &platform.Found{
		Offers:         platform.Offers{platform.KEDA},
		IngressClasses: []platform.IngressClass{{Name: "found", Controller: "a/b"}},
		Gateways:       []platform.Gateway{{Name: "found", Namespace: "b"}},
	}
	p := platform.Bare()
	p.Offers = platform.Offers{platform.CertManager}
	p.IngressClasses = []platform.IngressClass{{Name: "named", Controller: "a/b"}}
	found.Into(p)
	want := platform.Bare()
	want.Offers, want.Gateways = found.Offers, found.Gateways
	want.IngressClasses = []platform.IngressClass{{Name: "named", Controller: "a/b"}}
	if diff := cmp.Diff(want, p); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
