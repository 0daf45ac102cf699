// Package render is the pure function from a Model and a platform to Kubernetes
// objects. It reads nothing else, and gives the same objects for the same input:
// what the operator applies is what mizzenctl render prints.
package render

import (
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/platform"
)

// Input is all that the objects depend on.
type Input struct {
	// Model, defaulted and valid. It is not changed.
	Model *v1alpha1.Model
	// Platform of the cluster. It is not changed.
	Platform *platform.Platform
	// Image is the image of the revision, resolved to a digest, if somebody did; else the
	// image is as the Model and the platform name it.
	Image string
	// Owner of the objects, for those that are applied; files have none.
	Owner *metav1.OwnerReference
	// DevelopmentSecrets asks for Secrets with values made up, for a cluster on a desk.
	DevelopmentSecrets bool
}

// Result is what should be in the cluster, and what is to be said about it.
type Result struct {
	// Objects in the order in which they are applied. None has a status or a field that
	// says what the API server would say itself.
	Objects []*unstructured.Unstructured
	// Problems that a person should know of, in the order of the spec.
	Problems []Problem
	// Revision is the hash of what the pods run: image, source and config.
	Revision string
	// Hashed are the hashes in the objects, each before those whose text it is in.
	Hashed []Hashed
	// Image that the pods run, as it stands in the Deployment.
	Image string
	// URL at which the model is reached: from outside if it is exposed.
	URL string
	// ScaledBy is the autoscaler that was chosen; "" under a fixed number of pods.
	ScaledBy v1alpha1.ScaleVia
}

// Severity of a Problem.
type Severity int

// The severities. What is refused was not rendered: the objects without it are there.
// What is a warning was rendered, if not as it was asked for.
const (
	Warning Severity = iota
	Refused
)

// Problem is something of the spec that cannot be carried out as it is written.
type Problem struct {
	Severity Severity
	// Path of the field: spec.expose.stickySessions.
	Path string
	// Condition and Reason under which the operator reports it.
	Condition string
	Reason    string
	// Message says what is wrong and what to do.
	Message string
}

func (p Problem) Error() string { return fmt.Sprintf("%s: %s", p.Path, p.Message) }

// Refusals returns the problems because of which something was not rendered.
func (r *Result) Refusals() []Problem {
	var refused []Problem
	for _, p := range r.Problems {
		if p.Severity == Refused {
			refused = append(refused, p)
		}
	}
	return refused
}

// Render returns the objects of a Model. The error says that the input is not what it
// should be; what a valid Model asks for in vain is in Result.Problems.
func Render(in Input) (*Result, error) {
	r, err := newRenderer(in)
	if err != nil {
		return nil, err
	}
	for _, part := range parts {
		part(r)
	}
	if r.err != nil {
		return nil, r.err
	}
	r.sortProblems()
	objects := make([]*unstructured.Unstructured, len(r.objects))
	for i, o := range r.objects {
		if objects[i], err = r.plain(o); err != nil {
			return nil, err
		}
	}
	r.result.Objects = objects
	return &r.result, nil
}

// parts render the objects of a Model, in the order in which they are applied: what
// pods need before the pods, the pods before what sends them traffic.
var parts = []func(*renderer){
	(*renderer).identity,  // ServiceAccount
	(*renderer).settings,  // ConfigMap, development Secrets
	(*renderer).storage,   // PersistentVolumeClaim
	(*renderer).isolation, // NetworkPolicies
	(*renderer).service,   // Service
	(*renderer).workload,  // Deployment, PodDisruptionBudget
	(*renderer).scaling,   // HorizontalPodAutoscaler or ScaledObject
	(*renderer).exposure,  // Certificate, Gateway, HTTPRoute, GRPCRoute, Ingress
	(*renderer).telemetry, // ServiceMonitor, PrometheusRule, dashboard
}

// renderer collects the objects of one Model.
type renderer struct {
	Input
	spec    *v1alpha1.ModelSpec
	profile *profile
	model   place
	objects []any
	// broken says that the pods cannot be rendered: a problem says why.
	broken bool
	// err is what should not happen, if it did.
	err    error
	result Result
}

// add appends objects: apply configurations of Kubernetes's types, or maps for the
// kinds of others.
func (r *renderer) add(objects ...any) { r.objects = append(r.objects, objects...) }

func (r *renderer) refuse(path, condition, reason, format string, args ...any) {
	r.problem(Refused, path, condition, reason, format, args...)
}

func (r *renderer) warn(path, condition, reason, format string, args ...any) {
	r.problem(Warning, path, condition, reason, format, args...)
}

func (r *renderer) problem(s Severity, path, condition, reason, format string, args ...any) {
	r.result.Problems = append(r.result.Problems, Problem{Severity: s, Path: path, Condition: condition, Reason: reason,
		Message: fmt.Sprintf(format, args...)})
}

// fail notes what should not happen; the first one counts.
func (r *renderer) fail(err error) {
	if r.err == nil {
		r.err = err
	}
}

// fields of the spec, in their order.
var fields = []string{
	"version", "source", "runtime", "config", "secrets", "auth", "serviceAccountName", "imagePullSecrets", "podMetadata",
	"resources", "gpu", "replicas", "scale", "expose", "isolation", "telemetry", "rollout", "placement",
}

// sortProblems puts the problems into the order of the spec, whichever part found them.
func (r *renderer) sortProblems() {
	rank := func(p Problem) int {
		name, _, _ := strings.Cut(strings.TrimPrefix(p.Path, "spec."), ".")
		name, _, _ = strings.Cut(name, "[")
		return slices.Index(fields, name)
	}
	slices.SortStableFunc(r.result.Problems, func(a, b Problem) int { return rank(a) - rank(b) })
}

// plain turns an object into the form that is written and applied.
func (r *renderer) plain(object any) (*unstructured.Unstructured, error) {
	content, isMap := object.(map[string]any)
	if !isMap {
		var err error
		if content, err = runtime.DefaultUnstructuredConverter.ToUnstructured(object); err != nil {
			return nil, fmt.Errorf("converting %T: %w", object, err)
		}
	}
	u := &unstructured.Unstructured{Object: content}
	if r.Owner != nil {
		u.SetOwnerReferences([]metav1.OwnerReference{*r.Owner})
	}
	return u, nil
}
