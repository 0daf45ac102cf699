package base_test

import (
	"testing"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/model/frame"
)

// read runs f on a reader of an object with the given attributes and returns
// the reader's error.
func read(t *testing.T, attrs map[string]any, f func(*base.Reader)) error {
	t.Helper()
	state := &pickle.Dict{}
	for k, v := range attrs {
		state.Set(k, v)
	}
	b := base.Builder{Lookup: func(pickle.Global) (base.Build, bool) {
		return func(r *base.Reader) (base.Estimator, error) {
			f(r)
			return nothing{}, r.Err()
		}, true
	}}
	_, _, err := b.Build(&pickle.Object{Class: pickle.Global{Module: "sklearn.dummy", Name: "Dummy"}, State: state})
	return err
}

type nothing struct{}

func (nothing) Input() base.Input       { return base.Input{} }
func (nothing) Outputs() []frame.Output { return nil }
func (nothing) Evaluate(*frame.Arena, *frame.Frame, []frame.Method, []frame.Array) error {
	return nil
}

func TestSince(t *testing.T) {
	for version, want := range map[string]bool{
		"0.24.2": false, "1.7.2": false, "1.8.0": true, "1.8.dev0": true, "1.10.0": true, "2.0": true, "": true, "unknown": true,
	} {
		t.Run(version, func(t *testing.T) {
			var got bool
			if err := read(t, map[string]any{"_sklearn_version": version}, func(r *base.Reader) { got = r.Since(1, 8) }); err != nil {
				t.Fatal(err)
			}
			if got != want {
				t.Errorf("Since(1, 8) = %v, want %v", got, want)
			}
		})
	}
}

func TestWidth(t *testing.T) {
	for name, c := range map[string]struct {
		attrs map[string]any
		n     int
		want  int
		ok    bool
	}{
		"array and number agree":  {map[string]any{"n_features_in_": int64(4)}, 4, 4, true},
		"no number":               {nil, 4, 4, true},
		"they disagree":           {map[string]any{"n_features_in_": int64(5)}, 4, 4, false},
		"number alone":            {map[string]any{"n_features_in_": int64(5)}, -1, 5, true},
		"number alone, too large": {map[string]any{"n_features_in_": int64(base.MaxFeatures + 1)}, -1, 0, false},
		"number alone, negative":  {map[string]any{"n_features_in_": int64(-5)}, -1, 0, false},
		"nothing":                 {nil, -1, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			var got int
			err := read(t, c.attrs, func(r *base.Reader) { got = r.Width(c.n) })
			if got != c.want || (err == nil) != c.ok {
				t.Errorf("Width(%d) = %d, %v; want %d, ok %v", c.n, got, err, c.want, c.ok)
			}
		})
	}
}
