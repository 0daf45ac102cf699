package forest

// A narrow node is 64 bits:
//
//	63..32  inner node: the threshold's key; leaf: the row of values
//	31..12  the left child's place in the chunk, the right one's is the next;
//	        leaf: its own place
//	11..0   the slot of the key to look at; 0 in a leaf
//
// Slot 0 is below every threshold, and so a leaf leads to itself: walks need no
// branch until all of them have arrived.
const (
	slotBits  = 12
	slotMask  = 1<<slotBits - 1
	placeBits = 20
	placeMask = 1<<placeBits - 1

	maxSlots = 1 << slotBits // keys of a row in the narrow form
	maxChunk = 1 << placeBits
)

// rowKeys are the keys of a row for narrow nodes. The array is longer than most
// rows, so that an index of slotBits cannot be out of its range, and Go checks
// none; scratch memory ends so much later.
type rowKeys = [maxSlots]int32

func narrowInner(key int32, left, slot int) uint64 {
	return uint64(uint32(key))<<32 | uint64(left)<<slotBits | uint64(slot)
}

func narrowLeaf(row uint32, place int) uint64 {
	return uint64(row)<<32 | uint64(place)<<slotBits
}

func step(nodes []uint64, x *rowKeys, n uint64) uint64 {
	right := uint64(int64(n)>>32-int64(x[n&slotMask])) >> 63
	return nodes[n>>slotBits&placeMask+right]
}

// walk8 goes down eight trees and returns their leaves.
func walk8(nodes []uint64, x *rowKeys, roots *[lanes]int32, leaves *[lanes]uint64) {
	n0, n1, n2, n3 := nodes[roots[0]], nodes[roots[1]], nodes[roots[2]], nodes[roots[3]]
	n4, n5, n6, n7 := nodes[roots[4]], nodes[roots[5]], nodes[roots[6]], nodes[roots[7]]
	for (n0|n1|n2|n3|n4|n5|n6|n7)&slotMask != 0 {
		n0, n1, n2, n3 = step(nodes, x, n0), step(nodes, x, n1), step(nodes, x, n2), step(nodes, x, n3)
		n4, n5, n6, n7 = step(nodes, x, n4), step(nodes, x, n5), step(nodes, x, n6), step(nodes, x, n7)
	}
	leaves[0], leaves[1], leaves[2], leaves[3] = n0, n1, n2, n3
	leaves[4], leaves[5], leaves[6], leaves[7] = n4, n5, n6, n7
}

// walk1 goes down one tree.
func walk1(nodes []uint64, x *rowKeys, root int32) uint64 {
	n := nodes[root]
	for n&slotMask != 0 {
		n = step(nodes, x, n)
	}
	return n
}

// wideNode is the form of a node that does not fit into 64 bits.
type wideNode struct {
	key  int32 // as in a narrow node
	left int32
	slot int32
}

const wideBytes = 12

func (n wideNode) next(x []int32) int32 {
	right := uint64(int64(n.key)-int64(x[n.slot])) >> 63
	return n.left + int32(right)
}

// wideWalk8 goes down eight trees and returns the leaves' places.
func wideWalk8(nodes []wideNode, x []int32, roots *[lanes]int32, places *[lanes]int32) {
	p := *roots
	for {
		slots := int32(0)
		for lane := range p {
			n := nodes[p[lane]]
			slots |= n.slot
			p[lane] = n.next(x)
		}
		if slots == 0 {
			break
		}
	}
	*places = p
}

// wideWalk1 goes down one tree.
func wideWalk1(nodes []wideNode, x []int32, root int32) int32 {
	p := root
	for nodes[p].slot != 0 {
		p = nodes[p].next(x)
	}
	return p
}
