package audit_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/test/cluster/audit"
)

const log = `{"verb":"get","user":{"username":"operator"},"requestReceivedTimestamp":"2026-01-01T00:00:10Z","objectRef":{"resource":"pods","name":"p","namespace":"n"},"responseStatus":{"code":200}}
{"verb":"patch","user":{"username":"operator"},"requestReceivedTimestamp":"2026-01-01T00:00:01Z","objectRef":{"apiGroup":"apps","resource":"deployments","name":"before","namespace":"n"},"responseStatus":{"code":200}}
{"verb":"patch","user":{"username":"operator"},"requestReceivedTimestamp":"2026-01-01T00:00:11Z","objectRef":{"apiGroup":"apps","resource":"deployments","subresource":"scale","name":"d","namespace":"n"},"responseStatus":{"code":200}}
{"verb":"patch","user":{"username":"other"},"requestReceivedTimestamp":"2026-01-01T00:00:12Z","objectRef":{"apiGroup":"apps","resource":"deployments","name":"d","namespace":"n"},"responseStatus":{"code":200}}
{"verb":"update","user":{"username":"operator"},"requestReceivedTimestamp":"2026-01-01T00:00:13Z","objectRef":{"apiGroup":"coordination.k8s.io","resource":"leases","name":"l","namespace":"n"},"responseStatus":{"code":200}}
{"verb":"create","user":{"username":"operator"},"requestReceivedTimestamp":"2026-01-01T00:00:14Z","objectRef":{"apiGroup":"authorization.k8s.io","resource":"selfsubjectaccessreviews"},"responseStatus":{"code":201}}
{"verb":"delete","user":{"username":"operator"},"requestReceivedTimestamp":"2026-01-01T00:00:15Z","objectRef":{"resource":"pods","name":"p","namespace":"n"},"responseStatus":{"code":403}}
{"verb":"create","us`

func TestWrites(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte(log), 0o644); err != nil {
		t.Fatal(err)
	}
	events, err := audit.Writes(path, "operator", time.Date(2026, 1, 1, 0, 0, 10, 0, time.UTC))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range events {
		got = append(got, e.String())
	}
	want := []string{"patch apps/deployments/scale n/d by operator: 200", "delete pods n/p by operator: 403"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("writes of the operator (-want +got):\n%s", diff)
	}
}

// TestReadFrom goes on where it ended, and takes a line only when it is whole.
func TestReadFrom(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	end := strings.LastIndex(log, "\n") + 1
	offset := int64(0)
	total := 0
	for _, part := range []string{log[:100], log[:end/2], log[:end], log} {
		if err := os.WriteFile(path, []byte(part), 0o600); err != nil {
			t.Fatal(err)
		}
		events, next, err := audit.ReadFrom(path, offset)
		if err != nil {
			t.Fatal(err)
		}
		offset, total = next, total+len(events)
	}
	if want := strings.Count(log, "\n"); total != want || offset != int64(end) {
		t.Errorf("%d events up to %d; expected %d up to %d", total, offset, want, end)
	}
}

func TestNotALog(t *testing.T) {
	path := filepath.Join(t.TempDir(), "audit.log")
	if err := os.WriteFile(path, []byte("oops\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := audit.Read(path); err == nil {
		t.Error("a line that is not JSON is no error")
	}
	if _, err := audit.Read(path + ".none"); err == nil {
		t.Error("a log that is not there is no error")
	}
}
