// Package format has what the readers of all file formats share: the bounds on
// what a file may make them do, and their errors.
package format

// Limits bound what a file can make a reader do. The zero value of a field
// means its default. README and help texts name the flag of each.
type Limits struct {
	Bytes    int64 // size of the file, and of what it decompresses to (--max-bytes)
	Ratio    int64 // of the decompressed size to the file's size (--max-ratio)
	Depth    int   // nesting of containers (--max-depth)
	Memo     int   // memo entries (--max-memo)
	Elements int64 // items of all containers together; a container itself counts as four, an object as eight (--max-elements)
}

// Defaults of [Limits].
const (
	DefaultBytes    = 4 << 30
	DefaultRatio    = 1000
	DefaultDepth    = 500
	DefaultMemo     = 10_000_000
	DefaultElements = 20_000_000
)

// WithDefaults fills in what is zero.
func (l Limits) WithDefaults() Limits {
	def := func(v *int64, d int64) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.Bytes, DefaultBytes)
	def(&l.Ratio, DefaultRatio)
	def(&l.Elements, DefaultElements)
	if l.Depth == 0 {
		l.Depth = DefaultDepth
	}
	if l.Memo == 0 {
		l.Memo = DefaultMemo
	}
	return l
}
