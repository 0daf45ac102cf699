//go:build e2e

// Package install does what docs/install.md says, on a real cluster, and has the operator
// work with the rights that each way of installing gives it.
package install

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"mizzen.dev/test/cluster/audit"
	"mizzen.dev/test/cluster/binary"
	"mizzen.dev/test/cluster/crds"
	"mizzen.dev/test/docs"
	"mizzen.dev/test/e2e/bed"
)

var shared = bed.NewBare(prepare)

func TestMain(m *testing.M) { os.Exit(shared.Run(m)) }

// prepare has models in the store, and the kinds that the page's values ask for.
func prepare(ctx context.Context, b *bed.Bed) error {
	if err := b.MustBeNew(ctx); err != nil {
		return err
	}
	b.Remove("namespace/ml-dev", "namespace/ml-prod")
	if err := b.FillStore(ctx); err != nil {
		return err
	}
	return b.InstallCRDs(ctx, crds.PrometheusOperator())
}

// checks are made after commands of the page, by what those begin with: then an operator
// is to be at work, in the namespaces that are named.
var checks = []struct {
	command string
	own     []string
	foreign []string
}{
	{command: "kubectl -n mizzen-system rollout status", own: []string{"ml-dev", "ml-prod"}},
	{command: "helm upgrade mizzen", own: []string{"ml-dev", "ml-prod"}},
	{command: "helm install mizzen charts/mizzen -n mizzen-system -f values.yaml -f namespaced.yaml", own: []string{"ml-prod"}, foreign: []string{"ml-dev"}},
}

func TestPage(t *testing.T) {
	b := shared.Get(t)
	page, err := os.ReadFile(filepath.Join(b.Root, "docs", "install.md"))
	if err != nil {
		t.Fatal(err)
	}
	s := newShell(t, b)
	done := 0
	for _, block := range docs.Blocks(string(page)) {
		if block.File != "" {
			s.put(t, block.File, strings.ReplaceAll(block.Text, pageRegistry, b.Registry))
			continue
		}
		for _, e := range block.Examples() {
			s.run(t, e)
			if strings.HasPrefix(e.Command, "mizzenctl platform apply") {
				for _, ns := range []string{"ml-dev", "ml-prod"} {
					b.StoreSecret(t, ns)
				}
			}
			for _, c := range checks {
				if strings.HasPrefix(e.Command, c.command) {
					done++
					works(t, b, c.own, c.foreign)
				}
			}
		}
	}
	if done != len(checks) {
		t.Errorf("%d of %d checks were made: the page has other commands", done, len(checks))
	}
}

// works has Models made in namespaces that are the operator's own become ready, and those
// in foreign ones left alone; and wants no request of the operator's to be forbidden.
func works(t *testing.T, b *bed.Bed, own, foreign []string) {
	t.Helper()
	start := time.Now()
	for _, ns := range slices.Concat(foreign, own) {
		b.MustApply(t, b.Iris(t, ns, "iris", "0.1.0", "replicas: 1"))
	}
	for _, ns := range own {
		b.Ready(t, ns, "iris")
	}
	for _, ns := range foreign {
		m, err := b.Model(t.Context(), ns, "iris")
		if err != nil {
			t.Fatal(err)
		}
		if len(m.Status.Conditions) > 0 {
			t.Errorf("the operator of other namespaces has looked at the Model in %s: %+v", ns, m.Status)
		}
	}
	for _, ns := range slices.Concat(own, foreign) {
		if out, err := b.Mizzenctl(t.Context(), "delete", "iris", "-n", ns, "--yes", "--wait"); err != nil {
			t.Errorf("%v\n%s", err, out)
		}
		b.NothingLeft(t, ns, "iris")
	}
	if !b.Own() {
		return // which has no log to read
	}
	path, err := b.AuditLog()
	if err != nil {
		t.Fatal(err)
	}
	events, err := audit.Read(path)
	if err != nil {
		t.Fatal(err)
	}
	asked := 0
	for _, e := range events {
		if e.User.Username != bed.OperatorUser || e.Received.Before(start) {
			continue
		}
		asked++
		if e.Response.Code == 403 {
			t.Errorf("the operator is forbidden: %s", e)
		}
	}
	if asked == 0 {
		t.Error("the audit log has nothing of the operator")
	}
}

// pageRegistry is what the page calls the registry of its readers.
const pageRegistry = "registry.example.com"

// shell is where the commands of the page are run.
type shell struct {
	dir         string
	environment []string
	registry    string
}

func newShell(t *testing.T, b *bed.Bed) *shell {
	t.Helper()
	helm, err := binary.Helm().Dir(t.Context(), os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	s := &shell{dir: t.TempDir(), registry: b.Registry}
	for _, dir := range []string{"config", "charts"} { // those of the checkout
		if err := os.CopyFS(filepath.Join(s.dir, dir), os.DirFS(filepath.Join(b.Root, dir))); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(b.Programs, filepath.Join(s.dir, "bin")); err != nil {
		t.Fatal(err)
	}
	path := []string{b.Programs, helm, filepath.Dir(b.KubectlPath()), os.Getenv("PATH")}
	s.environment = append(os.Environ(), "PATH="+strings.Join(path, string(os.PathListSeparator)),
		"KUBECONFIG="+b.Kubeconfig(), "NO_COLOR=1", "HOME="+s.dir, "MIZZEN_PLAIN_HTTP="+fmt.Sprint(b.PlainHTTP()))
	return s
}

// put writes a file.
func (s *shell) put(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join(s.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// commandTimeout is for one command: the longest wait for pods.
const commandTimeout = 5 * time.Minute

// try runs a command, in which the registry is the one of the page.
func (s *shell) try(t *testing.T, command string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), commandTimeout)
	defer cancel()
	start := time.Now()
	cmd := exec.CommandContext(ctx, "bash", "-o", "pipefail", "-c", strings.ReplaceAll(command, pageRegistry, s.registry))
	cmd.Dir, cmd.Env = s.dir, s.environment
	out, err := cmd.CombinedOutput()
	t.Logf("%5.1fs  %s", time.Since(start).Seconds(), command)
	return strings.ReplaceAll(string(out), s.registry, pageRegistry), err
}

func (s *shell) must(t *testing.T, command string) {
	t.Helper()
	if out, err := s.try(t, command); err != nil {
		t.Fatalf("%s: %v\n%s", command, err, out)
	}
}

// run runs a command of the page, and wants it to print what the page says.
func (s *shell) run(t *testing.T, e docs.Example) {
	t.Helper()
	if out, err := s.try(t, e.Command); err != nil || len(e.Output) > 0 && !e.Matches(out) {
		t.Fatalf("line %d: %s: %v\nprints\n%s\nthe page says\n%s", e.Line, e.Command, err, out, strings.Join(e.Output, "\n"))
	}
}
