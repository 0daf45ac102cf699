package forest

import (
	"fmt"
	"math"
	"slices"
)

// maxNodes bounds the nodes of a chunk and the rows of values: places are int32.
const maxNodes = math.MaxInt32 - 2*lanes

// Builder compiles trees one by one. After an error it is of no use.
type Builder struct {
	forest Forest
	table  rowTable
	seen   []bool // by number of node: it is somebody's child
}

// NewBuilder returns a builder of forests of that shape.
func NewBuilder(s Shape) *Builder {
	b := &Builder{forest: Forest{shape: s, stride: strideOf(s)}}
	b.table.width = s.Width
	return b
}

// Add compiles the next tree. The builder keeps nothing of t. A tree that is
// none, in which a walk could get lost, is an *Error.
func (b *Builder) Add(t *Tree) error {
	if err := b.check(t); err != nil {
		return err
	}
	c := b.room(len(t.Left))
	root := c.extend(len(t.Left))
	depth, err := b.compile(c, t, root)
	if err != nil {
		return err
	}
	c.roots = append(c.roots, int32(root))
	c.trees++
	st := &b.forest.stats
	st.Trees++
	st.Nodes += len(t.Left)
	st.Depth = max(st.Depth, depth)
	return nil
}

// check compares the lengths of the tree's arrays.
func (b *Builder) check(t *Tree) error {
	n := len(t.Left)
	if n == 0 {
		return &Error{-1, "has no nodes"}
	}
	if n > maxNodes || len(b.table.rows)/max(1, b.table.width)+n > maxNodes {
		return &Error{-1, fmt.Sprintf("has %d nodes; together at most %d are supported", n, maxNodes)}
	}
	s := b.forest.shape
	if len(t.Right) != n || len(t.Feature) != n || len(t.Threshold) != n || len(t.Values) != n*s.Width ||
		t.MissingLeft != nil && len(t.MissingLeft) != n {
		return &Error{-1, "has arrays of different lengths"}
	}
	return nil
}

// room returns the chunk to which a tree of n nodes is added.
func (b *Builder) room(n int) *chunk {
	f := &b.forest
	wide, limit := false, maxChunk
	if f.stride > maxSlots || n > maxChunk-2*lanes {
		wide, limit = true, maxNodes
	}
	if k := len(f.chunks); k > 0 {
		last := &f.chunks[k-1]
		if last.isWide() == wide && len(last.origin)+n+2 <= limit {
			return last
		}
	}
	c := chunk{first: f.stats.Trees}
	// The first tree of a forest is a fair guess at the others, within a bound
	// that a file cannot move.
	guess := min(n+n/8, maxChunk/max(1, f.shape.Trees)) * max(1, f.shape.Trees-c.first)
	guess = max(guess, n) + 2
	c.origin = append(make([]int32, 0, guess), 0)
	if wide {
		c.wide = append(make([]wideNode, 0, guess), wideNode{})
	} else {
		c.narrow = append(make([]uint64, 0, guess), narrowLeaf(0, 0))
	}
	f.chunks = append(f.chunks, c)
	return &f.chunks[len(f.chunks)-1]
}

func (c *chunk) isWide() bool { return c.wide != nil }

// extend makes room for n nodes and returns the place of the first. That is
// odd: the pairs of children that follow then share cache lines.
func (c *chunk) extend(n int) int {
	root := len(c.origin) | 1
	size := root + n
	c.origin = slices.Grow(c.origin, size-len(c.origin))[:size]
	if c.isWide() {
		c.wide = slices.Grow(c.wide, size-len(c.wide))[:size]
	} else {
		c.narrow = slices.Grow(c.narrow, size-len(c.narrow))[:size]
	}
	return root
}

// compile places the nodes breadth first, so that children are neighbours and
// the nodes near the root, which all walks touch, are so too. It returns the
// tree's depth.
func (b *Builder) compile(c *chunk, t *Tree, root int) (depth int, err error) {
	n := len(t.Left)
	b.seen = slices.Grow(b.seen[:0], n)[:n]
	clear(b.seen)
	width := b.forest.shape.Width
	// origin is the queue: what is placed, in the order in which it is visited.
	c.origin[root] = 0
	next, level := root+1, root+1
	for p := root; p < next; p++ {
		if p == level {
			level = next
			depth++
		}
		id := int(c.origin[p])
		left, right := t.Left[id], t.Right[id]
		if left == -1 && right == -1 {
			c.setLeaf(p, b.table.row(t.Values[id*width:(id+1)*width]))
			b.forest.stats.Leaves++
			continue
		}
		if err := b.inner(t, id); err != nil {
			return 0, err
		}
		c.origin[next], c.origin[next+1] = int32(left), int32(right)
		missingLeft := t.MissingLeft != nil && t.MissingLeft[id]
		c.setInner(p, threshold(t.Threshold[id]), next, b.forest.shape.slot(t.Feature[id], missingLeft))
		next += 2
	}
	if next-root != n {
		return 0, &Error{-1, fmt.Sprintf("has %d nodes, but only %d can be reached from the root", n, next-root)}
	}
	return depth, nil
}

