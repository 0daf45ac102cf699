package render

import (
	"context"
	"fmt"
	"os"
	"testing"

	corev1 "k8s.io/api/core/v1"
	schedulingv1 "k8s.io/api/scheduling/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/restmapper"
	psa "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"

	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/crds"
)

// server has the kinds of all projects that Mizzen makes objects for.
var server *apiserver.Shared

func TestMain(m *testing.M) {
	files, err := crds.Written(context.Background(), crds.GatewayAPI(), crds.KEDA(), crds.CertManager(), crds.PrometheusOperator())
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	server = apiserver.NewShared(apiserver.Options{CRDPaths: files})
	os.Exit(server.Run(m))
}

// TestAccepted holds for the objects of every case: a real API server takes them with
// strict validation, and comes to rest when it gets them again; the pods are
// let into a namespace that enforces the restricted level.
func TestAccepted(t *testing.T) {
	s := server.Get(t)
	c, err := dynamic.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	pods, err := kubernetes.NewForConfig(s.Config)
	if err != nil {
		t.Fatal(err)
	}
	mapper := kinds(t, pods.Discovery())
	priority := &schedulingv1.PriorityClass{ObjectMeta: metav1.ObjectMeta{Name: "models"}, Value: 1000}
	if _, err := pods.SchedulingV1().PriorityClasses().Create(t.Context(), priority, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range caseNames(t) {
		t.Run(name, func(t *testing.T) {
			in := loadCase(t, name)
			in.Model.Namespace = restrictedNamespace(t, s, pods, in.Model.Spec.ServiceAccountName)
			in.DevelopmentSecrets = true
			result := rendered(t, in)
			for _, o := range result.Objects {
				mapping, err := mapper.RESTMapping(o.GroupVersionKind().GroupKind(), o.GroupVersionKind().Version)
				if err != nil {
					t.Errorf("%s: %v", o.GetKind(), err)
					continue
				}
				ri := c.Resource(mapping.Resource).Namespace(in.Model.Namespace)
				apply(t, ri, o)
				// The first time again may write what creating could not, such as a default
				// status; from then on there is nothing to write.
				settled := apply(t, ri, o)
				if again := apply(t, ri, o); again != settled {
					t.Errorf("%s %s: applying again wrote version %s over %s", o.GetKind(), o.GetName(), again, settled)
				}
			}
			for _, o := range result.Objects {
				if o.GetKind() == "Deployment" {
					admitted(t, pods, o)
				}
			}
		})
	}
}

// apply returns the version of the object after it was applied.
func apply(t *testing.T, ri dynamic.ResourceInterface, o *unstructured.Unstructured) string {
	t.Helper()
	data, err := o.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	got, err := ri.Patch(t.Context(), o.GetName(), "application/apply-patch+yaml", data,
		metav1.PatchOptions{FieldManager: "test", FieldValidation: metav1.FieldValidationStrict})
	if err != nil {
		t.Errorf("%s %s: %v", o.GetKind(), o.GetName(), err)
		return ""
	}
	return got.GetResourceVersion()
}

// admitted holds for the pods of a Deployment, by the rules themselves and by the API
// server that enforces them.
func admitted(t *testing.T, pods kubernetes.Interface, deployment *unstructured.Unstructured) {
	t.Helper()
	template, _, err := unstructured.NestedMap(deployment.Object, "spec", "template")
	if err != nil {
		t.Fatal(err)
	}
	pod := &corev1.Pod{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(template, pod); err != nil {
		t.Fatal(err)
	}
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	level := psa.LevelVersion{Level: psa.LevelRestricted, Version: psa.LatestVersion()}
	if result := policy.AggregateCheckResults(evaluator.EvaluatePod(level, &pod.ObjectMeta, &pod.Spec)); !result.Allowed {
		t.Errorf("the restricted level forbids the pods: %s", result.ForbiddenDetail())
	}
	pod.GenerateName = "pod-"
	if _, err := pods.CoreV1().Pods(deployment.GetNamespace()).Create(t.Context(), pod,
		metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict}); err != nil {
		t.Errorf("the API server does not let the pods in: %v", err)
	}
}

// restrictedNamespace is a namespace for a test that enforces the restricted level and
// has a ServiceAccount, if it has a name.
func restrictedNamespace(t *testing.T, s *apiserver.Server, c kubernetes.Interface, account string) string {
	t.Helper()
	ns := s.Namespace(t)
	patch := `{"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"restricted"}}}`
	if _, err := c.CoreV1().Namespaces().Patch(t.Context(), ns, "application/merge-patch+json", []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	if account != "" {
		if _, err := c.CoreV1().ServiceAccounts(ns).Create(t.Context(), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}, metav1.CreateOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return ns
}

// kinds that the server has.
func kinds(t *testing.T, d discovery.DiscoveryInterface) meta.RESTMapper {
	t.Helper()
	groups, err := restmapper.GetAPIGroupResources(d)
	if err != nil {
		t.Fatal(err)
	}
	return restmapper.NewDiscoveryRESTMapper(groups)
}
