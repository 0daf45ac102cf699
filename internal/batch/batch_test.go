package batch

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

// adder is a model of two columns, x and label, that answers x+1 and refuses a
// negative x. It counts the rows that it was given at a time.
type adder struct {
	sig   *model.Signature
	sizes []int
}

func newAdder(named bool) *adder {
	sig := &model.Signature{Width: 2, Named: named, Features: []frame.Feature{{Missing: true}, {Type: frame.Any, Categories: []frame.Value{frame.String("7"), frame.Int(8)}}},
		Outputs: []frame.Output{
			{Method: frame.Predict, Kind: frame.Float64},
			{Method: frame.PredictProba, Kind: frame.List, Classes: []*frame.Classes{
				frame.NewClasses([]frame.Value{frame.String("no"), frame.String("yes")}), frame.NewClasses([]frame.Value{frame.Int(5)})}},
			{Method: frame.Transform, Kind: frame.Object, Cols: 2},
		}}
	if named {
		sig.Features[0].Name, sig.Features[1].Name = "x", "label"
	}
	return &adder{sig: sig}
}

func (m *adder) Signature() *model.Signature { return m.sig }

func (m *adder) Predict(_ context.Context, a *frame.Arena, x *frame.Frame, methods []frame.Method, out []frame.Array) error {
	m.sizes = append(m.sizes, x.Rows)
	sums := a.Floats(x.Rows)
	for i := range sums {
		f, _ := x.Value(i, 0).Float64()
		if f < 0 {
			return &frame.InputError{Row: i, Column: 0, Name: m.sig.Features[0].Name, Reason: "takes no negative number"}
		}
		sums[i] = f + 1
	}
	for k, method := range methods {
		switch method {
		case frame.Predict:
			out[k] = frame.Array{Rows: x.Rows, Floats: sums}
		case frame.PredictProba:
			pair := a.Floats(2 * x.Rows)
			out[k] = frame.Array{Kind: frame.List, Parts: []frame.Array{
				{Rows: x.Rows, Cols: 2, Floats: pair}, {Rows: x.Rows, Cols: 1, Floats: sums}}}
		case frame.Transform:
			cells := a.Values(2 * x.Rows)
			for i := range x.Rows {
				cells[2*i], cells[2*i+1] = x.Value(i, 0), x.Value(i, 1)
			}
			out[k] = frame.Array{Rows: x.Rows, Cols: 2, Kind: frame.Object, Values: cells}
		}
	}
	return nil
}

