package logs

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	typedcorev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// api answers as an API server would that has kubelets: an API server alone has no
// logs. It serves pods, the changes of pods, and logs by POD/CONTAINER.
type api struct {
	mu   sync.Mutex
	pods []corev1.Pod
	logs map[string]string
	// lost are the logs whose kubelet does not answer; torn those whose connection ends
	// after what there is in logs.
	lost, torn map[string]bool
	asked      []string
	events     chan metav1.WatchEvent
}

func (a *api) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	path := strings.TrimPrefix(r.URL.Path, "/api/v1/namespaces/ml/pods")
	q := r.URL.Query()
	switch {
	case path == "" && q.Get("sendInitialEvents") != "": // as one that does not know this way to list
		w.WriteHeader(http.StatusUnprocessableEntity)
		json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure",
			Reason: metav1.StatusReasonInvalid, Code: http.StatusUnprocessableEntity})
	case path == "" && q.Get("watch") != "":
		a.watch(w, r)
	case path == "":
		list := corev1.PodList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "PodList"}, Items: a.pods}
		list.ResourceVersion = "1"
		json.NewEncoder(w).Encode(list)
	case strings.HasSuffix(path, "/log"):
		name := strings.Trim(strings.TrimSuffix(path, "/log"), "/") + "/" + q.Get("container")
		a.mu.Lock()
		q.Del("container")
		q.Del("timestamps")
		a.asked = append(a.asked, name+" "+q.Encode())
		text, ok := a.logs[name]
		a.mu.Unlock()
		if a.lost[name] {
			w.WriteHeader(http.StatusInternalServerError)
			json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure",
				Reason: metav1.StatusReasonInternalError, Code: http.StatusInternalServerError, Message: "no route to host"})
			return
		}
		if a.torn[name] {
			w.Header().Set("Content-Length", fmt.Sprint(len(text)+1))
		}
		if !ok {
			w.WriteHeader(http.StatusBadRequest)
			json.NewEncoder(w).Encode(metav1.Status{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: "Failure",
				Reason: metav1.StatusReasonBadRequest, Code: http.StatusBadRequest, Message: "the log is gone"})
			return
		}
		w.Header().Set("Content-Type", "text/plain")
		fmt.Fprint(w, text)
	default:
		http.NotFound(w, r)
	}
}

func (a *api) watch(w http.ResponseWriter, r *http.Request) {
	w.WriteHeader(http.StatusOK)
	w.(http.Flusher).Flush()
	for {
		select {
		case e := <-a.events:
			json.NewEncoder(w).Encode(e)
			w.(http.Flusher).Flush()
		case <-r.Context().Done():
			return
		}
	}
}

func (a *api) client(t *testing.T) typedcorev1.PodsGetter {
	t.Helper()
	s := httptest.NewServer(a)
	t.Cleanup(s.Close)
	c, err := typedcorev1.NewForConfig(&rest.Config{Host: s.URL, ContentConfig: rest.ContentConfig{ContentType: "application/json"}})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// recorder keeps what is written, and calls when, if set, after each line, and noted
// after each note.
type recorder struct {
	got   []string
	when  func(text string)
	noted func()
}

func (r *recorder) Line(l Line) error {
	r.got = append(r.got, l.Pod+" "+l.Container+": "+l.Text)
	if r.when != nil {
		r.when(l.Text)
	}
	return nil
}

func (r *recorder) Note(n Note) {
	r.got = append(r.got, n.Pod+" "+n.Container+" ! "+n.Text)
	if r.noted != nil {
		r.noted()
	}
}

func pod(name string, restarts int32, state corev1.ContainerState) corev1.Pod {
	p := corev1.Pod{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "ml", UID: types.UID(name), ResourceVersion: "1"}}
	p.Spec.InitContainers = []corev1.Container{{Name: "fetch"}}
	p.Spec.Containers = []corev1.Container{{Name: "server"}}
	p.Status.InitContainerStatuses = []corev1.ContainerStatus{{Name: "fetch",
		State: corev1.ContainerState{Terminated: &corev1.ContainerStateTerminated{}}}}
	server := corev1.ContainerStatus{Name: "server", RestartCount: restarts, State: state}
	if restarts > 0 {
		server.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 1}
	}
	p.Status.ContainerStatuses = []corev1.ContainerStatus{server}
	return p
}

