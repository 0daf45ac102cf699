package joblib_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"runtime"
	"testing"

	"mizzen.dev/internal/format/joblib"
	"mizzen.dev/internal/format/pickle"
)

// BenchmarkRead reads a forest of 500 trees of 255 leaves, 18 MB, as
// joblib.dump writes it:
//
//	go test -run '^$' -bench Read ./internal/format/joblib
func BenchmarkRead(b *testing.B) {
	data := forest(500, 509)
	b.Run(fmt.Sprintf("trees=500/MB=%d", len(data)>>20), func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		for b.Loop() {
			if _, _, err := joblib.Read(data, pickle.Limits{}); err != nil {
				b.Fatal(err)
			}
		}
	})
}

// Reading takes memory for what is in the file, not for its arrays, which stay
// where they are.
func TestReadCopiesNoArrays(t *testing.T) {
	data := forest(50, 5090)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := joblib.Read(data, pickle.Limits{})
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(len(data)/20); got > limit {
		t.Errorf("%d bytes allocated for a file of %d, want at most %d", got, len(data), limit)
	}
}

// forest is the joblib file of a list of trees, each an estimator with its
// parameters, a Tree, and an array of nodes and one of values.
func forest(trees, nodes int) []byte {
	w := &writer{memo: make(map[string]int)}
	w.WriteString("\x80\x04](")
	for i := range trees {
		w.object("sklearn.tree._classes", "DecisionTreeClassifier", func() {
			for _, name := range []string{"criterion", "splitter", "class_weight", "max_features", "monotonic_cst", "_sklearn_version"} {
				w.text(name)
				w.text("a parameter of " + name)
			}
			for _, name := range []string{"max_depth", "min_samples_split", "min_samples_leaf", "min_weight_fraction_leaf", "max_leaf_nodes", "min_impurity_decrease", "ccp_alpha", "n_features_in_", "n_outputs_", "max_features_"} {
				w.text(name)
				w.WriteString("K\x05")
			}
			w.text("random_state")
			w.WriteByte('J')
			w.Write(binary.LittleEndian.AppendUint32(nil, uint32(i*7919)))
			w.text("tree_")
			w.object("sklearn.tree._tree", "Tree", func() {
				w.text("node_count")
				w.number(nodes)
				w.text("nodes")
				w.array([]int{nodes}, 64, func() { w.text("V64") })
				w.text("values")
				w.array([]int{nodes, 1, 2}, 8, func() { w.text("f8") })
			})
		})
	}
	w.WriteString("e.")
	return w.Bytes()
}

// writer writes a pickle of protocol 4; names are written once, as Python does.
type writer struct {
	bytes.Buffer
	memo  map[string]int
	count int // memo entries
}

func (w *writer) text(s string) {
	if i, ok := w.memo[s]; ok {
		w.WriteByte('j')
		w.Write(binary.LittleEndian.AppendUint32(nil, uint32(i)))
		return
	}
	w.WriteString("\x8c" + string(rune(len(s))) + s)
	w.memo[s] = w.count
	w.memoize()
}

func (w *writer) memoize() {
	w.WriteByte(0x94)
	w.count++
}

func (w *writer) number(n int) {
	w.WriteByte('J')
	w.Write(binary.LittleEndian.AppendUint32(nil, uint32(n)))
}

func (w *writer) global(module, name string) {
	key := "global " + module + name
	if i, ok := w.memo[key]; ok {
		w.WriteByte('j')
		w.Write(binary.LittleEndian.AppendUint32(nil, uint32(i)))
		return
	}
	w.text(module)
	w.text(name)
	w.WriteByte(0x93)
	w.memo[key] = w.count
	w.memoize()
}

func (w *writer) object(module, name string, attributes func()) {
	w.global(module, name)
	w.WriteString(")\x81")
	w.memoize()
	w.WriteByte('}')
	w.memoize()
	w.WriteByte('(')
	attributes()
	w.WriteString("ub")
}

// array writes a wrapper, padding and zeros.
func (w *writer) array(shape []int, size int, dtype func()) {
	w.object("joblib.numpy_pickle", "NumpyArrayWrapper", func() {
		w.text("subclass")
		w.global("numpy", "ndarray")
		w.text("shape")
		w.WriteByte('(')
		for _, d := range shape {
			w.number(d)
		}
		w.WriteByte('t')
		w.memoize()
		w.text("order")
		w.text("C")
		w.text("dtype")
		w.global("numpy", "dtype")
		dtype()
		w.WriteString("\x89\x88\x87R")
		w.memoize()
		w.WriteString("(K\x03")
		w.text("|")
		w.WriteString("NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb")
		w.text("numpy_array_alignment_bytes")
		w.WriteString("K\x10")
	})
	padding := 16 - (w.Len()+1)%16
	w.WriteByte(byte(padding))
	w.Write(make([]byte, padding))
	n := size
	for _, d := range shape {
		n *= d
	}
	w.Write(make([]byte, n))
}
