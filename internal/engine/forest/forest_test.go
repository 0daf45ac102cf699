package forest_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/internal/engine/forest"
	"mizzen.dev/model/frame"
)

// answer is what all the methods of a forest give.
type answer struct {
	Sum   []uint64 // bits, so that NaN equals itself and -0 is not 0
	Nodes []int64
}

// naive walks the trees as scikit-learn's Tree.apply does.
func naive(s forest.Shape, trees []*forest.Tree, x []float64, rows int) answer {
	var a answer
	for i := range rows {
		sum := make([]float64, s.Width)
		for _, t := range trees {
			id := int64(0)
			for t.Left[id] != -1 {
				v := float64(float32(x[i*s.Features+int(t.Feature[id])]))
				left := v <= t.Threshold[id]
				if math.IsNaN(v) {
					left = t.MissingLeft[id]
				}
				if left {
					id = t.Left[id]
				} else {
					id = t.Right[id]
				}
			}
			a.Nodes = append(a.Nodes, id)
			for k := range sum {
				sum[k] += t.Values[int(id)*s.Width+k]
			}
		}
		for _, v := range sum {
			a.Sum = append(a.Sum, math.Float64bits(v))
		}
	}
	return a
}

func evaluate(t *testing.T, s forest.Shape, trees []*forest.Tree, x []float64, rows int) answer {
	t.Helper()
	f := compile(t, s, trees)
	sum := make([]float64, rows*s.Width)
	at := make([]int32, rows*len(trees))
	a := answer{Nodes: make([]int64, rows*len(trees))}
	var arena frame.Arena
	f.Evaluate(&arena, x, rows, forest.Output{Sum: sum, Rows: at, Nodes: a.Nodes})
	for _, v := range sum {
		a.Sum = append(a.Sum, math.Float64bits(v))
	}
	for i, row := range at {
		tree := trees[i%len(trees)]
		want := tree.Values[int(a.Nodes[i])*s.Width:][:s.Width]
		if got := f.Values()[int(row)*s.Width:][:s.Width]; fmt.Sprint(got) != fmt.Sprint(want) {
			t.Fatalf("Rows[%d] leads to %v, the leaf holds %v", i, got, want)
		}
	}
	return a
}

func compile(tb testing.TB, s forest.Shape, trees []*forest.Tree) *forest.Forest {
	tb.Helper()
	b := forest.NewBuilder(s)
	for _, tree := range trees {
		if err := b.Add(tree); err != nil {
			tb.Fatal(err)
		}
	}
	return b.Finish()
}

// special are numbers at which rounding, signs and ties go wrong.
var special = []float64{
	0, math.Copysign(0, -1), 0.1, float64(float32(0.1)), 1, -1,
	math.SmallestNonzeroFloat32, -math.SmallestNonzeroFloat32, math.SmallestNonzeroFloat32 / 2, 5e-324, -5e-324,
	math.MaxFloat32, -math.MaxFloat32, math.Nextafter(1, 2), math.Nextafter(1, 0), 1 + 1.0/(1<<24), 16777217,
}

func number(r *rand.Rand) float64 {
	if r.IntN(3) == 0 {
		return special[r.IntN(len(special))]
	}
	return math.Round(r.NormFloat64()*20) / 20
}

// randomTree returns a tree of any form with the given number of leaves; its
// nodes stand in no particular order, but for the root.
func randomTree(r *rand.Rand, s forest.Shape, leaves int) *forest.Tree {
	n := 2*leaves - 1
	t := &forest.Tree{
		Left: make([]int64, n), Right: make([]int64, n), Feature: make([]int64, n),
		Threshold: make([]float64, n), MissingLeft: make([]bool, n), Values: make([]float64, n*s.Width),
	}
	var grow func(leaves int) int
	place := r.Perm(n - 1)
	used := 0
	grow = func(leaves int) int {
		id := 0
		if used > 0 {
			id = 1 + place[used-1]
		}
		used++
		if leaves == 1 {
			t.Left[id], t.Right[id], t.Feature[id] = -1, -1, -2
			for k := range s.Width {
				t.Values[id*s.Width+k] = float64(r.IntN(4)) / 3
			}
			return id
		}
		left := 1 + r.IntN(leaves-1)
		t.Feature[id] = int64(r.IntN(s.Features))
		t.Threshold[id] = threshold(r)
		t.MissingLeft[id] = r.IntN(2) == 0
		t.Left[id] = int64(grow(left))
		t.Right[id] = int64(grow(leaves - left))
		return id
	}
	grow(leaves)
	return t
}

