//go:build e2e

package guide

import (
	"encoding/base64"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/test/docs"
	"mizzen.dev/test/e2e/bed"
)

// tracedCall is the trace to which a call of the guide belongs.
const tracedCall = "4bf92f3577b34da6a3ce929d0e0e4736"

func TestGuide(t *testing.T) {
	b := shared.Get(t)
	page, err := os.ReadFile(filepath.Join(b.Root, "docs", "guide.md"))
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	names := substitutions(b, port)
	dir := workDirectory(t, b, names)
	s := newShell(t, dir, environment(t, b, port))
	traces := b.StartCollector(t)
	monitors := ""
	for _, block := range docs.Blocks(string(page)) {
		switch {
		case block.Language == "console":
			for _, e := range block.Examples() {
				s.run(t, e, names)
				monitors = operatePrometheus(t, b, monitors)
			}
		case block.File != "":
			write(t, dir, block, names)
		default:
			t.Errorf("line %d: the block is neither commands nor a file", block.Line)
		}
	}
	if diff := cmp.Diff([]string{"ml-prod/iris"}, traces.Senders(tracedCall)); diff != "" {
		t.Errorf("the senders of the spans of the guide's call: -want +got:\n%s", diff)
	}
}

// substitutions are what the guide says and what it is here: images that nobody has
// published, and servers under example.com.
func substitutions(b *bed.Bed, port string) substitution {
	return substitution{
		{"ghcr.io/mizzen-dev/mizzenctl:latest", b.OperatorImage},
		{"ghcr.io/mizzen-dev/mizzen:latest", b.Image},
		{"registry.example.com", b.Registry},
		{"https://s3.example.com", b.S3.Endpoint},
		{`"https://acme-v02.api.letsencrypt.org/directory"`, fmt.Sprintf("%q, caBundle: %s", acme.Directory, base64.StdEncoding.EncodeToString(acme.CABundle))},
		// Traefik carries out Ingresses of nginx here, with their annotations.
		{"kubernetes.io/metadata.name: ingress-nginx", "kubernetes.io/metadata.name: " + edge.Namespace},
		{"localhost:5000", "localhost:" + port},
	}
}

// workDirectory is a checkout as far as the guide needs one.
func workDirectory(t *testing.T, b *bed.Bed, names substitution) string {
	t.Helper()
	dir := t.TempDir()
	manifest, err := os.ReadFile(filepath.Join(b.Root, "config", "install.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	write(t, dir, docs.Block{File: "config/install.yaml", Text: string(manifest)}, names)
	return dir
}

// write writes a file of the guide, or adds to it where its name ends with a plus.
func write(t *testing.T, dir string, block docs.Block, names substitution) {
	t.Helper()
	name, more := strings.CutSuffix(block.File, "+")
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	text := names.here(block.Text)
	if more {
		before, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		text = string(before) + text
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
