package format

import "fmt"

// Error says that a file is malformed: not what its library would have written.
type Error struct {
	Format string // what it was read as, e.g. pickle, .npy file, zlib stream
	Offset int64  // where, in the (decompressed) stream
	Reason string
}

func (e *Error) Error() string {
	return fmt.Sprintf("malformed %s at byte %d: %s", e.Format, e.Offset, e.Reason)
}

// LimitError says that a file exceeds a bound, and which flag raises it.
type LimitError struct {
	What  string // the quantity, e.g. "memo entries"
	Limit int64
	Flag  string // e.g. --max-memo
}

func (e *LimitError) Error() string {
	return fmt.Sprintf("the file has more than %d %s; raise the bound with %s if you trust it", e.Limit, e.What, e.Flag)
}
