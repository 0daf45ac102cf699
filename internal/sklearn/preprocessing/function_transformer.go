package preprocessing

import (
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// FunctionTransformer builds the identity, which a transformer without func is.
// One with a function is refused by the function's name: functions of a file
// are never run.
func FunctionTransformer(r *base.Reader) (base.Estimator, error) {
	if r.Has("func") {
		return nil, functionError(r, r.Value("func"))
	}
	f := &identity{check: base.Check{Width: -1, Class: r.Class.Name}, input: base.Input{Width: -1}}
	if r.BoolOr("validate", false) {
		f.validate = true
		if r.Since(1, 0) { // before, each transform set the width anew
			f.check.Width = r.Width(-1)
			f.input = base.Numbers(f.check.Width, r.FeatureNames(), false)
		}
	}
	r.Note("function", "identity")
	return f, r.Err()
}

func functionError(r *base.Reader, f any) error {
	e := &pickle.UnsupportedError{Path: r.Path() + ".func", Help: "Mizzen never runs the functions that a file names: FunctionTransformer is supported without func"}
	switch f := f.(type) {
	case pickle.Global:
		e.Global = f
	case *pickle.Object:
		e.Global = called(f)
	default:
		return r.Errorf("attribute func is %s, expected a function", pickle.TypeName(f))
	}
	return e
}

// called returns the name of a function that a file has as a call: NumPy 1.19
// writes its own as _ufunc_reconstruct("numpy.core._multiarray_umath", "log1p").
func called(f *pickle.Object) pickle.Global {
	if f.Class.Name == "_ufunc_reconstruct" && len(f.Args) == 2 {
		module, ok1 := f.Args[0].(string)
		name, ok2 := f.Args[1].(string)
		if ok1 && ok2 {
			return pickle.Global{Module: module, Name: name}
		}
	}
	return f.Class
}

type identity struct {
	check    base.Check
	input    base.Input
	validate bool // numbers only, all finite
}

func (f *identity) Input() base.Input { return f.input }

func (f *identity) Outputs() []frame.Output { return transforms(frame.Float64, f.check.Width) }

// Identity reports whether every input passes: the answer is the input then.
func (f *identity) Identity() bool { return !f.validate }

func (f *identity) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	if !f.validate {
		y, err := base.Pass(a, x, kindOf(x))
		answer(out, y)
		return err
	}
	y, err := f.check.Dense(a, x)
	answer(out, frame.Array{Rows: x.Rows, Cols: x.Cols, Kind: frame.Float64, Floats: y})
	return err
}

// kindOf is the kind that holds all columns of x.
func kindOf(x *frame.Frame) frame.Kind {
	for _, c := range x.Columns {
		if c.Objects != nil {
			return frame.Object
		}
	}
	return frame.Float64
}
