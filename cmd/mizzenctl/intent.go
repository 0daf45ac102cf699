package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"mizzen.dev/api/v1alpha1"
	"mizzen.dev/internal/cluster"
	"mizzen.dev/internal/command"
	"mizzen.dev/internal/operator"
	"mizzen.dev/internal/platform"
	"mizzen.dev/internal/render"
)

// filesManager is in whose name objects are applied from files. The operator's is its
// own, and diff asks the API server what an apply of the operator would do.
const filesManager = "mizzenctl"

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
	// What is not applied: before that the Model itself and what has to go, and after it
	// what waits and what is no longer asked for.
	before, after []cluster.Change
}

// operatorNamespace is where config/ and the chart's documentation install the operator.
const operatorNamespace = "mizzen-system"

// platformFlags choose what is known of the platform.
type platformFlags struct {
	file        string
	fromCluster bool
	operator    string // its namespace
}

func (f *platformFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "platform", "", "`file` with the platform's facts (default: that of the operator, and what the cluster is found to offer)")
	cmd.Flags().BoolVar(&f.fromCluster, "from-cluster", false, "let what the cluster is found to offer count, besides the facts of --platform; for what the operator makes it always does")
	cmd.Flags().StringVar(&f.operator, "operator-namespace", operatorNamespace, "`name` of the namespace in which the operator keeps its facts")
}

// read returns the platform that files are rendered for, and that of the operator. The
// former is the file's, if there is one and the cluster need not be asked; the latter
// goes by what the cluster offers in any case.
func (f *platformFlags) read(ctx context.Context, c *cluster.Cluster, s command.Streams) (files, operated *platform.Platform, err error) {
	facts, err := f.facts(ctx, c, s)
	if err != nil {
		return nil, nil, err
	}
	found, err := platform.FromCluster(ctx, c.Discovery())
	if err != nil {
		return nil, nil, err
	}
	for _, n := range found.Notes {
		fmt.Fprintf(s.Err, "note: %s\n", command.Printable(n))
	}
	with := *facts
	found.Into(&with)
	if f.file != "" && !f.fromCluster {
		return facts, &with, nil
	}
	return &with, &with, nil
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

// planner works out what should become of Models.
type planner struct {
	cluster *cluster.Cluster
	// mode is one of those of diff.
	mode string
	// What files are rendered for, and what the operator goes by.
	files, operated *platform.Platform
	// resolve returns an image with its digest, or "".
	resolve func(image string) string
}

// intent works out what should become of a Model.
func (p *planner) intent(ctx context.Context, m *v1alpha1.Model) (*intent, error) {
	there, err := p.cluster.Standing(ctx, m.Namespace, m.Name)
	if err != nil {
		return nil, err
	}
	in := &intent{model: m, live: there.Model, desired: cluster.Desired{Namespace: m.Namespace, Name: m.Name}}
	if p.mode == modeModel || p.mode == modeAuto && (there.Model != nil || there.KnowsModels && !there.Deployed) {
		in.byOperator = true
		return in, p.operate(ctx, in)
	}
	return in, p.fromFiles(ctx, in)
}

// operate decides as the operator does, by its own plan.
func (p *planner) operate(ctx context.Context, in *intent) error {
	change, stored, err := p.cluster.ModelChange(ctx, in.live, in.model)
	if err != nil {
		return err
	}
	kinds := operator.Kinds()
	gvks := make([]schema.GroupVersionKind, len(kinds))
	for i, k := range kinds {
		gvks[i] = k.GroupVersionKind
	}
	s := operator.Situation{Model: stored, Platform: p.operated, Resolve: p.resolve}
	if s.Live, err = p.cluster.Objects(ctx, stored.Namespace, stored.Name, gvks); err != nil {
		return err
	}
	if s.Pods, err = p.cluster.Pods(ctx, stored.Namespace, stored.Name); err != nil {
		return err
	}
	plan, err := s.Plan()
	if err != nil {
		return err
	}
	in.problems = plan.Problems
	in.desired.Manager, in.desired.Objects = operator.FieldManager, plan.Apply
	in.desired.MayTake = func(o *unstructured.Unstructured) error { return operator.MayTake(o, stored) }
	in.desired.Guess = operator.WouldApply
	if n := plan.Replicas; n != nil { // as if the other field manager had it already
		for _, o := range plan.Apply {
			if o.GetKind() == "Deployment" {
				if err := unstructured.SetNestedField(o.Object, *n, "spec", "replicas"); err != nil {
					return err
				}
			}
		}
	}
	in.before = append([]cluster.Change{change}, planned(cluster.Delete, plan.Retire)...)
	in.after = append(planned(cluster.Wait, plan.Wait), planned(cluster.Delete, plan.Prune)...)
	return nil
}

func planned(action cluster.Action, objects []*unstructured.Unstructured) []cluster.Change {
	var changes []cluster.Change
	for _, o := range objects {
		changes = append(changes, cluster.Planned(action, o))
	}
	return changes
}

// fromFiles decides by what mizzenctl render prints.
func (p *planner) fromFiles(ctx context.Context, in *intent) error {
	result, err := render.Render(render.Input{Model: in.model, Platform: p.files})
	if err != nil {
		return err
	}
	reads, err := p.cluster.ConfigMapsRead(ctx, in.model.Namespace, in.model.Name)
	if err != nil {
		return err
	}
	in.problems = result.Problems
	in.desired.Manager, in.desired.Objects = filesManager, result.Objects
	in.desired.MayTake = func(o *unstructured.Unstructured) error { return operator.MayTake(o, cmp.Or(in.live, in.model)) }
	scaled := slices.ContainsFunc(result.Objects, func(o *unstructured.Unstructured) bool { return o.GetKind() == "ScaledObject" })
	// Kept are what pods still read, and an HPA that KEDA takes over.
	in.desired.Scope = func(f cluster.Found) bool {
		return !(f.Kind.Kind == "HorizontalPodAutoscaler" && scaled || f.Kind.Kind == "ConfigMap" && reads[f.Name])
	}
	return nil
}

// changes asks the API server.
func (in *intent) changes(ctx context.Context, c *cluster.Cluster) ([]cluster.Change, error) {
	applied, err := c.Changes(ctx, in.desired)
	return slices.Concat(in.before, applied, in.after), err
}

// refused is an error if objects are to be applied that are not all that the Model asks
// for. The operator applies what can be.
func (in *intent) refused() error {
	if !in.byOperator && slices.ContainsFunc(in.problems, func(p render.Problem) bool { return p.Severity == render.Refused }) {
		return fmt.Errorf("%s asks for what cannot be carried out (see above); nothing of it is applied", in.model.Name)
	}
	return nil
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
