package hostile_test

import (
	"context"
	"errors"
	"testing"
	"testing/fstest"

	"mizzen.dev/internal/hostile"
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// The whole way from file to model meets every expectation of the corpus, and
// what loads answers a row without a crash.
func TestModels(t *testing.T) {
	ctx := context.Background()
	hostile.Each(t, func(e hostile.Entry) error {
		m, err := model.OpenFS(ctx, fstest.MapFS{e.File: {Data: e.Data}}, e.File, model.Options{})
		if err != nil {
			if !typed(err) {
				t.Errorf("%s: %v is a %T: programs cannot tell what it is", e.File, err, err)
			}
			return err
		}
		var methods []frame.Method
		for _, o := range m.Signature().Outputs {
			methods = append(methods, o.Method)
		}
		var arena frame.Arena
		width := m.Signature().Width
		row := frame.Matrix(make([]float64, width), 1, width)
		if err := m.Predict(ctx, &arena, &row, methods, make([]frame.Array, len(methods))); err != nil {
			t.Logf("%s loads and answers %v", e.File, err)
		}
		return nil
	}, nil)
}

// typed reports whether an error is of a type that Open is said to return.
func typed(err error) bool {
	var (
		format      *model.FormatError
		unsupported *model.UnsupportedError
		limit       *model.LimitError
		several     *model.SelectError
	)
	return errors.As(err, &format) || errors.As(err, &unsupported) || errors.As(err, &limit) || errors.As(err, &several)
}
