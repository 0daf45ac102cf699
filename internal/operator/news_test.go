package operator_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clocktesting "k8s.io/utils/clock/testing"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/operator"
	"mizzen.dev/internal/platform"
)

// TestNews tells what people wait for from what is progress.
func TestNews(t *testing.T) {
	const (
		starting = "{type: Ready, status: Unknown, reason: Progressing}"
		ready    = "{type: Ready, status: \"True\", reason: Serving}"
		broken   = "{type: Ready, status: \"False\", reason: OOMKilled}"
	)
	tests := map[string]struct {
		before, after string
		want          bool
	}{
		"the first":        {"{}", "{observedGeneration: 1, conditions: [" + starting + "]}", true},
		"a new spec":       {"{observedGeneration: 1}", "{observedGeneration: 2}", true},
		"a new address":    {"{url: http://a}", "{url: https://a}", true},
		"a new revision":   {"{revisions: [{name: a}]}", "{revisions: [{name: b}, {name: a}]}", true},
		"ready":            {"{conditions: [" + starting + "]}", "{conditions: [" + ready + "]}", true},
		"ready no more":    {"{conditions: [" + ready + "]}", "{conditions: [" + starting + "]}", true},
		"in trouble":       {"{conditions: [" + starting + "]}", "{conditions: [" + broken + "]}", true},
		"another trouble":  {"{conditions: [" + broken + "]}", "{conditions: [{type: Ready, status: \"False\", reason: Crashing}]}", true},
		"trouble beside":   {"{conditions: [" + starting + "]}", "{conditions: [" + starting + ", {type: ScaledBy, status: \"False\", reason: Paused}]}", true},
		"measured at last": {"{conditions: [" + ready + ", {type: ScaledBy, status: Unknown, reason: Pending}]}", "{conditions: [" + ready + ", {type: ScaledBy, status: \"True\", reason: HPA}]}", true},

		"more pods":       {"{replicas: 1, readyReplicas: 1, conditions: [" + ready + "]}", "{replicas: 2, readyReplicas: 2, conditions: [" + ready + "]}", false},
		"a file":          {"{revisions: [{name: a}]}", "{revisions: [{name: a, digest: \"sha256:0\", replicas: 1}]}", false},
		"other words":     {"{conditions: [{type: Ready, status: \"False\", reason: OOMKilled, message: pod a}]}", "{conditions: [{type: Ready, status: \"False\", reason: OOMKilled, message: pod b}]}", false},
		"further":         {"{conditions: [{type: Ready, status: Unknown, reason: Fetching}]}", "{conditions: [" + starting + "]}", false},
		"fetched":         {"{conditions: [" + starting + ", {type: SourceReady, status: Unknown, reason: Fetching}]}", "{conditions: [" + starting + ", {type: SourceReady, status: \"True\", reason: Pinned}]}", false},
		"a later mistake": {"{conditions: [" + starting + "]}", "{conditions: [" + starting + ", {type: Isolated, status: \"True\", reason: ScraperPeersUnknown}]}", false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			var before, after v1alpha1.ModelStatus
			for text, into := range map[string]*v1alpha1.ModelStatus{test.before: &before, test.after: &after} {
				if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
					t.Fatal(err)
				}
			}
			if got := operator.News(&before, &after); got != test.want {
				t.Errorf("news: %t", got)
			}
		})
	}
}

// upcoming is a Model whose pods a test plays, and an operator whose time it makes.
type upcoming struct {
	*bed
	reconciler *operator.Reconciler
	client     *mortal
	clock      *clocktesting.FakePassiveClock
	pod        *corev1.Pod
}

func newUpcoming(t *testing.T) *upcoming {
	t.Helper()
	b := newBed(t, server.Get(t))
	p := platform.Bare()
	p.Image = "registry.example.com/mizzen:1.0.0"
	u := &upcoming{bed: b, client: &mortal{Client: b.Client}, clock: clocktesting.NewFakePassiveClock(time.Now())}
	u.reconciler = operator.NewReconciler(u.client, p, "monitoring.coreos.com")
	u.reconciler.Clock = u.clock
	return u
}

// look has the operator look once, and returns how often it wrote and when it will look
// again.
func (u *upcoming) look() (writes int, again time.Duration) {
	u.Helper()
	before := u.client.writes
	result, err := u.reconciler.Reconcile(u.Context(), reconcile.Request{NamespacedName: client.ObjectKey{Namespace: u.namespace, Name: "iris"}})
	if err != nil {
		u.Fatal(err)
	}
	return u.client.writes - before, result.RequeueAfter
}

