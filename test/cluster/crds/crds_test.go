package crds_test

import (
	"errors"
	"testing"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apiextensions-apiserver/pkg/client/clientset/clientset"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/crds"
)

// TestEstablished holds for the kinds that Mizzen writes, on a real API server.
func TestEstablished(t *testing.T) {
	files, err := crds.Files(t.Context(), crds.All()...)
	if err != nil {
		t.Fatal(err)
	}
	server := apiserver.New(t, apiserver.Options{CRDPaths: files})
	c, err := clientset.NewForConfig(server.Config)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{
		"gateways.gateway.networking.k8s.io", "httproutes.gateway.networking.k8s.io", "grpcroutes.gateway.networking.k8s.io",
		"gatewayclasses.gateway.networking.k8s.io",
		"scaledobjects.keda.sh", "triggerauthentications.keda.sh",
		"certificates.cert-manager.io", "clusterissuers.cert-manager.io", "challenges.acme.cert-manager.io",
		"servicemonitors.monitoring.coreos.com", "podmonitors.monitoring.coreos.com", "prometheusrules.monitoring.coreos.com",
		"applications.argoproj.io", "applicationsets.argoproj.io",
		"imagevalidatingpolicies.policies.kyverno.io", "clusterpolicies.kyverno.io",
	} {
		crd, err := c.ApiextensionsV1().CustomResourceDefinitions().Get(t.Context(), name, metav1.GetOptions{})
		if err != nil {
			t.Error(err)
			continue
		}
		established := false
		for _, condition := range crd.Status.Conditions {
			established = established || condition.Type == apiextensionsv1.Established && condition.Status == apiextensionsv1.ConditionTrue
		}
		if !established {
			t.Errorf("%s is not established", name)
		}
	}
}

func TestNotWhatIsPinned(t *testing.T) {
	set := crds.GatewayAPI()
	set.Sum = crds.KEDA().Sum
	_, err := crds.Files(t.Context(), set)
	var sumErr *crds.SumError
	if !errors.As(err, &sumErr) {
		t.Errorf("a module with another checksum gives %v", err)
	}
	missing := crds.GatewayAPI()
	missing.Dirs = []string{"config/crd/none"}
	if _, err := crds.Files(t.Context(), missing); err == nil {
		t.Error("a folder that is not there gives no error")
	}
	missing = crds.GatewayAPI()
	missing.Written = append(missing.Written, "none.yaml")
	if _, err := crds.Written(t.Context(), missing); err == nil {
		t.Error("a file that is not there gives no error")
	}
}
