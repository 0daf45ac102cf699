// Package model opens trained models and predicts with them, without Python. A
// model file is data: nothing in it is ever run.
package model

import (
	"context"
	"io/fs"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// Limits bound what a file can make Open do; see the fields. The zero value
// means the defaults.
type Limits = pickle.Limits

// Options change how a model is opened. The zero value is what most want.
type Options struct {
	// Select names the model in a file that holds a dict or a tuple of several
	// things: a key, an index, or a path of them such as models.0.
	Select string
	// Limits bound memory and work.
	Limits Limits
	// Digest, if set, is what the file must have: sha256: and 64 hexadecimal digits.
	Digest string
}

// Model is a model that is ready to predict. It is immutable and safe for
// concurrent use.
type Model struct {
	signature Signature
	estimator base.Estimator
	root      *base.Node
}

// Open opens a model file.
func Open(ctx context.Context, path string, opts Options) (*Model, error) {
	panic("TODO")
}

// OpenFS opens a model file in a file system.
func OpenFS(ctx context.Context, fsys fs.FS, path string, opts Options) (*Model, error) {
	panic("TODO")
}

// Signature describes the model. The caller must not change it.
func (m *Model) Signature() *Signature { return &m.signature }

// Predict answers the methods for every row of x, which has the columns of the
// signature in training order. out has one entry a method; what they point to
// belongs to the arena a, and lives until a.Reset. An input that scikit-learn
// would refuse is a *frame.InputError.
func (m *Model) Predict(ctx context.Context, a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	panic("TODO")
}
