// Package pipeline has the estimators of sklearn.pipeline, which put others one
// after another or side by side.
package pipeline

import (
	"fmt"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// pipeline is a chain of transformers with an estimator at its end.
type pipeline struct {
	steps   []base.Estimator // without those that pass everything through
	final   bool             // false if the last of steps is asked for transform only
	input   base.Input
	outputs []frame.Output
	// origin[k] maps the columns that step k takes to those of the input; -1
	// for a computed one.
	origin [][]int
}

// Pipeline reads a fitted Pipeline. memory and verbose do not matter to
// predictions.
func Pipeline(r *base.Reader) (base.Estimator, error) {
	items := r.Items("steps")
	p := &pipeline{final: true}
	for i, item := range items {
		pair, ok := base.Items(item)
		if !ok || len(pair) != 2 {
			return nil, r.Errorf("steps[%d] is %s, expected a name and an estimator", i, pickle.TypeName(item))
		}
		name, _ := pair[0].(string)
		if passthrough(pair[1]) {
			p.final = p.final && i < len(items)-1
			continue
		}
		est, err := r.Child(fmt.Sprintf("steps[%d]", i), name, pair[1])
		if err != nil {
			return nil, err
		}
		if _, transforms := base.Output(est, frame.Transform); !transforms && i < len(items)-1 {
			return nil, r.Errorf("steps[%d] does not transform: only the last step may predict", i)
		}
		if base.Identity(est) {
			p.final = p.final && i < len(items)-1
			continue
		}
		p.steps = append(p.steps, est)
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	if len(items) == 0 {
		return nil, r.Errorf("has no steps")
	}
	if err := p.checkWidths(r); err != nil {
		return nil, err
	}
	for _, step := range p.steps {
		r.TakeFeatures(step.Input().Width)
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	p.compile()
	return p, nil
}

func passthrough(v any) bool { return v == nil || v == "passthrough" }

// checkWidths refuses steps of which one answers fewer or more columns than the
// next takes.
func (p *pipeline) checkWidths(r *base.Reader) error {
	for i := 1; i < len(p.steps); i++ {
		before, _ := base.Output(p.steps[i-1], frame.Transform)
		have, want := before.Cols, p.steps[i].Input().Width
		if have > 0 && want >= 0 && have != want {
			return r.Errorf("a step takes %d features, and the one before it answers %d", want, have)
		}
	}
	return nil
}

// compile finds out what the first step takes, given what the later ones take of
// the columns that it hands on, and what the last one answers.
func (p *pipeline) compile() {
	if len(p.steps) == 0 {
		p.input = base.Input{Width: -1}
		p.outputs = []frame.Output{{Method: frame.Transform, Kind: frame.Object, Cols: -1}}
		return
	}
	p.narrow(nil)
	p.outputs = nil
	for _, o := range p.steps[len(p.steps)-1].Outputs() {
		// A Pipeline has no apply, and only transform if its last step passes through.
		if o.Method == frame.Apply || !p.final && o.Method != frame.Transform {
			continue
		}
		p.outputs = append(p.outputs, o)
	}
}

// narrow follows the columns that are handed on from step to step, and tells the
// steps what is asked of them behind and (in outer, if not nil) what is known of
// them in front.
func (p *pipeline) narrow(outer []frame.Feature) {
	p.origin = make([][]int, len(p.steps))
	first := p.steps[0].Input()
	if first.Width < 0 {
		p.input = first
		return
	}
	demands := base.NewDemands(first.Width)
	origin := make([]int, first.Width)
	for j := range origin {
		origin[j] = j
		if outer != nil {
			demands.Add(j, outer[j])
		}
	}
	for k, step := range p.steps {
		p.origin[k] = origin
		in := step.Input()
		for j, f := range in.Features {
			if j < len(origin) && origin[j] >= 0 {
				demands.Add(origin[j], f)
			}
		}
		passer, ok := step.(base.Passer)
		if !ok {
			break
		}
		var next []int
		for _, j := range passer.Passes() {
			if j >= 0 && j < len(origin) {
				j = origin[j]
			} else {
				j = -1
			}
			next = append(next, j)
		}
		origin = next
	}
	for k, step := range p.steps {
		if passer, ok := step.(base.Passer); ok {
			p.steps[k] = passer.Narrow(known(step.Input().Features, p.origin[k], demands))
		}
	}
	p.input = p.steps[0].Input()
}

// known returns the features of a step with what the demands say of those that
// come from the input.
func known(features []frame.Feature, origin []int, demands *base.Demands) []frame.Feature {
	out := append([]frame.Feature(nil), features...)
	for j := range out {
		if j >= len(origin) || origin[j] < 0 {
			continue
		}
		if f, ok := demands.Feature(origin[j]); ok && !out[j].Unused {
			f.Name = out[j].Name
			out[j] = f
		}
	}
	return out
}

// Input describes what the first step takes.
func (p *pipeline) Input() base.Input { return p.input }

// Outputs describes what the last step answers.
func (p *pipeline) Outputs() []frame.Output { return p.outputs }

// Identity reports whether every step passes its input through.
func (p *pipeline) Identity() bool { return len(p.steps) == 0 }

// Evaluate sends x through all steps.
func (p *pipeline) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	if len(p.steps) == 0 {
		whole, err := base.Pass(a, x, frame.Object)
		for i := range methods {
			out[i] = whole
		}
		return err
	}
	last := len(p.steps) - 1
	between := a.Arrays(1)
	for k, step := range p.steps[:last] {
		if err := step.Evaluate(a, x, base.Transforms, between); err != nil {
			return p.relocate(err, k)
		}
		next, err := base.NextFrame(a, &between[0])
		if err != nil {
			return err
		}
		x = next
	}
	if err := p.steps[last].Evaluate(a, x, methods, out); err != nil {
		return p.relocate(err, last)
	}
	return nil
}

func (p *pipeline) relocate(err error, step int) error {
	if step == 0 {
		return err
	}
	return base.Relocate(err, p.origin[step])
}

// Passes follows the columns that all steps hand on.
func (p *pipeline) Passes() []int {
	var out []int
	for k, step := range p.steps {
		passer, ok := step.(base.Passer)
		if !ok {
			return nil
		}
		next := append([]int(nil), passer.Passes()...)
		for j, from := range next {
			if k > 0 && from >= 0 {
				if from >= len(out) {
					return nil
				}
				next[j] = out[from]
			}
		}
		out = next
	}
	return out
}

// Narrow returns the Pipeline for columns of which more is known.
func (p *pipeline) Narrow(features []frame.Feature) base.Estimator {
	if len(p.steps) == 0 || len(features) != p.input.Width {
		return p
	}
	narrowed := &pipeline{steps: append([]base.Estimator(nil), p.steps...), final: p.final, outputs: p.outputs}
	narrowed.narrow(features)
	return narrowed
}
