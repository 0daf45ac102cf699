package operator_test

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/chart/charttest"
	"mizzen.dev/internal/operator"
	"mizzen.dev/test/cluster/apiserver"
	"mizzen.dev/test/cluster/audit"
)

// greedy are Models that together want every kind of object there is, and modest are the
// same when they want little.
var greedy, modest = map[string]string{
	"web": spec("rollout: {strategy: Recreate}", "config: {MIZZEN_LOG_LEVEL: debug}", "replicas: 1",
		"expose: {host: web.example.com, ingress: {className: nginx}, tls: {issuerRef: {name: letsencrypt}}}"),
	"rpc": spec("scale: {minReplicas: 2, maxReplicas: 5, target: {cpuUtilization: 60}, via: HPA}",
		"expose: {host: rpc.example.com, protocols: [GRPC], gateway: {className: envoy}, tls: {issuerRef: {name: authority}}}"),
	"busy": cached("scale: {minReplicas: 2, maxReplicas: 20, target: {requestsPerSecond: 50}}",
		"expose: {host: busy.example.com, gateway: {parentRef: {name: public, namespace: gateways}}}"),
}, map[string]string{
	"web":  spec("rollout: {strategy: Recreate}", "replicas: 1", "telemetry: {scrape: {mode: Disabled}, dashboard: {mode: Disabled}, alerts: {mode: Disabled}}"),
	"rpc":  spec("replicas: 1", "isolation: {mode: Disabled}"),
	"busy": cached("replicas: 2"),
}

// cached is a spec whose model lies in a volume.
func cached(fields ...string) string {
	return strings.Replace(spec(fields...), "source: {", "source: {cache: {claim: {size: 1Gi, accessMode: ReadWriteMany}}, ", 1)
}

// TestRights runs the operator with the rights that an installation gives it, and no
// others: for the whole cluster as config/ has them, for one namespace as the chart does.
// It makes the same of Models either way, is refused nothing, and keeps away from where it
// has no business.
func TestRights(t *testing.T) {
	t.Parallel()
	// The audit log, and the Models that an operator of the whole cluster sees, are these.
	b := newBed(t, apiserver.New(t, apiserver.Options{CRDs: []*apiextensionsv1.CustomResourceDefinition{modelDefinition()}, CRDPaths: definitionPaths()}))
	b.offer("metrics.k8s.io")
	b.offer("external.metrics.k8s.io")

	own, foreign := b.another(t), b.another(t)
	system := b.another(t).namespace
	rights := roles(t, system, fmt.Sprintf("namespaces: [%s]", own.namespace))
	foreign.make(greedy)
	tenant := own.work(t, system, rights, []string{own.namespace})
	for name := range greedy {
		if m := foreign.get(name); m.Status.ObservedGeneration != 0 || len(foreign.owned(name)) > 0 {
			t.Errorf("the operator of another namespace has made %v of %s, and says %+v", slices.Collect(maps.Keys(foreign.owned(name))), name, m.Status)
		}
	}
	for _, e := range b.asked(user(system)) {
		if e.Object.Namespace != "" && e.Object.Namespace != own.namespace && e.Object.Namespace != system {
			t.Errorf("the operator of one namespace asks for what is in another: %s", e)
		}
	}

	for _, ns := range []string{own.namespace, foreign.namespace} {
		if err := b.DeleteAllOf(t.Context(), &v1alpha1.Model{}, client.InNamespace(ns)); err != nil {
			t.Fatal(err)
		}
	}

	whole := b.another(t).work(t, "mizzen-system", readObjects(t, "../../config/rbac.yaml"), nil)
	for i, what := range []string{"that want much", "that want little"} {
		if diff := cmp.Diff(whole[i], tenant[i]); diff != "" {
			t.Errorf("of Models %s the operator of one namespace makes something else (-whole cluster +one namespace):\n%s", what, diff)
		}
	}
}

func user(system string) string { return "system:serviceaccount:" + system + ":mizzen-operator" }

