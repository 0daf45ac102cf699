package base

import (
	"fmt"

	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/model/frame"
)

// Reader reads the fitted attributes of one object. The first error sticks:
// read all that is needed, then look at Err once. After an error every method
// returns zero values.
type Reader struct {
	Class   pickle.Global
	obj     *pickle.Object
	node    *Node
	builder *Builder
	err     error
}

// Err returns the first error.
func (r *Reader) Err() error { return r.err }

// Path returns where the object stands, for errors.
func (r *Reader) Path() string { return r.node.Path }

// Errorf records an error about this estimator and returns the sticking one.
func (r *Reader) Errorf(format string, args ...any) error {
	if r.err == nil {
		r.err = &Error{Path: r.node.Path, Reason: fmt.Sprintf(format, args...)}
	}
	return r.err
}

// Note adds a fact that people see when they inspect the file.
func (r *Reader) Note(name string, value any) {
	r.node.Details = append(r.node.Details, Detail{name, value})
}

// Has reports whether the attribute is there and is not None.
func (r *Reader) Has(name string) bool {
	v, ok := r.obj.Attr(name)
	return ok && v != nil
}

// Value returns an attribute as it is in the file; nil for None.
func (r *Reader) Value(name string) any {
	v, ok := r.obj.Attr(name)
	if !ok {
		r.Errorf("attribute %s is missing: is the model fitted?", name)
	}
	return v
}

// Bool returns a boolean attribute.
func (r *Reader) Bool(name string) bool {
	switch v := r.Value(name).(type) {
	case bool:
		return v
	case int64:
		return v != 0
	default:
		r.wrong(name, v, "a boolean")
		return false
	}
}

// BoolOr returns a boolean attribute, or def if it is not there or None.
func (r *Reader) BoolOr(name string, def bool) bool {
	if !r.Has(name) {
		return def
	}
	return r.Bool(name)
}

// Int returns an integer attribute.
func (r *Reader) Int(name string) int {
	v := r.Value(name)
	if i, ok := v.(int64); ok && int64(int(i)) == i {
		return int(i)
	}
	if a, ok := v.(*npy.Array); ok && a.Len() == 1 && a.Dtype.Kind != 'O' {
		if i, err := a.Int64s(); err == nil {
			return int(i[0])
		}
	}
	r.wrong(name, v, "an integer")
	return 0
}

// IntOr returns an integer attribute, or def if it is not there or None.
func (r *Reader) IntOr(name string, def int) int {
	if !r.Has(name) {
		return def
	}
	return r.Int(name)
}

// Float returns a number.
func (r *Reader) Float(name string) float64 {
	v := r.Value(name)
	switch v := v.(type) {
	case float64:
		return v
	case int64:
		return float64(v)
	case bool:
		if v {
			return 1
		}
		return 0
	case *npy.Array:
		if v.Len() == 1 {
			if f, err := v.Float64s(); err == nil {
				return f[0]
			}
		}
	}
	r.wrong(name, v, "a number")
	return 0
}

// String returns a string attribute.
func (r *Reader) String(name string) string {
	v := r.Value(name)
	if s, ok := v.(string); ok {
		return s
	}
	r.wrong(name, v, "a string")
	return ""
}

// StringOr returns a string attribute, or def if it is not there, None or not a string.
func (r *Reader) StringOr(name, def string) string {
	if v, ok := r.obj.Attr(name); ok {
		if s, ok := v.(string); ok {
			return s
		}
	}
	return def
}

// Array returns an attribute that is an array.
func (r *Reader) Array(name string) *npy.Array {
	v := r.Value(name)
	if a, ok := v.(*npy.Array); ok {
		return a
	}
	r.wrong(name, v, "an array")
	return &npy.Array{Shape: []int{0}, Dtype: npy.Dtype{Kind: 'f', Size: 8}}
}