func running() corev1.ContainerState {
	return corev1.ContainerState{Running: &corev1.ContainerStateRunning{}}
}

func waitingFor(reason, message string) corev1.ContainerState {
	return corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason, Message: message}}
}

func at(second int, text string) string {
	return fmt.Sprintf("2026-11-25T12:00:%02d.000000001Z %s\n", second, text)
}

func TestPrint(t *testing.T) {
	pods := []corev1.Pod{pod("a", 0, running()), pod("b", 1, running()), pod("c", 0, waitingFor("ImagePullBackOff", "no such image"))}
	texts := map[string]string{
		"a/fetch":  at(1, "a fetches") + at(2, "a has it"),
		"a/server": at(5, "a serves") + at(9, "a predicts"),
		"b/fetch":  at(2, "b fetches"),
		"b/server": at(7, "b serves"), // the last line may lack its end
		"c/fetch":  "without a time\n",
	}
	long := strings.Repeat("x", maxLine)
	tests := map[string]struct {
		options Options
		texts   map[string]string
		want    []string
		asked   string
	}{
		"in the order of time": {Options{Tail: -1}, texts, []string{
			"c server ! has not started: ImagePullBackOff: no such image",
			"c fetch: without a time",
			"a fetch: a fetches", "a fetch: a has it", "b fetch: b fetches", "a server: a serves", "b server: b serves", "a server: a predicts",
		}, "a/fetch "},
		"one container": {Options{Tail: 3, Container: "server"}, texts, []string{
			"c server ! has not started: ImagePullBackOff: no such image",
			"a server: a serves", "b server: b serves", "a server: a predicts",
		}, "a/server tailLines=3"},
		"previous": {Options{Tail: -1, Since: 1500e6, Previous: true, Container: "server"}, texts, []string{
			"a server ! has not been restarted: there is no previous log",
			"c server ! has not been restarted: there is no previous log",
			"b server: b serves",
		}, "b/server previous=true&sinceSeconds=2"},
		"a log that is gone": {Options{Tail: -1, Container: "server"}, map[string]string{"a/server": at(1, "a serves")}, []string{
			"c server ! has not started: ImagePullBackOff: no such image",
			"b server ! reading the log of server in pod b: the log is gone",
			"a server: a serves",
		}, "a/server "},
		"a long line": {Options{Tail: -1, Container: "fetch"}, map[string]string{"a/fetch": at(1, long), "b/fetch": "", "c/fetch": ""}, []string{
			"a fetch: " + long[:maxLine-31], "a fetch: " + long[maxLine-31:],
		}, "a/fetch "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := &api{pods: pods, logs: tt.texts}
			var to recorder
			tt.options.Namespace = "ml"
			if err := Print(t.Context(), a.client(t), tt.options, &to); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, to.got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
			if a.asked[0] != tt.asked {
				t.Errorf("asked first for %q, want %q", a.asked[0], tt.asked)
			}
		})
	}
}

