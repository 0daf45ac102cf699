package hostile_test

import (
	"fmt"
	"strings"
	"testing"

	"mizzen.dev/internal/format"
	"mizzen.dev/internal/format/joblib"
	"mizzen.dev/internal/format/npy"
	"mizzen.dev/internal/hostile"
)

// harmless are the names in the files whose fault is not a name: the rest of
// the corpus names what no table of estimators has.
var harmless = map[string]bool{
	"numpy.core.multiarray._reconstruct": true, "numpy.core.multiarray.scalar": true, "numpy.dtype": true, "numpy.ndarray": true,
	"joblib.numpy_pickle.NumpyArrayWrapper": true, "sklearn.pipeline.Pipeline": true, "sklearn.ensemble._voting.VotingClassifier": true,
	"sklearn.tree._classes.DecisionTreeClassifier": true, "sklearn.tree._tree.Tree": true,
	"sklearn.preprocessing._function_transformer.FunctionTransformer": true, "sklearn.svm._classes.SVC": true,
}

// The readers of formats survive all files, refuse what is malformed, and
// report every name that would be called. Only what is wrong with an estimator
// is left to those who build it.
func TestFormats(t *testing.T) {
	hostile.Each(t, func(e hostile.Entry) error {
		if e.Format == "npy" {
			_, err := npy.Read(e.Data, format.Limits{})
			return err
		}
		_, info, err := joblib.Read(e.Data, format.Limits{})
		if err != nil {
			return err
		}
		for _, g := range info.Globals {
			if !harmless[g.String()] {
				return fmt.Errorf("it names %s", g)
			}
		}
		return nil
	}, func(e hostile.Entry) bool {
		// A tree that is malformed, an estimator in itself, and a plain dict.
		return !strings.HasPrefix(e.Name, "tree-") && !strings.HasPrefix(e.Name, "cycle-") && e.Name != "size-memo-index"
	})
}