// Floats returns an array of numbers of any shape, flattened row-major. A plain
// number is an array of one.
func (r *Reader) Floats(name string) []float64 {
	switch v := r.Value(name).(type) {
	case float64:
		return []float64{v}
	case int64:
		return []float64{float64(v)}
	case *pickle.List:
		return r.numbers(name, v.Items)
	case *pickle.Tuple:
		return r.numbers(name, v.Items)
	}
	a := r.Array(name)
	f, err := a.Float64s()
	if err != nil {
		r.Errorf("attribute %s: %v", name, err)
	}
	return f
}

func (r *Reader) numbers(name string, items []any) []float64 {
	out := make([]float64, len(items))
	for i, v := range items {
		switch v := v.(type) {
		case float64:
			out[i] = v
		case int64:
			out[i] = float64(v)
		default:
			r.wrong(fmt.Sprintf("%s[%d]", name, i), v, "a number")
		}
	}
	return out
}

// Vector returns an array of numbers with n elements.
func (r *Reader) Vector(name string, n int) []float64 {
	f := r.Floats(name)
	if len(f) != n && r.err == nil {
		r.Errorf("attribute %s has %d elements, expected %d", name, len(f), n)
	}
	if r.err != nil {
		return make([]float64, max(0, min(n, 1<<16)))
	}
	return f
}

// Matrix returns a two-dimensional array of numbers, row-major; a vector is one row.
func (r *Reader) Matrix(name string) (data []float64, rows, cols int) {
	data = r.Floats(name)
	if a, ok := r.Value(name).(*npy.Array); ok && len(a.Shape) == 2 {
		return data, a.Shape[0], a.Shape[1]
	} else if ok && len(a.Shape) > 2 {
		r.Errorf("attribute %s has %d dimensions, expected 2", name, len(a.Shape))
	}
	return data, 1, len(data)
}

// Strings returns a list, tuple or array of strings.
func (r *Reader) Strings(name string) []string {
	values := r.Values(name)
	out := make([]string, len(values))
	for i, v := range values {
		s, ok := v.Text()
		if !ok {
			r.Errorf("attribute %s[%d] is %s, expected a string", name, i, v)
			return nil
		}
		out[i] = s
	}
	return out
}

// Values returns a list, tuple or array of plain values as cells.
func (r *Reader) Values(name string) []frame.Value {
	v := r.Value(name)
	cells, err := Cells(v)
	if err != nil {
		r.Errorf("attribute %s: %v", name, err)
	}
	return cells
}

// Items returns the elements of a list, tuple or one-dimensional object array.
func (r *Reader) Items(name string) []any {
	v := r.Value(name)
	items, ok := Items(v)
	if !ok {
		r.wrong(name, v, "a list")
	}
	return items
}

// Classes returns a classes_ attribute.
func (r *Reader) Classes(name string) *frame.Classes {
	return frame.NewClasses(r.Values(name))
}

// FeatureNames returns feature_names_in_, or nil if the model was trained
// without names (or by scikit-learn before 1.0, which does not keep them).
func (r *Reader) FeatureNames() []string {
	if !r.Has("feature_names_in_") {
		return nil
	}
	return r.Strings("feature_names_in_")
}

// Object returns a reader of an attribute that is an object of no estimator's
// class, such as a Tree. It shares this reader's error.
func (r *Reader) Object(name string) *Sub {
	v := r.Value(name)
	obj, ok := v.(*pickle.Object)
	if !ok {
		r.wrong(name, v, "an object")
		obj = &pickle.Object{}
	}
	return &Sub{Reader: Reader{Class: obj.Class, obj: obj, builder: r.builder,
		node: &Node{Path: r.node.Path + "." + name, Class: obj.Class.Name}}, parent: r}
}

// Sub reads an object that belongs to an estimator.
type Sub struct {
	Reader
	parent *Reader
}

// Args returns the arguments that the object was made with.
func (s *Sub) Args() []any { return s.obj.Args }

// Done hands the first error to the parent.
func (s *Sub) Done() {
	if s.err != nil && s.parent.err == nil {
		s.parent.err = s.err
	}
}

