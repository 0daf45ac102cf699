package forest

import "mizzen.dev/model/frame"

// Output is what to compute; nil slices are left alone. All of it costs one walk.
type Output struct {
	// Sum receives the sum of the leaves' values over all trees, added in the
	// order of the trees: a matrix of a row and Shape.Width columns each.
	Sum []float64
	// Rows receives the row of [Forest.Values] that each tree's leaf holds: a
	// matrix of a row and a tree each.
	Rows []int32
	// Nodes receives the number that each leaf had in its own tree, likewise.
	Nodes []int64
}

// blockKeys is how many keys are made before trees are walked. A block of rows
// goes down eight trees before the next eight are touched.
const blockKeys = 1 << 14

// Evaluate walks all trees with every row of x, a row-major matrix that holds
// NaN only if Shape.Missing is set, and no infinity.
func (f *Forest) Evaluate(a *frame.Arena, x []float64, rows int, out Output) {
	clear(out.Sum)
	block := min(rows, max(lanes, blockKeys/f.stride))
	keys := a.Int32s(block*f.stride + maxSlots) // rowKeys reach beyond the last row
	for first := 0; first < rows; first += block {
		n := min(block, rows-first)
		for i := range n {
			f.keys(keys[i*f.stride:(i+1)*f.stride], x[(first+i)*f.shape.Features:(first+i+1)*f.shape.Features])
		}
		for i := range f.chunks {
			f.walk(&f.chunks[i], keys, first, n, out)
		}
	}
}

// walk sends n rows, from row first on, down the trees of a chunk.
func (f *Forest) walk(c *chunk, keys []int32, first, n int, out Output) {
	var leaves [lanes]uint64
	for g := 0; g < c.trees; g += lanes {
		roots := (*[lanes]int32)(c.roots[g:])
		trees := min(lanes, c.trees-g)
		for i := range n {
			c.leaves(&leaves, keys[i*f.stride:], roots, trees)
			row := first + i
			if out.Sum != nil {
				add(out.Sum[row*f.shape.Width:(row+1)*f.shape.Width], f.values, leaves[:trees])
			}
			if out.Rows == nil && out.Nodes == nil {
				continue
			}
			at := row*f.stats.Trees + c.first + g
			for k, leaf := range leaves[:trees] {
				if out.Rows != nil {
					out.Rows[at+k] = int32(leaf >> 32)
				}
				if out.Nodes != nil {
					out.Nodes[at+k] = int64(c.origin[c.place(leaf)])
				}
			}
		}
	}
}

// few is the number of trees up to which walks one by one are faster than eight
// at a time, some of which have no tree.
const few = 2

// leaves goes down up to eight trees. A leaf has its row of values in the upper
// half; place tells the lower half.
func (c *chunk) leaves(leaves *[lanes]uint64, keys []int32, roots *[lanes]int32, trees int) {
	if c.isWide() {
		c.wideLeaves(leaves, keys, roots, trees)
		return
	}
	x := (*rowKeys)(keys)
	if trees > few {
		walk8(c.narrow, x, roots, leaves)
		return
	}
	for k := range trees {
		leaves[k] = walk1(c.narrow, x, roots[k])
	}
}

func (c *chunk) wideLeaves(leaves *[lanes]uint64, keys []int32, roots *[lanes]int32, trees int) {
	var places [lanes]int32
	if trees > few {
		wideWalk8(c.wide, keys, roots, &places)
	} else {
		for k := range trees {
			places[k] = wideWalk1(c.wide, keys, roots[k])
		}
	}
	for k, p := range places {
		leaves[k] = uint64(uint32(c.wide[p].key))<<32 | uint64(p)
	}
}

// place returns the place in the chunk of what leaves returned.
func (c *chunk) place(leaf uint64) int {
	if c.isWide() {
		return int(uint32(leaf))
	}
	return int(leaf >> slotBits & placeMask)
}

// add adds the leaves' rows of values to sum, one after the other.
func add(sum, values []float64, leaves []uint64) {
	switch len(sum) {
	case 1:
		s := sum[0]
		for _, leaf := range leaves {
			s += values[leaf>>32]
		}
		sum[0] = s
	case 2:
		s0, s1 := sum[0], sum[1]
		for _, leaf := range leaves {
			v := values[(leaf>>32)*2:]
			s0 += v[0]
			s1 += v[1]
		}
		sum[0], sum[1] = s0, s1
	case 3:
		s0, s1, s2 := sum[0], sum[1], sum[2]
		for _, leaf := range leaves {
			v := values[(leaf>>32)*3:]
			s0 += v[0]
			s1 += v[1]
			s2 += v[2]
		}
		sum[0], sum[1], sum[2] = s0, s1, s2
	default:
		width := uint64(len(sum))
		for _, leaf := range leaves {
			for k, v := range values[(leaf>>32)*width:][:width] {
				sum[k] += v
			}
		}
	}
}
