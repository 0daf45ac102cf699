package archive

import "fmt"

// advice is how an archive is made that can be unpacked.
const advice = "pack it anew, such as with tar czf model.tar.gz -C DIR ."

// MalformedError says that the archive is damaged, or none.
type MalformedError struct {
	Entry string // the file in it, if it is about one
	What  string
	Err   error // may be nil
}

func (e *MalformedError) Error() string {
	text := "the archive cannot be read: " + at(e.Entry) + e.What
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	return text + "; " + advice
}

// Unwrap returns the cause.
func (e *MalformedError) Unwrap() error { return e.Err }

// RefusedError says that the archive holds what is not unpacked, whoever means well
// by it: links that lead out of it, devices, files that hide others.
type RefusedError struct {
	Entry string // the file in it, if it is about one
	What  string
}

func (e *RefusedError) Error() string {
	return "the archive is refused: " + at(e.Entry) + e.What + "; " + advice
}

// LimitError says that the archive exceeds a bound.
type LimitError struct {
	Entry string // where it was found, if it is about one file
	What  string // what the bound is about
	Limit int64
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the archive is too large: %s%s; the limit is %d", at(e.Entry), e.What, e.Limit)
}

// at names an entry as it is safe to show.
func at(entry string) string {
	if entry == "" {
		return ""
	}
	const most = 200
	if len(entry) > most {
		entry = entry[:most] + "…"
	}
	return fmt.Sprintf("%q ", entry)
}