// deployed has the Deployment say how many pods there are, and how many answer.
func (u *upcoming) deployed(pods, available int32) {
	u.Helper()
	d := &appsv1.Deployment{}
	u.read(d, "iris")
	d.Status = appsv1.DeploymentStatus{ObservedGeneration: d.Generation, Replicas: pods, UpdatedReplicas: pods, ReadyReplicas: available, AvailableReplicas: available}
	if err := u.bed.Status().Update(u.Context(), d); err != nil {
		u.Fatal(err)
	}
}

// podIs has the one pod in a status, in YAML.
func (u *upcoming) podIs(status string) {
	u.Helper()
	if u.pod == nil {
		u.pod = &corev1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "iris-0", Namespace: u.namespace,
			Labels: map[string]string{"mizzen.dev/model": "iris", "mizzen.dev/revision": u.get("iris").Status.Revisions[0].Name}},
			Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Image: "a"}}}}
		if err := u.Create(u.Context(), u.pod); err != nil {
			u.Fatal(err)
		}
	}
	u.pod.Status = corev1.PodStatus{}
	if err := yaml.UnmarshalStrict([]byte(status), &u.pod.Status); err != nil {
		u.Fatal(err)
	}
	if err := u.bed.Status().Update(u.Context(), u.pod); err != nil {
		u.Fatal(err)
	}
}

const (
	podFetches = "{initContainerStatuses: [{name: fetch, image: a, imageID: a, state: {running: {}}}]}"
	podStarts  = "{initContainerStatuses: [{name: fetch, image: a, imageID: a, state: {terminated: {exitCode: 0}}}]}"
	podAnswers = "{conditions: [{type: Ready, status: \"True\"}], initContainerStatuses: [{name: fetch, image: a, imageID: a, state: {terminated: {exitCode: 0}}}]}"
	podBroken  = "{initContainerStatuses: [{name: fetch, image: a, imageID: a, state: {terminated: {exitCode: 10}}}]}"
)

// TestProgress has a Model come up with two writes of its status: one that says that it
// was seen, one that it is ready. What lies between is written if it lasts.
func TestProgress(t *testing.T) {
	u := newUpcoming(t)
	u.model("iris", spec())
	u.look()
	if writes, again := u.look(); writes != 0 || again != 0 {
		t.Fatalf("a Model that was seen is written %d times, and looked at again in %s", writes, again)
	}

	u.deployed(1, 0)
	u.podIs(podFetches)
	writes, again := u.look()
	if writes != 0 || again <= 0 || again > operator.ProgressDelay {
		t.Fatalf("while a pod fetches there are %d writes, and the next look is in %s", writes, again)
	}
	u.clock.SetTime(u.clock.Now().Add(again / 2))
	u.podIs(podStarts)
	if writes, left := u.look(); writes != 0 || left >= again {
		t.Errorf("while a pod starts there are %d writes, and the next look is in %s, not sooner than in %s", writes, left, again)
	}
	u.podIs(podAnswers)
	u.deployed(1, 1)
	if writes, again := u.look(); writes != 1 || again != 0 {
		t.Errorf("when it is ready there are %d writes, and the next look is in %s", writes, again)
	}
	m := u.get("iris")
	if c := condition(m.Status.Conditions, v1alpha1.ConditionReady); c == nil || c.Status != metav1.ConditionTrue {
		t.Errorf("Ready is %+v", c)
	}
	if m.Status.ReadyReplicas != 1 || m.Status.Revisions[0].ReadyReplicas != 1 {
		t.Errorf("the status is %+v", m.Status)
	}

	u.deployed(2, 1) // one more than is wanted
	if writes, _ := u.look(); writes != 0 {
		t.Errorf("for a number there are %d writes", writes)
	}
	u.clock.SetTime(u.clock.Now().Add(operator.ProgressDelay))
	if writes, again := u.look(); writes != 1 || again != 0 {
		t.Errorf("for a number that lasts there are %d writes, and the next look is in %s", writes, again)
	}
	if got := u.get("iris").Status.Replicas; got != 2 {
		t.Errorf("the status has %d pods", got)
	}
}

// TestTroubleIsNews has what goes wrong said at once, though progress was held back
// before it.
func TestTroubleIsNews(t *testing.T) {
	u := newUpcoming(t)
	u.model("iris", spec())
	u.look()
	u.podIs(podFetches)
	if writes, _ := u.look(); writes != 0 {
		t.Fatalf("while a pod fetches there are %d writes", writes)
	}
	u.podIs(podBroken)
	if writes, again := u.look(); writes != 1 || again != 0 {
		t.Errorf("for a wrong digest there are %d writes, and the next look is in %s", writes, again)
	}
	want := []string{"False", "DigestMismatch"}
	c := condition(u.get("iris").Status.Conditions, v1alpha1.ConditionReady)
	if diff := cmp.Diff(want, []string{string(c.Status), c.Reason}); diff != "" {
		t.Errorf("Ready (-want +got):\n%s", diff)
	}
}
