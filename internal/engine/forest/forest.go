// Package forest evaluates decision trees, alone or summed, exactly as
// scikit-learn's trees do: features are rounded to float32 and go left if they
// are at most the threshold.
//
// Trees are compiled into flat nodes of 8 bytes that eight walks at a time go
// down together; where a node does not fit (very many features, a tree of more
// than a million nodes) into 12 bytes. Nodes are checked when they are added,
// so that no walk can leave its tree or fail to end.
package forest

import "fmt"

// Shape is what all trees of a forest have in common.
type Shape struct {
	// Features is the number of features of a row.
	Features int
	// Width is the number of values that a leaf holds.
	Width int
	// Missing is true if NaN is a value that the trees know where to send;
	// without it no row may hold one.
	Missing bool
	// Trees is how many trees are to come, if that is known: it sizes memory.
	Trees int
}

// Tree is one decision tree as libraries store it: parallel arrays with an
// element a node, the root first.
type Tree struct {
	// Left and Right are the children; both are -1 in a leaf.
	Left, Right []int64
	// Feature and Threshold are those of inner nodes: left if x[Feature], as a
	// float32, is at most Threshold.
	Feature   []int64
	Threshold []float64
	// MissingLeft says where NaN goes; nil is right everywhere. It is read only
	// if Shape.Missing is set.
	MissingLeft []bool
	// Values holds Shape.Width values a node, row-major; those of leaves are read.
	Values []float64
}

// Error says what is wrong with a tree.
type Error struct {
	Node   int // -1 for the whole tree
	Reason string
}

func (e *Error) Error() string {
	if e.Node < 0 {
		return e.Reason
	}
	return fmt.Sprintf("node %d %s", e.Node, e.Reason)
}

// Forest is a list of compiled trees. It is immutable and safe for concurrent
// use.
type Forest struct {
	shape  Shape
	chunks []chunk
	values []float64 // distinct rows of leaves, row-major, shape.Width each
	stats  Stats
	stride int // keys of a row, see keys.go
}

// Stats are facts about a forest, for people.
type Stats struct {
	Trees, Nodes, Leaves int
	// Depth is that of the deepest tree; a leaf alone has depth 0.
	Depth int
	// Bytes is what the compiled form takes in memory.
	Bytes int
}

// Stats returns facts about the forest.
func (f *Forest) Stats() Stats { return f.stats }

// Values returns the distinct rows of values that leaves hold, row-major;
// [Output.Rows] are indices of these rows. The caller must not change them.
func (f *Forest) Values() []float64 { return f.values }

// lanes is how many walks go on together. One walk waits most of its time for
// memory; eight hide that wait, and their state still fits into registers.
const lanes = 8

// chunk holds trees that follow one another in the forest, in one of two forms.
// Node 0 is a leaf, to which the walks point that have no tree.
type chunk struct {
	narrow []uint64   // see walk.go
	wide   []wideNode // set if narrow is not
	// origin is the number that a node had in its own tree, for every node.
	origin []int32
	// roots are the roots' places, filled up with 0 to a multiple of lanes.
	roots []int32
	first int // the number of its first tree
	trees int
}

func (c *chunk) bytes() int {
	return len(c.narrow)*8 + len(c.wide)*wideBytes + len(c.origin)*4 + len(c.roots)*4
}
