// Package model opens trained models and predicts with them, without Python. A
// model file is data: nothing in it is ever run, and what it can make this package
// do is bounded.
//
// [Open] reads a file that joblib.dump or pickle.dump wrote. The [Signature] of the
// [Model] says which features it takes, by name and type, and which methods it has.
// [Model.Predict] answers them for a [frame.Frame] of rows: a matrix of numbers, or
// columns, which may hold strings and missing values. Answers and scratch memory
// come from a [frame.Arena] of the caller's, so that a loop over batches allocates
// nothing. A Model may be used by many goroutines at once, an Arena by one.
package model

import (
	"context"
	"errors"
	"fmt"

	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// Model is a model that is ready to predict. It is immutable and safe for
// concurrent use.
type Model struct {
	signature Signature
	estimator base.Estimator
	root      *Node
	chunk     int
}

// Signature describes the model. The caller must not change it.
func (m *Model) Signature() *Signature { return &m.signature }

// Root returns the tree of the model's estimators. The caller must not change it.
func (m *Model) Root() *Node { return m.root }

// Predict answers the methods for every row of x, which has the columns of the
// signature in training order ([Signature.Bind] finds them by name). It fills one
// entry of out for each method; what they point to belongs to the arena a and lives
// until a.Reset. The context is looked at between parts of a large batch. An input
// that scikit-learn would refuse is a [*frame.InputError], a method that the model
// lacks a [*MethodError].
func (m *Model) Predict(ctx context.Context, a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	if len(out) < len(methods) {
		return fmt.Errorf("there is room for %d answers, and %d methods are asked for", len(out), len(methods))
	}
	if err := x.Check(); err != nil {
		return err
	}
	for _, method := range methods {
		if _, ok := m.signature.Output(method); !ok {
			return &MethodError{Method: method, Outputs: m.signature.Outputs}
		}
	}
	if x.Rows <= m.chunk {
		return m.explain(0, m.estimator.Evaluate(a, x, methods, out))
	}
	return m.chunks(ctx, a, x, methods, out)
}

// chunks evaluates a large batch a part at a time, so that what lies between
// the steps of a pipeline stays small.
func (m *Model) chunks(ctx context.Context, a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	parts := make([]frame.Array, len(methods))
	for lo := 0; lo < x.Rows; lo += m.chunk {
		if err := ctx.Err(); err != nil {
			return err
		}
		mark := a.Mark()
		part := x.Slice(a, lo, min(lo+m.chunk, x.Rows))
		if err := m.explain(lo, m.estimator.Evaluate(a, &part, methods, parts)); err != nil {
			return err
		}
		for i := range parts {
			if lo == 0 {
				out[i] = parts[i].Grow(x.Rows)
			}
			out[i].CopyRows(lo, &parts[i])
		}
		a.Release(mark)
	}
	return nil
}

// explain turns the place of an error in a part of the batch into its place in
// the whole, by the column's name where it has one.
func (m *Model) explain(first int, err error) error {
	if err == nil {
		return nil // here, so that the variable below costs nothing when all is well
	}
	var input *frame.InputError
	if !errors.As(err, &input) {
		return err
	}
	placed := *input
	if placed.Row >= 0 {
		placed.Row += first
	}
	if j := placed.Column; placed.Name == "" && j >= 0 && j < len(m.signature.Features) {
		placed.Name = m.signature.Features[j].Name
	}
	return &placed
}

const (
	// chunkElements bounds the cells of one step of a pipeline at a time.
	chunkElements = 1 << 20
	// maxChunk bounds the rows of one evaluation.
	maxChunk = 1 << 14
)

// chunkRows returns how many rows are evaluated at a time: fewer where a step
// makes wide rows, such as a one-hot encoder of many categories.
func chunkRows(n *base.Node) int {
	return min(max(chunkElements/max(width(n), 1), 1), maxChunk)
}

func width(n *base.Node) int {
	w := 0
	if n.Built != nil {
		w = n.Built.Input().Width
		for _, o := range n.Built.Outputs() {
			w = max(w, o.Cols)
		}
	}
	for _, c := range n.Children {
		w = max(w, width(c))
	}
	return w
}

// MethodError says that a model lacks a method, and names those that it has.
type MethodError struct {
	Method  frame.Method
	Outputs []frame.Output
}

func (e *MethodError) Error() string {
	names := ""
	for i, o := range e.Outputs {
		if i > 0 {
			names += ", "
		}
		names += o.Method.String()
	}
	return fmt.Sprintf("the model has no %s; it has %s", e.Method, names)
}
