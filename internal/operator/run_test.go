package operator_test

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/prometheus/client_golang/prometheus"
	coordinationv1 "k8s.io/api/coordination/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/metrics"

	"mizzen.dev/internal/buffer"
	"mizzen.dev/internal/operator"
)

// TestLeader holds for two operators: one of them works, both are ready, and when the
// first ends the second takes its place at once, with no more rights than they have.
func TestLeader(t *testing.T) {
	b := newBed(t, server.Get(t))
	lead := func(o *operator.Options) {
		o.LeaderElection, o.LeaderNamespace = true, "mizzen-system"
	}
	first := b.operate(lead)
	b.eventually("the first leads", func() bool { return b.leader() != "" })
	leader := b.leader()

	health, scraped := free(t), free(t)
	second := b.operate(func(o *operator.Options) {
		lead(o)
		o.HealthAddress, o.MetricsAddress = health, scraped
		o.Registry = metrics.Registry // that which is served
	})
	b.eventually("the second is ready", func() bool {
		status, _ := get("http://" + health + "/readyz")
		return status == http.StatusOK
	})
	b.model("iris", spec())
	b.reconciled("iris")
	if second.looks.at("iris") != 0 {
		t.Error("the second works, too")
	}

	first.stop()
	b.eventually("the second leads", func() bool { return b.leader() != "" && b.leader() != leader })
	b.model("rose", spec())
	b.reconciled("rose")
	if second.looks.at("rose") == 0 {
		t.Error("the second does not work")
	}
	status, body := get("http://" + scraped + "/metrics")
	if status != http.StatusOK || !strings.Contains(body, `mizzen_operator_writes_total{kind="Deployment",verb="apply"}`) {
		t.Errorf("the metrics (%d) lack what was written", status)
	}
}

// leader is who holds the lease.
func (b *bed) leader() string {
	b.Helper()
	l := &coordinationv1.Lease{}
	err := b.Get(b.Context(), client.ObjectKey{Namespace: "mizzen-system", Name: operator.Name}, l)
	if client.IgnoreNotFound(err) != nil {
		b.Fatal(err)
	}
	if l.Spec.HolderIdentity == nil {
		return ""
	}
	return *l.Spec.HolderIdentity
}

func free(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func get(url string) (int, string) {
	response, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer response.Body.Close()
	body, _ := io.ReadAll(response.Body)
	return response.StatusCode, string(body)
}

// TestBadPlatform holds for a platform file that is wrong from the start: the operator
// says so, is not ready and touches nothing, until the file is mended. One that goes bad
// later leaves it ready.
func TestBadPlatform(t *testing.T) {
	b := newBed(t, server.Get(t))
	path, health := b.platform("image: 7", "unheard: of"), free(t)
	var said buffer.Shared
	op := b.operate(func(o *operator.Options) {
		o.PlatformPath, o.HealthAddress = path, health
		o.Registry = prometheus.NewRegistry()
		o.Log = logr.FromSlogHandler(slog.NewTextHandler(&said, nil))
	})
	b.model("iris", spec())
	b.eventually("the Model was looked at", func() bool { return op.looks.at("iris") > 0 })
	if owned := b.owned("iris"); len(owned) > 0 {
		t.Errorf("there is %s", fmt.Sprint(len(owned)))
	}
	const wrong = "unknown field"
	b.eventually("it says why it is not ready", func() bool {
		status, body := get("http://" + health + "/readyz/platform")
		return status == http.StatusInternalServerError && strings.Contains(body, wrong)
	})
	if status, body := get("http://" + health + "/readyz"); status != http.StatusInternalServerError || !strings.Contains(body, "[-]platform failed") {
		t.Errorf("/readyz is %d: %s", status, body)
	}
	if text := said.String(); !strings.Contains(text, wrong) {
		t.Errorf("the log does not say what is wrong:\n%s", text)
	}

	write := func(text string) {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		op.LookAround()
	}
	write("apiVersion: mizzen.dev/v1alpha1\nkind: Platform\nimage: registry.example.com/mizzen:1.0.0\n")
	b.eventually("it is ready", func() bool {
		status, _ := get("http://" + health + "/readyz")
		return status == http.StatusOK
	})
	b.reconciled("iris")

	write("image: 7\n")
	b.eventually("the file was looked at", func() bool { return strings.Contains(said.String(), "the last good one stays in force") })
	if status, body := get("http://" + health + "/readyz"); status != http.StatusOK {
		t.Errorf("/readyz is %d: %s", status, body)
	}
}

// TestRetry holds for what nobody tells the operator of, such as a name that is free again:
// it is noticed soon, however long it was in the way.
func TestRetry(t *testing.T) {
	for failures, want := range map[int]time.Duration{1: 5 * time.Millisecond, 4: 40 * time.Millisecond, 30: time.Minute, 2000: time.Minute} {
		if got := operator.RetryAfter(failures); got != want {
			t.Errorf("after %d failures it waits for %v, want %v", failures, got, want)
		}
	}
}
