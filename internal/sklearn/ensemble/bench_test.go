package ensemble_test

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/tree/treetest"
	"mizzen.dev/model/frame"
)

// go test -bench . ./internal/sklearn/ensemble

// synthetic returns a RandomForestClassifier as its file holds it: the larger of
// the two below is 18 MB there.
func synthetic(trees, leaves, features, classes int) *pickle.Object {
	r := rand.New(rand.NewPCG(1, 2))
	members := make([]any, trees)
	for i := range members {
		var nodes []treetest.Node
		var grow func(leaves int) int64
		grow = func(leaves int) int64 {
			id := len(nodes)
			values := make([]float64, classes)
			p := float64(r.IntN(12)) / 12
			values[0], values[r.IntN(classes-1)+1] = 1-p, p
			nodes = append(nodes, treetest.Leaf(2, values...))
			if leaves == 1 {
				return int64(id)
			}
			left := min(leaves-1, max(1, int(float64(leaves)*(0.15+0.7*r.Float64()))))
			l := grow(left)
			right := grow(leaves - left)
			n := &nodes[id]
			n.Left, n.Right, n.Feature, n.Threshold = l, right, int64(r.IntN(features)), r.Float64()
			n.MissingLeft = r.IntN(2) == 0
			return int64(id)
		}
		grow(leaves)
		members[i] = treetest.Estimator("sklearn.tree._classes", "DecisionTreeClassifier", map[string]any{
			"criterion": "gini", "splitter": "best", "_sklearn_version": "1.7.2",
			"tree_": treetest.Form{}.Tree(features, []int{classes}, nodes),
		})
	}
	labels := make([]int64, classes)
	for k := range labels {
		labels[k] = int64(k)
	}
	return treetest.Estimator("sklearn.ensemble._forest", "RandomForestClassifier", map[string]any{
		"n_features_in_": int64(features), "n_outputs_": int64(1), "n_classes_": int64(classes),
		"classes_": treetest.Ints(labels...), "_sklearn_version": "1.7.2",
		"estimators_": &pickle.List{Items: members},
	})
}

var sizes = []struct {
	name                             string
	trees, leaves, features, classes int
}{
	{"iris", 200, 9, 4, 3},
	{"large", 500, 255, 50, 2},
}

// What it costs to make a forest of what the pickle reader returns.
func BenchmarkBuild(b *testing.B) {
	for _, c := range sizes {
		obj := synthetic(c.trees, c.leaves, c.features, c.classes)
		b.Run("forest="+c.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				mustBuild(b, obj)
			}
		})
	}
}

// What a request costs between decoding and encoding; nothing is allocated.
func BenchmarkPredict(b *testing.B) {
	methods := []frame.Method{frame.Predict, frame.PredictProba}
	for _, c := range sizes {
		est := mustBuild(b, synthetic(c.trees, c.leaves, c.features, c.classes))
		r := rand.New(rand.NewPCG(3, 4))
		const stock = 2048
		data := make([]float64, stock*c.features)
		for i := range data {
			data[i] = r.Float64()
		}
		for _, rows := range []int{1, 64} {
			b.Run(fmt.Sprintf("forest=%s/rows=%d", c.name, rows), func(b *testing.B) {
				var a frame.Arena
				out := make([]frame.Array, len(methods))
				var x frame.Frame
				first := 0
				b.ReportAllocs()
				for b.Loop() {
					a.Reset()
					x = frame.Matrix(data[first*c.features:(first+rows)*c.features], rows, c.features)
					if err := est.Evaluate(&a, &x, methods, out); err != nil {
						b.Fatal(err)
					}
					first = (first + rows) % stock
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
			})
		}
	}
}
