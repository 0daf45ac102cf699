// Package sklearn builds the estimators of scikit-learn from their pickled
// state. It is one table of classes; each is read by a file of its own in the
// package that has scikit-learn's name of its module.
package sklearn

import (
	"slices"
	"strings"

	"mizzen.dev/internal/format/pickle"
	"mizzen.dev/internal/sklearn/base"
	"mizzen.dev/internal/sklearn/compose"
	"mizzen.dev/internal/sklearn/ensemble"
	"mizzen.dev/internal/sklearn/impute"
	"mizzen.dev/internal/sklearn/linearmodel"
	"mizzen.dev/internal/sklearn/modelselection"
	"mizzen.dev/internal/sklearn/pipeline"
	"mizzen.dev/internal/sklearn/preprocessing"
	"mizzen.dev/internal/sklearn/tree"
)

// class is one class of estimators.
type class struct {
	name  string
	build base.Build
	// modules are those that the class has been in, without "sklearn.": a
	// pickle names the one of the version that wrote it.
	modules []string
}

// classes are the estimators that can be served. To add one, write its file,
// its line here, and its cases in test/fixtures.
var classes = []class{
	{"ColumnTransformer", compose.ColumnTransformer, []string{"compose._column_transformer"}},
	{"DecisionTreeClassifier", tree.Classifier, []string{"tree._classes"}},
	{"DecisionTreeRegressor", tree.Regressor, []string{"tree._classes"}},
	{"ElasticNet", linearmodel.Regressor, []string{"linear_model._coordinate_descent"}},
	{"ExtraTreeClassifier", tree.Classifier, []string{"tree._classes"}},
	{"ExtraTreeRegressor", tree.Regressor, []string{"tree._classes"}},
	{"ExtraTreesClassifier", ensemble.ForestClassifier, []string{"ensemble._forest"}},
	{"ExtraTreesRegressor", ensemble.ForestRegressor, []string{"ensemble._forest"}},
	{"FeatureUnion", pipeline.FeatureUnion, []string{"pipeline"}},
	{"FunctionTransformer", preprocessing.FunctionTransformer, []string{"preprocessing._function_transformer"}},
	{"GridSearchCV", modelselection.Search, []string{"model_selection._search"}},
	{"LabelEncoder", preprocessing.LabelEncoder, []string{"preprocessing._label"}},
	{"Lasso", linearmodel.Regressor, []string{"linear_model._coordinate_descent"}},
	{"LinearRegression", linearmodel.Regressor, []string{"linear_model._base"}},
	{"LogisticRegression", linearmodel.LogisticRegression, []string{"linear_model._logistic"}},
	{"MinMaxScaler", preprocessing.MinMaxScaler, []string{"preprocessing._data"}},
	{"MissingIndicator", impute.MissingIndicator, []string{"impute._base"}},
	{"OneHotEncoder", preprocessing.OneHotEncoder, []string{"preprocessing._encoders"}},
	{"OrdinalEncoder", preprocessing.OrdinalEncoder, []string{"preprocessing._encoders"}},
	{"Pipeline", pipeline.Pipeline, []string{"pipeline"}},
	{"RandomForestClassifier", ensemble.ForestClassifier, []string{"ensemble._forest"}},
	{"RandomForestRegressor", ensemble.ForestRegressor, []string{"ensemble._forest"}},
	{"RandomizedSearchCV", modelselection.Search, []string{"model_selection._search"}},
	{"Ridge", linearmodel.Regressor, []string{"linear_model._ridge"}},
	{"RobustScaler", preprocessing.RobustScaler, []string{"preprocessing._data"}},
	{"SimpleImputer", impute.SimpleImputer, []string{"impute._base"}},
	{"StandardScaler", preprocessing.StandardScaler, []string{"preprocessing._data"}},
}

var builds = index(classes)

func index(classes []class) map[pickle.Global]base.Build {
	out := make(map[pickle.Global]base.Build, len(classes))
	for _, c := range classes {
		for _, module := range c.modules {
			out[pickle.Global{Module: "sklearn." + module, Name: c.name}] = c.build
		}
	}
	return out
}

// Lookup returns the build of a class.
func Lookup(g pickle.Global) (base.Build, bool) {
	build, ok := builds[g]
	return build, ok
}

// Known reports whether a file of these estimators may name g: a class that is
// built, or one that stands in files without being looked at.
func Known(g pickle.Global) bool {
	if _, ok := builds[g]; ok {
		return true
	}
	_, ok := inert[g]
	return ok
}

// Supported returns the names of the classes that can be served.
func Supported() []string {
	names := make([]string, len(classes))
	for i, c := range classes {
		names[i] = c.name
	}
	slices.Sort(names)
	return names
}

// help is what an error about an unknown class says beyond its name.
func help(g pickle.Global) string {
	const list = "supported are "
	names := list + strings.Join(Supported(), ", ")
	switch top, _, _ := strings.Cut(g.Module, "."); top {
	case "sklearn":
		return names
	case "numpy", "scipy", "pandas", "joblib", "lightgbm", "xgboost", "catboost", "imblearn":
		return names + ", without functions or classes of other libraries"
	}
	return "no Python code is run, so classes and functions of your own cannot be served; " + names
}
