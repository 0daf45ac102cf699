package render

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/test/cluster/binary"
)

// promtool runs Prometheus's own tool in a directory.
func promtool(t *testing.T, dir string, args ...string) {
	t.Helper()
	var progress bytes.Buffer
	tools, err := binary.Promtool().Dir(t.Context(), &progress)
	if err != nil {
		t.Fatalf("%v\n%s", err, &progress)
	}
	cmd := exec.CommandContext(t.Context(), filepath.Join(tools, "promtool"), args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %v: %v\n%s", args, err, out)
	}
}

// ruleFile writes a Model's rules as a file of Prometheus's, and returns its directory.
func ruleFile(t *testing.T, m *v1alpha1.Model) string {
	t.Helper()
	rule := objectOf(renderedOn(t, m, fullPlatform(t)), "PrometheusRule", "iris")
	if rule == nil {
		t.Fatal("no PrometheusRule")
	}
	text, err := yaml.Marshal(rule.Object["spec"])
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rules.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// alerting is a Model that promises both availability and latency.
func alerting(window time.Duration) *v1alpha1.Model {
	m := runtimes()["mizzen"]
	m.Spec.Telemetry.Alerts.Labels = map[string]v1alpha1.LabelValue{"team": "ml"}
	m.Spec.Telemetry.Alerts.RunbookURL = "https://example.com/runbooks/iris"
	m.Spec.Telemetry.Alerts.SLO.Window = &metav1.Duration{Duration: window}
	return m
}

// TestRulesAreValid holds for every runtime and for the shortest and longest windows.
func TestRulesAreValid(t *testing.T) {
	models := runtimes()
	models["a day"], models["90 days"] = alerting(24*time.Hour), alerting(90*24*time.Hour)
	for name, m := range models {
		t.Run(name, func(t *testing.T) {
			promtool(t, ruleFile(t, m), "check", "rules", "--lint=all", "--lint-fatal", "rules.yaml")
		})
	}
}

// TestAlerts tries the rules on the made-up series of testdata/promtool.
func TestAlerts(t *testing.T) {
	cases, err := filepath.Glob("testdata/promtool/*.yaml")
	if err != nil || len(cases) < 3 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	for _, path := range cases {
		t.Run(filepath.Base(path), func(t *testing.T) {
			dir := ruleFile(t, alerting(defaultSLOWindow))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(dir, "test.yaml"), text, 0o600); err != nil {
				t.Fatal(err)
			}
			promtool(t, dir, "test", "rules", "test.yaml")
		})
	}
}
