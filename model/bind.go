package model

import (
	"fmt"
	"slices"
	"strings"

	"mizzen.dev/internal/nearest"
)

// BindError says that the columns of an input are not those of the model.
type BindError struct {
	Column string // the column at fault
	Reason string
}

func (e *BindError) Error() string { return e.Reason }

// Bind finds the columns of the model among columns that come by name. It
// returns one position a feature, in training order; -1 for a column that is
// not there and that the model does not look at. Columns may come in any
// order. Unknown ones are an error, unless the model ignores them.
func (s *Signature) Bind(columns []string) ([]int, error) {
	if !s.Named {
		return nil, &BindError{Reason: "the model was trained without feature names: send rows, not records"}
	}
	at := make(map[string]int, len(columns))
	for i, c := range columns {
		if _, twice := at[c]; twice {
			return nil, &BindError{Column: c, Reason: fmt.Sprintf("column %q stands there twice", c)}
		}
		at[c] = i
	}
	positions := make([]int, len(s.Features))
	var missing []string
	for j, f := range s.Features {
		i, ok := at[f.Name]
		switch {
		case ok:
			positions[j] = i
			delete(at, f.Name)
		case f.Unused:
			positions[j] = -1
		default:
			missing = append(missing, f.Name)
		}
	}
	if len(at) > 0 && (!s.ExtraIgnored || len(missing) > 0) {
		return nil, s.unknown(columns, at, missing)
	}
	if len(missing) > 0 {
		return nil, &BindError{Column: missing[0], Reason: "missing: " + strings.Join(missing, ", ")}
	}
	return positions, nil
}

// unknown explains columns that the model does not have.
func (s *Signature) unknown(columns []string, left map[string]int, missing []string) error {
	first := columns[slices.IndexFunc(columns, func(c string) bool { _, ok := left[c]; return ok })]
	names := missing
	if len(names) == 0 {
		for _, f := range s.Features {
			names = append(names, f.Name)
		}
	}
	reason := fmt.Sprintf("the model has no feature %q", first) + nearest.DidYouMean(first, names)
	if len(missing) > 0 {
		reason += " (missing: " + strings.Join(missing, ", ") + ")"
	}
	return &BindError{Column: first, Reason: reason}
}
