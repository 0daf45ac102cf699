package render

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/golden"
	"mizzen.dev/internal/platform"
	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/crds"
)

// way is a Model and a platform, cut down to what the way in and isolation depend on.
type way struct {
	// spec is added to a spec of version and source; without source to a claim.
	spec string
	// platform is added to a platform that offers everything and names its peers.
	platform string
}

const (
	peers = `
peers:
  ingress: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: ingress}}}]
  scraper: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: monitoring}}}]
`
	offers   = "offers: [GatewayAPI, GRPCRoute, CertManager]\n"
	ordinary = offers + peers
)

// exposed ways are looked at for the way in, the others for isolation.
func (w way) exposed() bool { return strings.Contains(w.spec, "expose:") }

// ways in, by the names of their golden files.
var ways = map[string]way{
	"gateway-parent": {
		spec:     `expose: {host: ml.example.com, path: /iris, protocols: [HTTP], gateway: {parentRef: {name: shared, namespace: gateways, sectionName: https}}, timeouts: {request: 1m30s, backend: 1500ms}}`,
		platform: ordinary,
	},
	"gateway-parent-plain": {
		spec:     `expose: {host: ml.example.com, gateway: {parentRef: {name: shared}}}`,
		platform: ordinary + "gateways: [{name: shared, namespace: ml, scheme: HTTP}]\n",
	},
	"gateway-parent-section": {
		spec:     `expose: {host: ml.example.com, gateway: {parentRef: {name: shared, sectionName: web}}}`,
		platform: ordinary + "gateways: [{name: shared, namespace: ml, sectionName: web, scheme: HTTP}, {name: shared, namespace: ml}]\n",
	},
	"gateway-default": {
		spec:     `expose: {host: ml.example.com, gateway: {parentRef: {}}}`,
		platform: ordinary + "defaults: {gateway: {name: shared, namespace: gateways}, issuerRef: {name: company}}\n",
	},
	"gateway-no-default": {spec: `expose: {host: ml.example.com, gateway: {parentRef: {}}}`, platform: ordinary},
	"gateway-both-protocols": {
		spec:     `expose: {host: ml.example.com, protocols: [HTTP, GRPC], gateway: {parentRef: {name: shared}}, timeouts: {request: 20s, backend: 10s}}`,
		platform: ordinary,
	},
	"gateway-grpc": {
		spec:     `expose: {host: ml.example.com, protocols: [GRPC], gateway: {parentRef: {name: shared}}, timeouts: {request: 10s}}`,
		platform: ordinary,
	},
	"gateway-grpc-missing": {
		spec:     `expose: {host: ml.example.com, protocols: [GRPC], gateway: {parentRef: {name: shared}}}`,
		platform: "offers: [GatewayAPI]\n" + peers,
	},
	"gateway-missing": {spec: `expose: {host: ml.example.com, gateway: {className: traefik}}`, platform: peers},
	"gateway-own": {
		spec:     `expose: {host: ml.example.com, gateway: {className: traefik}, tls: {issuerRef: {name: letsencrypt, kind: Issuer}}}`,
		platform: ordinary,
	},
	"gateway-own-plain": {
		spec:     `expose: {host: ml.example.com, gateway: {className: traefik}, stickySessions: {cookieName: mizzen}}`,
		platform: ordinary,
	},
	"gateway-own-secret-sticky": {
		spec:     `expose: {host: ml.example.com, path: /a.b, gateway: {className: traefik}, tls: {secretName: ours}, stickySessions: {cookieName: c, lifetime: 2h}}`,
		platform: "offers: [GatewayAPI, SessionPersistence]\n" + peers,
	},
	"issuer-missing": {
		spec:     `expose: {host: ml.example.com, ingress: {className: nginx}, tls: {issuerRef: {name: letsencrypt}}}`,
		platform: peers,
	},
	"nginx": {
		spec:     `expose: {host: ml.example.com, ingress: {className: nginx}, tls: {issuerRef: {name: letsencrypt-http01, kind: ClusterIssuer, group: cert-manager.io}}}`,
		platform: ordinary,
	},
	"nginx-all": {
		spec: `
expose:
  host: ml.example.com
  path: /models/iris.v1
  ingress: {className: internal-nginx, annotations: {nginx.ingress.kubernetes.io/proxy-body-size: "1", example.com/team: ml}}
  tls: {issuerRef: {name: private, kind: Issuer, group: pca.example.com}}
  bodySize: 32Mi
  rateLimit: {requestsPerSecond: 50, burst: 120}
  timeouts: {request: 90s, backend: 1500ms}
  stickySessions: {cookieName: pod, lifetime: 30m}
`,
		platform: ordinary,
	},
	"nginx-affinity-inside": {
		spec:     `{runtime: {name: triton, image: "registry.example.com/triton:1"}, gpu: {count: 1, sessionAffinity: ClientIP}, expose: {host: ml.example.com, ingress: {className: nginx}}}`,
		platform: ordinary,
	},
	"nginx-class-of-another-name": {
		spec:     `expose: {host: ml.example.com, path: /iris, ingress: {className: public}, rateLimit: {requestsPerSecond: 5}}`,
		platform: ordinary + "ingressClasses: [{name: public, controller: k8s.io/ingress-nginx}]\n",
	},
	"nginx-grpc": {
		spec:     `expose: {host: ml.example.com, protocols: [HTTP, GRPC], ingress: {className: nginx}, tls: {secretName: ours}, stickySessions: {cookieName: pod}}`,
		platform: ordinary,
	},
	"nginx-grpc-alone": {
		spec:     `expose: {host: ml.example.com, protocols: [GRPC], ingress: {className: nginx}, tls: {secretName: ours}}`,
		platform: ordinary,
	},
	"nginx-grpc-in-plain-text": {
		spec:     `expose: {host: ml.example.com, protocols: [HTTP, GRPC], ingress: {className: nginx}}`,
		platform: ordinary,
	},
	"nginx-grpc-of-custom": {
		spec: `
runtime: {name: custom, image: example.com/a@sha256:0123, custom: {port: 8080, grpcPort: 8081, livePath: /l, readyPath: /r}}
expose: {host: ml.example.com, protocols: [HTTP, GRPC], ingress: {className: nginx}, tls: {secretName: ours}, bodySize: 1Mi}
`,
		platform: ordinary,
	},
	"nginx-body-by-config": {
		spec:     "config: {MIZZEN_MAX_BODY: 64MiB}\nexpose: {host: ml.example.com, ingress: {className: nginx}}",
		platform: ordinary,
	},
	"generic": {
		spec:     `expose: {host: ml.example.com, ingress: {className: haproxy, annotations: {a.example.com/b: c}}, tls: {secretName: ours}, bodySize: 1Mi, rateLimit: {requestsPerSecond: 1}, timeouts: {request: 1s}}`,
		platform: ordinary,
	},
	"generic-in-vain": {
		spec: `
runtime: {name: custom, image: example.com/a@sha256:0123, custom: {port: 8080, livePath: /l, readyPath: /r}}
expose: {host: ml.example.com, path: /iris, protocols: [HTTP, GRPC], ingress: {className: ngnix}, bodySize: 1Mi, rateLimit: {requestsPerSecond: 1}, timeouts: {request: 1s}, stickySessions: {cookieName: a}}
`,
		platform: ordinary + "ingressClasses: [{name: nginx, controller: k8s.io/ingress-nginx}]\n",
	},
	"generic-grpc": {
		spec:     `expose: {host: ml.example.com, protocols: [GRPC], ingress: {className: haproxy}}`,
		platform: ordinary,
	},
	"traefik": {
		spec:     `expose: {host: ml.example.com, ingress: {className: traefik}, stickySessions: {cookieName: pod, lifetime: 1h}}`,
		platform: ordinary + "defaults: {issuerRef: {name: company}}\n",
	},
	"traefik-path":            {spec: `expose: {host: ml.example.com, path: /iris, ingress: {className: traefik}}`, platform: ordinary},
	"traefik-path-middleware": {spec: `expose: {host: ml.example.com, path: /iris, ingress: {className: traefik, annotations: {traefik.ingress.kubernetes.io/router.middlewares: ml-strip@kubernetescrd}}}`, platform: ordinary},
	"no-peers":                {spec: `expose: {host: ml.example.com, ingress: {className: nginx}}`, platform: "prometheus: {}\n"},
	"isolated":                {spec: "{}", platform: ordinary},
	"isolated-not":            {spec: `isolation: {mode: Disabled}`, platform: ordinary},
	"isolated-scraped": {
		spec:     "runtime: {name: triton}",
		platform: "offers: [PrometheusOperator]\n" + peers,
	},
	"isolated-scraper-unknown": {spec: "runtime: {name: triton}", platform: "prometheus: {}\n"},
	"isolated-not-scraped":     {spec: `telemetry: {scrape: {mode: Disabled}}`, platform: "prometheus: {}\n" + peers},
	"isolated-traced": {
		spec:     `telemetry: {tracing: {protocol: GRPC, samplingRatio: "0.1"}}`,
		platform: "tracing: {endpoint: \"http://collector.observability:4319\"}\npeers: {collector: [{namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: observability}}}], dns: [{namespaceSelector: {}, podSelector: {matchLabels: {k8s-app: kube-dns}}}]}\n",
	},
	"isolated-traced-anywhere": {
		spec:     `telemetry: {tracing: {endpoint: "http://collector", protocol: HTTP, samplingRatio: "0.1"}}`,
		platform: ordinary,
	},
	"isolated-named": {
		spec:     `isolation: {mode: Restricted, from: [{namespaceSelector: {matchLabels: {team: web}}}], egress: [{to: [{ipBlock: {cidr: 10.1.2.3/32}}], ports: [{protocol: TCP, port: 5432}]}]}`,
		platform: ordinary,
	},
	"store-https":       {spec: `source: {uri: "https://models.example.com/iris.pkl"}`, platform: ordinary},
	"store-port":        {spec: `source: {uri: "http://models.example.com:8080/iris.pkl"}`, platform: ordinary},
	"store-s3":          {spec: `source: {uri: "s3://models/iris.pkl"}`, platform: ordinary},
	"store-s3-endpoint": {spec: "source: {uri: \"s3://models/iris.pkl\"}\nconfig: {AWS_ENDPOINT_URL: \"http://s3.store:9000\", HTTPS_PROXY: \"proxy:3128\"}", platform: ordinary + "\n"},
	"store-s3-plain":    {spec: "source: {uri: \"s3://models/iris.pkl\"}\nconfig: {AWS_ENDPOINT_URL: \"http://s3.store\"}", platform: ordinary + "\n"},
	"store-oci":         {spec: `source: {uri: "oci://registry.example.com:5000/models/iris:1"}`, platform: ordinary},
	"store-peers": {
		spec:     `source: {uri: "s3://models/iris.pkl"}`,
		platform: "peers: {stores: [{ipBlock: {cidr: 10.0.0.0/8}}]}\n",
	},
	"store-identity": {spec: "serviceAccountName: reader\nsource: {uri: \"s3://models/iris.pkl\"}", platform: ordinary},
	"claim-identity": {spec: "serviceAccountName: reader", platform: ordinary},
	"image-volume":   {spec: "source: {imageVolume: {reference: registry.example.com/a@sha256:0123, path: m.pkl}}", platform: "offers: [ImageVolumes]\n" + peers},
	"image":          {spec: "source: {image: {reference: registry.example.com/a@sha256:0123}}", platform: ordinary},
}

