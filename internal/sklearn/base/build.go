package base

import (
	"fmt"

	"mizzen.dev/internal/format/pickle"
)

// MaxNesting bounds how deep estimators stand in one another.
const MaxNesting = 64

// Build compiles one class of fitted estimators. It reads the attributes of r
// and returns the evaluator; children are built with r.Child.
type Build func(r *Reader) (Estimator, error)

// Node is what was read of one estimator, for people to look at. Nodes are kept
// even when the build fails further down.
type Node struct {
	Class    string    `json:"class"`          // as scikit-learn names it
	Step     string    `json:"name,omitempty"` // the name its parent gives it
	Path     string    `json:"-"`
	Version  string    `json:"version,omitempty"` // of scikit-learn, if the state has it
	Details  []Detail  `json:"details,omitempty"`
	Children []*Node   `json:"steps,omitempty"`
	Built    Estimator `json:"-"` // nil if the build failed
}

// Detail is one fact about an estimator, such as trees: 200.
type Detail struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Builder builds estimators from a table of classes.
type Builder struct {
	// Lookup returns the build of a class.
	Lookup func(pickle.Global) (Build, bool)
	// Help says what is supported instead of an unknown class.
	Help     func(pickle.Global) string
	building map[*pickle.Object]bool
	depth    int
	features int // taken of MaxAllFeatures
	columns  int // taken of MaxAllColumns
}

// Build compiles the estimator that v holds. The node describes what was read,
// also when an error is returned.
func (b *Builder) Build(v any) (Estimator, *Node, error) {
	obj, ok := v.(*pickle.Object)
	if !ok {
		return nil, nil, fmt.Errorf("%s is not an estimator", pickle.TypeName(v))
	}
	node := &Node{}
	if _, known := b.Lookup(obj.Class); known {
		node.Path = obj.Class.Name
	}
	est, err := b.build(obj, node)
	return est, node, err
}

func (b *Builder) build(obj *pickle.Object, node *Node) (Estimator, error) {
	node.Class = obj.Class.Name
	build, ok := b.Lookup(obj.Class)
	if !ok {
		return nil, &pickle.UnsupportedError{Global: obj.Class, Path: node.Path, Help: b.Help(obj.Class)}
	}
	if b.building[obj] {
		return nil, &Error{Path: node.Path, Reason: "the estimator contains itself"}
	}
	if b.depth >= MaxNesting {
		return nil, &Error{Path: node.Path, Reason: fmt.Sprintf("estimators are nested more than %d deep", MaxNesting)}
	}
	if b.building == nil {
		b.building = make(map[*pickle.Object]bool)
	}
	b.building[obj] = true
	b.depth++
	defer func() {
		delete(b.building, obj)
		b.depth--
	}()
	r := &Reader{Class: obj.Class, builder: b, node: node, obj: obj}
	if r.Has("_sklearn_version") {
		node.Version = r.String("_sklearn_version")
	}
	est, err := build(r)
	if r.err != nil { // the first thing that was wrong explains the rest
		return nil, r.err
	}
	if err != nil {
		return nil, err
	}
	node.Built = est
	return est, nil
}

// Error says what is wrong with a fitted estimator: an attribute is missing, or
// has a shape that cannot be.
type Error struct {
	Path   string // e.g. Pipeline.steps[1].RandomForestClassifier
	Reason string
}

func (e *Error) Error() string { return e.Path + ": " + e.Reason }