// Child builds an estimator that stands inside this one. where is its place in
// Python's notation, such as steps[1] or best_estimator_; step is the name that
// the parent gives it, or "".
func (r *Reader) Child(where, step string, v any) (Estimator, error) {
	if r.err != nil {
		return nil, r.err
	}
	path := r.node.Path + "." + where
	obj, ok := v.(*pickle.Object)
	if !ok {
		return nil, r.Errorf("%s is %s, expected an estimator", where, pickle.TypeName(v))
	}
	node := &Node{Path: path + "." + obj.Class.Name, Step: step}
	if _, known := r.builder.Lookup(obj.Class); !known {
		node.Path = path
	}
	r.node.Children = append(r.node.Children, node)
	est, err := r.builder.build(obj, node)
	if err != nil && r.err == nil {
		r.err = err
	}
	return est, err
}

// Leaf is Child without a node of its own: for the hundreds of trees of a forest.
func (r *Reader) Leaf(where string, v any, read func(*Reader)) {
	if r.err != nil {
		return
	}
	obj, ok := v.(*pickle.Object)
	if !ok {
		r.Errorf("%s is %s, expected an estimator", where, pickle.TypeName(v))
		return
	}
	sub := &Reader{Class: obj.Class, obj: obj, builder: r.builder, node: &Node{Path: r.node.Path + "." + where + "." + obj.Class.Name, Class: obj.Class.Name}}
	read(sub)
	if sub.err != nil {
		r.err = sub.err
	}
}

func (r *Reader) wrong(name string, v any, want string) {
	r.Errorf("attribute %s is %s, expected %s", name, pickle.TypeName(v), want)
}

// Items returns the elements of a list, tuple or object array.
func Items(v any) ([]any, bool) {
	switch v := v.(type) {
	case *pickle.List:
		return v.Items, true
	case *pickle.Tuple:
		return v.Items, true
	case *npy.Array:
		if v.Dtype.Kind == 'O' {
			return v.Objects, true
		}
	}
	return nil, false
}

// Cell converts a plain pickled value to a cell.
func Cell(v any) (frame.Value, error) {
	switch v := v.(type) {
	case nil:
		return frame.None(), nil
	case bool:
		return frame.Bool(v), nil
	case int64:
		return frame.Int(v), nil
	case float64:
		return frame.Float(v), nil
	case string:
		return frame.String(v), nil
	case *npy.Array:
		// An array of objects may hold itself.
		if v.Len() == 1 && v.Dtype.Kind != 'O' {
			cells, err := Cells(v)
			if err == nil {
				return cells[0], nil
			}
		}
	}
	return frame.None(), fmt.Errorf("%s is not a plain value", pickle.TypeName(v))
}

// Cells converts a list, tuple or array of plain values to cells, row-major.
func Cells(v any) ([]frame.Value, error) {
	if items, ok := Items(v); ok {
		out := make([]frame.Value, len(items))
		for i, item := range items {
			c, err := Cell(item)
			if err != nil {
				return nil, fmt.Errorf("element %d: %w", i, err)
			}
			out[i] = c
		}
		return out, nil
	}
	a, ok := v.(*npy.Array)
	if !ok {
		return nil, fmt.Errorf("%s is not a list of values", pickle.TypeName(v))
	}
	out := make([]frame.Value, a.Len())
	switch a.Dtype.Kind {
	case 'f':
		f, err := a.Float64s()
		if err != nil {
			return nil, err
		}
		for i, x := range f {
			out[i] = frame.Float(x)
		}
	case 'i', 'u':
		n, err := a.Int64s()
		if err != nil {
			return nil, err
		}
		for i, x := range n {
			out[i] = frame.Int(x)
		}
	case 'b':
		n, err := a.Int64s()
		if err != nil {
			return nil, err
		}
		for i, x := range n {
			out[i] = frame.Bool(x != 0)
		}
	case 'U', 'S':
		s, err := a.Strings()
		if err != nil {
			return nil, err
		}
		for i, x := range s {
			out[i] = frame.String(x)
		}
	default:
		return nil, fmt.Errorf("%s: values of this type are not supported", pickle.TypeName(v))
	}
	return out, nil
}
