package model

import (
	"context"

	"mizzen.dev/internal/sklearn/base"
)

// Report is what a file says of its model, as far as it could be read.
type Report struct {
	Signature Signature
	// Root is the tree of estimators; nil if the file could not be read that far.
	Root *Node
	// Model is the model itself; nil if the file cannot be served.
	Model *Model
}

// Node is one estimator in a model.
type Node struct {
	// Class is the estimator's class.
	Class string `json:"class"`
	// Name is what its parent calls it, if it has a name there.
	Name string `json:"name,omitempty"`
	// Version is the library version that trained it, if the file tells.
	Version string `json:"version,omitempty"`
	// Details are facts such as trees: 200, in an order for people.
	Details []Detail `json:"details,omitempty"`
	// Read is false if the estimator could not be used.
	Read     bool    `json:"read"`
	Children []*Node `json:"children,omitempty"`
}

// Detail is one fact about an estimator.
type Detail struct {
	Name  string `json:"name"`
	Value any    `json:"value"`
}

// Inspect reads a file as Open does and reports what is in it. The error is the
// one that Open would return; the report then holds what could be read.
func Inspect(ctx context.Context, path string, opts Options) (*Report, error) {
	m, report, err := open(ctx, osFile(path), opts)
	if err == nil {
		report.Model = m
	}
	return report, err
}

func publicNode(n *base.Node) *Node {
	out := &Node{Class: n.Class, Name: n.Step, Version: n.Version, Read: n.Built != nil}
	for _, d := range n.Details {
		out.Details = append(out.Details, Detail(d))
	}
	for _, c := range n.Children {
		out.Children = append(out.Children, publicNode(c))
	}
	return out
}
