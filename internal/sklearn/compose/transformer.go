// Package compose has the estimators of sklearn.compose, which give different
// columns to different transformers.
package compose

import (
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// columnTransformer gives each of its transformers some of the columns and puts
// their answers side by side.
type columnTransformer struct {
	parts []part
	table table
	// lenient is true if columns that no transformer takes need not be there,
	// and unknown ones are ignored: since scikit-learn 1.0, for named columns.
	lenient bool
	// numeric is true if everything ends up as a number: the library stacks into
	// a sparse matrix.
	numeric bool
	// known is what is known of the columns beyond what the transformers say;
	// it counts for columns that are handed on.
	known  []frame.Feature
	input  base.Input
	output frame.Output
}

type part struct {
	est       base.Estimator // nil passes the columns through
	positions []int
	all       bool // positions are all columns in order
	weight    float64
}

// compile finds out what all parts together take and answer.
func (c *columnTransformer) compile() {
	c.input = base.Input{Width: c.table.width, ExtraIgnored: c.lenient, Features: c.features()}
	c.output = frame.Output{Method: frame.Transform}
	kinds := make([]frame.Kind, len(c.parts))
	for i, p := range c.parts {
		cols := len(p.positions)
		if p.est == nil {
			kinds[i] = c.kind(p)
		} else {
			o, _ := base.Output(p.est, frame.Transform)
			kinds[i], cols = o.Kind, o.Cols
			if o.Cols == 0 {
				cols = 1
			}
		}
		if p.weight != 1 {
			kinds[i] = frame.Float64
		}
		if cols < 0 || c.output.Cols < 0 {
			c.output.Cols = -1
		} else {
			c.output.Cols += cols
		}
	}
	c.output.Kind = base.StackKind(kinds...)
	if c.numeric {
		c.output.Kind = frame.Float64
	}
}

// kind returns that of columns that are handed on.
func (c *columnTransformer) kind(p part) frame.Kind {
	for _, j := range p.positions {
		if c.input.Features[j].Type != frame.Number {
			return frame.Object
		}
	}
	return frame.Float64
}

func (c *columnTransformer) features() []frame.Feature {
	demands := base.NewDemands(c.table.width)
	taken := make([]bool, c.table.width)
	numbers, others := false, false
	for _, p := range c.parts {
		var in base.Input
		if p.est != nil {
			in = p.est.Input()
		}
		for k, j := range p.positions {
			taken[j] = true
			switch {
			case k < len(in.Features):
				demands.Add(j, in.Features[k])
				numbers = numbers || in.Features[k].Type == frame.Number
				others = others || in.Features[k].Type != frame.Number
			case c.known != nil:
				demands.Add(j, c.known[j])
			}
		}
	}
	// Without names the training data was one array. If its transformed columns
	// are numbers, so are the others.
	rest := frame.Feature{Type: frame.Any, Missing: true}
	if len(c.table.names) == 0 && numbers && !others {
		rest.Type = frame.Number
	}
	out := make([]frame.Feature, c.table.width)
	for j := range out {
		f, ok := demands.Feature(j)
		if !ok {
			f = rest
			f.Unused = c.lenient && !taken[j]
		}
		if len(c.table.names) > 0 {
			f.Name = c.table.names[j]
		}
		out[j] = f
	}
	return out
}

// Input describes the columns of the training data.
func (c *columnTransformer) Input() base.Input { return c.input }

// Outputs describes transform, the only method.
func (c *columnTransformer) Outputs() []frame.Output { return []frame.Output{c.output} }

// Evaluate answers transform.
func (c *columnTransformer) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	if err := (base.Check{Width: c.table.width, Class: "ColumnTransformer"}).Shape(x); err != nil {
		return err
	}
	blocks := a.Arrays(len(c.parts))
	for i := range c.parts {
		if err := c.part(a, x, &c.parts[i], &blocks[i]); err != nil {
			return base.Relocate(err, c.parts[i].positions)
		}
	}
	stacked, err := base.Stack(a, x.Rows, blocks, c.output.Kind)
	for i := range methods {
		out[i] = stacked
	}
	return err
}

// part lets one transformer answer for its columns.
func (c *columnTransformer) part(a *frame.Arena, x *frame.Frame, p *part, block *frame.Array) error {
	selected := x
	if !p.all {
		selected = &a.Frames(1)[0]
		*selected = x.Select(a, p.positions)
	}
	var err error
	switch {
	case p.est != nil:
		block1 := a.Arrays(1)
		err = p.est.Evaluate(a, selected, base.Transforms, block1)
		*block = block1[0]
	case c.output.Kind == frame.Object && p.weight == 1:
		*block, err = base.Pass(a, selected, frame.Object)
	default:
		*block, err = base.Pass(a, selected, frame.Float64)
	}
	if err == nil && p.weight != 1 {
		err = base.Scale(a, block, p.weight)
	}
	return err
}

// Passes returns the columns that transform hands on unchanged.
func (c *columnTransformer) Passes() []int {
	out := []int{}
	for _, p := range c.parts {
		cols := len(p.positions)
		var inner []int
		if p.est != nil {
			o, _ := base.Output(p.est, frame.Transform)
			if o.Cols < 0 {
				return nil
			}
			cols = max(o.Cols, 1)
			if passer, ok := p.est.(base.Passer); ok {
				inner = passer.Passes()
			}
		}
		for k := range cols {
			from := -1
			switch {
			case p.weight != 1:
			case p.est == nil:
				from = p.positions[k]
			case k < len(inner) && inner[k] >= 0:
				from = p.positions[inner[k]]
			}
			out = append(out, from)
		}
	}
	return out
}

// Narrow returns the ColumnTransformer for columns of which more is known.
func (c *columnTransformer) Narrow(features []frame.Feature) base.Estimator {
	if len(features) != c.table.width {
		return c
	}
	narrowed := *c
	narrowed.known = features
	narrowed.parts = append([]part(nil), c.parts...)
	for i, p := range narrowed.parts {
		if passer, ok := p.est.(base.Passer); ok {
			inner := make([]frame.Feature, len(p.positions))
			for k, j := range p.positions {
				inner[k] = features[j]
			}
			narrowed.parts[i].est = passer.Narrow(inner)
		}
	}
	narrowed.compile()
	return &narrowed
}
