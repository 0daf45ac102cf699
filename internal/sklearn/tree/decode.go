package tree

import (
	"fmt"
	"math"
	"slices"

	"mizzen.dev/internal/engine/forest"
	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
)

var treeClass = pickle.Global{Module: "sklearn.tree._tree", Name: "Tree"}

// Decoder reads the tree_ of one estimator after the other, into memory that it
// uses again.
type Decoder struct {
	features int
	targets  *Targets
	member   Member
	packed   []float64
	weights  []float64
	taken    map[*byte]bool
}

// NewDecoder returns a decoder of trees over that many features.
func NewDecoder(features int, targets *Targets) *Decoder {
	return &Decoder{features: features, targets: targets, taken: make(map[*byte]bool)}
}

// Member is one decoded tree. It belongs to its decoder until the next Read.
type Member struct {
	forest.Tree
	// Counts is true if Values are weights of training samples, false if they
	// are fractions: scikit-learn changed from one to the other in 1.4.1.
	Counts bool
}

// Read decodes the tree that the estimator holds. After an error, which r keeps,
// it returns nil.
func (d *Decoder) Read(r *base.Reader) *Member {
	sub := r.Object("tree_")
	if sub.Err() == nil {
		d.read(sub, r)
	}
	sub.Done()
	if r.Err() != nil {
		return nil
	}
	return &d.member
}

// read decodes the Tree of an estimator.
func (d *Decoder) read(r *base.Sub, estimator *base.Reader) {
	if r.Class != treeClass {
		r.Errorf("is a %s, expected a %s", r.Class, treeClass)
		return
	}
	if err := d.arguments(r.Args()); err != nil {
		r.Errorf("%v", err)
		return
	}
	nodes, values, count := r.Array("nodes"), r.Array("values"), r.Int("node_count")
	if r.Err() != nil {
		return
	}
	if err := d.nodes(nodes, count); err != nil {
		r.Errorf("nodes: %v", err)
		return
	}
	if err := d.values(values, count); err != nil {
		r.Errorf("values: %v", err)
		return
	}
	if d.targets.Classes == nil {
		d.member.Counts = false
		return
	}
	counts, told, err := d.counts(nodes)
	if err != nil {
		r.Errorf("nodes: %v", err)
	}
	d.member.Counts = counts || !told && !estimator.Since(1, 4)
}

// arguments compares those that the Tree was made with: n_features, n_classes
// (an array of an element a target) and n_outputs.
func (d *Decoder) arguments(args []any) error {
	if len(args) != 3 {
		return fmt.Errorf("was made with %d arguments, expected n_features, n_classes and n_outputs", len(args))
	}
	if n, ok := args[0].(int64); !ok || n != int64(d.features) {
		return fmt.Errorf("has n_features %v, the estimator has %d", args[0], d.features)
	}
	if n, ok := args[2].(int64); !ok || n != int64(len(d.targets.Counts)) {
		return fmt.Errorf("has n_outputs %v, the estimator has %d", args[2], len(d.targets.Counts))
	}
	a, ok := args[1].(*npy.Array)
	if !ok || a.Len() != len(d.targets.Counts) {
		return fmt.Errorf("n_classes is not an array of %d elements", len(d.targets.Counts))
	}
	classes, err := a.Int64s()
	if err != nil {
		return fmt.Errorf("n_classes: %w", err)
	}
	for k, n := range d.targets.Counts {
		if classes[k] != int64(n) {
			return fmt.Errorf("has n_classes %v, the estimator has %v", classes, d.targets.Counts)
		}
	}
	return nil
}

// The fields of a node. The last came with scikit-learn 1.3; an unknown one
// could change what a tree means.
var knownFields = map[string]bool{
	"left_child": true, "right_child": true, "feature": true, "threshold": true, "impurity": true,
	"n_node_samples": true, "weighted_n_node_samples": true, missingField: true,
}

const missingField = "missing_go_to_left"

func (d *Decoder) nodes(a *npy.Array, count int) error {
	for _, f := range a.Dtype.Fields {
		if !knownFields[f.Name] {
			return fmt.Errorf("field %q is not known: it was written by a newer scikit-learn than Mizzen supports", f.Name)
		}
	}
	if len(a.Shape) != 1 || a.Shape[0] != count {
		return fmt.Errorf("an array of shape %v, node_count is %d", a.Shape, count)
	}
	if count == 0 {
		return fmt.Errorf("the tree is empty")
	}
	// Trees that share their nodes would let a small file become a large model.
	if d.taken[&a.Data[0]] {
		return fmt.Errorf("they are those of another tree too")
	}
	d.taken[&a.Data[0]] = true
	return d.columns(a)
}

