package wire

// Datatype is the type of a tensor's elements, as the Open Inference Protocol
// names it.
type Datatype uint8

// The datatypes of the protocol, and BF16, which Triton adds.
const (
	Unknown Datatype = iota
	BOOL
	UINT8
	UINT16
	UINT32
	UINT64
	INT8
	INT16
	INT32
	INT64
	FP16
	BF16
	FP32
	FP64
	BYTES
	numDatatypes = iota
)

var datatypeNames = [numDatatypes]string{"", "BOOL", "UINT8", "UINT16", "UINT32", "UINT64",
	"INT8", "INT16", "INT32", "INT64", "FP16", "BF16", "FP32", "FP64", "BYTES"}

var datatypeSizes = [numDatatypes]int{0, 1, 1, 2, 4, 8, 1, 2, 4, 8, 2, 2, 4, 8, 0}

// ParseDatatype returns the datatype of that name.
func ParseDatatype(name string) (Datatype, bool) {
	for i, n := range datatypeNames[1:] {
		if n == name {
			return Datatype(i + 1), true
		}
	}
	return Unknown, false
}

// String returns the protocol's name of the datatype.
func (d Datatype) String() string { return datatypeNames[d] }

// Size returns the bytes of an element in binary form; 0 for BYTES, whose
// elements have a length of their own.
func (d Datatype) Size() int { return datatypeSizes[d] }

// integer reports whether the elements are whole numbers.
func (d Datatype) integer() bool { return d >= UINT8 && d <= INT64 }

// parseDatatype returns the datatype of a tensor of a request.
func parseDatatype(path, name string) (Datatype, error) {
	d, ok := ParseDatatype(name)
	if !ok {
		return Unknown, invalid(path, "unknown datatype %q: one of %s", clip(name), joinNames(datatypeNames[1:]))
	}
	return d, nil
}