func TestRun(t *testing.T) {
	both := []frame.Method{frame.Predict, frame.PredictProba}
	tests := map[string]struct {
		form    string
		named   bool
		methods []frame.Method
		in      string
		want    string
		err     string
	}{
		"csv":                  {"csv", false, []frame.Method{frame.Predict}, "1,a\n2,b\n", "2.0\n3.0\n", ""},
		"csv without an end":   {"csv", false, []frame.Method{frame.Predict}, "1,a\n2,b", "2.0\n3.0\n", ""},
		"csv with a mark":      {"csv", true, []frame.Method{frame.Predict}, "\xef\xbb\xbfx,label\r\n1,a\r\n", "prediction\n2.0\n", ""},
		"csv in any order":     {"csv", true, []frame.Method{frame.Transform}, "label,x\na,1\n", "transform_0,transform_1\n1.0,a\n", ""},
		"csv by position":      {"csv", true, []frame.Method{frame.Transform}, "1,a\n", "1.0,a\n", ""},
		"csv of lists":         {"csv", true, both, "x,label\n1,a\n", "prediction,predict_proba_0_no,predict_proba_0_yes,predict_proba_1_5\n2.0,0.0,0.0,2.0\n", ""},
		"csv missing":          {"csv", false, []frame.Method{frame.Transform}, ",NA\n", ",\n", ""},
		"csv types":            {"csv", false, []frame.Method{frame.Transform}, "1,7\n1,8\n1,9\n1,2.5\n1,true\n1,1e\n", "1.0,7\n1.0,8\n1.0,9\n1.0,2.5\n1.0,True\n1.0,1e\n", ""},
		"csv quotes":           {"csv", false, []frame.Method{frame.Transform}, "1,\"a\n\"\"b\"\"\"\n2,c\n", "1.0,\"a\n\"\"b\"\"\"\n2.0,c\n", ""},
		"csv line of an error": {"csv", false, []frame.Method{frame.Predict}, "1,\"a\nb\"\n\nx,c\n", "2.0\n", `line 4: column 0: expected a number, found "x"`},
		"csv width":            {"csv", false, []frame.Method{frame.Predict}, "1,a\n1\n", "2.0\n", "line 2: has 1 values, expected 2"},
		"csv width of header":  {"csv", true, []frame.Method{frame.Predict}, "x,label\n1,a\n1,a,b\n", "prediction\n2.0\n", "line 3: has 3 values, the header has 2"},
		"csv of semicolons":    {"csv", true, []frame.Method{frame.Predict}, "x;label\n1;a\n", "", `line 1: has 1 values, expected 2: are they separated by ";"? Only commas are read`},
		"csv header only":      {"csv", true, []frame.Method{frame.Predict}, "x,label\n", "", ""},
		"csv refused":          {"csv", true, []frame.Method{frame.Predict}, "x,label\n1,a\n-1,b\n2,c\n", "prediction\n2.0\n", `line 3: column "x": takes no negative number`},
		"json lines":           {"json", false, []frame.Method{frame.Predict}, "[1,\"a\"]\n\n [2,\"b\"] ", "{\"prediction\":2.0}\n{\"prediction\":3.0}\n", ""},
		"json records":         {"json", true, []frame.Method{frame.Transform}, `{"label":"é","x":null}` + "\n", `{"transform":[null,"é"]}` + "\n", ""},
		"json of lists":        {"json", true, both, `[1,"a"]` + "\n", `{"prediction":2.0,"predict_proba":[[0.0,0.0],[2.0]]}` + "\n", ""},
		"json refused":         {"json", false, []frame.Method{frame.Predict}, "[1,2]\n\n[-1,2]\n", "{\"prediction\":2.0}\n", "line 3: column 0: takes no negative number"},
		"json malformed":       {"json", false, []frame.Method{frame.Predict}, "[1,2]\n[1,2\n", "{\"prediction\":2.0}\n", "line 2: [2]: the JSON ends at byte 5, where ',' or ']' was expected"},
		"nothing":              {"json", false, []frame.Method{frame.Predict}, "", "", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			m := newAdder(test.named)
			var out strings.Builder
			var err error
			if test.form == "json" {
				err = Run(t.Context(), m, test.methods, NewJSONLines(strings.NewReader(test.in), m.sig), NewJSONSink(&out, test.methods))
			} else {
				src := NewCSV(strings.NewReader(test.in), m.sig, DetectHeader)
				named, startErr := src.Start()
				if startErr != nil {
					t.Fatal(startErr)
				}
				err = Run(t.Context(), m, test.methods, src, NewCSVSink(&out, m.sig, test.methods, named))
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" || got != test.err {
				t.Errorf("error %q, want %q; answers (-want +got):\n%s", got, test.err, diff)
			}
		})
	}
}

// TestHeaderOfNumbers is about models that were trained without names.
func TestHeaderOfNumbers(t *testing.T) {
	for name, test := range map[string]struct {
		in, want, err string
	}{
		"a header":                 {"a,b\n1,2\n", "prediction\n2.0\n", ""},
		"a header, and a mistake":  {"a,b\n1,c\n", "", `line 2: column "b": expected a number, found "c"`},
		"a row with a mistake":     {"1,b\n", "", `line 1: column 1: expected a number, found "b"`},
		"a row of missing numbers": {"nan,\n1,2\n", "\n2.0\n", ""},
		"tabs":                     {"1\t2\n", "", `line 1: has 1 values, expected 2: are they separated by "\t"? Only commas are read`},
		"a header of other width":  {"a,b,c\n1,2\n", "", "line 1: has 3 values, expected 2"},
		"UTF-16":                   {"\xff\xfe1\x00,\x002\x00\n\x00", "", "the rows are UTF-16; save them as UTF-8"},
	} {
		t.Run(name, func(t *testing.T) {
			m := newAdder(false)
			m.sig.Numeric, m.sig.Features[1] = true, frame.Feature{Missing: true}
			methods := []frame.Method{frame.Predict}
			src := NewCSV(strings.NewReader(test.in), m.sig, DetectHeader)
			named, err := src.Start()
			var out strings.Builder
			if err == nil {
				err = Run(t.Context(), m, methods, src, NewCSVSink(&out, m.sig, methods, named))
			}
			got := ""
			if err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(test.want, out.String()); diff != "" || got != test.err {
				t.Errorf("error %q, want %q; answers (-want +got):\n%s", got, test.err, diff)
			}
		})
	}
}

// TestTypesOfCategories tells a string that looks like a number from a number.
func TestTypesOfCategories(t *testing.T) {
	m := newAdder(false)
	rows := newRows(m.sig)
	src := NewCSV(strings.NewReader("1,7\n1,8\n1,9\n"), m.sig, WithoutHeader)
	for range 3 {
		if _, err := src.Next(rows); err != nil {
			t.Fatal(err)
		}
	}
	got := []frame.ValueKind{rows.cells[1].Kind(), rows.cells[3].Kind(), rows.cells[5].Kind()}
	want := []frame.ValueKind{frame.KindString, frame.KindInt, frame.KindInt}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}

