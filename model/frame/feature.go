package frame

import "fmt"

// Type is what a feature takes.
type Type uint8

// The types of features.
const (
	// Number: a number; what else comes is refused or, if it is null, missing.
	Number Type = iota
	// Text: a string.
	Text
	// Any: a cell of any type.
	Any
)

// String returns the type's name as signatures and documents have it.
func (t Type) String() string {
	switch t {
	case Number:
		return "number"
	case Text:
		return "string"
	}
	return "any"
}

// MarshalText writes the type's name.
func (t Type) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// UnmarshalText reads the type's name.
func (t *Type) UnmarshalText(b []byte) error {
	for _, k := range []Type{Number, Text, Any} {
		if k.String() == string(b) {
			*t = k
			return nil
		}
	}
	return fmt.Errorf("unknown feature type %q: number, string or any", b)
}

// Feature is one column of what a model takes.
type Feature struct {
	// Name is the column's name in the training data, or "" if it had none.
	Name string
	Type Type
	// Missing is true if the model takes a missing value there.
	Missing bool
	// Unused is true if the model does not look at the column; it may be left out.
	Unused bool
	// Categories are the values that an encoder learned, in its order; nil for
	// numbers.
	Categories []Value
	// Closed is true if a value that is not among Categories is refused.
	Closed bool
	// Example is a value that the model takes, for documents and warm-up.
	Example Value
}
