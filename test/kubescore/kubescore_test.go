// Package kubescore looks at what Mizzen renders with kube-score, a tool whose
// dependencies are its own business: it has a module of its own.
package kubescore

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// decision is where the reasons of the exceptions stand.
const decision = "../../docs/decisions/0009-what-kube-score-says.md"

// exceptions are the critical findings that are not mended, and in which renderings
// they may be found. The reasons are in the decision.
var exceptions = map[string]func(objects) bool{
	"container-image-pull-policy":                   always,
	"container-resources":                           always,
	"container-ephemeral-storage-request-and-limit": always,
	"deployment-has-poddisruptionbudget":            func(o objects) bool { return o.leastPods() < 2 },
	"pod-probes-identical":                          func(o objects) bool { return strings.Contains(o.image(), "torchserve") },
}

func always(objects) bool { return true }

// finding is what kube-score says of an object.
type finding struct {
	Object string `json:"object_name"`
	Checks []struct {
		Check struct {
			ID       string `json:"id"`
			Optional bool   `json:"optional"`
		} `json:"check"`
		Grade    int  `json:"grade"`
		Skipped  bool `json:"skipped"`
		Comments []struct {
			Path    string `json:"path"`
			Summary string `json:"summary"`
		} `json:"comments"`
	} `json:"checks"`
}

const critical = 1

// TestRendered: there is no critical finding but the exceptions, and each of those is
// still needed and has its reason.
func TestRendered(t *testing.T) {
	reasons, err := os.ReadFile(decision)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("../../internal/render/testdata/*/golden.yaml")
	if err != nil || len(files) < 10 {
		t.Fatalf("found %d renderings: %v", len(files), err)
	}
	tool := filepath.Join(t.TempDir(), "kube-score")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", tool, "github.com/zegl/kube-score/cmd/kube-score").CombinedOutput(); err != nil {
		t.Fatalf("building kube-score: %v\n%s", err, out)
	}
	needed := map[string]bool{}
	looked := 0
	for _, file := range files {
		o := read(t, file)
		if o.find("Deployment") == nil {
			continue // it was refused
		}
		looked++
		for _, f := range score(t, tool, file) {
			for _, c := range f.Checks {
				if c.Grade != critical || c.Skipped || c.Check.Optional {
					continue
				}
				may, known := exceptions[c.Check.ID]
				if !known || !may(o) {
					t.Errorf("%s: %s: %s: %+v", file, f.Object, c.Check.ID, c.Comments)
				}
				needed[c.Check.ID] = true
			}
		}
	}
	if looked < 10 {
		t.Errorf("only %d renderings were looked at", looked)
	}
	for id := range exceptions {
		if !needed[id] {
			t.Errorf("nothing needs the exception %s any more: remove it", id)
		}
		if !bytes.Contains(reasons, []byte("`"+id+"`")) {
			t.Errorf("%s has no reason for %s", decision, id)
		}
	}
}

func score(t *testing.T, tool, file string) []finding {
	t.Helper()
	out, err := exec.Command(tool, "score", "--kubernetes-version", "v1.30", "--output-format", "json", file).Output()
	var failed *exec.ExitError
	if err != nil && !(errors.As(err, &failed) && failed.ExitCode() == 1) { // 1: there are findings
		t.Fatalf("kube-score: %v\n%s", err, out)
	}
	var findings []finding
	if err := json.Unmarshal(out, &findings); err != nil {
		t.Fatalf("reading what kube-score says of %s: %v\n%s", file, err, out)
	}
	if len(findings) < 3 {
		t.Fatalf("kube-score looked at %d objects of %s only", len(findings), file)
	}
	return findings
}

// objects of one rendering.
type objects []map[string]any

func read(t *testing.T, file string) objects {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all objects
	for doc := range strings.SplitSeq(string(text), "\n---\n") {
		var o map[string]any
		if err := yaml.Unmarshal([]byte(doc), &o); err != nil {
			t.Fatal(err)
		}
		all = append(all, o)
	}
	return all
}

func (o objects) find(kind string) map[string]any {
	for _, object := range o {
		if object["kind"] == kind {
			return object["spec"].(map[string]any)
		}
	}
	return nil
}

// leastPods is how many pods there are at least.
func (o objects) leastPods() int {
	for kind, field := range map[string]string{"HorizontalPodAutoscaler": "minReplicas", "ScaledObject": "minReplicaCount", "Deployment": "replicas"} {
		if n, ok := o.find(kind)[field].(int); ok {
			return n
		}
	}
	return 1
}

func (o objects) image() string {
	text, _ := yaml.Marshal(o.find("Deployment")["template"])
	return string(text)
}