func threshold(r *rand.Rand) float64 {
	switch r.IntN(10) {
	case 0:
		return math.Inf(1) // how scikit-learn splits missing values from all others
	case 1:
		return math.Inf(-1)
	case 2:
		return math.NaN()
	case 3:
		return math.MaxFloat64
	}
	return number(r)
}

func TestForestWalksAsNaively(t *testing.T) {
	for name, c := range map[string]struct {
		shape         forest.Shape
		trees, leaves int
		rows          int
	}{
		"one leaf":             {forest.Shape{Features: 1, Width: 1}, 1, 1, 3},
		"one tree":             {forest.Shape{Features: 3, Width: 1}, 1, 40, 50},
		"two trees":            {forest.Shape{Features: 3, Width: 2}, 2, 40, 50},
		"seven trees":          {forest.Shape{Features: 3, Width: 3}, 7, 40, 50},
		"eight trees":          {forest.Shape{Features: 3, Width: 4}, 8, 40, 50},
		"many trees, one row":  {forest.Shape{Features: 5, Width: 3}, 101, 20, 1},
		"many trees and rows":  {forest.Shape{Features: 5, Width: 2}, 33, 60, 5000},
		"missing values":       {forest.Shape{Features: 4, Width: 2, Missing: true}, 30, 40, 400},
		"missing, one tree":    {forest.Shape{Features: 4, Width: 2, Missing: true}, 1, 40, 400},
		"no values":            {forest.Shape{Features: 2, Width: 0}, 3, 5, 10},
		"many features":        {forest.Shape{Features: 4096, Width: 2}, 11, 50, 20},
		"the last narrow":      {forest.Shape{Features: 4095, Width: 2}, 11, 50, 20},
		"many, missing":        {forest.Shape{Features: 2048, Width: 2, Missing: true}, 11, 50, 20},
		"the last with NaN":    {forest.Shape{Features: 2047, Width: 2, Missing: true}, 11, 50, 20},
		"many, one tree":       {forest.Shape{Features: 5000, Width: 1}, 1, 50, 20},
		"number of trees told": {forest.Shape{Features: 5, Width: 3, Trees: 20}, 20, 30, 30},
	} {
		t.Run(name, func(t *testing.T) {
			r := rand.New(rand.NewPCG(1, 2))
			for range 5 {
				trees := make([]*forest.Tree, c.trees)
				for i := range trees {
					trees[i] = randomTree(r, c.shape, 1+r.IntN(c.leaves))
				}
				x := randomRows(r, c.shape, c.rows)
				got := evaluate(t, c.shape, trees, x, c.rows)
				if diff := cmp.Diff(naive(c.shape, trees, x, c.rows), got); diff != "" {
					t.Fatalf("differs from the naive walk (-want +got):\n%s", diff)
				}
			}
		})
	}
}

func randomRows(r *rand.Rand, s forest.Shape, rows int) []float64 {
	x := make([]float64, rows*s.Features)
	for i := range x {
		x[i] = number(r)
		if s.Missing && r.IntN(4) == 0 {
			x[i] = math.NaN()
		}
	}
	return x
}

// A tree of more than a million nodes does not fit into narrow nodes, its
// neighbours do; the sum must go through them in order.
func TestForestHugeTreeAmongSmall(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	s := forest.Shape{Features: 3, Width: 1}
	trees := []*forest.Tree{randomTree(r, s, 20), randomTree(r, s, 600_000), randomTree(r, s, 30)}
	x := randomRows(r, s, 20)
	if diff := cmp.Diff(naive(s, trees, x, 20), evaluate(t, s, trees, x, 20)); diff != "" {
		t.Errorf("differs from the naive walk (-want +got):\n%s", diff)
	}
}

