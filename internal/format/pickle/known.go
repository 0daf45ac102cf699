package pickle

import "unicode/utf8"

// Names to which the machine itself gives a meaning: whole names, in the
// spellings of Python 2 and 3, and of NumPy 1 and 2.
var (
	arrayWrapper = Global{"joblib.numpy_pickle", "NumpyArrayWrapper"}
	ndarray      = Global{"numpy", "ndarray"}
	maskedArray  = Global{"numpy.ma.core", "MaskedArray"}
	maskedAlias  = Global{"numpy.ma", "MaskedArray"}
)

// isPlain reports whether arrays of that class are read as plain ones.
func isPlain(class any) bool {
	switch class {
	case ndarray, Global{"numpy", "memmap"}, Global{"numpy.core.memmap", "memmap"}:
		return true
	}
	return false
}

// calls maps functions and classes to the values that Python would have made.
var calls = map[Global]func(*machine, []any) (any, error){
	{"numpy", "dtype"}:                         newDtype,
	{"numpy.core.multiarray", "_reconstruct"}:  newArray,
	{"numpy._core.multiarray", "_reconstruct"}: newArray,
	{"numpy.core.multiarray", "scalar"}:        scalar,
	{"numpy._core.multiarray", "scalar"}:       scalar,
	{"numpy.core.numeric", "_frombuffer"}:      fromBuffer,
	{"numpy._core.numeric", "_frombuffer"}:     fromBuffer,
	{"numpy.ma.core", "_mareconstruct"}:        newMasked,

	{"_codecs", "encode"}:          encode,
	{"copyreg", "_reconstructor"}:  reconstructor,
	{"copy_reg", "_reconstructor"}: reconstructor,
	{"builtins", "bytearray"}:      newBytes,
	{"__builtin__", "bytearray"}:   newBytes,
	{"builtins", "bytes"}:          newBytes,
	{"__builtin__", "bytes"}:       newBytes,
	{"builtins", "set"}:            newSet,
	{"__builtin__", "set"}:         newSet,
	{"builtins", "frozenset"}:      newSet,
	{"__builtin__", "frozenset"}:   newSet,
	{"collections", "OrderedDict"}: orderedDict,
	{"collections", "defaultdict"}: defaultDict,

	{"joblib.numpy_pickle", "NDArrayWrapper"}:  separateFiles,
	{"joblib.numpy_pickle", "ZNDArrayWrapper"}: separateFiles,
}

// separateFiles refuses the wrappers of joblib before 0.10.
func separateFiles(*machine, []any) (any, error) {
	return nil, &UnsupportedError{
		Global: Global{"joblib.numpy_pickle", "NDArrayWrapper"},
		Help:   "its arrays are in files of their own, as joblib before 0.10 wrote them; load it there and dump it again",
	}
}

// encode converts the text that stands for bytes in protocols 0 to 2.
func encode(m *machine, args []any) (any, error) {
	if len(args) != 2 || args[1] != "latin1" && args[1] != "latin-1" {
		return nil, m.malformed("an encoding that is not Latin-1")
	}
	text, ok := args[0].(string)
	if !ok {
		return nil, m.malformed("encoding %s", TypeName(args[0]))
	}
	return m.latin1(text)
}

func (m *machine) latin1(text string) (any, error) {
	if err := m.use(len(text)); err != nil {
		return nil, err
	}
	out := make(Bytes, 0, utf8.RuneCountInString(text))
	for _, c := range text {
		if c > 0xff {
			return nil, m.malformed("bytes written as text with the character %q", c)
		}
		out = append(out, byte(c))
	}
	return out, nil
}

// newBytes makes bytes of nothing, of bytes, or of text in Latin-1.
func newBytes(m *machine, args []any) (any, error) {
	if len(args) == 0 {
		return Bytes{}, nil
	}
	switch v := args[0].(type) {
	case Bytes:
		return v, nil
	case string:
		return encode(m, args)
	}
	return nil, m.malformed("bytes made of %s", TypeName(args[0]))
}

// items returns the elements of the list or tuple that is the only argument.
func (m *machine) items(args []any) ([]any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	var items []any
	switch v := args[0].(type) {
	case *List:
		items = v.Items
	case *Tuple:
		items = v.Items
	default:
		return nil, m.malformed("a set or dict made of %s", TypeName(args[0]))
	}
	return items[:len(items):len(items)], m.count(len(items))
}

func newSet(m *machine, args []any) (any, error) {
	items, err := m.items(args)
	if err == nil {
		err = m.checkKeys(items, 1)
	}
	return &Set{Items: items}, err
}

// orderedDict makes a dict of nothing or of a list of pairs.
func orderedDict(m *machine, args []any) (any, error) {
	pairs, err := m.items(args)
	if err != nil {
		return nil, err
	}
	d := &Dict{}
	for _, v := range pairs {
		pair, err := m.items([]any{v})
		if err != nil {
			return nil, err
		}
		if err := m.fill(d, pair[:min(2, len(pair))]); err != nil {
			return nil, err
		}
	}
	return d, nil
}

// defaultDict makes a dict; what makes its defaults is never asked.
func defaultDict(*machine, []any) (any, error) { return &Dict{}, nil }

// reconstructor makes an object of protocols 0 and 1: its arguments are the
// class, a built-in base class and the value of that base class.
func reconstructor(m *machine, args []any) (any, error) {
	if len(args) != 3 {
		return nil, m.malformed("copyreg._reconstructor with %d arguments", len(args))
	}
	class, ok := args[0].(Global)
	if !ok {
		return nil, m.malformed("an instance of %s", TypeName(args[0]))
	}
	o := &Object{Class: class}
	switch v := args[2].(type) {
	case nil:
	case *Dict:
		o.Items = v
	case *List:
		o.Items = &Dict{}
		if err := m.count(len(v.Items)); err != nil {
			return nil, err
		}
		for i, item := range v.Items {
			o.Items.Set(int64(i), item)
		}
	default:
		o.Args = args[2:]
	}
	return o, nil
}
