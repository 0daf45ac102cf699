package binary_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"mizzen.dev/test/cluster/binary"
)

// TestWorkflow holds for the jobs that test on a real Kubernetes: they build what make
// does for the same tests, and what they cache is found by all modules that they build
// programs from, so that none changes unnoticed.
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
	makefile, err := os.ReadFile("../../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	own := strings.NewReplacer("$(CORE)", "core", "$(call OF_OWN,edge)", "edge", "$(call OF_OWN,scale)", "scale")
	for _, job := range jobs {
		target := regexp.MustCompile(`(?m)^e2e-` + job.Tier + `:.*\n.*/test/cluster/cmd build (.*)$`).FindStringSubmatch(string(makefile))
		if target == nil || own.Replace(target[1]) != job.Programs {
			t.Errorf("the job %s builds %s, make builds %v", job.Tier, job.Programs, target)
		}
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
