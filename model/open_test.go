package model_test

import (
	"context"
	"errors"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"mizzen.dev/model"
	"mizzen.dev/model/frame"
)

const iris = "../examples/iris/model.pkl"

func open(t *testing.T, path string, opts model.Options) *model.Model {
	t.Helper()
	m, err := model.Open(t.Context(), path, opts)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestOpenRefusesWhatIsNoModel(t *testing.T) {
	cases := map[string]struct {
		content, want string
	}{
		"empty":      {"", "empty file"},
		"numpy":      {"\x93NUMPY\x01\x00v\x00{'descr': '<f8'", "numpy array"},
		"zip":        {"PK\x03\x04rest", "zip archive"},
		"json":       {`{"learner": {}}`, "JSON"},
		"lfs":        {"version https://git-lfs.github.com/spec/v1\noid sha256:…", "git lfs pull"},
		"lightgbm":   {"tree\nversion=v4\n", "LightGBM"},
		"catboost":   {"CBM1\x00", "CatBoost"},
		"keras":      {"\x89HDF\r\n", "HDF5"},
		"pytorch":    {"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.", "PyTorch"},
		"onnx":       {"\x08\x08\x12\x08skl2onnx", "ONNX"},
		"a web page": {"\n<!DOCTYPE html><html>", "web page"},
		"an error":   {`<?xml version="1.0"?><Error><Code>AccessDenied`, "XML"},
		"a program":  {"\x7fELF\x02\x01\x01", "no pickle (malformed pickle at byte 0: unknown opcode 0x7f)"},
		"a table":    {"age,fare\n1,2\n", "no pickle"},
		"truncated":  {"\x80\x04\x95", "malformed"},
	}
	for name, c := range cases {
		fsys := fstest.MapFS{"model.pkl": {Data: []byte(c.content)}}
		_, err := model.OpenFS(t.Context(), fsys, "model.pkl", model.Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want an error with %q", name, err, c.want)
		}
	}
}

func TestOpenSaysWhyAFileCannotBeRead(t *testing.T) {
	if _, err := model.Open(t.Context(), "testdata/none.pkl", model.Options{}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := model.Open(t.Context(), "testdata", model.Options{}); err == nil || !strings.Contains(err.Error(), "directory") {
		t.Errorf("a directory: %v", err)
	}
	if _, err := model.Open(t.Context(), iris, model.Options{Limits: model.Limits{Bytes: 1000}}); err == nil || !strings.Contains(err.Error(), "--max-bytes") {
		t.Errorf("a file over the limit: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := model.Open(ctx, iris, model.Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestErrorsOfOpenHaveTypes(t *testing.T) {
	var (
		format      *model.FormatError
		unsupported *model.UnsupportedError
		limit       *model.LimitError
	)
	_, err := model.Open(t.Context(), "../cmd/mizzen/testdata/bagging.joblib", model.Options{})
	if !errors.As(err, &unsupported) || unsupported.Name != "sklearn.ensemble._bagging.BaggingClassifier" || !strings.Contains(err.Error(), "supported are") {
		t.Errorf("a class that is not supported: %v", err)
	}
	_, err = model.Open(t.Context(), iris, model.Options{Limits: model.Limits{Memo: 3}})
	if !errors.As(err, &limit) || limit.What != "memo entries" || limit.Limit != 3 {
		t.Errorf("over a limit: %v", err)
	}
	data, err := os.ReadFile(iris)
	if err != nil {
		t.Fatal(err)
	}
	_, err = model.OpenFS(t.Context(), fstest.MapFS{"cut": {Data: data[:len(data)/2]}}, "cut", model.Options{})
	if !errors.As(err, &format) {
		t.Errorf("half a file: %v", err)
	}
}

func TestOpenChecksTheDigest(t *testing.T) {
	digest := open(t, iris, model.Options{}).Signature().Digest
	open(t, iris, model.Options{Digest: digest})
	open(t, iris, model.Options{Digest: strings.ToUpper(digest)})

	var wrong *model.DigestError
	other := "sha256:" + strings.Repeat("0", 64)
	if _, err := model.Open(t.Context(), iris, model.Options{Digest: other}); !errors.As(err, &wrong) || wrong.Got != digest {
		t.Errorf("got %v", err)
	}
}

func TestSelect(t *testing.T) {
	cases := map[string]struct {
		file, selection string
		class           string // of what is opened
		err             string // or part of the error
	}{
		"a dict":            {file: "bundle.joblib", err: "the file holds a dict, not a model; in it: scaler (sklearn.preprocessing._data.StandardScaler), model (sklearn.linear_model._ridge.Ridge), features (list), models (list); pick the model: --select scaler"},
		"its model":         {file: "bundle.joblib", selection: "model", class: "Ridge"},
		"deeper":            {file: "bundle.joblib", selection: "models.1", class: "StandardScaler"},
		"a list in it":      {file: "bundle.joblib", selection: "models", err: `holds a list at ["models"], not a model; in it: models.0 (sklearn.linear_model._ridge.Ridge), models.1 (sklearn.preprocessing._data.StandardScaler); pick the model: --select models.0`},
		"not in it":         {file: "bundle.joblib", selection: "modell", err: `there is no "modell" in the file`},
		"no model in it":    {file: "bundle.joblib", selection: "features.0", err: `["features"][0] is a str, not a model`},
		"not in the list":   {file: "bundle.joblib", selection: "models.7", err: `there is no "models.7" in the file, which holds a list at ["models"]; in it: models.0`},
		"a dot in a key":    {file: "dots.pkl", selection: "v1.5", class: "Ridge"},
		"a dot and more":    {file: "dots.pkl", selection: "v1.5.x", err: `which holds a sklearn.linear_model._ridge.Ridge at ["v1.5"]`},
		"a space in a key":  {file: "dots.pkl", selection: "v1", err: `in it: v1.my model (sklearn.linear_model._ridge.Ridge); pick the model: --select "v1.my model"`},
		"a tuple":           {file: "tuple.pkl", err: "the file holds a tuple"},
		"its second":        {file: "tuple.pkl", selection: "1", class: "Ridge"},
		"past its end":      {file: "tuple.pkl", selection: "7", err: `there is no "7" in the file`},
		"an empty dict":     {file: "empty.pkl", err: "the file holds a dict, not a model; there is nothing in it to select"},
		"no container":      {file: "number.pkl", err: "the file holds an int, not a model; supported are"},
		"into no container": {file: "number.pkl", selection: "x", err: `there is no "x" in the file, which holds an int; there is nothing in it to select`},
	}
	for name, c := range cases {
		m, err := model.Open(t.Context(), filepath.Join("testdata", c.file), model.Options{Select: c.selection})
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: got %v, want an error with %q", name, err, c.err)
		case c.err == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case c.err == "" && m.Signature().Class != c.class:
			t.Errorf("%s: got a %s, want a %s", name, m.Signature().Class, c.class)
		}
	}
}

func TestBind(t *testing.T) {
	s := open(t, "../examples/passengers/model.joblib", model.Options{}).Signature()
	cases := map[string]struct {
		columns []string
		want    []int
		err     string
	}{
		"in order":    {columns: []string{"age", "fare", "sex", "port"}, want: []int{0, 1, 2, 3}},
		"reordered":   {columns: []string{"port", "sex", "fare", "age"}, want: []int{3, 2, 1, 0}},
		"an extra":    {columns: []string{"id", "age", "fare", "sex", "port"}, want: []int{1, 2, 3, 4}},
		"missing":     {columns: []string{"age", "fare", "sex"}, err: "missing: port"},
		"misspelt":    {columns: []string{"age", "fares", "sex", "port"}, err: `no feature "fares"; did you mean fare?`},
		"there twice": {columns: []string{"age", "age", "fare", "sex", "port"}, err: "twice"},
	}
	for name, c := range cases {
		got, err := s.Bind(c.columns)
		if c.err != "" {
			if err == nil || !strings.Contains(err.Error(), c.err) {
				t.Errorf("%s: got %v, want an error with %q", name, err, c.err)
			}
			continue
		}
		if diff := cmp.Diff(c.want, got); err != nil || diff != "" {
			t.Errorf("%s: %v %s", name, err, diff)
		}
	}
	if _, err := open(t, iris, model.Options{}).Signature().Bind([]string{"a"}); err == nil || !strings.Contains(err.Error(), "without feature names") {
		t.Errorf("a model without names: %v", err)
	}
}

// A batch that is evaluated in parts answers as its rows one by one.
func TestPredictInParts(t *testing.T) {
	const rows = 40_000
	m := open(t, iris, model.Options{})
	data := make([]float64, rows*4)
	for i := range data {
		data[i] = float64(i*7%80) / 10
	}
	methods := []frame.Method{frame.Predict, frame.PredictProba, frame.Apply}
	var arena frame.Arena
	all, out := frame.Matrix(data, rows, 4), make([]frame.Array, len(methods))
	if err := m.Predict(t.Context(), &arena, &all, methods, out); err != nil {
		t.Fatal(err)
	}
	var single frame.Arena
	for i := 0; i < rows; i += 997 {
		single.Reset()
		row, one := frame.Matrix(data[i*4:i*4+4], 1, 4), make([]frame.Array, len(methods))
		if err := m.Predict(t.Context(), &single, &row, methods, one); err != nil {
			t.Fatal(err)
		}
		if got, want := out[0].Codes[i], one[0].Codes[0]; got != want {
			t.Fatalf("row %d: label %d in the batch, %d alone", i, got, want)
		}
		if diff := cmp.Diff(one[1].Floats, out[1].Floats[i*3:i*3+3]); diff != "" {
			t.Fatalf("row %d: %s", i, diff)
		}
		if diff := cmp.Diff(one[2].Ints, out[2].Ints[i*200:(i+1)*200]); diff != "" {
			t.Fatalf("row %d: %s", i, diff)
		}
	}
}

// The row of an error is that of the whole batch, also in a later part of it.
func TestPredictInPartsSaysWhichRow(t *testing.T) {
	const rows, wrong = 40_000, 39_123
	m := open(t, "testdata/bundle.joblib", model.Options{Select: "model"})
	data := make([]float64, rows*2)
	data[wrong*2+1] = math.Inf(1)
	all := frame.Matrix(data, rows, 2)
	err := m.Predict(t.Context(), &frame.Arena{}, &all, []frame.Method{frame.Predict}, make([]frame.Array, 1))
	var input *frame.InputError
	if !errors.As(err, &input) || input.Row != wrong || input.Column != 1 {
		t.Errorf("got %v, want row %d, column 1", err, wrong)
	}
}

func TestPredictRefusesAMethodThatTheModelLacks(t *testing.T) {
	m := open(t, iris, model.Options{})
	row := frame.Matrix(make([]float64, 4), 1, 4)
	err := m.Predict(t.Context(), &frame.Arena{}, &row, []frame.Method{frame.DecisionFunction}, make([]frame.Array, 1))
	want := "the model has no decision_function; it has predict, predict_proba, predict_log_proba, apply"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestInspectReportsWhatItCouldRead(t *testing.T) {
	content, err := os.ReadFile(iris)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "model.pkl")
	renamed := strings.Replace(string(content), "RandomForestClassifier", "RandomForestClassifies", 1)
	if err := os.WriteFile(path, []byte(renamed), 0o600); err != nil {
		t.Fatal(err)
	}
	report, err := model.Inspect(t.Context(), path, model.Options{})
	if err == nil || !strings.Contains(err.Error(), "RandomForestClassifies is not supported") {
		t.Errorf("got %v", err)
	}
	if report.Root == nil || report.Root.Class != "RandomForestClassifies" || report.Root.Read {
		t.Errorf("got %+v", report.Root)
	}
	if report.Signature.Digest == "" || report.Signature.Size != int64(len(content)) {
		t.Errorf("got %+v", report.Signature)
	}
}

// Goroutines share a model; each has an arena.
func TestPredictIsSafeForConcurrentUse(t *testing.T) {
	m := open(t, iris, model.Options{})
	for range 8 {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			var arena frame.Arena
			for range 200 {
				arena.Reset()
				row, out := frame.Matrix([]float64{5.1, 3.5, 1.4, 0.2}, 1, 4), make([]frame.Array, 1)
				if err := m.Predict(t.Context(), &arena, &row, []frame.Method{frame.Predict}, out); err != nil {
					t.Fatal(err)
				}
				if v, _ := out[0].At(0).Int64(); v != 0 {
					t.Fatalf("got %s", out[0].At(0))
				}
			}
		})
	}
}

// TestOpenReadsPipes is about files that do not know their size.
func TestOpenReadsPipes(t *testing.T) {
	data, err := os.ReadFile(iris)
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{"model.pkl": {Data: data, Mode: fs.ModeNamedPipe}}
	m, err := model.OpenFS(t.Context(), sizeless{fsys}, "model.pkl", model.Options{})
	if err != nil || m.Signature().Size != int64(len(data)) {
		t.Errorf("got %v", err)
	}
	_, err = model.OpenFS(t.Context(), sizeless{fsys}, "model.pkl", model.Options{Limits: model.Limits{Bytes: 1000}})
	if err == nil || !strings.Contains(err.Error(), "--max-bytes") {
		t.Errorf("over the limit: %v", err)
	}
}

// sizeless says that its files are empty.
type sizeless struct{ fs.FS }

type sizelessFile struct{ fs.File }

type sizelessInfo struct{ fs.FileInfo }

func (s sizeless) Open(name string) (fs.File, error) {
	f, err := s.FS.Open(name)
	return sizelessFile{f}, err
}

func (f sizelessFile) Stat() (fs.FileInfo, error) {
	info, err := f.File.Stat()
	return sizelessInfo{info}, err
}

func (sizelessInfo) Size() int64 { return 0 }

func TestPredictRefusesMisuse(t *testing.T) {
	m := open(t, iris, model.Options{})
	predict := []frame.Method{frame.Predict}
	for name, c := range map[string]struct {
		x   frame.Frame
		out []frame.Array
	}{
		"too few numbers":  {frame.Matrix(make([]float64, 7), 2, 4), make([]frame.Array, 1)},
		"too few columns":  {frame.Frame{Rows: 1, Cols: 4, Columns: make([]frame.Column, 3)}, make([]frame.Array, 1)},
		"a short column":   {frame.Frame{Rows: 2, Cols: 1, Columns: []frame.Column{{Floats: []float64{1}}}}, make([]frame.Array, 1)},
		"no room":          {frame.Matrix(make([]float64, 8), 2, 4), nil},
		"a negative width": {frame.Matrix(make([]float64, 8), -2, -4), make([]frame.Array, 1)},
	} {
		if err := m.Predict(t.Context(), new(frame.Arena), &c.x, predict, c.out); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
