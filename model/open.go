package model

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"mizzen.dev/internal/format"
	"mizzen.dev/internal/format/joblib"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// Limits bound what a file can make Open do, in memory and in time. A field that
// is zero has its default, which real models stay far below.
type Limits struct {
	Bytes    int64 // size of the file, and of what it decompresses to
	Ratio    int64 // how many times as large it may get when it is decompressed
	Depth    int   // nesting of the containers in it
	Memo     int   // values that it can refer to again
	Elements int64 // items of all containers together
}

// WithDefaults returns the limits with the defaults of fields that are zero.
func (l Limits) WithDefaults() Limits { return Limits(format.Limits(l).WithDefaults()) }

// Options change how a model is opened. The zero value is what most want.
type Options struct {
	// Select names the model in a file that holds a dict, a list or a tuple of
	// several things: a key or an index, or a path of them such as models.0.
	Select string
	// Limits bound memory and work.
	Limits Limits
	// Digest, if set, is what the file must have: sha256: and 64 hexadecimal
	// digits.
	Digest string
}

// Open opens a model file. If it cannot be served the error is a
// [*FormatError], an [*UnsupportedError], a [*LimitError], a [*SelectError] or a
// [*DigestError], or that of reading the file.
func Open(ctx context.Context, path string, opts Options) (*Model, error) {
	m, _, err := open(ctx, osFile(path), opts)
	return m, err
}

// OpenFS opens a model file in a file system, as [Open] does.
func OpenFS(ctx context.Context, fsys fs.FS, path string, opts Options) (*Model, error) {
	m, _, err := open(ctx, func() (fs.File, error) { return fsys.Open(path) }, opts)
	return m, err
}

// osFile opens a file where it is: a path of the system need not be one of fs.FS.
func osFile(path string) func() (fs.File, error) {
	return func() (fs.File, error) { return os.Open(path) }
}

// open returns what it could read of the file, also when it fails.
func open(ctx context.Context, file func() (fs.File, error), opts Options) (*Model, *Report, error) {
	report := &Report{}
	limits := opts.Limits.WithDefaults()
	data, digest, err := readFile(file, limits.Bytes)
	if err != nil {
		return nil, report, public(err)
	}
	report.Signature.Size = int64(len(data))
	m, err := read(data, format.Limits(limits), opts.Select, report)
	report.Signature.Digest = <-digest
	if opts.Digest != "" && !strings.EqualFold(opts.Digest, report.Signature.Digest) {
		return nil, report, &DigestError{Want: opts.Digest, Got: report.Signature.Digest}
	}
	if err != nil {
		return nil, report, public(err)
	}
	m.signature.Digest = report.Signature.Digest
	report.Signature = m.signature
	return m, report, ctx.Err()
}

func read(data []byte, limits format.Limits, selection string, report *Report) (*Model, error) {
	if name := foreign(data); name != "" {
		return nil, &FormatError{Reason: "this is " + name + "; " + supported}
	}
	value, info, err := joblib.Read(data, limits)
	if err != nil && doubtful(data, err) {
		return nil, &FormatError{Reason: "this is no pickle (" + err.Error() + "); " + supported}
	}
	report.Signature.Format = info.Format
	if err != nil {
		return nil, err
	}
	picked, path, err := pick(value, selection)
	if err != nil {
		return nil, err
	}
	if _, ok := picked.(*pickle.Object); !ok {
		return nil, &FormatError{Reason: holds(path) + " " + pickle.TypeName(picked) + ", not a model; " + supported}
	}
	est, node, err := sklearn.Build(picked, info.Globals)
	if node != nil {
		report.Root = publicNode(node)
		report.Signature.Class = node.Class
		if node.Version != "" {
			report.Signature.Library, report.Signature.LibraryVersion = library, node.Version
		}
	}
	if err != nil {
		if path != "" {
			err = fmt.Errorf("in %s: %w", path, err)
		}
		return nil, err
	}
	return newModel(est, node, report.Root, info.Format, int64(len(data))), nil
}

const library = "scikit-learn"

func newModel(est base.Estimator, node *base.Node, root *Node, format string, size int64) *Model {
	in := est.Input()
	m := &Model{estimator: est, root: root, chunk: chunkRows(node)}
	m.signature = Signature{
		Class: node.Class, Final: final(node).Class,
		Library: library, LibraryVersion: version(node), Format: format, Size: size,
		Width: in.Width, Features: in.Features, Numeric: in.Numeric(), Values: in.Values, ExtraIgnored: in.ExtraIgnored,
		Named:   slices.ContainsFunc(in.Features, func(f frame.Feature) bool { return f.Name != "" }),
		Outputs: est.Outputs(),
	}
	return m
}

// final returns the estimator that answers: the last step of a Pipeline, the
// best one of a search.
func final(n *base.Node) *base.Node {
	for (n.Class == "Pipeline" || strings.HasSuffix(n.Class, "SearchCV")) && len(n.Children) > 0 {
		n = n.Children[len(n.Children)-1]
	}
	return n
}

// version returns the library version of the first estimator that tells it: a
// few classes do not record their own.
func version(n *base.Node) string {
	if n.Version != "" {
		return n.Version
	}
	for _, c := range n.Children {
		if v := version(c); v != "" {
			return v
		}
	}
	return ""
}
