package model

import "mizzen.dev/model/frame"

// Signature is what a model says of itself: what it takes, what it answers, and
// what wrote it.
type Signature struct {
	// Class is the model's class, such as RandomForestClassifier or Pipeline.
	Class string
	// Final is the class that answers: that of the last step of a Pipeline, of the
	// best estimator of a search, else Class.
	Final string
	// Library and LibraryVersion say what trained it: scikit-learn, 1.5.2. The
	// version is empty where the file does not tell.
	Library, LibraryVersion string
	// Format is the file's form, such as "joblib (zlib)" or "pickle protocol 4".
	Format string
	// Digest is that of the file's bytes: sha256: and 64 hexadecimal digits.
	Digest string
	// Size is the file's size in bytes.
	Size int64

	// Width is the number of features a row; -1 if the model takes any number.
	Width int
	// Features has Width entries, in training order.
	Features []frame.Feature
	// Named is true if the model was trained on named columns.
	Named bool
	// Numeric is true if every feature is a number.
	Numeric bool
	// Values is true if a sample is one value and not a row (LabelEncoder).
	Values bool
	// ExtraIgnored is true if unknown columns are ignored when they come by
	// name, as scikit-learn's ColumnTransformer does.
	ExtraIgnored bool

	// Outputs are the methods that the model has, in scikit-learn's order.
	Outputs []frame.Output
}

// Default returns the method that is meant when none is asked for: predict, or
// transform for a transformer.
func (s *Signature) Default() frame.Method { return s.Outputs[0].Method }

// Output returns the description of a method, if the model has it.
func (s *Signature) Output(m frame.Method) (frame.Output, bool) {
	for _, o := range s.Outputs {
		if o.Method == m {
			return o, true
		}
	}
	return frame.Output{}, false
}