// rendered renders a way, and returns its objects of the kinds that are looked at.
func (w way) rendered(t *testing.T, namespace string) (*Result, []*unstructured.Unstructured) {
	t.Helper()
	p, err := platform.Read(strings.NewReader("apiVersion: mizzen.dev/v1alpha1\nkind: Platform\nimage: registry.example.com/mizzen@sha256:0123\n"+w.platform), "platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	m := &v1alpha1.Model{}
	m.Name, m.Namespace = "iris", namespace
	m.Spec.Version = "0.1.0"
	if err := yaml.UnmarshalStrict([]byte(w.spec), &m.Spec); err != nil {
		t.Fatal(err)
	}
	if m.Spec.Source == (v1alpha1.Source{}) {
		m.Spec.Source.Claim = &v1alpha1.ClaimSource{Name: "models", Path: "iris.pkl"}
	}
	result, err := Render(Input{Model: m, Platform: p})
	if err != nil {
		t.Fatal(err)
	}
	kinds := []string{"NetworkPolicy", "Certificate", "Gateway", "HTTPRoute", "GRPCRoute", "Ingress"}
	var objects []*unstructured.Unstructured
	for _, o := range result.Objects {
		if slices.Contains(kinds, o.GetKind()) || o.GetKind() == "Service" && o.GetAnnotations() != nil {
			objects = append(objects, o)
		}
	}
	return result, objects
}

// TestWays compares with testdata/ways/NAME.golden; -update writes them.
func TestWays(t *testing.T) {
	for name, w := range ways {
		t.Run(name, func(t *testing.T) {
			result, objects := w.rendered(t, "ml")
			if w.exposed() {
				objects = slices.DeleteFunc(objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "NetworkPolicy" })
			}
			var got strings.Builder
			fmt.Fprintf(&got, "# %s\n", result.URL)
			for _, p := range result.Problems {
				if p.Condition == v1alpha1.ConditionExposed || p.Condition == v1alpha1.ConditionIsolated {
					fmt.Fprintf(&got, "# %s %s/%s %s\n", map[Severity]string{Warning: "warning", Refused: "refused"}[p.Severity], p.Condition, p.Reason, p.Error())
				}
			}
			text, err := YAML(objects)
			if err != nil {
				t.Fatal(err)
			}
			got.Write(text)
			golden.Compare(t, filepath.Join("testdata", "ways", name+".golden"), got.String())
		})
	}
}