func (d *Decoder) columns(a *npy.Array) error {
	m := &d.member
	for _, c := range []struct {
		name string
		dst  *[]int64
	}{{"left_child", &m.Left}, {"right_child", &m.Right}, {"feature", &m.Feature}} {
		column, err := a.Column(c.name)
		if err == nil {
			*c.dst, err = column.Int64s((*c.dst)[:0])
		}
		if err != nil {
			return err
		}
	}
	column, err := a.Column("threshold")
	if err == nil {
		m.Threshold, err = column.Float64s(m.Threshold[:0])
	}
	if err != nil {
		return err
	}
	if _, ok := a.Dtype.Field(missingField); !ok {
		m.MissingLeft = nil
		return nil
	}
	column, err = a.Column(missingField)
	if err != nil {
		return err
	}
	if column.Dtype.Size != 1 {
		return fmt.Errorf("%s is of type %s, expected one byte", missingField, column.Dtype)
	}
	m.MissingLeft = slices.Grow(m.MissingLeft[:0], column.Len())[:column.Len()]
	for i := range m.MissingLeft {
		m.MissingLeft[i] = column.Bytes(i)[0] != 0
	}
	return nil
}

// values reads an array of shape (nodes, targets, greatest number of classes).
func (d *Decoder) values(a *npy.Array, n int) error {
	t := d.targets
	widest := 0
	for _, n := range t.Counts {
		widest = max(widest, n)
	}
	if len(a.Shape) != 3 || a.Shape[0] != n || a.Shape[1] != len(t.Counts) || a.Shape[2] != widest {
		return fmt.Errorf("an array of shape %v, expected (%d, %d, %d)", a.Shape, n, len(t.Counts), widest)
	}
	m := &d.member
	var err error
	if m.Values, err = a.Elements().Float64s(m.Values[:0]); err != nil {
		return err
	}
	if t.Width < len(t.Counts)*widest { // targets with fewer classes are padded
		d.packed = d.packed[:0]
		for row := 0; row < len(m.Values); row += widest {
			count := t.Counts[row/widest%len(t.Counts)]
			d.packed = append(d.packed, m.Values[row:row+count]...)
		}
		m.Values, d.packed = d.packed, m.Values
	}
	return nil
}

// counts reports whether the values are weights of training samples and not
// fractions. The version does not tell: a file may have been written by one
// scikit-learn and saved again by another. A node's values are fractions if
// their sum is nearer to 1 than to the node's weight; told is false if all nodes
// weigh 1.
func (d *Decoder) counts(nodes *npy.Array) (counts, told bool, err error) {
	for _, n := range [2]int{1, len(d.member.Left)} { // the root tells almost always
		head := npy.Array{Dtype: nodes.Dtype, Shape: []int{n}, Data: nodes.Data[:n*nodes.Dtype.Size]}
		column, err := head.Column("weighted_n_node_samples")
		if err == nil {
			d.weights, err = column.Float64s(d.weights[:0])
		}
		if err != nil {
			return false, false, err
		}
		for i, w := range d.weights {
			if math.Abs(w-1) < 1e-6 {
				continue
			}
			sum := pairwiseSum(d.member.Values[i*d.targets.Width:][:d.targets.Counts[0]])
			return !(math.Abs(sum-1) < math.Abs(sum-w)), true, nil
		}
	}
	return false, false, nil
}

// Probabilities turns the values of leaves into the probabilities that the tree
// answers.
func (m *Member) Probabilities(t *Targets) {
	if !m.Counts {
		return
	}
	for id, left := range m.Left {
		if left == -1 {
			t.normalise(m.Values[id*t.Width : (id+1)*t.Width])
		}
	}
}

// normalise divides each target's counts by their sum.
func (t *Targets) normalise(row []float64) {
	for _, n := range t.Counts {
		if sum := pairwiseSum(row[:n]); sum != 0 {
			for i := range n {
				row[i] /= sum
			}
		}
		row = row[n:]
	}
}

// pairwiseSum adds as numpy's sum does (pairwise_sum in loops_utils.h.src), to
// the last bit.
func pairwiseSum(a []float64) float64 {
	n := len(a)
	switch {
	case n < 8:
		sum := 0.0
		for _, v := range a {
			sum += v
		}
		return sum
	case n <= 128:
		r := [8]float64(a)
		i := 8
		for ; i+8 <= n; i += 8 {
			for j, v := range a[i : i+8] {
				r[j] += v
			}
		}
		sum := ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
		for _, v := range a[i:] {
			sum += v
		}
		return sum
	}
	half := n / 2
	half -= half % 8
	return pairwiseSum(a[:half]) + pairwiseSum(a[half:])
}
