package wire

import (
	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// The signatures of models as the tests want them: no file is needed.

// classes returns classes of labels.
func classes(values ...frame.Value) *frame.Classes { return frame.NewClasses(values) }

func ints(n int) *frame.Classes {
	c := &frame.Classes{Kind: frame.Int64}
	for i := range n {
		c.Values = append(c.Values, frame.Int(int64(i)))
	}
	return c
}

// classifier returns the outputs of a classifier.
func classifier(c *frame.Classes) []frame.Output {
	n := len(c.Values)
	return []frame.Output{
		{Method: frame.Predict, Kind: frame.Label, Classes: []*frame.Classes{c}},
		{Method: frame.PredictProba, Kind: frame.Float64, Cols: n, Classes: []*frame.Classes{c}},
		{Method: frame.PredictLogProba, Kind: frame.Float64, Cols: n, Classes: []*frame.Classes{c}},
		{Method: frame.DecisionFunction, Kind: frame.Float64, Cols: n, Classes: []*frame.Classes{c}},
	}
}

// numeric returns a classifier over a matrix of so many columns.
func numeric(width int) *model.Signature {
	return &model.Signature{
		Class: "RandomForestClassifier", Library: "scikit-learn", LibraryVersion: "1.5.2", Format: "joblib, pickle protocol 4",
		Width: width, Features: make([]frame.Feature, width), Numeric: true, Outputs: classifier(ints(3)),
	}
}

// flowers is numeric(4), trained on a DataFrame.
func flowers() *model.Signature {
	s := numeric(4)
	s.Named = true
	for j, name := range []string{"sepal length (cm)", "sepal width (cm)", "petal_length", "petal_width"} {
		s.Features[j].Name = name
	}
	return s
}

// people returns a classifier over a DataFrame of mixed types, of which the
// column "note" is not looked at.
func people() *model.Signature {
	return &model.Signature{
		Class: "Pipeline", Final: "LogisticRegression", Library: "scikit-learn", Format: "pickle protocol 4",
		Width: 4, Named: true,
		Features: []frame.Feature{
			{Name: "age", Type: frame.Number, Missing: true},
			{Name: "city", Type: frame.Text, Missing: true},
			{Name: "grade", Type: frame.Any},
			{Name: "note", Type: frame.Text, Unused: true},
		},
		Outputs: classifier(classes(frame.String("no"), frame.String("yes"))),
	}
}

// ignoring is people with a ColumnTransformer that ignores unknown columns.
func ignoring() *model.Signature {
	s := people()
	s.ExtraIgnored = true
	return s
}

// unnamed returns a transformer over two columns of any type without names.
func unnamed() *model.Signature {
	return &model.Signature{
		Class: "OneHotEncoder", Library: "scikit-learn", Width: 2,
		Features: []frame.Feature{{Type: frame.Any}, {Type: frame.Number}},
		Outputs:  []frame.Output{{Method: frame.Transform, Kind: frame.Float64, Cols: 5}},
	}
}

// labelEncoder takes one value a sample.
func labelEncoder() *model.Signature {
	return &model.Signature{
		Class: "LabelEncoder", Library: "scikit-learn", Width: 1, Values: true,
		Features: []frame.Feature{{Type: frame.Text}},
		Outputs:  []frame.Output{{Method: frame.Transform, Kind: frame.Int64}},
	}
}

// numberEncoder is a LabelEncoder of numbers.
func numberEncoder() *model.Signature {
	s := labelEncoder()
	s.Numeric, s.Features = true, []frame.Feature{{Type: frame.Number}}
	return s
}

// anyWidth returns a transformer that takes any number of numbers.
func anyWidth() *model.Signature {
	return &model.Signature{
		Class: "FunctionTransformer", Library: "scikit-learn", Width: -1, Numeric: true,
		Outputs: []frame.Output{{Method: frame.Transform, Kind: frame.Float64, Cols: -1}},
	}
}

// anyCells is anyWidth for cells of any type.
func anyCells() *model.Signature {
	s := anyWidth()
	s.Numeric = false
	s.Outputs[0].Kind = frame.Object
	return s
}

// twoTargets returns a multi-output classifier.
func twoTargets() *model.Signature {
	c := []*frame.Classes{ints(2), classes(frame.String("a"), frame.String("b"), frame.String("c"))}
	s := numeric(2)
	s.Outputs = []frame.Output{
		{Method: frame.Predict, Kind: frame.Label, Cols: 2, Classes: c},
		{Method: frame.PredictProba, Kind: frame.List, Classes: c},
	}
	return s
}
