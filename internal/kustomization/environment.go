package kustomization

import (
	"regexp"
	"slices"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/render"
)

// Production is the environment that a Model is written for, Development the one
// that is made small.
const (
	Production  = "prod"
	Development = "dev"
)

// What development gets: one pod, two under load, and half of the CPU that is asked
// for. Its memory is that of production, since the model is as large.
const (
	developmentReplicas    = 1
	developmentMaxReplicas = 2
	leastMilliCPU          = 10
)

// leastProduction is how many pods production has: with one, every roll and every
// node that is drained would be an outage. Where no more than one can run, it stays so.
const leastProduction = 2

// For returns the Model as it is in an environment. Its namespace and its host tell
// it from the Model itself, which is production: all of them can share a cluster.
func For(model *v1alpha1.Model, environment string) *v1alpha1.Model {
	m := model.DeepCopy()
	if environment == Production {
		produce(&m.Spec)
		return m
	}
	m.Namespace = Namespace(model.Namespace, environment)
	if e := m.Spec.Expose; e != nil {
		e.Host = environment + "." + e.Host
	}
	if environment == Development {
		shrink(&m.Spec)
	}
	return m
}

var stage = regexp.MustCompile(`-(dev|development|test|qa|stage|staging|prod|production)$`)

// Namespace is that of an environment: ml-dev beside ml-prod.
func Namespace(production, environment string) string {
	if environment == Production {
		return production
	}
	return stage.ReplaceAllString(production, "") + "-" + environment
}

func produce(s *v1alpha1.ModelSpec) {
	if s.Replicas != nil && !render.OnePod(s) && *s.Replicas < leastProduction {
		n := int32(leastProduction)
		s.Replicas = &n
	}
	if s.Scale != nil && s.Scale.MinReplicas < leastProduction && s.Scale.MaxReplicas >= leastProduction {
		s.Scale.MinReplicas = leastProduction
	}
}

func shrink(s *v1alpha1.ModelSpec) {
	if s.Replicas != nil && !render.OnePod(s) {
		n := int32(developmentReplicas)
		s.Replicas = &n
	}
	if scale := s.Scale; scale != nil {
		most := []int32{developmentMaxReplicas}
		for _, entry := range scale.Schedule {
			most = append(most, entry.Replicas)
		}
		if scale.Fallback != nil {
			most = append(most, scale.Fallback.Replicas)
		}
		scale.MinReplicas = developmentReplicas
		scale.MaxReplicas = min(scale.MaxReplicas, slices.Max(most))
	}
	if s.Resources != nil {
		if cpu, ok := s.Resources.Requests[corev1.ResourceCPU]; ok {
			half := max(cpu.MilliValue()/2, leastMilliCPU)
			s.Resources.Requests[corev1.ResourceCPU] = *resource.NewMilliQuantity(half, resource.DecimalSI)
		}
	}
}

// explicit returns the Model with the resources that rendering gives to one that
// asks for none, so that an environment can have less of them.
func explicit(model *v1alpha1.Model, effective *v1alpha1.Resources) *v1alpha1.Model {
	if model.Spec.Resources != nil {
		return model
	}
	m := model.DeepCopy()
	m.Spec.Resources = effective
	return m
}
