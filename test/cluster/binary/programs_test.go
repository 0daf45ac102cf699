package binary_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"mizzen.dev/test/cluster/binary"
)

// TestWorkflow holds for the jobs that test on a real Kubernetes: what they cache is found
// by all modules that they build programs from, so that none changes unnoticed.
func TestWorkflow(t *testing.T) {
	text, err := os.ReadFile("../../../.github/workflows/ci.yml")
	if err != nil {
		t.Fatal(err)
	}
	var workflow struct {
		Jobs struct {
			E2E struct {
				Strategy struct {
					Matrix struct {
						Include []struct{ Tier, Programs, Modules string }
					}
				}
			} `json:"e2e"`
		}
	}
	if err := yaml.Unmarshal(text, &workflow); err != nil {
		t.Fatal(err)
	}
	jobs := workflow.Jobs.E2E.Strategy.Matrix.Include
	if len(jobs) < 4 {
		t.Errorf("found only the jobs %v", jobs)
	}
	for _, job := range jobs {
		if diff := cmp.Diff(modules(t, strings.Fields(job.Programs)), slices.Sorted(slices.Values(strings.Fields(job.Modules)))); diff != "" {
			t.Errorf("modules of the job %s (-of its programs +in ci.yml):\n%s", job.Tier, diff)
		}
	}
}

// modules returns what the programs of tiers are built from, but for Mizzen itself.
func modules(t *testing.T, tiers []string) []string {
	t.Helper()
	var all []string
	for _, tier := range tiers {
		programs, err := binary.ByName(tier)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range programs {
			switch {
			case p.Own:
			case p.Module != "":
				all = append(all, p.Module)
			default:
				all = append(all, p.Name)
			}
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
