// Command cert-manager runs cert-manager's controllers for self-signed, CA and ACME
// issuers, Ingresses and Gateways, on Kubernetes, from inside a pod; as "cert-manager
// acmesolver …" it answers an HTTP-01 challenge. cert-manager publishes its own
// commands as no module; its packages it does. Webhook and CA injector are left out:
// they guard against objects that are wrong, and the tests' are right.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/cert-manager/cert-manager/pkg/controller"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmechallenges"
	_ "github.com/cert-manager/cert-manager/pkg/controller/acmeorders"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/gateways"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificate-shim/ingresses"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/acme"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/approver"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/ca"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificaterequests/selfsigned"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/issuing"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/keymanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/readiness"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/requestmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/revisionmanager"
	_ "github.com/cert-manager/cert-manager/pkg/controller/certificates/trigger"
	_ "github.com/cert-manager/cert-manager/pkg/controller/clusterissuers"
	_ "github.com/cert-manager/cert-manager/pkg/controller/issuers"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/acme"
	"github.com/cert-manager/cert-manager/pkg/issuer/acme/http/solver"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/ca"
	_ "github.com/cert-manager/cert-manager/pkg/issuer/selfsigned"
	"github.com/go-logr/stdr"
	"k8s.io/apimachinery/pkg/api/resource"
)

// workers is how many objects each controller works on at once.
const workers = 5

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	run, args := controllers, os.Args[1:]
	if len(args) > 0 && args[0] == "acmesolver" {
		run, args = acmesolver, args[1:]
	}
	if err := run(ctx, args); err != nil {
		log.Fatal(err)
	}
}

func acmesolver(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("acmesolver", flag.ExitOnError)
	s := &solver.HTTP01Solver{}
	flags.IntVar(&s.ListenPort, "listen-port", 8089, "port to answer on")
	flags.StringVar(&s.Domain, "domain", "", "host whose challenge this is")
	flags.StringVar(&s.Token, "token", "", "challenge")
	flags.StringVar(&s.Key, "key", "", "answer")
	if err := flags.Parse(args); err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { _ = s.Close() })
	if err := s.Listen(stdr.New(log.Default())); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

func controllers(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("cert-manager", flag.ExitOnError)
	image := flags.String("acme-http01-solver-image", "", "image of acmesolver")
	namespace := flags.String("cluster-resource-namespace", "cert-manager", "where ClusterIssuers have their secrets")
	if err := flags.Parse(args); err != nil {
		return err
	}
	factory, err := controller.NewContextFactory(ctx, options(*image, *namespace))
	if err != nil {
		return err
	}
	base, err := factory.Build()
	if err != nil {
		return err
	}
	ended := make(chan error)
	for name, constructor := range controller.Known() {
		c, err := constructor(factory)
		if err != nil {
			return fmt.Errorf("making the controller %s: %w", name, err)
		}
		go func() { ended <- fmt.Errorf("the controller %s ended: %w", name, c.Run(workers, ctx)) }()
	}
	base.SharedInformerFactory.Start(ctx.Done())
	base.KubeSharedInformerFactory.Start(ctx.Done())
	base.HTTP01ResourceMetadataInformersFactory.Start(ctx.Done())
	base.GWShared.Start(ctx.Done())
	log.Printf("started %d controllers", len(controller.Known()))
	select {
	case <-ctx.Done():
		return nil
	case err := <-ended:
		return err
	}
}

// options differ from cert-manager's own defaults where a test would wait too long:
// a certificate that could not be had is tried for again after a second, not an hour.
func options(image, namespace string) controller.ContextOptions {
	return controller.ContextOptions{
		IssuerOptions: controller.IssuerOptions{ClusterResourceNamespace: namespace},
		ACMEOptions: controller.ACMEOptions{
			HTTP01SolverImage:                 image,
			HTTP01SolverResourceRequestCPU:    resource.MustParse("10m"),
			HTTP01SolverResourceRequestMemory: resource.MustParse("64Mi"),
			HTTP01SolverResourceLimitsCPU:     resource.MustParse("100m"),
			HTTP01SolverResourceLimitsMemory:  resource.MustParse("64Mi"),
			ACMEHTTP01SolverRunAsNonRoot:      true,
			DNS01CheckRetryPeriod:             10 * time.Second,
		},
		IngressShimOptions: controller.IngressShimOptions{
			DefaultIssuerKind:                 "Issuer",
			DefaultIssuerGroup:                "cert-manager.io",
			DefaultAutoCertificateAnnotations: []string{"kubernetes.io/tls-acme"},
		},
		CertificateOptions: controller.CertificateOptions{
			CopiedAnnotationPrefixes:                 []string{"*", "-kubectl.kubernetes.io/", "-fluxcd.io/", "-argocd.argoproj.io/"},
			CertificateRequestMinimumBackoffDuration: time.Second,
			CertificateRequestMaximumBackoffDuration: time.Minute,
		},
		SchedulerOptions: controller.SchedulerOptions{MaxConcurrentChallenges: 60},
		ConfigOptions:    controller.ConfigOptions{EnableGatewayAPI: true},
	}
}