// endless is a file without an end.
type endless struct{ text string }

func (e endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.text[i%len(e.text)]
	}
	return len(p), nil
}

// TestBounded holds because a file may be a single line, or a quote that is never
// closed.
func TestBounded(t *testing.T) {
	sig := newAdder(false).sig
	sources := map[string]Source{
		"a line of JSON": NewJSONLines(endless{"[1,2,"}, sig),
		"a line of CSV":  NewCSV(endless{"1,2,"}, sig, WithoutHeader),
		"a quote":        NewCSV(io.MultiReader(strings.NewReader("1,\""), endless{"a\n"}), sig, WithoutHeader),
	}
	for name, src := range sources {
		t.Run(name, func(t *testing.T) {
			_, err := src.Next(newRows(sig))
			if err == nil || !strings.Contains(err.Error(), "longer than") {
				t.Errorf("error %v", err)
			}
		})
	}
}

// TestBatches predicts many rows at a time, but never more than the bound, and in
// order.
func TestBatches(t *testing.T) {
	const n = 3*maxRows + 17
	var in, want strings.Builder
	for i := range n {
		fmt.Fprintf(&in, "%d,a\n", i)
		want.WriteString(frame.FormatFloat(float64(i+1)) + "\n")
	}
	m := newAdder(false)
	var out strings.Builder
	methods := []frame.Method{frame.Predict}
	if err := Run(t.Context(), m, methods, NewCSV(strings.NewReader(in.String()), m.sig, WithoutHeader), NewCSVSink(&out, m.sig, methods, false)); err != nil {
		t.Fatal(err)
	}
	if out.String() != want.String() {
		t.Error("the answers are not those of the rows in their order")
	}
	for _, size := range m.sizes {
		if size > maxRows {
			t.Errorf("%d rows at a time", size)
		}
	}
	if len(m.sizes) > n/100 {
		t.Errorf("%d rows were predicted %d at a time", n, n/len(m.sizes))
	}
}

// TestAnswersDoNotWait answers what has come through a pipe before more comes.
func TestAnswersDoNotWait(t *testing.T) {
	in, feed := io.Pipe()
	answers, out := io.Pipe()
	m := newAdder(false)
	methods := []frame.Method{frame.Predict}
	ended := make(chan error, 1)
	go func() {
		ended <- Run(context.Background(), m, methods, NewJSONLines(in, m.sig), NewJSONSink(out, methods))
	}()
	buf := make([]byte, 100)
	for i := range 3 {
		fmt.Fprintf(feed, "[%d,0]\n", i)
		n, err := answers.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if got, want := string(buf[:n]), fmt.Sprintf("{\"prediction\":%d.0}\n", i+1); got != want {
			t.Errorf("answered %q, want %q", got, want)
		}
	}
	feed.Close()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// failing is a file that cannot be written to.
type failing struct{}

var errDiskFull = errors.New("disk full")

func (failing) Write([]byte) (int, error) { return 0, errDiskFull }

func TestWriteFails(t *testing.T) {
	m := newAdder(false)
	methods := []frame.Method{frame.Predict}
	for name, dst := range map[string]Sink{"csv": NewCSVSink(failing{}, m.sig, methods, true), "json": NewJSONSink(failing{}, methods)} {
		err := Run(t.Context(), m, methods, NewJSONLines(strings.NewReader("[1,2]\n"), m.sig), dst)
		if !errors.Is(err, errDiskFull) {
			t.Errorf("%s: error %v, want %v", name, err, errDiskFull)
		}
	}
}

// FuzzCSV checks that every record is one row with the width of the model, or an
// error.
func FuzzCSV(f *testing.F) {
	for _, seed := range []string{"x,label\n1,a\n", "1,\"a\n\"\"b\"\n", "\xef\xbb\xbf1,2\r\n", ",\n", "label,x,x\n"} {
		f.Add(seed)
	}
	sig := newAdder(true).sig
	f.Fuzz(func(t *testing.T, text string) {
		rows := newRows(sig)
		src := NewCSV(strings.NewReader(text), sig, DetectHeader)
		for {
			_, err := src.Next(rows)
			if len(rows.cells) != 2*len(rows.lines) {
				t.Fatalf("%d cells in %d rows", len(rows.cells), len(rows.lines))
			}
			if err != nil {
				break
			}
			if x := rows.cells[len(rows.cells)-2]; x.Kind() != frame.KindFloat {
				t.Fatalf("a number is read as %s", x)
			}
		}
	})
}