// inner checks an inner node and marks its children: a node that nobody shares
// and that is not the root is on no cycle.
func (b *Builder) inner(t *Tree, id int) error {
	left, right := t.Left[id], t.Right[id]
	if left == -1 || right == -1 {
		return &Error{id, "has one child; a node has two or none"}
	}
	for _, child := range [2]int64{left, right} {
		if child == 0 {
			return &Error{id, "has the root for a child: a walk would not end"}
		}
		if child < 0 || child >= int64(len(t.Left)) {
			return &Error{id, fmt.Sprintf("has child %d, which is not among nodes 1 to %d", child, len(t.Left)-1)}
		}
		if b.seen[child] {
			return &Error{id, fmt.Sprintf("has child %d, which is another's child too: this is no tree", child)}
		}
		b.seen[child] = true
	}
	if f := t.Feature[id]; f < 0 || f >= int64(b.forest.shape.Features) {
		return &Error{id, fmt.Sprintf("splits on feature %d of %d", f, b.forest.shape.Features)}
	}
	return nil
}

func (c *chunk) setLeaf(place int, row uint32) {
	if c.isWide() {
		c.wide[place] = wideNode{key: int32(row), left: int32(place)}
	} else {
		c.narrow[place] = narrowLeaf(row, place)
	}
}

func (c *chunk) setInner(place int, key int32, left, slot int) {
	if c.isWide() {
		c.wide[place] = wideNode{key: key, left: int32(left), slot: int32(slot)}
	} else {
		c.narrow[place] = narrowInner(key, left, slot)
	}
}

// Finish returns the forest of the trees that were added.
func (b *Builder) Finish() *Forest {
	f := &b.forest
	f.values = fit(b.table.rows)
	f.stats.Bytes = len(f.values) * 8
	for i := range f.chunks {
		c := &f.chunks[i]
		for len(c.roots)%lanes != 0 {
			c.roots = append(c.roots, 0)
		}
		c.narrow, c.wide, c.origin = fit(c.narrow), fit(c.wide), fit(c.origin)
		f.stats.Bytes += c.bytes()
	}
	return f
}

// fit returns s without much memory to spare.
func fit[T any](s []T) []T {
	if cap(s)-len(s) > len(s)/4 {
		return append([]T(nil), s...)
	}
	return s
}

// rowTable collects rows of values and finds most of those that it has already:
// a forest has few different leaves, and the fewer there are the more of them a
// processor's cache holds. It forgets rather than searches, so that no file can
// make it slow.
type rowTable struct {
	width  int
	rows   []float64
	recent []recentRow // by the upper bits of the hash
}

type recentRow struct {
	hash uint32 // its lower bits
	row  uint32 // one more than the index, so that 0 is none
}

const recentBits = 13

// row returns the index of a row of these values.
func (t *rowTable) row(values []float64) uint32 {
	if t.recent == nil {
		t.recent = make([]recentRow, 1<<recentBits)
	}
	h := uint64(0)
	for _, v := range values {
		h = (h ^ math.Float64bits(v)) * 0x9e3779b97f4a7c15
		h ^= h >> 32
	}
	recent := &t.recent[h>>(64-recentBits)]
	if recent.hash == uint32(h) && recent.row > 0 && equalBits(t.rows[int(recent.row-1)*t.width:], values) {
		return recent.row - 1
	}
	row := uint32(len(t.rows) / max(1, t.width))
	t.rows = append(t.rows, values...)
	*recent = recentRow{uint32(h), row + 1}
	return row
}

// equalBits reports whether have begins with the very values: 0 is not -0 here,
// and NaN is itself.
func equalBits(have, values []float64) bool {
	for i, v := range values {
		if math.Float64bits(have[i]) != math.Float64bits(v) {
			return false
		}
	}
	return true
}
