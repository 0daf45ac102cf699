package pipeline

import (
	"fmt"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// featureUnion gives the same input to several transformers and puts their
// answers side by side.
type featureUnion struct {
	parts  []part
	input  base.Input
	output frame.Output
}

type part struct {
	est    base.Estimator // nil passes the input through
	weight float64        // 1 where there is none
}

// FeatureUnion reads a fitted FeatureUnion.
func FeatureUnion(r *base.Reader) (base.Estimator, error) {
	weights, err := Weights(r)
	if err != nil {
		return nil, err
	}
	u := &featureUnion{}
	for i, item := range r.Items("transformer_list") {
		pair, ok := base.Items(item)
		if !ok || len(pair) != 2 {
			return nil, r.Errorf("transformer_list[%d] is %s, expected a name and a transformer", i, pickle.TypeName(item))
		}
		name, _ := pair[0].(string)
		if pair[1] == nil || pair[1] == "drop" {
			continue
		}
		p := part{weight: weight(weights, name)}
		if pair[1] != "passthrough" {
			where := fmt.Sprintf("transformer_list[%d]", i)
			if p.est, err = r.Child(where, name, pair[1]); err != nil {
				return nil, err
			}
			if _, ok := base.Output(p.est, frame.Transform); !ok {
				return nil, r.Errorf("%s does not transform", where)
			}
			if base.Identity(p.est) {
				p.est = nil
			}
		}
		u.parts = append(u.parts, p)
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	if len(u.parts) == 0 {
		return nil, r.Errorf("every transformer is dropped: nothing is left to answer")
	}
	width := -1
	for _, p := range u.parts {
		if p.est == nil {
			continue
		}
		w := p.est.Input().Width
		if width >= 0 && w >= 0 && w != width {
			return nil, r.Errorf("one transformer takes %d features and another %d", width, w)
		}
		width = max(width, w)
	}
	r.TakeFeatures(width)
	for _, p := range u.parts {
		r.TakeColumns(p.cols(width))
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	u.compile(width, nil)
	return u, nil
}

// Weights reads transformer_weights: the factor of each transformer's answer.
func Weights(r *base.Reader) (map[string]float64, error) {
	if !r.Has("transformer_weights") {
		return nil, r.Err()
	}
	dict, ok := r.Value("transformer_weights").(*pickle.Dict)
	if !ok {
		return nil, r.Errorf("attribute transformer_weights is %s, expected a dict", pickle.TypeName(r.Value("transformer_weights")))
	}
	weights := make(map[string]float64, len(dict.Keys))
	for i, key := range dict.Keys {
		name, ok := key.(string)
		if !ok {
			return nil, r.Errorf("a key of transformer_weights is %s, expected a str", pickle.TypeName(key))
		}
		if dict.Values[i] == nil {
			continue
		}
		cell, err := base.Cell(dict.Values[i])
		w, number := cell.Float64()
		if err != nil || !number {
			return nil, r.Errorf("transformer_weights[%q] is %s, expected a number", name, pickle.TypeName(dict.Values[i]))
		}
		weights[name] = w
	}
	return weights, nil
}

func weight(weights map[string]float64, name string) float64 {
	if w, ok := weights[name]; ok {
		return w
	}
	return 1
}

// compile finds out what all parts together take and answer. outer says what is
// known of the columns in front; it may be nil.
func (u *featureUnion) compile(width int, outer []frame.Feature) {
	u.input = base.Input{Width: width, ExtraIgnored: !u.passes()}
	if width >= 0 {
		demands := base.NewDemands(width)
		names := make([]string, width)
		for _, p := range u.parts {
			if p.est == nil {
				continue
			}
			in := p.est.Input()
			u.input.ExtraIgnored = u.input.ExtraIgnored && in.ExtraIgnored
			u.input.Values = u.input.Values || in.Values
			for j, f := range in.Features {
				demands.Add(j, f)
				if names[j] == "" {
					names[j] = f.Name
				}
			}
		}
		u.input.Features = make([]frame.Feature, width)
		for j := range u.input.Features {
			if outer != nil {
				demands.Add(j, outer[j])
			}
			f, used := demands.Feature(j)
			if !used {
				f = frame.Feature{Type: frame.Any, Missing: true, Unused: !u.passes()}
			}
			f.Name = names[j]
			u.input.Features[j] = f
		}
	}
	u.output = u.answer()
}

// passes reports whether a part hands on all columns.
func (u *featureUnion) passes() bool {
	for _, p := range u.parts {
		if p.est == nil {
			return true
		}
	}
	return false
}

// cols returns how many columns a part answers; -1 if that depends on the input.
func (p part) cols(width int) int {
	if p.est == nil {
		return width
	}
	o, _ := base.Output(p.est, frame.Transform)
	if o.Cols == 0 {
		return 1
	}
	return o.Cols
}

func (u *featureUnion) answer() frame.Output {
	out := frame.Output{Method: frame.Transform}
	kinds := make([]frame.Kind, len(u.parts))
	for i, p := range u.parts {
		if p.est == nil {
			kinds[i] = frame.Object
			if u.input.Numeric() && u.input.Width >= 0 {
				kinds[i] = frame.Float64
			}
		} else {
			o, _ := base.Output(p.est, frame.Transform)
			kinds[i] = o.Kind
		}
		if p.weight != 1 {
			kinds[i] = frame.Float64
		}
		if cols := p.cols(u.input.Width); cols < 0 || out.Cols < 0 {
			out.Cols = -1
		} else {
			out.Cols += cols
		}
	}
	out.Kind = base.StackKind(kinds...)
	return out
}

// Input describes what all parts together take.
func (u *featureUnion) Input() base.Input { return u.input }

// Outputs describes transform, the only method.
func (u *featureUnion) Outputs() []frame.Output { return []frame.Output{u.output} }

// Evaluate answers transform.
func (u *featureUnion) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	blocks := a.Arrays(len(u.parts))
	for i, p := range u.parts {
		var err error
		if p.est != nil {
			err = p.est.Evaluate(a, x, base.Transforms, blocks[i:i+1])
		} else if u.output.Kind == frame.Object && p.weight == 1 {
			blocks[i], err = base.Pass(a, x, frame.Object)
		} else {
			blocks[i], err = base.Pass(a, x, frame.Float64)
		}
		if err == nil && p.weight != 1 {
			err = base.Scale(a, &blocks[i], p.weight)
		}
		if err != nil {
			return err
		}
	}
	stacked, err := base.Stack(a, x.Rows, blocks, u.output.Kind)
	for i := range methods {
		out[i] = stacked
	}
	return err
}

// Passes returns the columns that transform hands on unchanged.
func (u *featureUnion) Passes() []int {
	var out []int
	for _, p := range u.parts {
		if p.est == nil {
			if u.input.Width < 0 {
				return nil
			}
			for j := range u.input.Width {
				out = append(out, handed(j, p.weight))
			}
			continue
		}
		o, _ := base.Output(p.est, frame.Transform)
		if o.Cols < 0 {
			return nil
		}
		var inner []int
		if passer, ok := p.est.(base.Passer); ok {
			inner = passer.Passes()
		}
		for j := range max(o.Cols, 1) {
			from := -1
			if j < len(inner) {
				from = handed(inner[j], p.weight)
			}
			out = append(out, from)
		}
	}
	return out
}

// handed returns where a column comes from, unless a weight changes it.
func handed(from int, weight float64) int {
	if weight != 1 {
		return -1
	}
	return from
}

// Narrow returns the FeatureUnion for columns of which more is known.
func (u *featureUnion) Narrow(features []frame.Feature) base.Estimator {
	if len(features) != u.input.Width {
		return u
	}
	narrowed := &featureUnion{parts: append([]part(nil), u.parts...)}
	for i, p := range narrowed.parts {
		if passer, ok := p.est.(base.Passer); ok {
			narrowed.parts[i].est = passer.Narrow(features)
		}
	}
	narrowed.compile(u.input.Width, features)
	return narrowed
}