// TestUnreachable loses no lines of other pods when the kubelet of one is not reached,
// or is lost while it is read.
func TestUnreachable(t *testing.T) {
	texts := map[string]string{"a/server": at(1, "a serves"), "b/server": at(2, "b serves"), "c/server": at(3, "c serves")}
	tests := map[string]struct {
		lost, torn map[string]bool
		want       []string
		err        string
	}{
		"one": {lost: map[string]bool{"a/server": true}, want: []string{
			"a server ! reading the log of server in pod a: no route to host", "b server: b serves", "c server: c serves"}},
		"one, later": {torn: map[string]bool{"a/server": true}, want: []string{
			"a server: a serves", "a server ! reading the log of server in pod a: unexpected EOF", "b server: b serves", "c server: c serves"}},
		"all": {lost: map[string]bool{"a/server": true, "b/server": true, "c/server": true},
			err: "reading the log of server in pod a: no route to host"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			a := &api{pods: []corev1.Pod{pod("a", 0, running()), pod("b", 0, running()), pod("c", 0, running())}, logs: texts, lost: tt.lost, torn: tt.torn}
			var to recorder
			err := Print(t.Context(), a.client(t), Options{Namespace: "ml", Tail: -1, Container: "server"}, &to)
			if got := fmt.Sprint(err); err == nil && tt.err != "" || err != nil && got != tt.err {
				t.Errorf("got %v, want %q", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, to.got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

func TestNoPods(t *testing.T) {
	err := Print(t.Context(), (&api{}).client(t), Options{Namespace: "ml", Selector: "mizzen.dev/model=iris"}, &recorder{})
	const want = "no pods in namespace ml have the labels mizzen.dev/model=iris"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestFollowNothing says that it waits.
func TestFollowNothing(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	to := recorder{noted: cancel}
	if err := Print(ctx, (&api{}).client(t), Options{Namespace: "ml", Selector: "mizzen.dev/model=iris", Follow: true}, &to); err != nil {
		t.Fatal(err)
	}
	want := []string{"  ! no pods in namespace ml have the labels mizzen.dev/model=iris yet: waiting for some"}
	if diff := cmp.Diff(want, to.got); diff != "" {
		t.Errorf("notes (-want +got):\n%s", diff)
	}
}

func TestNoContainer(t *testing.T) {
	for _, follow := range []bool{false, true} {
		a := &api{pods: []corev1.Pod{pod("a", 0, running())}}
		err := Print(t.Context(), a.client(t), Options{Namespace: "ml", Container: "sever", Follow: follow}, &recorder{})
		const want = "no pod has a container sever; there are fetch and server"
		if err == nil || err.Error() != want {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestTooMany(t *testing.T) {
	a := &api{}
	for i := range maxStreams {
		a.pods = append(a.pods, pod(fmt.Sprint("p", i), 0, running()))
	}
	err := Print(t.Context(), a.client(t), Options{Namespace: "ml", Tail: -1}, &recorder{})
	want := (&TooManyError{Containers: 2 * maxStreams}).Error()
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

// TestFollow sees a pod start, a container restart, and a new pod come.
func TestFollow(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	a := &api{pods: []corev1.Pod{pod("a", 0, running())}, events: make(chan metav1.WatchEvent, 4),
		logs: map[string]string{"a/fetch": at(1, "a fetches"), "a/server": at(2, "a serves"), "b/fetch": at(4, "b fetches"), "b/server": at(5, "b serves")}}
	change := func(kind string, p corev1.Pod) {
		p.ResourceVersion = kind
		raw, err := json.Marshal(p)
		if err != nil {
			t.Error(err)
		}
		e := metav1.WatchEvent{Type: kind}
		e.Object.Raw = raw
		a.events <- e
	}
	to := recorder{}
	to.when = func(text string) {
		switch text {
		case "a serves": // it ends, and starts again
			a.mu.Lock()
			a.logs["a/server"] = at(3, "a serves again")
			a.mu.Unlock()
			change("MODIFIED", pod("a", 1, running()))
		case "a serves again":
			change("ADDED", pod("b", 0, running()))
		case "b serves":
			cancel()
		}
	}
	if err := Print(ctx, a.client(t), Options{Namespace: "ml", Follow: true, Tail: 5, Container: "server"}, &to); err != nil {
		t.Fatal(err)
	}
	want := []string{"a server: a serves", "a server: a serves again", "b server: b serves"}
	if diff := cmp.Diff(want, to.got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
	// All of what a container wrote since it was started again belongs to it.
	wantAsked := []string{"a/server follow=true&tailLines=5", "a/server follow=true", "b/server follow=true&tailLines=5"}
	if diff := cmp.Diff(wantAsked, a.asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
}
