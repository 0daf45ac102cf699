package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// In whose names objects are applied: the operator's is its own, and diff asks the API
// server what an apply of the operator would do.
const (
	operatorManager = "mizzen"
	filesManager    = "mizzenctl"
)

// intent is what should become of one Model in the cluster.
type intent struct {
	model *v1alpha1.Model
	// live is the Model as it is there; nil if it is not.
	live *v1alpha1.Model
	// byOperator says that the cluster gets a Model and the operator makes the rest;
	// else the objects themselves are applied.
	byOperator bool
	problems   []render.Problem
	desired    cluster.Desired
}

// operatorNamespace is where config/ and the chart's documentation install the operator.
const operatorNamespace = "mizzen-system"

// platformFlags choose what is known of the platform.
type platformFlags struct {
	file        string
	fromCluster bool
	operator    string // its namespace
}

// read returns the platform of the file, or what the operator goes by: its own facts,
// where there are any, and what the cluster offers.
func (f *platformFlags) read(ctx context.Context, c *cluster.Cluster, s command.Streams) (*platform.Platform, error) {
	p, err := f.facts(ctx, c, s)
	if err != nil || f.file != "" && !f.fromCluster {
		return p, err
	}
	found, err := platform.FromCluster(ctx, c.Discovery())
	if err != nil {
		return nil, err
	}
	found.Into(p)
	for _, n := range found.Notes {
		fmt.Fprintf(s.Err, "note: %s\n", command.Printable(n))
	}
	return p, nil
}

// facts are those that somebody wrote down.
func (f *platformFlags) facts(ctx context.Context, c *cluster.Cluster, s command.Streams) (*platform.Platform, error) {
	if f.file != "" {
		return platform.Load(f.file)
	}
	text, err := c.OperatorPlatform(ctx, f.operator)
	var hidden *cluster.HiddenError
	switch {
	case errors.As(err, &hidden):
		fmt.Fprintf(s.Err, "note: %s\n", command.Printable(err.Error()))
		return platform.Bare(), nil
	case err != nil:
		return nil, err
	case text == "":
		return platform.Bare(), nil
	}
	return platform.Read(strings.NewReader(text), "platform of the operator in "+f.operator)
}

// newIntent works out what should become of a Model.
func newIntent(ctx context.Context, c *cluster.Cluster, m *v1alpha1.Model, p *platform.Platform, mode string) (*intent, error) {
	there, err := c.Standing(ctx, m.Namespace, m.Name)
	if err != nil {
		return nil, err
	}
	in := &intent{model: m, live: there.Model}
	switch mode {
	case modeModel:
		in.byOperator = true
	case modeAuto:
		in.byOperator = there.Model != nil || there.Deployment == nil && there.KnowsModels
	}
	return in, in.render(p, there)
}

// render decides the objects.
func (in *intent) render(p *platform.Platform, there *cluster.Standing) error {
	input := render.Input{Model: in.model, Platform: p}
	in.desired = cluster.Desired{Namespace: in.model.Namespace, Name: in.model.Name, Manager: filesManager}
	if in.byOperator {
		in.desired.Manager = operatorManager
		if in.live != nil {
			input.Owner = ownerOf(in.live)
		}
	}
	asked, err := render.Render(input)
	if err != nil {
		return err
	}
	in.problems = asked.Problems
	in.desired.Objects = asked.Objects
	if in.byOperator && there.Deployment != nil && in.live != nil {
		if err := in.keepPods(input, asked, there.Deployment); err != nil {
			return err
		}
	}
	in.desired.Scope = in.scope(there)
	return nil
}

// keepPods does as the operator does: pods whose part of the spec is what it was are
// left alone, whatever this version of Mizzen would render; and a revision keeps the
// image that it was made with.
func (in *intent) keepPods(input render.Input, asked *render.Result, deployment *appsv1.Deployment) error {
	input.Model = in.live
	before, err := render.Render(input)
	if err != nil {
		return fmt.Errorf("rendering the Model as it is in the cluster: %w", err)
	}
	template := templateOf(asked.Objects)
	if template == nil {
		return nil
	}
	if reflect.DeepEqual(template, templateOf(before.Objects)) {
		kept, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&deployment.Spec.Template)
		if err != nil {
			return fmt.Errorf("reading the pods of Deployment/%s: %w", deployment.Name, err)
		}
		for k := range template {
			delete(template, k)
		}
		for k, v := range kept {
			template[k] = v
		}
		return nil
	}
	for _, r := range in.live.Status.Revisions {
		if r.Name == asked.Revision && r.Image != "" {
			input.Model, input.Image = in.model, r.Image
			again, err := render.Render(input)
			if err != nil {
				return err
			}
			in.desired.Objects = again.Objects
		}
	}
	return nil
}

// templateOf returns the pods' part of the Deployment among objects, to be changed in
// place; nil if there is none.
func templateOf(objects []*unstructured.Unstructured) map[string]any {
	for _, o := range objects {
		if o.GetKind() != "Deployment" {
			continue
		}
		spec, _ := o.Object["spec"].(map[string]any)
		template, _ := spec["template"].(map[string]any)
		return template
	}
	return nil
}

// scope says what of the Model is deleted if it is no longer asked for. Kept are what
// pods still read, an HPA that KEDA takes over, and all that a mistake in the spec
// leaves out.
func (in *intent) scope(there *cluster.Standing) func(cluster.Found) bool {
	refused := false
	for _, p := range in.problems {
		refused = refused || p.Severity == render.Refused
	}
	scaled := false
	for _, o := range in.desired.Objects {
		scaled = scaled || o.GetKind() == "ScaledObject"
	}
	return func(f cluster.Found) bool {
		switch {
		case refused:
			return false
		case f.Kind.Kind == "HorizontalPodAutoscaler" && scaled:
			return false
		case f.Kind.Kind == "ConfigMap" && there.Reads[f.Name]:
			return false
		}
		return true
	}
}

func ownerOf(m *v1alpha1.Model) *metav1.OwnerReference {
	return metav1.NewControllerRef(m, v1alpha1.GroupVersion().WithKind(v1alpha1.Kind))
}

// title is how a Model and its objects are introduced.
func (in *intent) title() string {
	how := "its objects, applied from files"
	if in.byOperator {
		how = "the Model, and what the operator would make of it"
	}
	return fmt.Sprintf("%s in namespace %s: %s", in.model.Name, cmp.Or(in.model.Namespace, "default"), how)
}

// The modes of diff.
const (
	modeAuto    = "auto"
	modeModel   = "model"
	modeObjects = "objects"
)
