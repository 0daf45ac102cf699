package render

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

// observedModel is a Model whose telemetry and scaling are looked at.
func observedModel(change func(*v1alpha1.ModelSpec)) *v1alpha1.Model {
	m := &v1alpha1.Model{
		ObjectMeta: metav1.ObjectMeta{Name: "iris", Namespace: "ml-prod"},
		Spec: v1alpha1.ModelSpec{
			Version: "0.1.0",
			Source: v1alpha1.Source{
				URI:    "s3://models/iris/0.1.0/model.pkl",
				Digest: "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			},
		},
	}
	if change != nil {
		change(&m.Spec)
	}
	return m
}

// renderedOn renders a Model on a platform.
func renderedOn(t *testing.T, m *v1alpha1.Model, p *platform.Platform) *Result {
	t.Helper()
	return rendered(t, Input{Model: m, Platform: p})
}

// objectOf returns the one object of a kind and a name, or nil.
func objectOf(res *Result, kind, name string) *unstructured.Unstructured {
	for _, o := range res.Objects {
		if o.GetKind() == kind && o.GetName() == name {
			return o
		}
	}
	return nil
}

// reasons of the problems that a condition has, with their paths.
func reasons(res *Result, condition string) []string {
	var all []string
	for _, p := range res.Problems {
		if p.Condition != condition {
			continue
		}
		text := p.Path + ": " + p.Reason
		if p.Severity == Refused {
			text += " (refused)"
		}
		all = append(all, text)
	}
	return all
}

// runtimes are Models of every runtime, with all that can be observed of it.
func runtimes() map[string]*v1alpha1.Model {
	served := func(name v1alpha1.RuntimeName) *v1alpha1.Model {
		return observedModel(func(s *v1alpha1.ModelSpec) {
			s.Runtime = &v1alpha1.Runtime{Name: name}
			s.Source = v1alpha1.Source{Claim: &v1alpha1.ClaimSource{Name: "models", Path: "iris"}}
			s.Scale = &v1alpha1.Scale{MinReplicas: 2, MaxReplicas: 20}
			s.Telemetry = &v1alpha1.Telemetry{Alerts: &v1alpha1.Alerts{
				SLO: &v1alpha1.SLO{Latency: &v1alpha1.LatencySLO{Threshold: metav1.Duration{Duration: 80 * time.Millisecond}}},
			}}
		})
	}
	custom := served(v1alpha1.RuntimeCustom)
	custom.Spec.Runtime.Image = "registry.example.com/scorer:1"
	custom.Spec.Runtime.Custom = &v1alpha1.CustomRuntime{
		Port: 8080, LivePath: "/live", ReadyPath: "/ready",
		Metrics: &v1alpha1.CustomMetrics{
			Path: "/metrics", Requests: "scorer_requests_total", Errors: "scorer_errors_total",
			LatencySeconds: "scorer_seconds", InFlight: "scorer_at_work", Queue: "scorer_waiting",
		},
	}
	bare := served(v1alpha1.RuntimeCustom)
	bare.Spec.Runtime.Image = "registry.example.com/scorer:1"
	bare.Spec.Runtime.Custom = &v1alpha1.CustomRuntime{Port: 8080, LivePath: "/live", ReadyPath: "/ready"}
	return map[string]*v1alpha1.Model{
		"mizzen":     served(v1alpha1.RuntimeMizzen),
		"triton":     served(v1alpha1.RuntimeTriton),
		"torchserve": served(v1alpha1.RuntimeTorchServe),
		"tfserving":  served(v1alpha1.RuntimeTFServing),
		"custom":     custom,
		"bare":       bare,
	}
}
