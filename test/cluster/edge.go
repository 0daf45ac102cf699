//go:build linux

package cluster

import (
	"context"
	_ "embed"
	"fmt"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/test/cluster/binary"
	"mizzen.dev/test/cluster/crds"
)

//go:embed manifests/traefik.yaml
var traefikManifest string

//go:embed manifests/cert-manager.yaml
var certManagerManifest string

const (
	httpPort  = 80
	httpsPort = 443
	// edgeService is the number of Traefik's address.
	edgeService = 20
	// EdgeEnv is the address at which a cluster that KUBECONFIG names is called from
	// outside.
	EdgeEnv = "MIZZEN_E2E_EDGE"
)

// Edge is what lets requests into the cluster.
type Edge struct {
	// Address answers at ports 80 and 443, for all hosts that routes and Ingresses name.
	Address string
	// GatewayClass, IngressClass and NginxClass are for Gateways, whose listeners are to
	// be at those ports; for Ingresses; and for Ingresses with the annotations of
	// ingress-nginx.
	GatewayClass, IngressClass, NginxClass string
	// Namespace and PodLabels are of who calls the backends, for NetworkPolicies.
	Namespace string
	PodLabels map[string]string
}

// StartTraefik runs Traefik, which carries out Gateways and Ingresses, and installs the
// Gateway API. In a cluster that is not our own both must be there, with these names.
func (c *Cluster) StartTraefik(ctx context.Context) (*Edge, error) {
	edge := &Edge{
		GatewayClass: "traefik", IngressClass: "traefik", NginxClass: "nginx",
		Namespace: "traefik", PodLabels: map[string]string{"app.kubernetes.io/name": "traefik"},
	}
	if !c.Own() {
		edge.Address = os.Getenv(EdgeEnv)
		if edge.Address == "" {
			return nil, &ForeignError{Want: "an address to call it at from outside (set " + EdgeEnv + ")"}
		}
		return edge, nil
	}
	edge.Address = c.site.service(edgeService)
	if err := c.build(ctx, binary.Traefik()); err != nil {
		return nil, err
	}
	if err := c.InstallCRDs(ctx, crds.GatewayAPI()); err != nil {
		return nil, err
	}
	image, err := c.pushProgram(ctx, "traefik:1", c.program("traefik", "traefik"))
	if err != nil {
		return nil, err
	}
	if err := c.applyTemplate(ctx, "traefik", traefikManifest, map[string]string{"Image": image, "Address": edge.Address}); err != nil {
		return nil, err
	}
	return edge, c.waitForDeployment(ctx, edge.Namespace, "traefik")
}

// StartCertManager runs cert-manager. What it makes certificates with is for tests to
// say, with Issuers and ClusterIssuers. In a cluster that is not our own it must be there.
func (c *Cluster) StartCertManager(ctx context.Context) error {
	const namespace, name = "cert-manager", "cert-manager"
	if !c.Own() {
		return c.waitForDeployment(ctx, namespace, name)
	}
	if err := c.build(ctx, binary.CertManager()); err != nil {
		return err
	}
	// Its Gateway controllers want the Gateway API to be there.
	if err := c.InstallCRDs(ctx, crds.CertManager(), crds.GatewayAPI()); err != nil {
		return err
	}
	program := c.program("cert-manager", "cert-manager")
	image, err := c.pushProgram(ctx, "cert-manager:1", program)
	if err != nil {
		return err
	}
	solver, err := c.pushProgram(ctx, "acmesolver:1", program, "acmesolver")
	if err != nil {
		return err
	}
	if err := c.applyTemplate(ctx, "cert-manager", certManagerManifest, map[string]string{"Image": image, "Solver": solver}); err != nil {
		return err
	}
	return c.waitForDeployment(ctx, namespace, name)
}

// InstallCRDs installs CustomResourceDefinitions and waits until their kinds are served.
func (c *Cluster) InstallCRDs(ctx context.Context, sets ...crds.Set) error {
	files, err := crds.Files(ctx, sets...)
	if err != nil {
		return err
	}
	args := []string{"apply", "--server-side", "--force-conflicts", "--field-manager=test"}
	for _, file := range files {
		args = append(args, "-f", file)
	}
	if _, err := c.Kubectl(ctx, args...); err != nil {
		return err
	}
	_, err = c.Kubectl(ctx, "wait", "--for=condition=Established", "crd", "--all", "--timeout=60s")
	return err
}

// Describe returns what is known of a namespace, for the words of a test that fails.
func (c *Cluster) Describe(ctx context.Context, namespace string) string {
	out, err := c.Kubectl(ctx, "-n", namespace, "get", "all,events", "-o", "wide")
	if err != nil {
		return fmt.Sprint(out, err)
	}
	pods, err := c.client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return fmt.Sprint(out, err)
	}
	for _, pod := range pods.Items {
		logs, err := c.Kubectl(ctx, "-n", namespace, "logs", pod.Name, "--all-containers", "--tail=20")
		out += fmt.Sprintln("logs of", pod.Name, err) + logs
	}
	return out
}