// sticky is the way that asks for what only the experimental channel has.
const sticky = "gateway-own-secret-sticky"

// TestWaysAccepted holds for all of them: a real API server with the definitions of
// the other projects takes them with strict validation, and has nothing to write when
// it gets them again.
func TestWaysAccepted(t *testing.T) {
	s := server.Get(t)
	for name, w := range ways {
		if name != sticky {
			t.Run(name, func(t *testing.T) { w.accepted(t, s) })
		}
	}
}

func TestStickyAccepted(t *testing.T) {
	set := crds.GatewayAPI()
	set.Dirs = []string{"config/crd/experimental"}
	files, err := crds.Written(t.Context(), set)
	if err != nil {
		t.Fatal(err)
	}
	ways[sticky].accepted(t, apiserver.New(t, apiserver.Options{CRDPaths: files}))
}

func (w way) accepted(t *testing.T, s *apiserver.Server) {
	c, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	core, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	mapper := kinds(t, core.Discovery())
	_, objects := w.rendered(t, s.Namespace(t))
	for _, o := range objects {
		mapping, err := mapper.RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
		if err != nil {
			t.Fatal(err)
		}
		ri := c.Resource(mapping.Resource).Namespace(o.GetNamespace())
		apply(t, ri, o)
		settled := apply(t, ri, o)
		if again := apply(t, ri, o); again != settled {
			t.Errorf("%s %s: applying again wrote version %s over %s", o.GetKind(), o.GetName(), again, settled)
		}
	}
}
