package impute

import (
	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// SimpleImputer builds the imputer that fills in one value a column. It works
// on numbers or on objects, as it was fitted.
func SimpleImputer(r *base.Reader) (base.Estimator, error) {
	statistics := r.Values("statistics_")
	n := r.Width(len(statistics))
	strategy := r.String("strategy") // a function, which 1.5 allows, is refused
	m := readMarker(r)
	s := &imputer{
		check:   base.Check{Width: n, Class: r.Class.Name, AllowNaN: m.nan()},
		marker:  m,
		objects: fittedOnObjects(r),
	}
	if r.BoolOr("add_indicator", false) {
		sub := r.Object("indicator_")
		s.flagged = indices(&sub.Reader, "features_", n)
		sub.Done()
	}
	if n == 0 {
		r.Errorf("attribute statistics_ is empty")
	}
	if !s.objects && !m.numeric() {
		r.Errorf("missing_values is %s, but the imputer was fitted on numbers", m.name)
	}
	if r.Err() != nil {
		return nil, r.Err()
	}
	// A column of which fit has seen no value has the statistic NaN, and is left
	// out. strategy="constant" kept them up to 1.7.
	keepAll := r.BoolOr("keep_empty_features", false) || strategy == "constant" && !r.Has("_fill_dtype")
	for j, v := range statistics {
		if v.IsNaN() && !keepAll {
			continue
		}
		number, ok := v.Float64()
		if !ok && !s.objects {
			return nil, r.Errorf("attribute statistics_[%d] is %s, but the imputer was fitted on numbers", j, v)
		}
		s.kept = append(s.kept, j)
		s.fill = append(s.fill, v)
		s.numbers = append(s.numbers, number)
	}
	s.input = s.describe(statistics, r.FeatureNames(), strategy)
	r.Note("features", n)
	r.Note("strategy", strategy)
	r.Note("missing_values", m.name)
	r.Note("fills", s.fill)
	if len(s.kept) < n {
		r.Note("dropped", n-len(s.kept))
	}
	return s, r.Err()
}

// fittedOnObjects reports whether the training data were objects. Since 1.1 the
// file says so; before, the statistics of objects were objects.
func fittedOnObjects(r *base.Reader) bool {
	if r.Has("_fit_dtype") {
		d, ok := r.Value("_fit_dtype").(*npy.Dtype)
		if !ok {
			r.Errorf("attribute _fit_dtype is %s, expected a dtype", pickle.TypeName(r.Value("_fit_dtype")))
			return false
		}
		return d.Kind == 'O'
	}
	return r.Array("statistics_").Dtype.Kind == 'O'
}

type imputer struct {
	check   base.Check
	input   base.Input
	marker  marker
	objects bool
	kept    []int         // columns of the input that are in the answer
	fill    []frame.Value // of each kept column
	numbers []float64     // fill, if the columns are numbers
	flagged []int         // columns of which the answer says, at its end, where they were missing
}

// describe makes the input's features. What a column of objects holds is not in
// the file; the most frequent value tells.
func (s *imputer) describe(statistics []frame.Value, names []string, strategy string) base.Input {
	in := base.Numbers(len(statistics), names, true)
	for j, v := range statistics {
		if !v.IsNaN() && !v.IsNone() {
			in.Features[j].Example = v
		}
		if !s.objects {
			continue
		}
		in.Features[j].Type = frame.Any
		if _, text := v.Text(); text && strategy == "most_frequent" {
			in.Features[j].Type = frame.Text
		}
	}
	return in
}

func (s *imputer) Input() base.Input { return s.input }

func (s *imputer) cols() int { return len(s.kept) + len(s.flagged) }

func (s *imputer) Outputs() []frame.Output {
	kind := frame.Float64
	if s.objects {
		kind = frame.Object
	}
	return []frame.Output{{Method: frame.Transform, Kind: kind, Cols: s.cols()}}
}

// Passes says where the kept columns come from; see [base.Passer].
func (s *imputer) Passes() []int {
	out := append([]int(nil), s.kept...)
	for range s.flagged {
		out = append(out, -1)
	}
	return out
}

// Narrow takes over what is known of the columns. They may be missing, whatever
// stands behind the imputer says, and a marker of their own is one more value.
func (s *imputer) Narrow(features []frame.Feature) base.Estimator {
	out := *s
	out.input.Features = append([]frame.Feature(nil), features...)
	for j := range out.input.Features {
		f := &out.input.Features[j]
		f.Missing = s.input.Features[j].Missing
		f.Closed = f.Closed && (s.marker.nan() || s.marker.value.IsNone())
		if !s.objects {
			f.Type = frame.Number
		}
	}
	return &out
}

func (s *imputer) Evaluate(a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	y := frame.Array{Rows: x.Rows, Cols: s.cols()}
	var err error
	if s.objects {
		y.Kind = frame.Object
		y.Values, err = s.imputeObjects(a, x)
	} else {
		y.Floats, err = s.imputeNumbers(a, x)
	}
	for i := range methods { // transform is the only one
		out[i] = y
	}
	return err
}

func (s *imputer) imputeNumbers(a *frame.Arena, x *frame.Frame) ([]float64, error) {
	data, err := s.check.Dense(a, x)
	if err != nil {
		return nil, err
	}
	n := s.cols()
	y := a.Floats(x.Rows * n)
	for i := range x.Rows {
		from, to := data[i*x.Cols:(i+1)*x.Cols], y[i*n:(i+1)*n]
		for k, j := range s.kept {
			to[k] = from[j]
			if s.marker.isNumber(from[j]) {
				to[k] = s.numbers[k]
			}
		}
		for k, j := range s.flagged {
			if s.marker.isNumber(from[j]) {
				to[len(s.kept)+k] = 1
			}
		}
	}
	return y, nil
}

func (s *imputer) imputeObjects(a *frame.Arena, x *frame.Frame) ([]frame.Value, error) {
	if err := s.check.Shape(x); err != nil {
		return nil, err
	}
	if err := refuseNaN(x, s.marker, s.check.Class); err != nil {
		return nil, err
	}
	n := s.cols()
	y := a.Values(x.Rows * n)
	for k, j := range s.kept {
		for i := range x.Rows {
			v := x.Value(i, j)
			if s.marker.is(v) {
				v = s.fill[k]
			}
			y[i*n+k] = v
		}
	}
	for k, j := range s.flagged {
		for i := range x.Rows {
			y[i*n+len(s.kept)+k] = frame.Bool(s.marker.is(x.Value(i, j)))
		}
	}
	return y, nil
}

// refuseNaN refuses NaN among objects where something else stands for what is
// missing. Objects are not searched for infinities.
func refuseNaN(x *frame.Frame, m marker, class string) error {
	if m.nan() {
		return nil
	}
	for j := range x.Cols {
		for i := range x.Rows {
			if x.Value(i, j).IsNaN() {
				return &frame.InputError{Row: i, Column: j, Reason: class + " takes no NaN here: missing_values is " + m.name}
			}
		}
	}
	return nil
}
