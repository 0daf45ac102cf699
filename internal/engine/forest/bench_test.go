package forest_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"testing"

	"mizzen.dev/internal/engine/forest"
	"mizzen.dev/model/frame"
)

// go test -bench . ./internal/engine/forest

// synthetic returns trees as unbalanced as those of a random forest, whose
// walks take all paths: a node splits what is left of its box.
func synthetic(s forest.Shape, trees, leaves int) []*forest.Tree {
	r := rand.New(rand.NewPCG(11, 12))
	out := make([]*forest.Tree, trees)
	for i := range out {
		t := &forest.Tree{}
		box := make([][2]float64, s.Features)
		for j := range box {
			box[j] = [2]float64{0, 1}
		}
		var grow func(leaves int) int64
		grow = func(leaves int) int64 {
			id := len(t.Left)
			t.Left, t.Right = append(t.Left, -1), append(t.Right, -1)
			t.Feature, t.Threshold = append(t.Feature, -2), append(t.Threshold, -2)
			t.MissingLeft = append(t.MissingLeft, r.IntN(2) == 0)
			p := float64(r.IntN(12)) / 12 // most leaves are nearly pure
			for k := range s.Width {
				t.Values = append(t.Values, []float64{1 - p, p, 0}[k%3])
			}
			if leaves == 1 {
				return int64(id)
			}
			j := r.IntN(s.Features)
			old := box[j]
			cut := old[0] + (old[1]-old[0])*(0.25+0.5*r.Float64())
			t.Feature[id], t.Threshold[id] = int64(j), cut
			n := min(leaves-1, max(1, int(float64(leaves)*(0.15+0.7*r.Float64()))))
			box[j][1] = cut
			t.Left[id] = grow(n)
			box[j] = [2]float64{cut, old[1]}
			t.Right[id] = grow(leaves - n)
			box[j] = old
			return int64(id)
		}
		grow(leaves)
		out[i] = t
	}
	return out
}

type size struct {
	name          string
	shape         forest.Shape
	trees, leaves int
}

// The forests of docs/performance.md: iris, and one of 18 MB in a file.
var sizes = []size{
	{"iris", forest.Shape{Features: 4, Width: 3, Missing: true}, 200, 9},
	{"large", forest.Shape{Features: 50, Width: 2, Missing: true}, 500, 255},
	{"one-tree", forest.Shape{Features: 50, Width: 2, Missing: true}, 1, 255},
	{"many-features", forest.Shape{Features: 5000, Width: 2}, 100, 255},
}

func BenchmarkEvaluate(b *testing.B) {
	for _, c := range sizes {
		f := compile(b, c.shape, synthetic(c.shape, c.trees, c.leaves))
		r := rand.New(rand.NewPCG(13, 14))
		const stock = 2048
		x := make([]float64, stock*c.shape.Features)
		for i := range x {
			x[i] = r.Float64()
		}
		for _, rows := range []int{1, 8, 64, 1024} {
			b.Run(fmt.Sprintf("forest=%s/rows=%d", c.name, rows), func(b *testing.B) {
				var a frame.Arena
				first := 0
				b.ReportAllocs()
				for b.Loop() {
					a.Reset()
					sum := a.Floats(rows * c.shape.Width)
					at := first * c.shape.Features
					f.Evaluate(&a, x[at:at+rows*c.shape.Features], rows, forest.Output{Sum: sum})
					first = (first + rows) % stock
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*rows), "ns/row")
			})
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for _, c := range sizes {
		trees := synthetic(c.shape, c.trees, c.leaves)
		b.Run("forest="+c.name, func(b *testing.B) {
			s := c.shape
			s.Trees = c.trees
			var f *forest.Forest
			for b.Loop() {
				f = compile(b, s, trees)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*f.Stats().Nodes), "ns/node")
		})
	}
}

// Evaluating allocates nothing once the arena has grown.
func TestEvaluateAllocatesNothing(t *testing.T) {
	for _, c := range sizes {
		f := compile(t, c.shape, synthetic(c.shape, min(c.trees, 20), c.leaves))
		x := make([]float64, 100*c.shape.Features)
		x[0] = math.SmallestNonzeroFloat32
		var a frame.Arena
		allocs := testing.AllocsPerRun(5, func() {
			a.Reset()
			f.Evaluate(&a, x, 100, forest.Output{Sum: a.Floats(100 * c.shape.Width)})
		})
		if allocs > 0 {
			t.Errorf("%s: %v allocations a call", c.name, allocs)
		}
	}
}
