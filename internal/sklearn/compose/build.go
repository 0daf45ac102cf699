package compose

import (
	"fmt"
	"strconv"
	"strings"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/pipeline"
	"mizzen.dev/model/frame"
)

// ColumnTransformer reads a fitted ColumnTransformer. Its column specifications
// become positions here, once: a frame always comes in training order.
func ColumnTransformer(r *base.Reader) (base.Estimator, error) {
	c := &columnTransformer{}
	c.names(r)
	c.numeric = r.BoolOr("sparse_output_", false)
	weights, err := pipeline.Weights(r)
	if err != nil {
		return nil, err
	}
	for i, item := range r.Items("transformers_") {
		triple, ok := base.Items(item)
		if !ok || len(triple) != 3 {
			return nil, r.Errorf("transformers_[%d] is %s, expected a name, a transformer and its columns", i, pickle.TypeName(item))
		}
		name, _ := triple[0].(string)
		if triple[1] == nil || triple[1] == "drop" {
			continue
		}
		p := part{weight: 1}
		if w, ok := weights[name]; ok {
			p.weight = w
		}
		if p.positions, err = c.positions(r, i, name, triple[2]); err != nil {
			return nil, err
		}
		if r.TakeColumns(len(p.positions)); r.Err() != nil {
			return nil, r.Err()
		}
		if len(p.positions) == 0 {
			continue // nothing was selected: the transformer is not fitted either
		}
		p.all = c.everything(p.positions)
		if triple[1] != "passthrough" {
			if p.est, err = child(r, i, name, triple[1], len(p.positions)); err != nil {
				return nil, err
			}
		}
		r.Note(label(name, p), c.describe(p.positions))
		c.parts = append(c.parts, p)
	}
	for _, p := range c.parts {
		if p.est != nil {
			o, _ := base.Output(p.est, frame.Transform)
			r.TakeColumns(o.Cols)
		}
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	if len(c.parts) == 0 {
		return nil, r.Errorf("every column is dropped: nothing is left to answer")
	}
	c.compile()
	return c, nil
}

// names reads the columns of the training data. Before scikit-learn 1.0 there
// was an attribute of its own for their names.
func (c *columnTransformer) names(r *base.Reader) {
	names := r.FeatureNames()
	c.lenient = names != nil
	if !c.lenient && r.Has("_feature_names_in") {
		if cells, err := base.Cells(r.Value("_feature_names_in")); err == nil {
			names = texts(cells)
		}
	}
	if names != nil {
		c.table.name(names)
	}
	switch {
	case r.Has("n_features_in_"):
		c.table.width = r.Int("n_features_in_")
	case c.table.names != nil:
		c.table.width = len(c.table.names)
	default:
		c.table.width = r.Int("_n_features")
	}
	if c.table.width < 0 || c.table.width > base.MaxFeatures {
		r.Errorf("n_features_in_ is %d; at most %d features are supported here", c.table.width, base.MaxFeatures)
	}
	r.TakeFeatures(c.table.width)
	if c.table.names != nil && len(c.table.names) != c.table.width {
		r.Errorf("has %d feature names, and %d features", len(c.table.names), c.table.width)
	}
}

// texts returns the cells as strings, or nil if they are not all strings: such
// columns have no names for scikit-learn.
func texts(cells []frame.Value) []string {
	out := make([]string, len(cells))
	for i, c := range cells {
		s, ok := c.Text()
		if !ok {
			return nil
		}
		out[i] = s
	}
	return out
}

// positions resolves the columns of one transformer. Where the specification is
// of a kind that is not known here, such as an index of another data frame
// library, the positions that scikit-learn found in training are taken.
func (c *columnTransformer) positions(r *base.Reader, i int, name string, spec any) ([]int, error) {
	positions, err := c.table.resolve(spec)
	if err == nil {
		return positions, nil
	}
	if r.Has("_transformer_to_input_indices") {
		if found, ok := r.Value("_transformer_to_input_indices").(*pickle.Dict); ok {
			if indices, ok := found.Get(name); ok {
				positions, err = c.table.resolve(indices)
			}
		}
	}
	if err != nil {
		return nil, r.Errorf("transformers_[%d] (%s): %v", i, name, err)
	}
	return positions, nil
}

func (c *columnTransformer) everything(positions []int) bool {
	for k, j := range positions {
		if k != j {
			return false
		}
	}
	return len(positions) == c.table.width
}

// child builds the transformer of n columns; nil stands for one that passes them
// through.
func child(r *base.Reader, i int, name string, v any, n int) (base.Estimator, error) {
	where := fmt.Sprintf("transformers_[%d]", i)
	est, err := r.Child(where, name, v)
	if err != nil {
		return nil, err
	}
	if _, ok := base.Output(est, frame.Transform); !ok {
		return nil, r.Errorf("%s does not transform", where)
	}
	if w := est.Input().Width; w >= 0 && w != n {
		return nil, r.Errorf("%s takes %d features, and %d columns are selected for it", where, w, n)
	}
	if base.Identity(est) {
		return nil, nil
	}
	return est, nil
}

func label(name string, p part) string {
	if p.est == nil {
		return name + " (passthrough)"
	}
	return name
}

// described is how much text describes the columns of a part.
const described = 1000

// describe lists the names of columns, or their positions if they have none.
func (c *columnTransformer) describe(positions []int) string {
	var b strings.Builder
	for k, j := range positions {
		if k > 0 {
			b.WriteString(", ")
		}
		if b.Len() > described {
			fmt.Fprintf(&b, "… %d in all", len(positions))
			break
		}
		if len(c.table.names) > 0 {
			b.WriteString(c.table.names[j])
		} else {
			b.WriteString(strconv.Itoa(j))
		}
	}
	return b.String()
}
