// Package treetest makes fitted trees as the pickle reader returns them, for
// tests: scikit-learn's own are among the fixtures, these can be made wrong.
package treetest

import (
	"encoding/binary"
	"math"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
)

// Node is one node of a tree; a leaf has no children: -1.
type Node struct {
	Left, Right, Feature int64
	Threshold            float64
	Weight               float64 // weighted_n_node_samples
	MissingLeft          bool
	Values               []float64 // a value a target and class, padded
}

// Leaf returns a leaf.
func Leaf(weight float64, values ...float64) Node {
	return Node{Left: -1, Right: -1, Feature: -2, Threshold: -2, Weight: weight, Values: values}
}

// Form is how a version of scikit-learn on some machine writes nodes. The zero
// value is that of 1.3 to 1.9 on common ones.
type Form struct {
	NoMissing bool   // to 1.2, without missing_go_to_left
	Small     bool   // 32-bit machines
	BigEndian bool   // big-endian machines
	Extra     string // a field of days to come
}

// dtype returns the type of nodes, with their fields where C aligns them.
func (f Form) dtype() npy.Dtype {
	index := npy.Dtype{Kind: 'i', Size: 8, BigEndian: f.BigEndian}
	if f.Small {
		index.Size = 4
	}
	number := npy.Dtype{Kind: 'f', Size: 8, BigEndian: f.BigEndian}
	var d npy.Dtype
	add := func(name string, t npy.Dtype) {
		d.Fields = append(d.Fields, npy.Field{Name: name, Dtype: t, Offset: d.Size})
		d.Size += t.Size
	}
	add("left_child", index)
	add("right_child", index)
	add("feature", index)
	if f.Small {
		d.Size += 4
	}
	add("threshold", number)
	add("impurity", number)
	add("n_node_samples", index)
	if f.Small {
		d.Size += 4
	}
	add("weighted_n_node_samples", number)
	if !f.NoMissing {
		add("missing_go_to_left", npy.Dtype{Kind: 'u', Size: 1})
	}
	if f.Extra != "" {
		add(f.Extra, npy.Dtype{Kind: 'u', Size: 1})
	}
	d.Kind, d.Size = 'V', (d.Size+7)&^7
	return d
}

// Array returns nodes as they stand in data, one after the other.
func (f Form) Array(data []byte) *npy.Array {
	d := f.dtype()
	return &npy.Array{Dtype: d, Shape: []int{len(data) / d.Size}, Data: data[:len(data)/d.Size*d.Size]}
}

// Nodes returns the array of nodes.
func (f Form) Nodes(nodes []Node) *npy.Array {
	d := f.dtype()
	data := make([]byte, len(nodes)*d.Size)
	for i, n := range nodes {
		missing := int64(0)
		if n.MissingLeft {
			missing = 1
		}
		for name, v := range map[string]int64{
			"left_child": n.Left, "right_child": n.Right, "feature": n.Feature,
			"threshold": int64(math.Float64bits(n.Threshold)), "weighted_n_node_samples": int64(math.Float64bits(n.Weight)),
			"missing_go_to_left": missing,
		} {
			if field, ok := d.Field(name); ok {
				f.put(data[i*d.Size+field.Offset:][:field.Dtype.Size], v)
			}
		}
	}
	return f.Array(data)
}

func (f Form) put(b []byte, v int64) {
	var order binary.AppendByteOrder = binary.LittleEndian
	if f.BigEndian {
		order = binary.BigEndian
	}
	switch len(b) {
	case 8:
		copy(b, order.AppendUint64(nil, uint64(v)))
	case 4:
		copy(b, order.AppendUint32(nil, uint32(v)))
	default:
		b[0] = byte(v)
	}
}

// Tree returns a tree_ over that many features, with these numbers of classes a
// target (1 in a regressor).
func (f Form) Tree(features int, classes []int, nodes []Node) *pickle.Object {
	widest := 0
	counts := make([]int64, len(classes))
	for k, n := range classes {
		widest = max(widest, n)
		counts[k] = int64(n)
	}
	var values []float64
	for _, n := range nodes {
		values = append(values, append(n.Values, make([]float64, len(classes)*widest-len(n.Values))...)...)
	}
	return &pickle.Object{
		Class: pickle.Global{Module: "sklearn.tree._tree", Name: "Tree"},
		Args:  []any{int64(features), Ints(counts...), int64(len(classes))},
		State: Dict(map[string]any{
			"max_depth":  int64(0),
			"node_count": int64(len(nodes)),
			"nodes":      f.Nodes(nodes),
			"values":     Floats(values, len(nodes), len(classes), widest),
		}),
	}
}

// Estimator returns a fitted estimator with these attributes.
func Estimator(module, class string, attrs map[string]any) *pickle.Object {
	return &pickle.Object{Class: pickle.Global{Module: module, Name: class}, State: Dict(attrs)}
}

// Dict returns a dict with string keys.
func Dict(entries map[string]any) *pickle.Dict {
	d := &pickle.Dict{}
	for k, v := range entries {
		d.Set(k, v)
	}
	return d
}

// Ints returns an array of int64.
func Ints(values ...int64) *npy.Array {
	data := make([]byte, 0, len(values)*8)
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, uint64(v))
	}
	return &npy.Array{Dtype: npy.Dtype{Kind: 'i', Size: 8}, Shape: []int{len(values)}, Data: data}
}

// Floats returns an array of float64.
func Floats(values []float64, shape ...int) *npy.Array {
	data := make([]byte, 0, len(values)*8)
	for _, v := range values {
		data = binary.LittleEndian.AppendUint64(data, math.Float64bits(v))
	}
	return &npy.Array{Dtype: npy.Dtype{Kind: 'f', Size: 8}, Shape: shape, Data: data}
}

// Objects returns an array of objects.
func Objects(values ...any) *npy.Array {
	return &npy.Array{Dtype: npy.Dtype{Kind: 'O', Size: 8}, Shape: []int{len(values)}, Objects: values}
}