// A chunk of narrow nodes holds about a million; the next trees begin another.
func TestForestOfSeveralChunks(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	s := forest.Shape{Features: 3, Width: 2, Trees: 30}
	var trees []*forest.Tree
	for range 30 {
		trees = append(trees, randomTree(r, s, 50_000))
	}
	x := randomRows(r, s, 5)
	if diff := cmp.Diff(naive(s, trees, x, 5), evaluate(t, s, trees, x, 5)); diff != "" {
		t.Errorf("differs from the naive walk (-want +got):\n%s", diff)
	}
}

func TestBuilderRefuses(t *testing.T) {
	valid := func() *forest.Tree {
		return &forest.Tree{
			Left: []int64{1, -1, 3, -1, -1}, Right: []int64{2, -1, 4, -1, -1},
			Feature: []int64{0, -2, 1, -2, -2}, Threshold: make([]float64, 5), Values: make([]float64, 5),
		}
	}
	for name, c := range map[string]struct {
		damage func(*forest.Tree)
		want   string
	}{
		"nothing wrong":        {func(*forest.Tree) {}, ""},
		"no nodes":             {func(t *forest.Tree) { *t = forest.Tree{} }, "has no nodes"},
		"the root its child":   {func(t *forest.Tree) { t.Left[0] = 0 }, "node 0 has the root for a child"},
		"a cycle":              {func(t *forest.Tree) { t.Right[2] = 2 }, "node 2 has child 2, which is another's child too"},
		"back to the root":     {func(t *forest.Tree) { t.Right[2] = 0 }, "node 2 has the root for a child"},
		"child outside":        {func(t *forest.Tree) { t.Right[2] = 5 }, "node 2 has child 5, which is not among nodes 1 to 4"},
		"child far outside":    {func(t *forest.Tree) { t.Left[2] = 1 << 40 }, "node 2 has child 1099511627776"},
		"negative child":       {func(t *forest.Tree) { t.Left[2] = -5 }, "node 2 has child -5"},
		"one child":            {func(t *forest.Tree) { t.Left[2] = -1 }, "node 2 has one child"},
		"shared child":         {func(t *forest.Tree) { t.Left[2] = 4 }, "node 2 has child 4, which is another's child too"},
		"unreachable nodes":    {func(t *forest.Tree) { t.Left[2], t.Right[2] = -1, -1 }, "has 5 nodes, but only 3 can be reached from the root"},
		"feature outside":      {func(t *forest.Tree) { t.Feature[2] = 2 }, "node 2 splits on feature 2 of 2"},
		"negative feature":     {func(t *forest.Tree) { t.Feature[0] = -1 }, "node 0 splits on feature -1 of 2"},
		"short thresholds":     {func(t *forest.Tree) { t.Threshold = t.Threshold[1:] }, "has arrays of different lengths"},
		"short values":         {func(t *forest.Tree) { t.Values = t.Values[1:] }, "has arrays of different lengths"},
		"short missing values": {func(t *forest.Tree) { t.MissingLeft = make([]bool, 4) }, "has arrays of different lengths"},
	} {
		t.Run(name, func(t *testing.T) {
			tree := valid()
			c.damage(tree)
			err := forest.NewBuilder(forest.Shape{Features: 2, Width: 1}).Add(tree)
			if c.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				return
			}
			var typed *forest.Error
			if !errors.As(err, &typed) || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one that says %q", err, c.want)
			}
		})
	}
}

func TestStats(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	s := forest.Shape{Features: 2, Width: 1}
	chain := &forest.Tree{
		Left: []int64{1, -1, 3, -1, -1}, Right: []int64{2, -1, 4, -1, -1},
		Feature: []int64{0, -2, 1, -2, -2}, Threshold: make([]float64, 5), Values: []float64{9, 1, 9, 1, 2},
	}
	f := compile(t, s, []*forest.Tree{chain, randomTree(r, s, 1)})
	got := f.Stats()
	if got.Bytes < 6*8 {
		t.Errorf("%d bytes for 6 nodes", got.Bytes)
	}
	got.Bytes = 0
	if diff := cmp.Diff(forest.Stats{Trees: 2, Nodes: 6, Leaves: 4, Depth: 2}, got); diff != "" {
		t.Errorf("stats (-want +got):\n%s", diff)
	}
	if got := f.Values()[:2]; !cmp.Equal(got, []float64{1, 2}) {
		t.Errorf("values %v, want those of leaves alone and each once", got)
	}
}
