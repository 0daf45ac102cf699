package platform_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

const head = "apiVersion: mizzen.dev/v1alpha1\nkind: Platform\n"

func TestDefaults(t *testing.T) {
	got, err := platform.Read(strings.NewReader(head+`
prometheus: {address: "http://prometheus:9090"}
grafana: {}
tracing: {endpoint: "http://collector:4317"}
gateways: [{name: shared, namespace: gateways}]
offers: [CertManager]
defaults: {issuerRef: {name: company}}
namespaces: [{name: a}, {name: b}]
issuers: [{name: company, acme: {ingressClassName: nginx}}]
images: {allowedRegistries: [registry.example.com]}
`), "platform.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := &platform.Platform{
		TypeMeta:      metav1.TypeMeta{APIVersion: "mizzen.dev/v1alpha1", Kind: "Platform"},
		ClusterDomain: "cluster.local",
		Offers:        platform.Offers{platform.CertManager},
		Prometheus:    &platform.Prometheus{Address: "http://prometheus:9090", Interval: &metav1.Duration{Duration: 15 * time.Second}},
		Grafana:       &platform.Grafana{DashboardLabels: map[string]string{"grafana_dashboard": "1"}, FolderAnnotation: "grafana_folder"},
		Tracing:       &platform.Tracing{Endpoint: "http://collector:4317", Protocol: v1alpha1.OTLPGRPC},
		Gateways:      []platform.Gateway{{Name: "shared", Namespace: "gateways", Scheme: platform.SchemeHTTPS}},
		Defaults:      platform.Defaults{IssuerRef: &v1alpha1.IssuerRef{Name: "company", Kind: "ClusterIssuer", Group: "cert-manager.io"}},
		Namespaces:    []platform.Namespace{{Name: "a"}, {Name: "b"}},
		Issuers: []platform.Issuer{{Name: "company", ACME: &platform.ACME{
			Server: "https://acme-v02.api.letsencrypt.org/directory", IngressClassName: "nginx",
		}}},
		Images: &platform.Images{
			AllowedRegistries: []string{"registry.example.com"}, Namespaces: []string{"a", "b"},
			ExemptUsers: []string{"system:serviceaccount:cert-manager:cert-manager"},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

func TestBareIsValid(t *testing.T) {
	if errs := platform.Bare().Validate(); len(errs) > 0 {
		t.Error(errs)
	}
	if _, err := platform.Read(strings.NewReader(head), "platform.yaml"); err != nil {
		t.Error(err)
	}
}

func TestRefused(t *testing.T) {
	cases := map[string]struct{ file, want string }{
		"nothing":       {"", "p.yaml: the file is empty; it starts with apiVersion: mizzen.dev/v1alpha1 and kind: Platform"},
		"no mapping":    {"- a\n", "p.yaml:1: expected fields such as apiVersion and kind"},
		"no YAML":       {"a: [\n", "p.yaml: line 1: did not find expected node content"},
		"two documents": {head + "---\nkind: Platform\n", "p.yaml:3: a platform file has one document; remove what comes after ---"},
		"kind":          {"apiVersion: v1\nkind: Platfrom\n", "p.yaml:1: apiVersion: must be mizzen.dev/v1alpha1\np.yaml:2: kind: must be Platform"},
		"unknown":       {head + "prometeus: {}\n", `p.yaml:3: unknown field "prometeus"; did you mean prometheus?`},
		"capital":       {head + "Image: a\n", `p.yaml:3: unknown field "Image"; did you mean image?`},
		"unknown below": {head + "issuers:\n- name: a\n  acme:\n    ingressClass: nginx\n", `p.yaml:6: issuers[0].acme: unknown field "ingressClass"; did you mean ingressClassName?`},
		"unknown in a type of Kubernetes": {head + "peers:\n  dns:\n  - podSelectors: {}\n",
			`p.yaml:5: peers.dns[0]: unknown field "podSelectors"; did you mean podSelector?`},
		"twice":        {head + "image: a\nimage: b\n", `p.yaml: line 4: key "image" already set in map`},
		"wrong type":   {head + "namespaces: ml\n", "p.yaml:3: namespaces: expected a list, found a string"},
		"wrong number": {head + "image: 5\n", "p.yaml:3: image: expected a string, found a number"},
		"alias":        {head + "image: &a b\nclusterDomain: *a\n", "p.yaml:4: clusterDomain: write it out: a platform file has no aliases"},
		"long string":  {head + "image: " + strings.Repeat("a", 1<<17) + "\n", "p.yaml:3: image: longer than 65536 bytes"},
		"large file":   {head + "#" + strings.Repeat("a", 1<<21) + "\n", "p.yaml: the file is larger than 1048576 bytes"},
		"many":         {head + "offers: [" + strings.Repeat("KEDA, ", 300) + "]\n", "p.yaml:3: offers: more than 256 entries"},
		"offer":        {head + "offers: [CertManger]\n", `p.yaml:3: offers[0]: "CertManger" is nothing that Mizzen knows; did you mean CertManager?; it knows GatewayAPI, GRPCRoute, SessionPersistence, CertManager, PrometheusOperator, MetricsServer, KEDA, ImageVolumes`},
		"domain":       {head + "clusterDomain: A_b\n", `p.yaml:3: clusterDomain: "A_b": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`},
		"address":      {head + "prometheus: {address: prometheus:9090}\n", "p.yaml:3: prometheus.address: must be an address such as http://host:9090, without a password"},
		"password":     {head + "tracing: {endpoint: \"http://a:b@c\"}\n", "p.yaml:3: tracing.endpoint: must be an address such as http://host:9090, without a password"},
		"interval":     {head + "prometheus: {interval: 0s}\n", "p.yaml:3: prometheus.interval: must be above 0, such as 15s"},
		"protocol":     {head + "tracing: {endpoint: \"http://c\", protocol: grpc}\n", "p.yaml:3: tracing.protocol: must be GRPC or HTTP"},
		"image":        {head + "image: a b\n", `p.yaml:3: image: "a b" is no image: expected REGISTRY/REPOSITORY@sha256:…`},
		"class":        {head + "ingressClasses: [{name: a, controller: nginx}]\n", "p.yaml:3: ingressClasses[0].controller: must be as in the spec of the IngressClass, such as k8s.io/ingress-nginx"},
		"class twice":  {head + "ingressClasses: [{name: a, controller: b/c}, {name: a, controller: b/c}]\n", "p.yaml:3: ingressClasses[1].name: a stands here twice"},
		"scheme":       {head + "gateways: [{name: a, namespace: b, scheme: https}]\n", "p.yaml:3: gateways[0].scheme: must be HTTPS or HTTP"},
		"peer of nothing": {head + "peers: {dns: [{}]}\n",
			"p.yaml:3: peers.dns[0]: set either ipBlock, or podSelector and namespaceSelector or one of them"},
		"peer in the namespace": {head + "peers: {dns: [{podSelector: {}}]}\n",
			"p.yaml:3: peers.dns[0]: a podSelector alone means pods of the Model's own namespace, which may call anyway: add namespaceSelector"},
		"block":       {head + "peers: {stores: [{ipBlock: {cidr: 10.0.0.1/8}}]}\n", `p.yaml:3: peers.stores[0].ipBlock.cidr: "10.0.0.1/8": expected a block of addresses such as 10.0.0.0/8`},
		"except":      {head + "peers: {stores: [{ipBlock: {cidr: 10.0.0.0/8, except: [11.0.0.0/16]}}]}\n", `p.yaml:3: peers.stores[0].ipBlock.except[0]: "11.0.0.0/16" must be a block of addresses within 10.0.0.0/8`},
		"selector":    {head + "peers: {stores: [{namespaceSelector: {matchExpressions: [{key: a, operator: in}]}}]}\n", `p.yaml:3: peers.stores[0].namespaceSelector: "in" is not a valid label selector operator`},
		"issuer":      {head + "issuers: [{name: a}]\n", "p.yaml:3: issuers[0]: set exactly one of acme, caSecretName and selfSigned"},
		"two issuers": {head + "issuers: [{name: a, caSecretName: b, selfSigned: {}}]\n", "p.yaml:3: issuers[0]: set exactly one of acme, caSecretName and selfSigned"},
		"no solver":   {head + "issuers: [{name: a, acme: {}}]\n", "p.yaml:3: issuers[0].acme: set exactly one of ingressClassName and gateway: challenges are solved through it"},
		"solver's place": {head + "issuers: [{name: a, acme: {gateway: {name: g}}}]\n",
			"p.yaml:3: issuers[0].acme.gateway.namespace: a ClusterIssuer has no namespace of its own: say where the Gateway is"},
		"bundle": {head + "issuers: [{name: a, acme: {ingressClassName: nginx, caBundle: YQ==}}]\n", "p.yaml:3: issuers[0].acme.caBundle: must be certificates in PEM, in base64"},
		"email":  {head + "issuers: [{name: a, acme: {ingressClassName: nginx, email: me}}]\n", `p.yaml:3: issuers[0].acme.email: "me" is no address`},
		"default issuer": {head + "offers: [KEDA]\ndefaults: {issuerRef: {name: a}}\n",
			"p.yaml:4: defaults.issuerRef: needs cert-manager: add CertManager to offers, or remove it"},
		"unrestricted": {head + "namespaces: [{name: a, labels: {pod-security.kubernetes.io/enforce: baseline}}]\n",
			"p.yaml:3: namespaces[0].labels: pod-security.kubernetes.io/enforce is set already: namespaces for Models are restricted"},
		"gateway class": {head + "gatewayClass: {name: a}\n", "p.yaml:3: gatewayClass.controllerName: must be the name that the controller documents, such as traefik.io/gateway-controller"},
		"registry":      {head + "images: {namespaces: [a], allowedRegistries: [\"a'b\"]}\n", `p.yaml:3: images.allowedRegistries[0]: "a'b" must be a registry, or the start of its repositories, such as registry.example.com/models`},
		"exempt":        {head + "images: {namespaces: [a], allowedRegistries: [a], exemptUsers: [\"a'] || true || ['\"]}\n", `p.yaml:3: images.exemptUsers[0]: "a'] || true || ['" is no name of a user, such as system:serviceaccount:cert-manager:cert-manager`},
		"nowhere":       {head + "images: {allowedRegistries: [a]}\n", "p.yaml:3: images.namespaces: policies of images need namespaces: name some here or in namespaces"},
		"no policy":     {head + "images: {namespaces: [a]}\n", "p.yaml:3: images: set allowedRegistries or signatures, or remove images"},
		"unsigned":      {head + "images: {namespaces: [a], signatures: {images: [b]}}\n", "p.yaml:3: images.signatures: set exactly one of publicKey and keyless"},
		"key":           {head + "images: {namespaces: [a], signatures: {images: [b], publicKey: c}}\n", "p.yaml:3: images.signatures.publicKey: must be the content of cosign.pub: -----BEGIN PUBLIC KEY-----…"},
		"anybody":       {head + "images: {namespaces: [a], signatures: {images: [b], keyless: {issuer: c}}}\n", "p.yaml:3: images.signatures.keyless: set issuer and subject: without both, anybody's signature would do"},
		"no log":        {head + "images: {namespaces: [a], signatures: {images: [b], transparencyLog: Ignored, keyless: {issuer: c, subject: d}}}\n", "p.yaml:3: images.signatures.transparencyLog: a keyless signature is proved by the log: use Required"},
		"role":          {head + "access: [{namespace: a, role: edit, users: [b]}]\n", "p.yaml:3: access[0].role: must be View or Edit or Admin; did you mean Edit?"},
		"nobody":        {head + "access: [{namespace: a, role: Edit}]\n", "p.yaml:3: access[0]: names nobody: set groups or users"},
	}
	for name, test := range cases {
		t.Run(name, func(t *testing.T) {
			_, err := platform.Read(strings.NewReader(test.file), "p.yaml")
			var fields platform.FieldErrors
			if !errors.As(err, &fields) {
				t.Fatalf("got %v, expected FieldErrors", err)
			}
			if diff := cmp.Diff(test.want, err.Error()); diff != "" {
				t.Errorf("-want +got:\n%s", diff)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	if _, err := platform.Load("testdata/missing.yaml"); err == nil || !strings.HasPrefix(err.Error(), "reading the platform file: ") {
		t.Errorf("got %v", err)
	}
}
