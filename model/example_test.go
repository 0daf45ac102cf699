package model_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"math"
	"os"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

func ExampleOpen() {
	m, err := model.Open(context.Background(), "../examples/iris/model.pkl", model.Options{})
	if err != nil {
		log.Fatal(err)
	}
	s := m.Signature()
	fmt.Println(s.Class, "of", s.Library, s.LibraryVersion)
	fmt.Println("takes", s.Width, "numbers a row")
	for _, o := range s.Outputs {
		fmt.Println("answers", o.Method)
	}
	// Output:
	// RandomForestClassifier of scikit-learn 1.7.2
	// takes 4 numbers a row
	// answers predict
	// answers predict_proba
	// answers predict_log_proba
	// answers apply
}

func ExampleModel_Predict() {
	ctx := context.Background()
	m, err := model.OpenFS(ctx, os.DirFS("../examples/iris"), "model.pkl", model.Options{})
	if err != nil {
		log.Fatal(err)
	}
	var arena frame.Arena // keep it: the next call then allocates nothing
	rows := frame.Matrix([]float64{
		5.1, 3.5, 1.4, 0.2,
		6.0, 2.7, 5.1, 1.6,
	}, 2, 4)
	out := make([]frame.Array, 2)
	err = m.Predict(ctx, &arena, &rows, []frame.Method{frame.Predict, frame.PredictProba}, out)
	if err != nil {
		log.Fatal(err)
	}
	labels, probabilities := out[0], out[1]
	for i := range labels.Rows {
		fmt.Println(labels.At(i), probabilities.Floats[i*probabilities.Cols:(i+1)*probabilities.Cols])
	}
	arena.Reset()
	// Output:
	// 0 [1 0 0]
	// 1 [0 0.715 0.285]
}

// A model that was trained on a data frame takes its columns by name.
func ExampleSignature_Bind() {
	ctx := context.Background()
	m, err := model.Open(ctx, "../examples/passengers/model.joblib", model.Options{})
	if err != nil {
		log.Fatal(err)
	}
	names := []string{"port", "sex", "age", "fare"} // as they come
	columns := []frame.Column{
		{Objects: []frame.Value{frame.String("Cherbourg"), frame.String("Southampton")}},
		{Objects: []frame.Value{frame.String("female"), frame.String("male")}},
		{Floats: []float64{math.NaN(), 30}}, // the first one's is not known
		{Floats: []float64{14.96, 8.05}},
	}
	positions, err := m.Signature().Bind(names)
	if err != nil {
		log.Fatal(err)
	}
	rows := frame.Frame{Rows: 2, Cols: len(positions)}
	for _, p := range positions {
		rows.Columns = append(rows.Columns, columns[p])
	}
	var arena frame.Arena
	out := make([]frame.Array, 1)
	if err := m.Predict(ctx, &arena, &rows, []frame.Method{frame.Predict}, out); err != nil {
		log.Fatal(err)
	}
	fmt.Println(out[0].At(0), out[0].At(1))
	// Output:
	// "yes" "no"
}

// What is wrong with a file has a type.
func ExampleOpen_refused() {
	_, err := model.Open(context.Background(), "testdata/bundle.joblib", model.Options{})
	var several *model.SelectError
	if errors.As(err, &several) {
		for _, item := range several.Items {
			fmt.Println(item.Key, "is a", item.Type)
		}
	}
	// Output:
	// scaler is a sklearn.preprocessing._data.StandardScaler
	// model is a sklearn.linear_model._ridge.Ridge
	// features is a list
	// models is a list
}

func ExampleModel_Predict_refused() {
	ctx := context.Background()
	m, err := model.Open(ctx, "../examples/iris/model.pkl", model.Options{})
	if err != nil {
		log.Fatal(err)
	}
	var arena frame.Arena
	rows := frame.Matrix([]float64{5.1, 3.5, 1.4}, 1, 3)
	err = m.Predict(ctx, &arena, &rows, []frame.Method{frame.Predict}, make([]frame.Array, 1))
	fmt.Println(model.IsInput(err), err)
	// Output:
	// true the input: has 3 features a row, RandomForestClassifier takes 4
}
