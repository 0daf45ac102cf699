package tree_test

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/tree/treetest"
	"mizzen.dev/model/frame"
)

func TestTreesThatAreRefused(t *testing.T) {
	leaf := []float64{1, 1, 1}
	valid := func() []treetest.Node { return nodes(leaf, leaf, leaf) }
	// with returns the attributes with another tree_.
	with := func(damage func(*pickle.Object)) func(map[string]any) {
		return func(attrs map[string]any) { damage(attrs["tree_"].(*pickle.Object)) }
	}
	state := func(name string, v any) func(map[string]any) {
		return with(func(o *pickle.Object) { o.State.(*pickle.Dict).Set(name, v) })
	}
	for name, c := range map[string]struct {
		damage func(attrs map[string]any)
		want   string
	}{
		"no tree":            {func(m map[string]any) { m["tree_"] = nil }, "DecisionTreeClassifier: attribute tree_ is None, expected an object"},
		"not fitted":         {func(m map[string]any) { delete(m, "tree_") }, "attribute tree_ is missing: is the model fitted?"},
		"another class":      {with(func(o *pickle.Object) { o.Class.Name = "Bush" }), "DecisionTreeClassifier.tree_: is a sklearn.tree._tree.Bush, expected a sklearn.tree._tree.Tree"},
		"no arguments":       {with(func(o *pickle.Object) { o.Args = nil }), "was made with 0 arguments"},
		"other features":     {with(func(o *pickle.Object) { o.Args[0] = int64(3) }), "has n_features 3, the estimator has 2"},
		"other outputs":      {with(func(o *pickle.Object) { o.Args[2] = int64(2) }), "has n_outputs 2, the estimator has 1"},
		"other classes":      {with(func(o *pickle.Object) { o.Args[1] = treetest.Ints(4) }), "has n_classes [4], the estimator has [3]"},
		"no classes":         {with(func(o *pickle.Object) { o.Args[1] = int64(3) }), "n_classes is not an array of 1 elements"},
		"no nodes":           {with(func(o *pickle.Object) { *o = *treetest.Form{}.Tree(2, []int{3}, nil) }), "nodes: the tree is empty"},
		"count less":         {state("node_count", int64(1)), "nodes: an array of shape [5], node_count is 1"},
		"count more":         {state("node_count", int64(1e9)), "nodes: an array of shape [5], node_count is 1000000000"},
		"values short":       {state("values", treetest.Floats(make([]float64, 12), 4, 1, 3)), "values: an array of shape [4 1 3], expected (5, 1, 3)"},
		"values wide":        {state("values", treetest.Floats(make([]float64, 20), 5, 1, 4)), "expected (5, 1, 3)"},
		"values flat":        {state("values", treetest.Floats(make([]float64, 15), 15)), "expected (5, 1, 3)"},
		"values of strings":  {state("values", &npy.Array{Dtype: npy.Dtype{Kind: 'S', Size: 1}, Shape: []int{5, 1, 3}, Data: make([]byte, 15)}), "values: elements of type |S1 are not numbers"},
		"nodes no structure": {state("nodes", treetest.Ints(1, 2, 3, 4, 5)), "no field \"left_child\""},
		"a field to come":    {with(func(o *pickle.Object) { *o = *treetest.Form{Extra: "left_cat_bitset"}.Tree(2, []int{3}, valid()) }), `nodes: field "left_cat_bitset" is not known: it was written by a newer scikit-learn`},
		"a cycle":            {with(func(o *pickle.Object) { n := valid(); n[1].Left = 1; *o = *treetest.Form{}.Tree(2, []int{3}, n) }), "DecisionTreeClassifier: tree_: node 1 has child 1"},
		"features disagree":  {func(m map[string]any) { m["n_features_in_"] = int64(3) }, "has n_features 2, the estimator has 3"},
		"very many features": {func(m map[string]any) { m["n_features_in_"] = int64(1 << 40) }, "n_features_in_ is 1099511627776"},
		"no outputs":         {func(m map[string]any) { m["n_outputs_"] = int64(0) }, "n_outputs_ is 0"},
		"very many outputs":  {func(m map[string]any) { m["n_outputs_"] = int64(1 << 40) }, "n_outputs_ is 1099511627776"},
		"classes disagree":   {func(m map[string]any) { m["classes_"] = treetest.Ints(1, 2) }, "target 0 has 2 classes_, n_classes_ is 3"},
		"no classes at all":  {func(m map[string]any) { m["classes_"] = treetest.Ints(); m["n_classes_"] = int64(0) }, "target 0 has 0 classes_"},
		"classes of one more": {func(m map[string]any) {
			m["n_outputs_"] = int64(2)
			m["classes_"] = &pickle.List{Items: []any{treetest.Ints(1)}}
		}, "classes_ has the classes of 1 targets, n_outputs_ is 2"},
		"classes are trees": {func(m map[string]any) { m["classes_"] = &pickle.List{Items: []any{m["tree_"]}} }, "attribute classes_: element 0: a sklearn.tree._tree.Tree is not a plain value"},
	} {
		t.Run(name, func(t *testing.T) {
			attrs := classifier()
			attrs["tree_"] = treetest.Form{}.Tree(2, []int{3}, valid())
			c.damage(attrs)
			_, _, err := build(treetest.Estimator(module, "DecisionTreeClassifier", attrs))
			var typed *base.Error
			if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

// FuzzTree gives the decoder nodes of any bytes. What it accepts is a tree in
// which every row arrives at the leaf to which a naive walk leads.
func FuzzTree(f *testing.F) {
	form := treetest.Form{}
	iris, err := os.ReadFile("testdata/iris-1.7.2.nodes") // of a DecisionTreeClassifier
	if err != nil {
		f.Fatal(err)
	}
	f.Add(iris, 2.45, 1.75)
	leaf := []float64{1, 1, 1}
	n := nodes(leaf, leaf, leaf)
	f.Add(form.Nodes(n).Data, 0.1, -1.0)
	f.Add(form.Nodes(n[2:3]).Data, 0.0, math.NaN())
	n[1].Left = 0
	f.Add(form.Nodes(n).Data, 1.0, 1.0)
	f.Fuzz(func(t *testing.T, data []byte, x0, x1 float64) {
		array := form.Array(data)
		count := array.Len()
		attrs := classifier()
		attrs["n_features_in_"] = int64(4)
		obj := form.Tree(4, []int{3}, nil)
		state := obj.State.(*pickle.Dict)
		state.Set("nodes", array)
		state.Set("node_count", int64(count))
		state.Set("values", treetest.Floats(make([]float64, 3*count), count, 1, 3))
		attrs["tree_"] = obj
		est, _, err := build(treetest.Estimator(module, "DecisionTreeClassifier", attrs))
		if err != nil {
			return
		}
		x := frame.Matrix([]float64{x0, x1, x1, x0}, 1, 4)
		out := make([]frame.Array, 1)
		if est.Evaluate(new(frame.Arena), &x, []frame.Method{frame.Apply}, out) != nil {
			return // beyond float32
		}
		if want := walk(array, x.Dense); out[0].Ints[0] != want {
			t.Errorf("apply answers %d, the naive walk %d", out[0].Ints[0], want)
		}
	})
}

// walk goes down the nodes as they stand in the file.
func walk(a *npy.Array, x []float64) int64 {
	id := int64(0)
	for {
		field := func(name string) uint64 {
			f, _ := a.Dtype.Field(name)
			return binary.LittleEndian.Uint64(a.Data[int(id)*a.Dtype.Size+f.Offset:])
		}
		missing, _ := a.Dtype.Field("missing_go_to_left")
		left := int64(field("left_child"))
		if left == -1 {
			return id
		}
		v := float64(float32(x[field("feature")]))
		if v <= math.Float64frombits(field("threshold")) || v != v && a.Data[int(id)*a.Dtype.Size+missing.Offset] != 0 {
			id = left
		} else {
			id = int64(field("right_child"))
		}
	}
}
