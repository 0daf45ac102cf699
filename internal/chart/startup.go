package chart

import (
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// startup is the budget of a server's start in seconds, a number that follows from
// the limit of its memory, or where nothing is limited from what it asks for. Probes and
// deadlines follow from it in turn.
type startup struct {
	memory *variable
	bound  int64 // of the model's size in bytes, by its cache
}

// newStartup returns nil where the Model itself says how long a start may take, or
// nothing bounds the memory.
func newStartup(model *v1alpha1.Model, vars []*variable) *startup {
	if p := model.Spec.Placement; p != nil && p.StartupTimeout != nil {
		return nil
	}
	s := &startup{bound: math.MaxInt64}
	if c := model.Spec.Source.Cache; c != nil {
		switch {
		case c.EmptyDir != nil:
			s.bound = c.EmptyDir.SizeLimit.Value()
		case c.Claim != nil:
			s.bound = c.Claim.Size.Value()
		}
	}
	for _, name := range []string{"resources.limits.memory", "resources.requests.memory"} {
		for _, v := range vars {
			if v.name() == name {
				s.memory = v
				return s
			}
		}
		if s.bound != math.MaxInt64 {
			return nil // requests only count where nothing else bounds the size
		}
	}
	return nil
}

const (
	leastSeconds = int64(render.MinStartup / time.Second)
	mostSeconds  = int64(render.MaxStartup / time.Second)
)

// of returns the budget under an assignment.
func (s *startup) of(at assignment) int64 {
	memory := resource.MustParse(at[s.memory].(string))
	return min(max(min(memory.Value(), s.bound)/render.LoadRate, leastSeconds), mostSeconds)
}

// memoryFor is the memory with which the budget is n seconds.
func (s *startup) memoryFor(n int64) string {
	return resource.NewQuantity(n*render.LoadRate, resource.BinarySI).String()
}

// template computes the budget from the memory's value. Fractions and suffixes of
// quantities are as Kubernetes has them.
func (s *startup) template(name string) string {
	return fmt.Sprintf(`
{{/* How many seconds the server may take to load its model: by its memory. */}}
{{- define %q -}}
{{- $units := dict "" 1 "k" 1e3 "M" 1e6 "G" 1e9 "T" 1e12 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $memory := toString %s -}}
{{- $number := regexFind "^[0-9.]+" $memory -}}
{{- $bytes := mulf (float64 $number) (get $units (trimPrefix $number $memory)) | ceil | int64 -}}
{{- min %d (max %d (div (min $bytes %d) %d)) -}}
{{- end }}
`, name, access(s.memory.values[0].path), mostSeconds, leastSeconds, s.bound, render.LoadRate)
}
