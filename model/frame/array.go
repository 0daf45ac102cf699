package frame

import "math"

// Kind is the type of the values of an [Array].
type Kind uint8

// The kinds of values that models answer with.
const (
	Float64 Kind = iota
	Int64
	Boolean
	Label  // indices into classes, see [Array.Classes]
	Object // cells of any type
	List   // one array a target, see [Array.Parts]
)

// Array is the answer of one method: a vector of Rows values (Cols is 0) or a
// row-major matrix of Rows×Cols. The field that Kind names is set.
type Array struct {
	Rows, Cols int
	Kind       Kind
	Floats     []float64
	Ints       []int64
	Bools      []bool
	// Codes are indices into Classes: one list of classes for a vector, one a
	// column for a matrix (multi-output).
	Codes   []int32
	Classes []*Classes
	Values  []Value
	// Parts are the matrices of a multi-output predict_proba, one a target.
	Parts []Array
}

// Vector reports whether the array has one value a row, and not a row of values.
// An array with rows and no values is a matrix without columns.
func (a *Array) Vector() bool {
	return a.Cols == 0 && (a.Rows == 0 || len(a.Floats)+len(a.Ints)+len(a.Bools)+len(a.Codes)+len(a.Values) > 0)
}

// Width returns the number of values a row: 1 for a vector.
func (a *Array) Width() int {
	if a.Vector() {
		return 1
	}
	return a.Cols
}

// Grow returns an array of the same form with the given number of rows, all zero.
func (a *Array) Grow(rows int) Array {
	out := Array{Rows: rows, Cols: a.Cols, Kind: a.Kind, Classes: a.Classes}
	n := rows * a.Width()
	switch a.Kind {
	case Float64:
		out.Floats = make([]float64, n)
	case Int64:
		out.Ints = make([]int64, n)
	case Boolean:
		out.Bools = make([]bool, n)
	case Label:
		out.Codes = make([]int32, n)
	case Object:
		out.Values = make([]Value, n)
	case List:
		out.Parts = make([]Array, len(a.Parts))
		for i := range a.Parts {
			out.Parts[i] = a.Parts[i].Grow(rows)
		}
	}
	return out
}

// CopyRows copies the rows of from to the rows of a that begin at first. Both
// have the same form.
func (a *Array) CopyRows(first int, from *Array) {
	at := first * a.Width()
	copy(a.Floats[min(at, len(a.Floats)):], from.Floats)
	copy(a.Ints[min(at, len(a.Ints)):], from.Ints)
	copy(a.Bools[min(at, len(a.Bools)):], from.Bools)
	copy(a.Codes[min(at, len(a.Codes)):], from.Codes)
	copy(a.Values[min(at, len(a.Values)):], from.Values)
	for i := range a.Parts {
		a.Parts[i].CopyRows(first, &from.Parts[i])
	}
}

// Classes are the labels that a classifier tells apart, in the order of its
// classes_ attribute.
type Classes struct {
	// Kind is Int64, Float64, Boolean, or Object for strings and mixed labels.
	Kind   Kind
	Values []Value
}

// NewClasses returns classes of the narrowest kind that holds all values.
func NewClasses(values []Value) *Classes {
	c := &Classes{Kind: Object, Values: values}
	for i, v := range values {
		kind := Object
		switch v.Kind() {
		case KindBool:
			kind = Boolean
		case KindInt:
			kind = Int64
		case KindFloat:
			kind = Float64
		}
		if i > 0 && kind != c.Kind {
			c.Kind = Object
			break
		}
		c.Kind = kind
	}
	return c
}

// At returns value i of the array (row-major) as a cell.
func (a *Array) At(i int) Value {
	switch a.Kind {
	case Float64:
		return Float(a.Floats[i])
	case Int64:
		return Int(a.Ints[i])
	case Boolean:
		return Bool(a.Bools[i])
	case Label:
		c := a.Classes[0]
		if len(a.Classes) > 1 {
			c = a.Classes[i%a.Width()]
		}
		return c.Values[a.Codes[i]]
	case Object:
		return a.Values[i]
	}
	return Float(math.NaN())
}

// Method names what a model is asked for, by scikit-learn's method names.
type Method uint8

// The methods that estimators have.
const (
	Predict Method = iota
	PredictProba
	PredictLogProba
	DecisionFunction
	Transform
	ScoreSamples
	Apply
	NumMethods = iota
)

var methodNames = [NumMethods]string{"predict", "predict_proba", "predict_log_proba", "decision_function", "transform", "score_samples", "apply"}

// String returns scikit-learn's name of the method.
func (m Method) String() string { return methodNames[m] }

// ParseMethod returns the method of that name.
func ParseMethod(name string) (Method, bool) {
	for i, n := range methodNames {
		if n == name {
			return Method(i), true
		}
	}
	return 0, false
}

// Output describes what a method answers, before it is asked.
type Output struct {
	Method Method
	Kind   Kind
	// Cols is the width of a row: 0 for one value a row, -1 where it depends
	// on the input.
	Cols int
	// Classes are the labels of predict (Kind Label), or those to which the
	// columns of predict_proba and decision_function belong; one entry a
	// target of a multi-output classifier.
	Classes []*Classes
}