// work has an operator with the given rights make Models, change them, and put back what
// others change. It returns what there is of greedy and of modest ones, and what is said of
// them, and wants no request to have been forbidden.
func (b *bed) work(t *testing.T, system string, rights []*unstructured.Unstructured, namespaces []string) [2]map[string][]string {
	t.Helper()
	config := b.grant(system, rights)
	op := b.operate(func(o *operator.Options) {
		o.Config, o.Namespaces, o.LeaderElection, o.LeaderNamespace = config, namespaces, true, system
		o.PlatformPath = b.platform("image: registry.example.com/mizzen:1.0.0", "offers: [MetricsServer, KEDA]", `prometheus: {address: "http://prometheus.monitoring:9090"}`,
			"grafana: {folder: Models}", "ingressClasses: [{name: nginx, controller: k8s.io/ingress-nginx}]", "gateways: [{name: public, namespace: gateways}]")
	})
	var made [2]map[string][]string
	b.make(greedy)
	made[0] = b.said(op)
	for _, k := range operator.Kinds() {
		if !slices.ContainsFunc(slices.Concat(slices.Collect(maps.Values(made[0]))...), func(line string) bool { return strings.HasPrefix(line, k.Kind+" ") }) {
			t.Errorf("no Model has a %s: the right to it is not tested, or not needed", k.Kind)
		}
	}
	d := &appsv1.Deployment{}
	b.read(d, "web")
	d.Spec.Template.Spec.Containers[0].Image = "other:1"
	if err := b.Update(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	b.eventually("an Event says that the image was put back", func() bool { return len(b.events("web", "DriftCorrected")) > 0 })
	for name, s := range modest {
		b.respec(name, s)
	}
	made[1] = b.said(op)
	op.stop()
	for _, e := range b.asked(user(system)) {
		if e.Response.Code == 403 {
			t.Errorf("the operator is forbidden: %s", e)
		}
	}
	return made
}

func (b *bed) make(specs map[string]string) {
	b.Helper()
	for name, s := range specs {
		b.model(name, s)
	}
}

// said is what there is of each Model when all is done, and its conditions.
func (b *bed) said(op *running) map[string][]string {
	b.Helper()
	all := map[string][]string{}
	for name := range greedy {
		b.reconciled(name)
		op.resync(name)
		all[name] = slices.Sorted(maps.Keys(b.owned(name)))
		for _, c := range b.get(name).Status.Conditions {
			all[name] = append(all[name], fmt.Sprintf("%s is %s: %s", c.Type, c.Status, c.Reason))
		}
	}
	return all
}

// grant gives the operator's ServiceAccount rights, and returns its configuration when the
// API server has learned of them, which it does a moment later.
func (b *bed) grant(system string, rights []*unstructured.Unstructured) *rest.Config {
	b.Helper()
	b.apply(&unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": system}}}, "installer")
	for _, o := range rights {
		b.apply(o, "installer")
	}
	config, err := b.server.AddUser(user(system), "system:serviceaccounts", "system:serviceaccounts:"+system)
	if err != nil {
		b.Fatal(err)
	}
	account, err := client.New(config, client.Options{Scheme: b.Scheme()})
	if err != nil {
		b.Fatal(err)
	}
	for _, o := range rights {
		if !strings.HasSuffix(o.GetKind(), "Role") {
			continue
		}
		role := &rbacv1.Role{} // a ClusterRole has the same rules
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, role); err != nil {
			b.Fatal(err)
		}
		rule := role.Rules[0]
		may := &authorizationv1.SelfSubjectAccessReview{Spec: authorizationv1.SelfSubjectAccessReviewSpec{ResourceAttributes: &authorizationv1.ResourceAttributes{
			Namespace: o.GetNamespace(), Group: rule.APIGroups[0], Resource: rule.Resources[0], Verb: rule.Verbs[0],
		}}}
		b.eventually("the rights are known", func() bool {
			review := may.DeepCopy()
			if err := account.Create(b.Context(), review); err != nil {
				b.Fatal(err)
			}
			return review.Status.Allowed
		})
	}
	return config
}

// asked is all that a user has asked the API server for.
func (b *bed) asked(user string) []audit.Event {
	b.Helper()
	mark := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{GenerateName: "mark-", Namespace: b.namespace}}
	if err := b.Create(b.Context(), mark); err != nil {
		b.Fatal(err)
	}
	// Read back, its name is in the log, after all that was asked for before.
	b.read(mark, mark.Name)
	var all []audit.Event
	b.eventually("the mark is in the audit log", func() bool {
		var err error
		if all, err = audit.Read(b.server.AuditLog()); err != nil {
			b.Fatal(err)
		}
		return slices.ContainsFunc(all, func(e audit.Event) bool { return e.Object.Name == mark.Name && e.Verb == "get" })
	})
	return slices.DeleteFunc(all, func(e audit.Event) bool { return e.User.Username != user })
}

// offer registers an API that is served by others, as its installation does.
func (b *bed) offer(group string) {
	b.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "apiregistration.k8s.io/v1", "kind": "APIService",
		"metadata": map[string]any{"name": "v1beta1." + group},
		"spec":     map[string]any{"group": group, "version": "v1beta1", "groupPriorityMinimum": int64(100), "versionPriority": int64(100)}}}
	b.apply(o, "installer")
	b.Cleanup(func() { // the other tests' clusters have none
		if err := b.Delete(context.Background(), o); err != nil {
			b.Error(err)
		}
	})
}

// roles are what the chart gives an operator that runs in a namespace, with YAML of values.
func roles(t *testing.T, namespace, values string) []*unstructured.Unstructured {
	t.Helper()
	return parseObjects(t, charttest.Render(t, "../../charts/mizzen", namespace, values)["mizzen/templates/rbac.yaml"])
}
